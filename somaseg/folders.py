"""Write folders whole or not at all, without losing what somebody else put there."""

import contextlib
import fnmatch
import os
import shutil
import uuid
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_LOCK = "lock"  # name of a file in a hidden folder
_TRIES = 5  # to lock a folder that others remove and make at the same moment


@contextlib.contextmanager
def whole_folder(folder, *, ours, overwrite=False):
    """Yield a temporary folder beside `folder`; moved into its place when the block ends, removed when it fails.

    What was in an older `folder` under one of our names is replaced as a whole (what the new one lacks is gone too);
    files of any other name are carried over. A folder that has to stay where it is (the working directory, a mount
    point, one whose parent takes no files) gets its entries exchanged one by one, so that a process killed at that very
    instant can leave it with a part of them; every other is exchanged at once. What a killed
    process left, the next that writes the same folder removes; foreign files are put back first.

    Args:
        folder: path; made, or replaced as said above.
        ours: names or patterns (`fnmatch`) of what we write.
        overwrite: bool, replace what is there under our names.

    Raises:
        BlockingIOError: another process is writing `folder`.
        FileExistsError: something is there under one of our names and `overwrite` is False.
        NotADirectoryError: `folder` is a file.
    """
    folder = Path(os.path.realpath(folder))  # of a link, what it leads to: the link itself stays
    work = HiddenFolder(folder, "partial")
    mark = "" if work.locked else f".{uuid.uuid4().hex[:8]}"
    new, old = work.path / f"new{mark}", work.path / f"old{mark}"
    try:
        if work.locked:
            _put_right(work, old, folder, ours)
        refuse_existing(folder, ours, overwrite=overwrite)
        new.mkdir()
        yield new
        _flush(new)
        exchange = _exchange_entries if _must_stay(folder) else _exchange_folder
        exchange(new, folder, old, ours)
    finally:
        shutil.rmtree(new, ignore_errors=True)
        work.remove()


def refuse_existing(folder, ours, *, overwrite=False):
    """Refuse what `whole_folder` would refuse, for a caller who has long work to do before.

    Raises:
        FileExistsError, NotADirectoryError: as `whole_folder` does.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file. Give a folder.")
    if overwrite:
        return
    hidden = _hidden_path(folder, "partial").name
    taken = [path for path in _entries(folder) if _is_ours(path.name, ours) and path.name != hidden]
    if taken:
        raise FileExistsError(f"{taken[0]} exists. Give another folder, or --overwrite.")


class HiddenFolder:
    """A hidden folder for the work on `folder`, of this process alone until it is released or the process ends.

    It lies beside `folder`; in it where that is a mount point or its parent takes no files.

    Args:
        folder: path; need not be there.
        kind: str; the hidden folder is `.NAME.KIND`.

    Attributes:
        path: `pathlib.Path`, made if need be.
        locked: bool; False where the system or the file system has no locks: then others may be in it too.

    Raises:
        BlockingIOError: another process, or another `HiddenFolder` of this one, has it.
    """

    def __init__(self, folder, kind):
        self.path = _hidden_path(folder, kind)
        try:
            self._file = self._lock()
        except BlockingIOError:
            raise BlockingIOError(
                f"Another run is writing to {folder}. Wait for it, or give another folder with -o."
            ) from None
        self.locked = self._file is not None

    def empty(self):
        """Remove what is in the folder."""
        for path in _entries(self.path):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != _LOCK:
                path.unlink()

    def release(self):
        """Leave the folder to others. Twice does no harm."""
        if self._file is not None:
            self._file.close()

    def remove(self):
        """Leave the folder to others, and remove it if it is empty."""
        with contextlib.suppress(OSError):
            (self.path / _LOCK).unlink()
        self.release()  # not later: NFS keeps the name of an open file
        with contextlib.suppress(OSError):  # not empty, or another run has begun at this moment
            self.path.rmdir()

    def _lock(self):
        """The open file that holds the lock, or None where there are no locks."""
        for _ in range(_TRIES):
            self.path.mkdir(parents=True, exist_ok=True)
            if fcntl is None:
                return None
            with contextlib.suppress(FileNotFoundError), contextlib.ExitStack() as opened:
                file = opened.enter_context(open(self.path / _LOCK, "ab"))
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise
                except OSError:
                    return None
                if os.path.samestat(os.fstat(file.fileno()), os.stat(file.name)):  # not removed meanwhile
                    opened.pop_all()
                    return file
        return None


def _hidden_path(folder, kind):
    folder = Path(os.path.realpath(folder))
    return (folder if _is_cut_off(folder) else folder.parent) / f".{folder.name}.{kind}"


def _is_cut_off(folder):
    return folder.is_dir() and (os.path.ismount(folder) or not os.access(folder.parent, os.W_OK))


def _must_stay(folder):
    return _is_cut_off(folder) or (folder.is_dir() and Path.cwd().is_relative_to(folder))


def _put_right(work, old, folder, ours):
    """Put back what a process that was killed in the exchange had put aside, and remove what else it left."""
    if old.exists() and not folder.exists():
        os.replace(old, folder)
    for path in _entries(old):
        if not _is_ours(path.name, ours) and not (folder / path.name).exists():
            os.replace(path, folder / path.name)
    work.empty()


def _exchange_folder(new, folder, old, ours):
    foreign = [path for path in _entries(folder) if not _is_ours(path.name, ours)]
    if not folder.exists():
        os.replace(new, folder)
        return
    os.replace(folder, old)
    try:
        os.replace(new, folder)
    except OSError:
        os.replace(old, folder)
        raise
    for path in foreign:
        if not (folder / path.name).exists():
            os.replace(old / path.name, folder / path.name)
    shutil.rmtree(old)


def _exchange_entries(new, folder, old, ours):
    entries = _entries(new)
    names = {path.name for path in entries}
    replaced = [
        path for path in _entries(folder) if path != new.parent and (path.name in names or _is_ours(path.name, ours))
    ]
    old.mkdir()
    moves = [(path, old / path.name) for path in replaced] + [(path, folder / path.name) for path in entries]
    moved = []
    try:
        for source, target in moves:
            os.replace(source, target)
            moved.append((source, target))
    except BaseException:
        for source, target in reversed(moved):
            os.replace(target, source)
        old.rmdir()
        raise
    shutil.rmtree(old)


def _entries(folder):
    return sorted(folder.iterdir()) if folder.exists() else []


def _is_ours(name, ours):
    return any(fnmatch.fnmatch(name, pattern) for pattern in ours)


def _flush(folder):
    for path in folder.rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
