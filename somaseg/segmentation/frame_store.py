"""Segmented frames of a movie, kept on disk until all are done, so that an interrupted run goes on where it stopped."""

import hashlib
import json
import os

import numpy as np
import pandas as pd

from somaseg.files import replace_when_whole
from somaseg.folders import HiddenFolder


class FrameStore:
    """Labels and somas of single frames in a hidden folder; each frame is there whole or not at all.

    Also a context manager: at the end of the block the next run may have the store, with what is in it.

    Args:
        output: path of the result that the frames are for; `somaseg.folders.HiddenFolder` says where the store lies.
        key: dict, JSON, of everything that the content depends on: the movie, the preset, its settings. A store that
            was made for another is emptied first.

    Attributes:
        folder: `pathlib.Path` of the store.
        emptied: bool, whether frames of another key were thrown away.

    Raises:
        BlockingIOError: another run has the store.
    """

    def __init__(self, output, key):
        self._hidden = HiddenFolder(output, "unfinished")
        self.folder = self._hidden.path
        text = json.dumps(key, indent=2, sort_keys=True)
        self._mark = hashlib.sha256(text.encode()).hexdigest()[:8]  # tells frames apart where there are no locks
        path = self.folder / "key.json"
        other = not path.exists() or path.read_text() != text
        self.emptied = other and any(self.folder.glob("frame*.npz"))
        if other:
            self._hidden.empty()
            with replace_when_whole(path) as partial:
                partial.write_text(text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._hidden.release()

    def __contains__(self, frame):
        return self._path(frame).exists()

    def save(self, frame, labels, somas, seconds):
        """Keep the labels (Y, X), the table of somas, and the seconds that the network took."""
        columns = {f"somas/{name}": somas[name].to_numpy() for name in somas}
        with replace_when_whole(self._path(frame)) as partial, open(partial, "wb") as file:
            np.savez_compressed(file, labels=labels, seconds=seconds, **columns)

    def labels(self, frame):
        """The labels of a frame, (Y, X)."""
        with np.load(self._path(frame)) as arrays:
            return arrays["labels"]

    def load(self, frame):
        """(labels, table of somas, seconds in the network) of a frame."""
        with np.load(self._path(frame)) as arrays:
            prefix = "somas/"
            columns = {name.removeprefix(prefix): arrays[name] for name in arrays.files if name.startswith(prefix)}
            return arrays["labels"], pd.DataFrame(columns), float(arrays["seconds"])

    def scratch(self, name, shape, dtype):
        """A new array of zeros that lives in the store's folder and not in memory.

        Raises:
            OSError: the disk has no room for it.
        """
        path = self.folder / name
        array = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
        if hasattr(os, "posix_fallocate"):  # a page that found no room later would end the process without a word
            with open(path, "r+b") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        return array

    def remove(self):
        """Throw everything away; for when the result is whole."""
        self._hidden.empty()
        self._hidden.remove()

    def _path(self, frame):
        return self.folder / f"frame{frame:06d}.{self._mark}.npz"
