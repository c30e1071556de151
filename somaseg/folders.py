"""Write folders whole or not at all, without losing what somebody else put there."""

import contextlib
import fnmatch
import os
import shutil
import uuid
from pathlib import Path


@contextlib.contextmanager
def whole_folder(folder, *, ours, overwrite=False):
    """Yield a temporary folder beside `folder`; moved into its place when the block ends, removed when it fails.

    What was in an older `folder` under one of our names is replaced as a whole (what the new one lacks is gone too);
    files of any other name are carried over. A folder that has to stay where it is (the working directory, a mount
    point, one whose parent takes no files) gets its entries exchanged one by one, so that a process killed at that very
    instant can leave it with a part of them; every other is exchanged at once.

    Args:
        folder: path; made, or replaced as said above.
        ours: names or patterns (`fnmatch`) of what we write.
        overwrite: bool, replace what is there under our names.

    Raises:
        FileExistsError: something is there under one of our names and `overwrite` is False.
        NotADirectoryError: `folder` is a file.
    """
    folder = Path(os.path.realpath(folder))  # of a link, what it leads to: the link itself stays
    refuse_existing(folder, ours, overwrite=overwrite)
    folder.parent.mkdir(parents=True, exist_ok=True)
    stays, mark = _must_stay(folder), uuid.uuid4().hex[:8]
    where = folder if stays else folder.parent
    partial, old = (where / f".{mark}.{kind}.{folder.name}" for kind in ("partial", "old"))
    partial.mkdir()
    try:
        yield partial
        _flush(partial)
        exchange = _exchange_entries if stays else _exchange_folder
        exchange(partial, folder, old, ours)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


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
    taken = [path for path in _entries(folder) if _is_ours(path.name, ours)]
    if taken:
        raise FileExistsError(f"{taken[0]} exists. Give another folder, or --overwrite.")


def _must_stay(folder):
    return folder.is_dir() and (
        Path.cwd().is_relative_to(folder) or os.path.ismount(folder) or not os.access(folder.parent, os.W_OK)
    )


def _exchange_folder(partial, folder, old, ours):
    foreign = [path for path in _entries(folder) if not _is_ours(path.name, ours)]
    if not folder.exists():
        os.replace(partial, folder)
        return
    os.replace(folder, old)
    try:
        os.replace(partial, folder)
    except OSError:
        os.replace(old, folder)
        raise
    for path in foreign:
        if not (folder / path.name).exists():
            os.replace(old / path.name, folder / path.name)
    shutil.rmtree(old)


def _exchange_entries(partial, folder, old, ours):
    new = _entries(partial)
    names = {path.name for path in new}
    replaced = [
        path for path in _entries(folder) if path != partial and (path.name in names or _is_ours(path.name, ours))
    ]
    old.mkdir()
    moves = [(path, old / path.name) for path in replaced] + [(path, folder / path.name) for path in new]
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
