"""The plots of a result, drawn by a process of their own while this one writes the other files.

Drawing takes a core for seconds and holds Python's lock meanwhile, so that threads would only wait for each other. The
process is a plain child and not `multiprocessing`'s: an analysis may be called from a notebook or from a script without
`if __name__ == "__main__"`.
"""

import contextlib
import dataclasses
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from somaseg.report.migration_plots import save_plots
from somaseg.report.plot_style import new_axes, new_figure, svg_text

_COMMAND = "from somaseg.report.plotting import draw_for_parent; draw_for_parent()"
_ASKED, _PLOTS = "asked.pickle", "plots"
_DRAWN = 73  # exit code that no other program ends with by chance
_LONGEST_S = 600.0


class Plotting:
    """Draws the plots of one result beside other work, and puts them where they belong when they are asked for.

    Where no process can be started, or it does not do its work, they are drawn then, so that nothing is lost by it.

    Also a context manager: what is not asked for by the end of the block is given up.

    Args:
        workplace: folder for what is drawn and not yet asked for; best on the disk of the result.

    >>> with Plotting(".") as plotting:
    ...     plotting.start()  # takes two seconds to load, so that `draw` need not wait for it
    """

    def __init__(self, workplace):
        self._workplace, self._folder = workplace, None
        self._child, self._asked = None, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            with contextlib.suppress(OSError):  # what was not sent to an ended process
                self._child.stdin.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def start(self):
        """Start the process, which takes two seconds to load what it needs; `draw` does it where this was not."""
        if self._child is None and sys.executable and not getattr(sys, "frozen", False):
            with contextlib.suppress(OSError):  # no such program, or no room for a process
                self._child = _start_child()

    def draw(self, migration, result):
        """Begin to draw the plots, as `somaseg.report.migration_plots.save_plots` does."""
        self.start()
        self._asked = migration, dataclasses.replace(result, labels=None)
        if self._child is not None:
            with contextlib.suppress(OSError), self._child.stdin as pipe:  # `finish` finds it ended
                # Of its own, as the process of a run that was killed may still be drawing.
                self._folder = Path(tempfile.mkdtemp(prefix="plots", dir=self._workplace)).absolute()
                with open(self._folder / _ASKED, "wb") as file:  # a pipe would be full before the process has loaded
                    pickle.dump(self._asked, file)
                pickle.dump(os.fspath(self._folder), pipe)

    def finish(self, folder):
        """Wait until the plots that `draw` was called for are there, and make them `folder`, which is not there yet.

        Raises:
            What `save_plots` raises.
        """
        if self._drawn():
            with contextlib.suppress(OSError):  # they are gone, or there is no room for them
                return shutil.move(self._folder / _PLOTS, folder)
        save_plots(folder, *self._asked)

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
    """What the process does, told in which folder lies what to draw; what goes wrong goes wrong again in the parent."""
    _load_what_drawing_needs()
    folder = Path(pickle.load(sys.stdin.buffer))
    with open(folder / _ASKED, "rb") as file:
        asked = pickle.load(file)
    save_plots(folder / _PLOTS, *asked)
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
