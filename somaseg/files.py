"""Write files whole or not at all."""

import contextlib
import os
import uuid
from pathlib import Path


@contextlib.contextmanager
def replace_when_whole(path):
    """Yield a temporary path beside `path`; moved onto `path` when the block ends, removed when it fails.

    Example:

    >>> import pathlib, tempfile
    >>> target = pathlib.Path(tempfile.mkdtemp()) / "a.txt"
    >>> with replace_when_whole(target) as partial:
    ...     _ = partial.write_text("whole")
    >>> target.read_text()
    'whole'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{uuid.uuid4().hex[:8]}.partial.{path.name}")
    try:
        yield partial
        with open(partial, "rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()


def check_new_file(path, suffix, *, overwrite=False):
    """`path` as a `pathlib.Path`, if a file may be written there.

    Raises:
        ValueError: it does not end in `suffix`.
        FileExistsError: it exists and `overwrite` is False.
    """
    path = Path(path)
    if path.suffix != suffix:
        raise ValueError(f"The file name must end in {suffix}, got {path.name}.")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists. Give another folder, or --overwrite.")
    return path
