"""The result folder: what `somaseg analyze` writes, what a simulation writes as its truth, and what a score compares.

labels.tif, tracks.csv, cells.csv, saltations.csv, drift.csv, summary.json, run.json and ctc/; the columns are in
`somaseg.tracking.tables`. A folder appears whole or not at all, and is checked when it is written and when it is read.
"""

import dataclasses
import math
import platform
from pathlib import Path

import numpy as np
import pandas as pd

from somaseg import __version__
from somaseg.folders import whole_folder
from somaseg.json_files import read_json, write_json
from somaseg.movies.calibration import Calibration
from somaseg.movies.writer import write_hyperstack
from somaseg.tracking.formats.ctc import join_gaps, pieces_dropped, read_ctc, write_ctc_files
from somaseg.tracking.label_stacks import check_labels, presence, read_label_stack
from somaseg.tracking.tables import (
    CELL_COLUMNS,
    DRIFT_COLUMNS,
    SALTATION_COLUMNS,
    TRACK_COLUMNS,
    check_table,
    read_table,
    write_table,
)

__all__ = [
    "CELL_COLUMNS",
    "DRIFT_COLUMNS",
    "SALTATION_COLUMNS",
    "TRACK_COLUMNS",
    "Result",
    "read_result",
    "write_result",
]

# Everything that a result folder may hold; what else lies in one is left alone.
RESULT_FILES = (
    "labels.tif",
    "tracks.csv",
    "cells.csv",
    "saltations.csv",
    "drift.csv",
    "summary.json",
    "run.json",
    "ctc",
    "trackmate.xml",
    "rois.zip",
    "tracks.geff",
    "overlay.mp4",
    "report.html",
    "plots",
    "movie.tif",
    "movie_rgb.tif",
    "movie.avi",
    "states.csv",
    "sheet.png",
)
_TABLES = {"tracks": "tracks.csv", "cells": "cells.csv", "saltations": "saltations.csv", "drift": "drift.csv"}


@dataclasses.dataclass(eq=False)
class Result:
    """What is known of a movie's cells: outlines, tracks, and what follows from them.

    Attributes:
        calibration: `somaseg.movies.Calibration`.
        labels: uint16 or uint32 (T, Y, X), value = track id, 0 = background.
        tracks: `pandas.DataFrame` with `TRACK_COLUMNS`, one row per soma per frame.
        cells: `pandas.DataFrame` with `CELL_COLUMNS`, one row per track, or None.
        saltations: `pandas.DataFrame` with `SALTATION_COLUMNS`, or None.
        drift: `pandas.DataFrame` with `DRIFT_COLUMNS`, one row per frame, or None.
        summary: dict, or None.
    """

    calibration: Calibration
    labels: np.ndarray
    tracks: pd.DataFrame
    cells: pd.DataFrame | None = None
    saltations: pd.DataFrame | None = None
    drift: pd.DataFrame | None = None
    summary: dict | None = None


def write_result(folder, result, *, run, overwrite=False, write_more=None):
    """Write a result folder, whole or not at all.

    Args:
        folder: path. Files in it that are no part of a result are left alone.
        result: `Result`; tables that are None are not written. summary.json is its `summary` with um_per_px,
            minutes_per_frame, the numbers of frames, tracks and somas, and "warnings" added where they are missing.
        run: dict of what it was made with (parameters, seed, preset, ...), written to run.json; versions are added.
        overwrite: bool, replace a result that is there, with everything that belonged to it.
        write_more: None, or a function that is called with the temporary folder and adds files to it, so that they
            too appear with the rest or not at all (a simulation's movie.tif and states.csv).

    Raises:
        FileExistsError: a result is there and `overwrite` is False.
        ValueError: the parts of the result do not fit each other; see `read_result`.
    """
    result = check_result(result)
    with whole_folder(folder, ours=RESULT_FILES, overwrite=overwrite) as partial:
        write_hyperstack(partial / "labels.tif", result.labels, result.calibration)
        for attribute, name in _TABLES.items():
            if getattr(result, attribute) is not None:
                write_table(partial / name, getattr(result, attribute))
        (partial / "ctc").mkdir()
        dropped = write_ctc_files(partial / "ctc", result.labels)
        summary = _complete_summary(result, [pieces_dropped(dropped)] if dropped else [])
        versions = {"somaseg": __version__, "numpy": np.__version__, "python": platform.python_version()}
        facts = {**run, "versions": {**versions, **run.get("versions", {})}}
        for name, content in (("summary.json", summary), ("run.json", facts)):
            write_json(partial / name, content)
        if write_more is not None:
            write_more(partial)


def read_result(folder):
    """Read and check a result folder.

    Labels come from labels.tif, or from ctc/ when only that is there (a track goes on through its gaps). The pixel size
    and the frame interval come from summary.json, else from labels.tif.

    Args:
        folder: path of a folder as `write_result` makes it; cells.csv, saltations.csv, drift.csv and summary.json may
            be missing.

    Returns:
        `Result`; missing tables are None.

    Raises:
        FileNotFoundError: there is no such folder, no tracks.csv in it, or no labels.
        ValueError: a file is damaged, a table is wrong (see `somaseg.tracking.tables.check_table`), the files do not
            fit each other, or neither file tells the units. The message names file, column and row.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: there is no such folder.")
    if not (folder / "tracks.csv").exists():
        raise FileNotFoundError(f"{folder}: there is no tracks.csv in it; is it a result folder?")
    summary = read_json(folder / "summary.json")
    labels, found = _read_labels(folder)
    tables = {
        attribute: read_table(folder / name, name, frame_count=len(labels))
        for attribute, name in _TABLES.items()
        if (folder / name).exists()
    }
    calibration = _agreed_calibration(summary, found, folder)
    return check_result(Result(calibration, labels, summary=summary, **tables), source=folder)


def check_result(result, *, source=None):
    """The result with its tables converted by `check_table`, when its parts fit each other.

    Raises:
        ValueError: labels and tracks.csv do not hold the same somas, a table has cells that tracks.csv has not,
            drift.csv has not one row per frame, or the summary gives other units than the calibration.
    """
    prefix = Path(source) if source is not None else Path()
    labels = check_labels(result.labels)
    if labels.dtype not in (np.uint16, np.uint32):
        largest = labels.max()
        labels = labels.astype(np.uint16 if largest <= np.iinfo(np.uint16).max else np.uint32)
    tables = {
        attribute: check_table(getattr(result, attribute), name, source=prefix / name, frame_count=len(labels))
        for attribute, name in _TABLES.items()
        if getattr(result, attribute) is not None
    }
    _compare_somas(labels, tables["tracks"], prefix)
    known = set(tables["tracks"]["track_id"])
    for attribute in ("cells", "saltations"):
        if attribute in tables:
            unknown = sorted(set(tables[attribute]["track_id"]) - known)
            if unknown:
                raise ValueError(
                    f"{prefix / _TABLES[attribute]}: column track_id: {unknown[0]} is not in tracks.csv "
                    f"({len(unknown)} such ids)."
                )
    if "cells" in tables and len(tables["cells"]) != len(known):
        lacking = min(known - set(tables["cells"]["track_id"]))
        raise ValueError(f"{prefix / 'cells.csv'}: no row for track {lacking}; it must have one row per track.")
    if "drift" in tables and tables["drift"]["frame"].nunique() != len(labels):
        raise ValueError(
            f"{prefix / 'drift.csv'}: {len(tables['drift'])} rows for {len(labels)} frames; it must have one per frame."
        )
    if result.summary is not None:
        _agreed_calibration(result.summary, result.calibration, prefix)
    return dataclasses.replace(result, labels=labels, **tables)


def _compare_somas(labels, tracks, prefix):
    both = presence(labels).merge(tracks[["frame", "track_id"]], how="outer", indicator=True)
    for side, here, there in (
        ("left_only", "in the labels", "in tracks.csv"),
        ("right_only", "in tracks.csv", "in the labels"),
    ):
        alone = both[both["_merge"] == side]
        if len(alone):
            first = alone.sort_values(["frame", "track_id"]).iloc[0]
            raise ValueError(
                f"{prefix / 'tracks.csv'}: track {first['track_id']} of frame {first['frame']} is {here} and not "
                f"{there} ({len(alone)} such somas)."
            )


def _read_labels(folder):
    """(labels, calibration or None)."""
    path = folder / "labels.tif"
    if path.exists():
        return read_label_stack(path)
    if (folder / "ctc").is_dir():
        return join_gaps(*read_ctc(folder / "ctc")), None
    raise FileNotFoundError(f"{folder}: there is neither a labels.tif nor a ctc/ in it.")


def _agreed_calibration(summary, found, prefix):
    """That of the summary (exact), when what was found elsewhere is the same to a thousandth."""
    names = ("um_per_px", "minutes_per_frame")
    if not summary or any(summary.get(name) is None for name in names):
        if found is None:
            raise ValueError(f"{prefix}: neither summary.json nor labels.tif tells um_per_px and minutes_per_frame.")
        return found
    try:
        told = Calibration(*(summary[name] for name in names))
    except ValueError as error:
        raise ValueError(f"{prefix / 'summary.json'}: {error}") from error
    for name in names:
        if found is not None and not math.isclose(getattr(told, name), getattr(found, name), rel_tol=1e-3):
            raise ValueError(
                f"{prefix / 'summary.json'}: {name} is {getattr(told, name):g} there and {getattr(found, name):g} in "
                "the calibration of the labels."
            )
    return told


def _complete_summary(result, warnings):
    facts = {
        "um_per_px": result.calibration.um_per_px,
        "minutes_per_frame": result.calibration.minutes_per_frame,
        "frames": len(result.labels),
        "tracks": result.tracks["track_id"].nunique(),
        "somas": len(result.tracks),
    }
    summary = {**facts, **(result.summary or {})}
    known = list(summary.pop("warnings", None) or [])
    return {**summary, "warnings": known + [warning for warning in warnings if warning not in known]}
