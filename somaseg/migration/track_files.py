"""Tracks from anywhere as one table: ours, TrackMate, Manual Tracking and ibidi, Cell Tracking Challenge, idtracker.ai.

Units are never guessed: they come from the file or from the person who asks, else the reading stops and says which flag
is missing.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from somaseg.json_files import read_json
from somaseg.migration.track_tables import TrackTable, frame_warnings, read_track_table
from somaseg.movies.calibration import Calibration
from somaseg.movies.file_units import FileUnits, positive, settle_units

_LENGTH_UNIT = "um"


@dataclass(frozen=True, eq=False)
class TrackFile:
    """Tracks and their units.

    Attributes:
        tracks: `pandas.DataFrame` track_id, frame, time_min, y_um, x_um, sorted by track and frame, and the other
            columns of tracks.csv as far as the file has them.
        calibration: `Calibration`; its um_per_px is 1 where positions are in um and no pixel size is told.
        program: str, what wrote the file.
        units_from: dict of "um_per_px" and "minutes_per_frame" to "file", "flag", "pixels", or "um" where positions
            are in um and need no pixel size.
        simulated: bool, whether the folder says that its tracks are simulated.
        warnings: list of str.
    """

    tracks: pd.DataFrame
    calibration: Calibration
    program: str
    units_from: dict
    simulated: bool
    warnings: list


def read_tracks(path, *, um_per_px=None, minutes_per_frame=None, pixels=False) -> TrackFile:
    """Read tracks of any program that is known, told apart by what the file holds.

    Args:
        path: a result folder or its tracks.csv; TrackMate's XML or its CSV of spots; a table of Manual Tracking or the
            ibidi tool; a folder of the Cell Tracking Challenge (masks and res_track.txt or man_track.txt); an
            idtracker.ai session, trajectories.h5 or trajectories.csv.
        um_per_px: float, where positions are in pixels and the file does not tell their size.
        minutes_per_frame: float, where the file does not tell it.
        pixels: bool, work in pixels and frames on purpose; None as of `settle_units`.

    Returns:
        `TrackFile`. Positions of other programs are taken as they are: drift is not taken off.

    Raises:
        FileNotFoundError: there is no such path, or nothing that is known in the folder.
        ValueError: the file is damaged or of no known kind, or units are missing or stand against each other.
    """
    path, flags = Path(path), {"um_per_px": um_per_px, "minutes_per_frame": minutes_per_frame, "pixels": pixels}
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file or folder.")
    if path.is_dir():
        return _from_folder(path, flags)
    if path.suffix.lower() == ".xml":
        return _from_trackmate_xml(path, flags)
    if path.suffix.lower() in (".h5", ".hdf5"):
        return _from_idtracker(path, flags)
    return _from_table(path, read_track_table(path), flags)


def _from_folder(folder, flags):
    if (folder / "tracks.csv").exists():
        return _from_table(folder / "tracks.csv", read_track_table(folder / "tracks.csv"), flags)
    if any((folder / name).exists() for name in ("res_track.txt", "man_track.txt")):
        return _from_ctc(folder, flags)
    if (folder / "trajectories").is_dir() or folder.name.endswith("_csv") or folder.name == "trajectories":
        return _from_idtracker(folder, flags)
    raise FileNotFoundError(
        f"{folder}: there is no tracks.csv (somaseg), no res_track.txt or man_track.txt (Cell Tracking Challenge) and "
        "no trajectories (idtracker.ai) in it."
    )


def _from_table(path, found: TrackTable, flags):
    summary = (read_json(path.parent / "summary.json") or {}) if path.name == "tracks.csv" else {}
    told = FileUnits(
        x_um=found.um,
        minutes=found.minutes or positive(summary.get("minutes_per_frame")),
        size_words=found.unit_words,
        interval_words=found.interval_words,
    )
    if found.um is not None and flags["um_per_px"] is not None:
        raise ValueError(
            f"{path}: its positions are in a unit of length already ({found.um:g} um). Leave out --um-per-px."
        )
    calibration, source, warnings = settle_units(path, told, **flags)
    in_um = source["um_per_px"] == "file"
    table = _standard(found.table, calibration)
    if in_um:
        pixel = positive(summary.get("um_per_px"))
        calibration = Calibration(pixel or 1.0, calibration.minutes_per_frame)
        source = source | {"um_per_px": "file" if pixel else _LENGTH_UNIT}
    warnings = [*warnings, *found.warnings]
    return TrackFile(table, calibration, found.program, source, _is_simulated(path.parent, summary), warnings)


def _from_trackmate_xml(path, flags):
    from somaseg.tracking.formats.trackmate_reading import read_trackmate_with_units

    found = read_trackmate_with_units(path, **flags)
    warnings = [*found.warnings, *frame_warnings(found.tracks["frame"], found.times, found.time_unit)]
    simulated = _is_simulated(path.parent)
    return TrackFile(found.tracks, found.calibration, "TrackMate", found.units_from, simulated, warnings)


def _from_ctc(folder, flags):
    from somaseg.tracking.formats.ctc import join_gaps, read_ctc

    # Before the masks are read: they may be many.
    calibration, source, warnings = settle_units(folder, FileUnits(), **flags)
    labels = join_gaps(*read_ctc(folder))
    tables = [_centroids(image, frame) for frame, image in enumerate(labels)]
    table = pd.concat(tables, ignore_index=True).sort_values(["track_id", "frame"], ignore_index=True)
    return TrackFile(_standard(table, calibration), calibration, "Cell Tracking Challenge", source, False, warnings)


def _from_idtracker(path, flags):
    from somaseg.tracking.formats.idtracker import read_idtracker

    calibration, source, warnings = settle_units(path, FileUnits(), **flags)
    found = read_idtracker(path).rename(columns={"y_px": "y", "x_px": "x"})
    return TrackFile(_standard(found, calibration), calibration, "idtracker.ai", source, False, warnings)


def _standard(table, calibration):
    """Columns of tracks.csv from positions y, x in the file's unit of length, of calibration.um_per_px um."""
    um = calibration.um_per_px
    first = pd.DataFrame(
        {
            "track_id": table["track_id"].astype(np.int64),
            "frame": table["frame"].astype(np.int64),
            "time_min": table["frame"] * calibration.minutes_per_frame,
            "y_um": table["y"] * um,
            "x_um": table["x"] * um,
        }
    )
    rest = table.drop(columns=["track_id", "frame", "y", "x"])
    return pd.concat([first, rest], axis=1)


def _centroids(image, frame):
    y, x = np.nonzero(image)
    ids, of_pixel, area = np.unique(image[y, x], return_inverse=True, return_counts=True)
    middle = {name: np.bincount(of_pixel, values, len(ids)) / area for name, values in (("y", y), ("x", x))}
    return pd.DataFrame({"track_id": ids.astype(np.int64), "frame": frame, **middle})


def _is_simulated(folder, summary=None):
    run = read_json(folder / "run.json") or {}
    return bool((summary or {}).get("simulated") or run.get("simulated"))
