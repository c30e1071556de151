"""What every kind of movie file gives the reader: planes that are read one at a time, and what is known of them."""

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from somaseg.movies.file_units import FileUnits


@dataclass
class Planes:
    """The planes of a movie file by time, depth and channel.

    Attributes:
        kind: str, what the file is, in words: "ImageJ hyperstack".
        available: bool (T, Z, C), which planes are whole in the file; all, unless it is cut short.
        shape: (Y, X), or (Y, X, 3) for colour.
        dtype: `numpy.dtype` of a plane.
        read: function of (t, z, c) to an array of `shape` and `dtype`.
        units: `FileUnits`.
        channel_names: tuple of str, may be empty.
        fault: str, what is wrong with the number of planes, in words, or "" when all is well.
        warnings: list of str.
        close: function without arguments.
    """

    kind: str
    available: np.ndarray
    shape: tuple
    dtype: np.dtype
    read: Callable
    units: FileUnits = FileUnits()
    channel_names: tuple = ()
    fault: str = ""
    warnings: list = field(default_factory=list)
    close: Callable = lambda: None


def all_available(frames, slices=1, channels=1):
    """`Planes.available` of a whole file."""
    return np.ones((frames, slices, channels), bool)


@contextlib.contextmanager
def quiet(logger_name):
    """Keep a library from printing what we say ourselves, and better, in an error of our own."""

    def nothing(record):
        return False

    logger = logging.getLogger(logger_name)
    logger.addFilter(nothing)
    try:
        yield
    finally:
        logger.removeFilter(nothing)
