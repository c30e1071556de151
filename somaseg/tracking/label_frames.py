"""Label images that any program has written, as frames that are read one at a time: for tracking what others segmented.

A TIFF stack, a folder with one label image per frame in natural order (a folder of the Cell Tracking Challenge is one,
and what `somaseg segment` writes), or a NumPy array in a file.
"""

from pathlib import Path

import cv2
import numpy as np

from somaseg.movies.file_units import FileUnits, settle_units
from somaseg.movies.frame_folder import open_frame_folder
from somaseg.movies.plane_choice import PlaneChoice, PlanesNotChosenError
from somaseg.movies.planes import Planes, all_available
from somaseg.movies.reader import Movie, open_movie

_PIECES_OF_A_MASK = 3
_OF_SEGMENT = "_labels.tif"  # how `somaseg segment` ends the names of label images


class LabelFrames:
    """The label images of a movie, open for reading; made by `open_label_frames`. Also a context manager.

    Attributes:
        movie: `somaseg.movies.reader.Movie` of the file: size, number of frames, units.
    """

    def __init__(self, movie):
        if movie.colour:
            movie.close()
            raise ValueError(
                f"{movie.path}: it holds colour pictures. Give the label images themselves, one number per pixel."
            )
        self.movie = movie

    def labels(self, t):
        """Labels of frame `t`: uint16 or uint32 (Y, X), 0 = background.

        Raises:
            ValueError: the frame cannot be read, holds a negative, broken or too large number, or is a mask: one value
                in several pieces.
        """
        image, where = self.movie.frame(t), f"{self.movie.path}: frame {t}"
        if image.dtype.kind == "f" and np.any(image != np.rint(image)):
            raise ValueError(
                f"{where} holds broken numbers such as {image[image != np.rint(image)][0]:g}; labels are whole."
            )
        low, high = image.min(initial=0), image.max(initial=0)
        if low < 0 or high > np.iinfo(np.uint32).max:
            raise ValueError(
                f"{where} holds {low if low < 0 else high:g}; labels are whole numbers from 0 to 2^32 - 1."
            )
        labels = image.astype(np.uint16 if high <= np.iinfo(np.uint16).max else np.uint32)
        self._refuse_mask(labels, high, where)
        return labels

    def close(self):
        """Close the file. Twice does no harm."""
        self.movie.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _refuse_mask(self, labels, high, where):
        inside = labels > 0
        if not high or labels[inside].min() != high:
            return
        pieces = cv2.connectedComponents(inside.astype(np.uint8), connectivity=8)[0] - 1
        if pieces >= _PIECES_OF_A_MASK:
            raise ValueError(
                f"{where} holds one value, {high:g}, in {pieces} pieces: that is a mask, and labels give each soma a "
                "number of its own. Number the pieces first (in Fiji: MorphoLibJ > Connected Components Labeling)."
            )


def open_label_frames(path, *, um_per_px=None, minutes_per_frame=None, pixels=False, allow_truncated=False):
    """Open label images for reading frame by frame.

    Args:
        path: a TIFF stack, a folder of images, or an .npy of (T, Y, X). A TIFF that calls its frames slices in depth is
            taken for frames.
        um_per_px, minutes_per_frame, pixels, allow_truncated: as of `somaseg.movies.reader.open_movie`.

    Returns:
        `LabelFrames`.

    Raises:
        FileNotFoundError, ValueError, ImportError: as `open_movie`.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "labels.npy"
    >>> np.save(path, np.full((2, 4, 4), 7))
    >>> with open_label_frames(path, pixels=True) as frames:
    ...     frames.labels(1).dtype, frames.movie.frame_count
    (dtype('uint16'), 2)
    """
    units = {"um_per_px": um_per_px, "minutes_per_frame": minutes_per_frame, "pixels": pixels}
    path = Path(path)
    if path.suffix.lower() == ".npy":
        return LabelFrames(_open_array(path, units))
    if path.is_dir() and any(path.glob("*_overlay.png")) and any(path.glob(f"*{_OF_SEGMENT}")):
        return LabelFrames(_movie(path, open_frame_folder(path, f"*{_OF_SEGMENT}"), units, allow_truncated))
    how = {**units, "allow_truncated": allow_truncated}
    try:
        return LabelFrames(open_movie(path, **how))
    except PlanesNotChosenError as error:
        if error.may_be_time:
            return LabelFrames(open_movie(path, z="time", **how))
        raise ValueError(
            f"{path}: it has {error.found}, and labels are one image per frame. If these are the frames, save them as "
            "time (axes TYX; in Fiji: Image > Properties, or Image > Hyperstacks > Re-order); else give a file of one "
            "of them alone. --channel and --z choose planes of --images only."
        ) from error


def _open_array(path, units):
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path}: this is no NumPy array of numbers ({error}).") from error
    if array.ndim != 3 or 0 in array.shape or array.dtype.kind not in "buif":
        raise ValueError(f"{path}: labels must be numbers (T, Y, X), got {array.dtype} {array.shape}.")
    planes = Planes(
        kind="NumPy array",
        available=all_available(len(array)),
        shape=array.shape[1:],
        dtype=array.dtype,
        read=lambda t, z, c: np.array(array[t]),
        units=FileUnits(size_words="arrays have none", interval_words="arrays have none"),
    )
    return _movie(path, planes, units, allow_truncated=False)


def _movie(path, planes, units, allow_truncated):
    settled = settle_units(path, planes.units, **units)
    return Movie(path, planes, PlaneChoice(path, planes), settled, allow_truncated=allow_truncated)
