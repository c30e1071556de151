"""Segmented frames of a movie, kept on disk until all are done, so that an interrupted run goes on where it stopped."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from somaseg.files import replace_when_whole


class FrameStore:
    """Labels and somas of single frames in a folder of its own; each frame is there whole or not at all.

    Args:
        folder: path, made if need be. One that was made for another `key` is emptied first.
        key: dict, JSON, of everything that the content depends on: the movie, the preset, its settings.

    Attributes:
        emptied: bool, whether frames of another key were thrown away.
    """

    def __init__(self, folder, key):
        self.folder = Path(folder)
        text = json.dumps(key, indent=2, sort_keys=True)
        path = self.folder / "key.json"
        self.emptied = self.folder.exists() and (not path.exists() or path.read_text() != text)
        if self.emptied:
            shutil.rmtree(self.folder)
        if not path.exists():
            with replace_when_whole(path) as partial:
                partial.write_text(text)

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
        shutil.rmtree(self.folder)

    def _path(self, frame):
        return self.folder / f"frame{frame:06d}.npz"
