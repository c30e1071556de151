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
    files of any other name are carried over.

    Args:
        folder: path; made, or replaced as said above.
        ours: names or patterns (`fnmatch`) of what we write.
        overwrite: bool, replace what is there under our names.

    Raises:
        FileExistsError: something is there under one of our names and `overwrite` is False.
        NotADirectoryError: `folder` is a file.
    """
    folder = Path(os.path.abspath(folder))
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file. Give a folder.")
    if not overwrite:
        refuse_existing(folder, ours)
    folder.parent.mkdir(parents=True, exist_ok=True)
    mark = uuid.uuid4().hex[:8]
    partial = folder.with_name(f".{mark}.partial.{folder.name}")
    partial.mkdir()
    try:
        yield partial
        _flush(partial)
        _move_into_place(partial, folder, folder.with_name(f".{mark}.old.{folder.name}"), ours)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def refuse_existing(folder, ours):
    """Raise FileExistsError where `folder` holds something under one of our names (patterns as in `fnmatch`)."""
    folder = Path(folder)
    taken = [path for path in _entries(folder) if _is_ours(path.name, ours)]
    if taken:
        raise FileExistsError(f"{taken[0]} exists. Give another folder, or --overwrite.")


def _move_into_place(partial, folder, old, ours):
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


def _entries(folder):
    return sorted(folder.iterdir()) if folder.exists() else []


def _is_ours(name, ours):
    return any(fnmatch.fnmatch(name, pattern) for pattern in ours)


def _flush(folder):
    for path in folder.rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.fsync(file.fileno())
