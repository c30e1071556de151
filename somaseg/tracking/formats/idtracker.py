"""A movie and its labels as a video that idtracker.ai tracks, and the trajectories of its sessions as a table.

The video shows the somas alone, bright on black, without loss and with a dark line between somas that touch, so that
the program's own threshold finds just the labels. The program itself (GPL-3) is run by hand and never imported.
Its files: https://idtracker.ai, user guide, "Usage" and "Output structure".
"""

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from somaseg.files import replace_when_whole
from somaseg.movies.video_planes import count_frames

VIDEO, SETTINGS = "somas.avi", "idtracker.toml"
IDTRACKER_COLUMNS = ("track_id", "frame", "y_px", "x_px", "probability")
_DARKEST, _THRESHOLD = 80, 40  # grey levels of the dimmest soma pixel and of the threshold; the ground is 0
_SAMPLED_FRAMES = 20
_PERCENTILES = (1.0, 99.5)
# What a person has validated first, then where gaps are filled.
_NAMES = ("validated", "trajectories_validated", "trajectories", "without_gaps", "trajectories_wo_gaps", "with_gaps")
_SUFFIXES = (".h5", ".hdf5", "_csv")


def write_idtracker(folder, frame_count, image_of, labels_of, *, animals=None, identities=True, progress=None):
    """Write somas.avi (FFV1: lossless; an odd height or width is padded with black) and idtracker.toml.

    Args:
        folder: path; files of these names in it are replaced.
        frame_count: int.
        image_of: function from the number of a frame to (Y, X) or (Y, X, 3), or None: all somas are then equally
            bright.
        labels_of: function from the number of a frame to integer (Y, X), 0 = background.
        animals: int, number of cells; None: as many as there are in most frames.
        identities: bool; False asks the program to link without telling cells apart, for cells that come and go.
        progress: None, or a function called with the number of frames done.

    Returns:
        dict of what stands in idtracker.toml.

    Raises:
        ValueError: there is no soma in any frame, or `animals` is below 1.
        OSError: this OpenCV writes no FFV1, or the video read back has another number of frames.
    """
    folder = Path(folder)
    if animals is not None and animals < 1:
        raise ValueError(f"animals must be 1 or more, got {animals!r}.")
    areas, counts = _areas_and_counts(frame_count, labels_of)
    if not len(areas):
        raise ValueError("There is no soma in any frame: nothing for idtracker.ai to follow.")
    levels = _Levels(frame_count, image_of, labels_of)
    frames = (levels.picture(t) for t in range(frame_count))
    _write_lossless(folder / VIDEO, frames, frame_count, progress)
    settings = {
        "name": "somas",
        "video_paths": [str((folder / VIDEO).absolute())],
        "intensity_ths": [_THRESHOLD, 255],
        # Of touching somas a line is lost; two that the program finds as one are still no dirt.
        "area_ths": [max(1, int(0.4 * areas.min())), int(2.5 * areas.max()) + 1],
        "number_of_animals": int(np.bincount(counts[counts > 0]).argmax()) if animals is None else int(animals),
        "use_bkg": False,
        "check_segmentation": False,
        "track_wo_identities": not identities,
        "trajectories_formats": ["h5", "csv"],
    }
    with replace_when_whole(folder / SETTINGS) as partial:
        # Numbers, words, lists of them and true or false look alike in JSON and TOML.
        partial.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
    return settings


def read_idtracker(session):
    """Read the trajectories of an idtracker.ai session: of its HDF5 or CSV files, never of its pickles.

    Args:
        session: path of a session_NAME folder, its trajectories folder, a trajectories.h5 or a trajectories_csv. Of
            several files what a person has validated is taken.

    Returns:
        `pandas.DataFrame` with `IDTRACKER_COLUMNS`: track_id 1, 2, ... in the program's order, y_px, x_px in the video,
        probability of the identity (NaN where the program gives none); one row where a cell was found, by track and
        frame.

    Raises:
        FileNotFoundError: there is no such path, or no trajectories in a format that is read.
        ValueError: they are not (frames, cells, 2) numbers.
    """
    path = _trajectories(Path(session))
    places, probability = _read_h5(path) if path.suffix in _SUFFIXES else _read_csv(path)
    if places.ndim != 3 or places.shape[2] != 2:
        raise ValueError(f"{path}: trajectories must be (frames, cells, 2), got {places.shape}.")
    if probability is None or probability.size != places[..., 0].size:
        probability = np.full(places.shape[:2], np.nan)
    found = np.isfinite(places).all(axis=2)
    cell, frame = np.nonzero(found.T)
    x_px, y_px = places[frame, cell].T
    certainty = probability.reshape(places.shape[:2])[frame, cell]
    certainty = np.where(certainty >= 0, certainty, np.nan)
    return pd.DataFrame(dict(zip(IDTRACKER_COLUMNS, (cell + 1, frame, y_px, x_px, certainty))))


def _areas_and_counts(frame_count, labels_of):
    areas, counts = [np.zeros(0, np.int64)], np.zeros(frame_count, np.int64)
    for t in range(frame_count):
        ids, sizes = np.unique(labels_of(t), return_counts=True)
        areas.append(sizes[ids > 0])
        counts[t] = len(areas[-1])
    return np.concatenate(areas), counts


class _Levels:
    """Frames as 8-bit pictures of the somas alone, one contrast for the whole movie."""

    def __init__(self, frame_count, image_of, labels_of):
        self._image_of, self._labels_of = image_of, labels_of
        self._low, self._high = 0.0, 0.0
        if image_of is not None:
            sampled = np.unique(np.linspace(0, frame_count - 1, _SAMPLED_FRAMES).astype(int))
            inside = np.concatenate([self._grey(t)[labels_of(t) > 0] for t in sampled.tolist()])
            if len(inside):
                self._low, self._high = np.percentile(inside, _PERCENTILES)

    def picture(self, t):
        labels = self._labels_of(t)
        somas = (labels > 0) & ~_meets_another(labels)
        picture = np.zeros([side + side % 2 for side in labels.shape], np.uint8)
        inside = picture[: labels.shape[0], : labels.shape[1]]
        if self._high > self._low:
            share = np.clip((self._grey(t)[somas] - self._low) / (self._high - self._low), 0, 1)
            inside[somas] = np.rint(_DARKEST + (255 - _DARKEST) * share)
        else:
            inside[somas] = 200
        return picture

    def _grey(self, t):
        image = np.asarray(self._image_of(t), np.float32)
        return image if image.ndim == 2 else image.mean(axis=2)


def _meets_another(labels):
    """The pixels that have another soma to their right or below, corners too."""
    labels = np.asarray(labels)
    below = np.pad(labels, ((0, 1), (1, 1)))
    rows, columns = labels.shape
    meets = np.zeros(labels.shape, bool)
    for dy, dx in ((0, 1), (1, -1), (1, 0), (1, 1)):
        other = below[dy : dy + rows, 1 + dx : 1 + dx + columns]
        meets |= (other > 0) & (labels > 0) & (other != labels)
    return meets


def _write_lossless(path, frames, frame_count, progress):
    with replace_when_whole(path) as partial:
        video = None
        try:
            for number, frame in enumerate(frames, start=1):
                if video is None:
                    codec, size = cv2.VideoWriter_fourcc(*"FFV1"), frame.shape[::-1]
                    video = cv2.VideoWriter(str(partial), cv2.CAP_FFMPEG, codec, 10.0, size, False)
                    if not video.isOpened():
                        raise OSError(f"{path}: this OpenCV cannot write FFV1 here.")
                video.write(frame)
                if progress is not None:
                    progress(number)
        finally:
            if video is not None:
                video.release()
        found = count_frames(partial).decoded
        if found != frame_count:
            raise OSError(f"{path}: {frame_count} frames were written, {found} came back.")


def _trajectories(session):
    if not session.exists():
        raise FileNotFoundError(f"{session}: there is no such session.")
    if session.suffix in _SUFFIXES or session.name.endswith("_csv"):
        return session
    if session.is_file():
        raise ValueError(f"{session}: give a session folder, or its trajectories.h5 or trajectories_csv.")
    folder = session / "trajectories" if (session / "trajectories").is_dir() else session
    for name in _NAMES:
        for suffix in _SUFFIXES:
            if (folder / f"{name}{suffix}").exists():
                return folder / f"{name}{suffix}"
    raise FileNotFoundError(
        f"{session}: there are no trajectories in it as .h5 or _csv. Track it with the settings that export-idtracker "
        'writes (trajectories_formats = ["h5", "csv"]); .npy and .pickle files are not read, they can run code.'
    )


def _read_h5(path):
    import h5py

    try:
        with h5py.File(path) as file:
            places = np.asarray(file["trajectories"], float)
            probability = np.asarray(file["id_probabilities"], float) if "id_probabilities" in file else None
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise ValueError(f"{path}: these are no trajectories of idtracker.ai ({error}).") from error
    return places, probability


def _read_csv(folder):
    """(places, probability); the columns are time, x1, y1, x2, y2, ..."""
    places = _read_numbers(folder / "trajectories.csv", "x1")
    if places.shape[1] % 2:
        raise ValueError(f"{folder / 'trajectories.csv'}: {places.shape[1]} columns are no pairs of x and y.")
    certainty = folder / "id_probabilities.csv"
    probability = _read_numbers(certainty, "id_probabilities1") if certainty.exists() else None
    return places.reshape(len(places), -1, 2), probability


def _read_numbers(path, first):
    try:
        table = pd.read_csv(path, skipinitialspace=True)
        return table.loc[:, first:].to_numpy(float)
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"{path}: these are no trajectories of idtracker.ai ({error}).") from error
