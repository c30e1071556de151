"""A simulated movie as files: the movie, and its truth as a result folder that `somaseg score` compares with."""

from dataclasses import asdict

import numpy as np

from somaseg.folders import whole_folder
from somaseg.json_files import write_json
from somaseg.movies import Calibration, write_avi, write_hyperstack
from somaseg.simulation.movie_truth import (
    true_cells,
    true_drift,
    true_saltations,
    true_states,
    true_summary,
    true_tracks,
)
from somaseg.simulation.movies import SimulatedMovie
from somaseg.tracking.results import RESULT_FILES, Result, write_result
from somaseg.tracking.tables import TRACK_COLUMNS, write_table

# As in the usual display of a recording: a few pixels are white, the empty ground is nearly black.
_DISPLAY_PERCENTILES = (5.0, 99.8)


def save_movie(
    movie: SimulatedMovie, folder, *, rgb: bool = False, avi: bool = False, overwrite: bool = False, preset=None
) -> None:
    """Write movie.tif and the truth (labels.tif, tracks.csv, cells.csv, ..., states.csv, ctc/, run.json) to a folder.

    The folder appears whole or not at all. summary.json and run.json hold "simulated": true.

    Args:
        folder: path.
        rgb: bool, also movie_rgb.tif: 8 bits, green on black, one contrast for all frames.
        avi: bool, also movie.avi: the same picture, compressed, to look at.
        overwrite: bool, replace a result that is there.
        preset: None, or the name of the preset, for run.json.

    Raises:
        FileExistsError: the folder holds a result already and `overwrite` is False.
    """
    p = movie.parameters
    calibration = Calibration(p.um_per_px, p.minutes_per_frame)
    result = Result(
        calibration,
        movie.labels,
        tracks=true_tracks(movie),
        cells=true_cells(movie),
        saltations=true_saltations(movie),
        drift=true_drift(movie),
        summary=true_summary(movie),
    )

    def write_pictures(partial):
        write_hyperstack(partial / "movie.tif", movie.frames, calibration)
        write_table(partial / "states.csv", true_states(movie))
        if rgb or avi:
            green = green_on_black(movie.frames)
            if rgb:
                write_hyperstack(partial / "movie_rgb.tif", green, calibration, axes="TYXC")
            if avi:
                write_avi(partial / "movie.avi", green)

    run = {"simulated": True, "preset": preset, "seed": movie.seed, "parameters": asdict(p)}
    write_result(folder, result, run=run, overwrite=overwrite, write_more=write_pictures)


def save_truth_tables(movie: SimulatedMovie, folder, *, overwrite: bool = False) -> None:
    """Write only the tables of a movie without pictures: where each cell is and what it does, no outlines, no areas.

    tracks.csv holds the true centres in the frames in which a cell is visible; cells.csv, saltations.csv, states.csv,
    summary.json and run.json are as `save_movie` writes them.

    Raises:
        FileExistsError: the folder holds a result already and `overwrite` is False.
    """
    states = true_states(movie)
    seen = states[states["visible"]]
    y_px, x_px = (seen[name] / movie.parameters.um_per_px for name in ("y_um", "x_um"))
    unknown = {"area_um2": np.nan, "mean_intensity": np.nan, "probability": 1.0}
    tables = {
        "tracks.csv": seen.assign(y_px=y_px, x_px=x_px, **unknown)[[*TRACK_COLUMNS, "state"]],
        "cells.csv": true_cells(movie),
        "saltations.csv": true_saltations(movie),
        "states.csv": states,
    }
    run = {"simulated": True, "seed": movie.seed, "parameters": asdict(movie.parameters)}
    with whole_folder(folder, ours=RESULT_FILES, overwrite=overwrite) as partial:
        for name, table in tables.items():
            write_table(partial / name, table)
        write_json(partial / "summary.json", true_summary(movie))
        write_json(partial / "run.json", run)


def green_on_black(frames: np.ndarray) -> np.ndarray:
    """Frames (T, Y, X) as RGB uint8 (T, Y, X, 3) in green, one linear contrast for the whole movie.

    >>> green_on_black(np.array([[[0, 100]]], np.uint8)).tolist()
    [[[[0, 0, 0], [0, 255, 0]]]]
    """
    low, high = np.percentile(frames[:: max(1, len(frames) // 10)], _DISPLAY_PERCENTILES)
    green = np.zeros((*frames.shape, 3), np.uint8)
    scale = 255.0 / max(high - low, 1.0)
    for target, frame in zip(green, frames, strict=True):
        target[..., 1] = np.clip(np.rint((frame - low) * scale), 0, 255)
    return green
