"""The plots of a result, drawn by a process of their own while this one writes the other files.

Drawing takes a core for seconds and holds Python's lock meanwhile, so that threads would only wait for each other. The
process is a plain child and not `multiprocessing`'s: an analysis may be called from a notebook or from a script without
`if __name__ == "__main__"`.
"""

import contextlib
import dataclasses
import os
import pickle
import subprocess
import sys
from pathlib import Path

from somaseg.report.migration_plots import save_plots
from somaseg.report.plot_style import new_axes, new_figure, svg_text

_COMMAND = "from somaseg.report.plotting import draw_for_parent; draw_for_parent()"


class Plotting:
    """Draws the plots of one result beside other work.

    Also a context manager: what is not finished at the end of the block is given up.

    >>> with Plotting() as plotting:
    ...     plotting.finish()  # nothing was asked for
    """

    def __init__(self):
        self._child, self._folder = None, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            for pipe in (self._child.stdin, self._child.stdout):
                with contextlib.suppress(OSError):  # what was not sent to an ended process
                    pipe.close()

    def start(self):
        """Start the process, which takes two seconds to load what it needs; `draw` does it where this was not."""
        if self._child is None and sys.executable and not getattr(sys, "frozen", False):
            self._child = _start_child()

    def draw(self, folder, migration, result):
        """Begin to save the plots as `somaseg.report.migration_plots.save_plots` does; `finish` waits for them."""
        self.start()
        self._folder = Path(folder)
        if self._child is None:  # a frozen program has no Python to start
            save_plots(folder, migration, result)
            return
        with contextlib.suppress(BrokenPipeError), self._child.stdin as pipe:  # `finish` tells why it is broken
            pickle.dump((self._folder, migration, dataclasses.replace(result, labels=None)), pipe)

    def finish(self):
        """Wait until the plots are there, and give their folder; None where none were asked for.

        Raises:
            OSError and whatever else drawing them raised.
            RuntimeError: the process was ended before it could tell.
        """
        if self._child is None or self._folder is None:
            return self._folder
        answer = self._child.stdout.read()
        if self._child.wait() or not answer:
            raise RuntimeError(f"The plots were not drawn: their process ended with exit code {self._child.wait()}.")
        error = pickle.loads(answer)
        if error is not None:
            raise error
        return self._folder


def draw_for_parent():
    """What the process does: read what to draw from standard input, and write what went wrong to standard output."""
    try:
        _load_what_drawing_needs()
        save_plots(*pickle.load(sys.stdin.buffer))
        answer = None
    except Exception as error:  # told by the parent, as if it had drawn them
        answer = error
    sys.stdout.buffer.write(pickle.dumps(answer))


def _load_what_drawing_needs():
    """The parent is still measuring: modules, fonts and the rest are there when it is done."""
    import somaseg.migration.measures  # noqa: F401, what the parent sends is made of it
    import somaseg.tracking.results  # noqa: F401

    figure = new_figure()
    new_axes(figure, xlabel="µm", ylabel="µm")
    svg_text(figure)


def _start_child():
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _COMMAND],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,  # Ctrl+C is for this process, which ends the others
    )
