"""A result goes to idtracker.ai as a video, and comes back as tracks; the program runs by itself, in between."""

import contextlib
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from somaseg.folders import refuse_existing, whole_folder
from somaseg.json_files import read_json, write_json
from somaseg.movies.file_units import FileUnits, settle_units
from somaseg.movies.reader import open_movie
from somaseg.track import track
from somaseg.tracking.formats.idtracker import SETTINGS, VIDEO, read_idtracker, write_idtracker
from somaseg.tracking.label_frames import open_label_frames
from somaseg.tracking.results import RESULT_FILES
from somaseg.tracking.tables import TRACK_COLUMNS, write_table


def export_idtracker(labels, output, *, images=None, animals=None, identities=True, overwrite=False, progress=None):
    """Write somas.avi and idtracker.toml; see `somaseg.tracking.formats.idtracker.write_idtracker`.

    Args:
        labels: path of a result folder, or of label images as `open_label_frames` takes them.
        output: folder, made if need be.
        images: path of the movie. None: of a result folder the movie that it was made of, if it is still there.
        animals, identities: as of `write_idtracker`.
        overwrite: bool, replace these files.
        progress: None, or a function called with ("write", frames done, frames in all).

    Returns:
        dict of what stands in idtracker.toml.

    Raises:
        FileExistsError: they are there and `overwrite` is False.
        FileNotFoundError, ValueError: as `open_label_frames` and `write_idtracker`; the movie has another size.
    """
    output = Path(output)
    refuse_existing(output, (VIDEO, SETTINGS), overwrite=overwrite)
    stack, movie_path = _of_result(labels)
    images = movie_path if images is None else images
    with contextlib.ExitStack() as opened:
        frames = opened.enter_context(open_label_frames(stack, pixels=True))
        movie = None if images is None else opened.enter_context(open_movie(images, pixels=True))
        count, size = frames.movie.frame_count, (frames.movie.height_px, frames.movie.width_px)
        if movie is not None and (movie.frame_count, movie.height_px, movie.width_px) != (count, *size):
            raise ValueError(f"{images}: it has {movie.description}; the labels have {count} frames of {size}.")
        output.mkdir(parents=True, exist_ok=True)
        return write_idtracker(
            output,
            count,
            None if movie is None else movie.frame,
            frames.labels,
            animals=animals,
            identities=identities,
            progress=None if progress is None else lambda done: progress("write", done, count),
        )


def import_idtracker(session, output, *, labels, images=None, **tracking):
    """Give the somas of label images the identities of an idtracker.ai session, and write a result folder.

    Args:
        session: as of `read_idtracker`.
        output: folder of the result.
        labels: path of the result folder or the label images that were exported.
        images: path of the movie. None: of a result folder the movie that it was made of, if it is still there.
        **tracking: as of `somaseg.track.track`: overwrite, um_per_px, minutes_per_frame, pixels, progress.

    Returns:
        `somaseg.following.Analysis`.
    """
    positions = read_idtracker(session)
    stack, movie_path = _of_result(labels)

    def idtracker(somas, **limits):
        return identities_of(somas, positions)

    run = {"idtracker_session": str(session)}
    return track(stack, output, images=movie_path if images is None else images, linker=idtracker, run=run, **tracking)


def import_idtracker_tracks(session, output, *, um_per_px=None, minutes_per_frame=None, pixels=False, overwrite=False):
    """Write the trajectories of a session as tracks.csv (positions alone: areas are empty) and run.json.

    Returns:
        the table.

    Raises:
        FileExistsError: `output` holds a result and `overwrite` is False.
        ValueError: the units are not given; and as `read_idtracker`.
    """
    nothing = FileUnits(size_words="trajectories have none", interval_words="trajectories have none")
    calibration, source, _ = settle_units(
        session, nothing, um_per_px=um_per_px, minutes_per_frame=minutes_per_frame, pixels=pixels
    )
    found = read_idtracker(session)
    table = found.assign(
        time_min=found["frame"] * calibration.minutes_per_frame,
        y_um=found["y_px"] * calibration.um_per_px,
        x_um=found["x_px"] * calibration.um_per_px,
        area_um2=np.nan,
        mean_intensity=np.nan,
    )[list(TRACK_COLUMNS)]
    with whole_folder(output, ours=RESULT_FILES, overwrite=overwrite) as partial:
        write_table(partial / "tracks.csv", table)
        write_json(partial / "run.json", {"idtracker_session": str(session), "units_from": source})
    return table


def identities_of(somas, positions):
    """The track of each soma: that of the position nearest to it in its frame, one to one, within its own diameter.

    Args:
        somas: frame, y_px, x_px, area_px.
        positions: `pandas.DataFrame` as `read_idtracker` gives it.

    Returns:
        int (N,), 0 where no position is near.

    >>> import pandas as pd
    >>> somas = pd.DataFrame({"frame": [0, 0], "y_px": [5.0, 40], "x_px": [5.0, 40], "area_px": 80.0})
    >>> positions = pd.DataFrame({"track_id": [3], "frame": [0], "y_px": [38.0], "x_px": [41.0]})
    >>> identities_of(somas, positions).tolist()
    [0, 3]
    """
    ids = np.zeros(len(somas), np.int64)
    place, frame = somas[["y_px", "x_px"]].to_numpy(float), somas["frame"].to_numpy()
    diameter = np.sqrt(4 / np.pi * somas["area_px"].to_numpy(float))
    for number, told in positions.groupby("frame"):
        here = np.flatnonzero(frame == number)
        distance = cdist(place[here], told[["y_px", "x_px"]].to_numpy(float)) / diameter[here, None]
        rows, columns = linear_sum_assignment(np.minimum(distance, 2.0))
        near = distance[rows, columns] < 1.0
        ids[here[rows[near]]] = told["track_id"].to_numpy()[columns[near]]
    return ids


def _of_result(path):
    """(label images, movie or None) of a result folder; of anything else (path, None)."""
    folder = Path(path)
    if not (folder / "labels.tif").is_file():
        return path, None
    told = (read_json(folder / "run.json") or {}).get("movie")
    for movie in (told, folder / "movie.tif"):  # a simulation's movie lies beside its truth
        if movie is not None and Path(movie).exists():
            return folder / "labels.tif", movie
    return folder / "labels.tif", None
