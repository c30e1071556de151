"""The tables of a result folder: their columns, what each may hold, and CSV that survives a round trip.

A table is a `pandas.DataFrame` with at least the columns named here, in any order; further columns are kept.
"""

import numpy as np
import pandas as pd

TRACK_COLUMNS = (
    "track_id",
    "frame",
    "time_min",
    "y_px",
    "x_px",
    "y_um",
    "x_um",
    "area_um2",
    "mean_intensity",
    "probability",
)
CELL_COLUMNS = (
    "track_id",
    "first_frame",
    "last_frame",
    "duration_h",
    "path_um",
    "net_displacement_um",
    "mean_speed_um_per_h",
    "mean_speed_noise_corrected_um_per_h",
    "speed_when_mobile_um_per_h",
    "saltation_count",
    "saltation_frequency_per_h",
    "saltation_frequency_corrected_per_h",
    "saltation_length_um",
    "saltation_length_corrected_um",
    "pause_median_min",
    "pause_fraction",
    "arrested",
    "straightness",
    "outreach",
    "direction_deg",
)
SALTATION_COLUMNS = (
    "track_id",
    "start_frame",
    "end_frame",
    "start_min",
    "duration_min",
    "length_um",
    "speed_um_per_h",
    "heading_deg",
    "cut_by_track_end",
)
DRIFT_COLUMNS = ("frame", "dy_px", "dx_px")

COLUMNS = {
    "tracks.csv": TRACK_COLUMNS,
    "cells.csv": CELL_COLUMNS,
    "saltations.csv": SALTATION_COLUMNS,
    "drift.csv": DRIFT_COLUMNS,
}
_WHOLE = {"track_id", "frame", "first_frame", "last_frame", "saltation_count", "start_frame", "end_frame"}
_TRUE_OR_FALSE = {"arrested", "cut_by_track_end"}
_NEVER_EMPTY = _WHOLE | {"time_min", "y_px", "x_px", "y_um", "x_um", "start_min", "duration_min", "dy_px", "dx_px"}
_FRAMES = ("frame", "first_frame", "last_frame", "start_frame", "end_frame")
_KEYS = {"tracks.csv": ["track_id", "frame"], "cells.csv": ["track_id"], "drift.csv": ["frame"]}
_SIGNIFICANT_DIGITS = "%.9g"


def check_table(table, name, *, source=None, frame_count=None):
    """The table with its own columns as int64, float64 and bool; extra columns untouched.

    Args:
        table: `pandas.DataFrame`.
        name: str, which table it is: "tracks.csv", "cells.csv", "saltations.csv" or "drift.csv".
        source: what an error calls it; `name` if None.
        frame_count: int or None; when given, every frame must be in 0..frame_count - 1.

    Raises:
        ValueError: a column is missing or there twice, a cell is no number, not whole, infinite or empty where it must
            not be, a frame is outside the stack, an id is below 1, or a row is there twice. File, column and row named.

    Example:

    >>> drift = pd.DataFrame({"frame": [0, 1], "dy_px": [0, 1.5], "dx_px": ["0", "2"]})
    >>> check_table(drift, "drift.csv", frame_count=2)["dx_px"].tolist()
    [0.0, 2.0]
    >>> check_table(drift, "drift.csv", frame_count=1)
    Traceback (most recent call last):
        ...
    ValueError: drift.csv: column frame, row 2: 1 is outside the stack of 1 frames (0..0).
    """
    source = source or name
    missing = [column for column in COLUMNS[name] if column not in table.columns]
    if missing:
        raise ValueError(f"{source}: missing column(s) {', '.join(missing)}; it has {', '.join(map(str, table))}.")
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise ValueError(f"{source}: column {twice[0]} is there twice.")
    table = table.reset_index(drop=True)
    for column in COLUMNS[name]:
        convert = _to_bool if column in _TRUE_OR_FALSE else _to_whole if column in _WHOLE else _to_float
        table[column] = convert(table[column], source, column)
    for column in _FRAMES:
        if column in COLUMNS[name]:
            _check_frames(table[column], frame_count, source, column)
    if "track_id" in COLUMNS[name]:
        _refuse(table["track_id"] < 1, table["track_id"], source, "track_id", "is not an id (1, 2, ...)")
    for first, last in (("first_frame", "last_frame"), ("start_frame", "end_frame")):
        if first in COLUMNS[name]:
            _refuse(table[last] < table[first], table[last], source, last, f"is before {first}")
    if name in _KEYS:
        again = table.duplicated(_KEYS[name])
        if again.any():
            row = int(np.flatnonzero(again)[0])
            what = ", ".join(f"{key} {table[key].iloc[row]}" for key in _KEYS[name])
            raise ValueError(f"{source}: row {row + 1}: {what} is there twice ({int(again.sum())} such rows).")
    return table


def write_table(path, table):
    """Write a table as CSV: 9 significant digits, true and false in lower case, undefined as empty."""
    table = table.copy()
    for column in table.columns:
        if pd.api.types.is_bool_dtype(table[column].dtype):
            table[column] = table[column].map({True: "true", False: "false"}, na_action="ignore")
    table.to_csv(path, index=False, float_format=_SIGNIFICANT_DIGITS, lineterminator="\n")


def read_table(path, name, *, frame_count=None):
    """Read and check one table; see `check_table`.

    Raises:
        ValueError: the file is no CSV table, or not the one that `name` says.
    """
    try:
        table = pd.read_csv(path, float_precision="round_trip", skipinitialspace=True)
    except (ValueError, UnicodeError) as error:  # pandas' own parser errors are ValueErrors
        raise ValueError(f"{path}: this is not a CSV table ({str(error).splitlines()[0]}).") from error
    return check_table(table, name, source=path, frame_count=frame_count)


def _to_float(values, source, column):
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    _refuse(numbers.isna() & values.notna(), values, source, column, "is not a number")
    _refuse(np.isinf(numbers), values, source, column, "is infinite")
    if column in _NEVER_EMPTY:
        _refuse(numbers.isna(), values, source, column, "stands where a number must be")
    return numbers


def _to_whole(values, source, column):
    numbers = _to_float(values, source, column)
    _refuse(numbers != numbers.round(), values, source, column, "is not a whole number")
    return numbers.astype(np.int64)


def _to_bool(values, source, column):
    words = values.astype(object).where(values.notna(), None)
    known = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
    flags = words.map(lambda word: None if word is None else known.get(str(word).strip().lower(), "wrong"))
    _refuse(flags.map(lambda flag: isinstance(flag, str)), values, source, column, "is neither true nor false")
    return flags.astype("boolean") if flags.isna().any() else flags.astype(bool)


def _check_frames(values, frame_count, source, column):
    _refuse(values < 0, values, source, column, "is not a frame (0, 1, ...)")
    if frame_count is not None:
        outside = f"is outside the stack of {frame_count} frames (0..{frame_count - 1})"
        _refuse(values >= frame_count, values, source, column, outside)


def _refuse(wrong, values, source, column, why):
    if np.any(wrong):
        row = int(np.flatnonzero(wrong)[0])
        value = values.iloc[row]
        shown = "nothing" if pd.isna(value) else repr(value) if isinstance(value, str) else value
        raise ValueError(f"{source}: column {column}, row {row + 1}: {shown} {why}.")
