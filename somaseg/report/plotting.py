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
_DRAWN = 73  # exit code that no other program ends with by chance
_LONGEST_S = 600.0


class Plotting:
    """Draws the plots of one result beside other work.

    Where no process can be started, or it does not do its work, they are drawn here, so that nothing is lost by it.

    Also a context manager: what is not finished at the end of the block is given up.

    >>> with Plotting() as plotting:
    ...     plotting.finish()  # nothing was asked for
    """

    def __init__(self):
        self._child, self._asked = None, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            with contextlib.suppress(OSError):  # what was not sent to an ended process
                self._child.stdin.close()

    def start(self):
        """Start the process, which takes two seconds to load what it needs; `draw` does it where this was not."""
        if self._child is None and sys.executable and not getattr(sys, "frozen", False):
            with contextlib.suppress(OSError):  # no such program, or no room for a process
                self._child = _start_child()

    def draw(self, folder, migration, result):
        """Begin to save the plots as `somaseg.report.migration_plots.save_plots` does; `finish` waits for them."""
        self.start()
        self._asked = Path(folder), migration, dataclasses.replace(result, labels=None)
        if self._child is not None:
            with contextlib.suppress(OSError), self._child.stdin as pipe:  # `finish` finds it ended
                pickle.dump(self._asked, pipe)

    def finish(self):
        """Wait until the plots are there, and give their folder; None where none were asked for.

        Raises:
            What `save_plots` raises.
        """
        if self._asked is None:
            return None
        if not self._drawn():
            save_plots(*self._asked)
        return self._asked[0]

    def _drawn(self):
        if self._child is None:
            return False
        try:
            return self._child.wait(_LONGEST_S) == _DRAWN
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
            return False


def draw_for_parent():
    """What the process does: read what to draw from standard input; what goes wrong goes wrong again in the parent."""
    _load_what_drawing_needs()
    save_plots(*pickle.load(sys.stdin.buffer))
    sys.exit(_DRAWN)


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
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each and isinstance(each, str))},
        start_new_session=True,  # Ctrl+C is for this process, which ends the other
    )
