"""Tables of tracks as other programs write them, told apart by their columns; positions and times in the file's units.

- somaseg: track_id, frame, and y_um, x_um or y_px, x_px; time_min tells the frame interval.
- TrackMate's CSV of spots: TRACK_ID, POSITION_X, POSITION_Y, POSITION_T, FRAME; below the names stand two rows of
  words and one of units, such as (micron) and (sec) (fiji.plugin.trackmate, ExportAllSpotsStatsAction).
- Manual Tracking of Fiji, and the ibidi Chemotaxis and Migration Tool, which reads and writes the same: Track n°,
  Slice n° (from 1), X, Y in pixels. Its columns Distance and Velocity do not tell their units and are not used.
- idtracker.ai's trajectories.csv: time, x1, y1, x2, y2, ... in pixels, one row per frame of the video. Its times are
  those of the video file, not of the microscope, and are not used.
"""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from somaseg.migration.text_tables import read_text, separator
from somaseg.movies.file_units import minutes_per, um_per

_MANUAL = {"track": "track_id", "slice": "frame", "x": "x", "y": "y"}
_KNOWN = (
    "track_id, frame, y_um, x_um (somaseg); TRACK_ID, POSITION_X, POSITION_Y, FRAME (TrackMate, spots); Track n°, "
    "Slice n°, X, Y (Manual Tracking, ibidi); time, x1, y1, ... (idtracker.ai)"
)
_HIGHEST = 2**53  # beyond it, numbers read as decimals are not exact
_MOST_FRAMES = 2_000_000
_EQUAL_WITHIN = 0.1  # of the frame interval
_CARRIED = ("y_px", "x_px", "area_um2", "mean_intensity", "probability", "link_confidence", "partial")


@dataclass(frozen=True, eq=False)
class TrackTable:
    """Tracks as they stand in a file.

    Attributes:
        program: str, what wrote it.
        table: `pandas.DataFrame` track_id (1, 2, ...), frame (from 0), y, x in the file's unit of length, and those of
            the columns of tracks.csv that need no units.
        um: float, um in that unit, or None where the file does not tell. unit_words: str, what it says instead.
        minutes: float, minutes from frame to frame, or None. interval_words: str, likewise.
        warnings: tuple of str, what to know of frames and times before trusting speeds.
    """

    program: str
    table: pd.DataFrame
    um: float | None = None
    unit_words: str = ""
    minutes: float | None = None
    interval_words: str = ""
    warnings: tuple = ()


def read_track_table(path) -> TrackTable:
    """Read a table of tracks: comma, semicolon or tab between columns, decimal point or comma, UTF-8 or Latin-1.

    Args:
        path: text file; UTF-16 where its first bytes say so.

    Raises:
        ValueError: it is no table, its columns are of no program that is known, or a value is not what it must be, such
            as a number with a comma where commas separate the columns: it may be one of thousands.
    """
    path = Path(path)
    cells = _cells(path)
    names = [name.strip() for name in cells[0]] if cells else []
    readers = ((_is_ours, _ours), (_is_trackmate, _trackmate), (_is_manual, _manual), (_is_idtracker, _idtracker))
    for fits, read in readers:
        if fits(names):
            return read(path, names, cells[1:])
    raise ValueError(
        f"{path}: the columns {', '.join(names[:8]) or '(none)'} are of no table of tracks that is known. Known are "
        f"{_KNOWN}."
    )


def _cells(path):
    text = read_text(path)
    if "\0" in text:
        raise ValueError(f"{path}: this is no text table of tracks.")
    between = separator(text)
    rows = list(csv.reader(text.splitlines(), delimiter=between, skipinitialspace=True))
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    for number, row in enumerate(rows[1:], start=1):
        if any(cell.strip() for cell in row[len(rows[0]) :]):
            raise ValueError(
                f"{path}: row {number} has {len(row)} cells under {len(rows[0])} heads. Are there decimal commas among "
                "commas that separate columns? Export with points, or with semicolons or tabs between columns."
            )
    if between != ",":  # then a comma within a number is a decimal one
        rows[1:] = [[cell.replace(",", ".") for cell in row] for row in rows[1:]]
    return rows


def _is_ours(names):
    return {"track_id", "frame"} <= set(names) and ({"y_um", "x_um"} <= set(names) or {"y_px", "x_px"} <= set(names))


def _ours(path, names, rows):
    in_um = {"y_um", "x_um"} <= set(names)
    y, x = ("y_um", "x_um") if in_um else ("y_px", "x_px")
    carried = [name for name in _CARRIED if name in names]
    found = _numbers(path, names, rows, ["track_id", "frame", y, x], optional=["time_min", *carried])
    minutes = _slope(found["frame"], found["time_min"]) if "time_min" in found else None
    table = found.rename(columns={y: "y", x: "x"}).drop(columns="time_min", errors="ignore")
    return TrackTable(
        "somaseg",
        _checked(path, table),
        um=1.0 if in_um else None,
        minutes=minutes,
        warnings=frame_warnings(found["frame"], found.get("time_min"), "min"),
    )


def _is_trackmate(names):
    return {"TRACK_ID", "POSITION_X", "POSITION_Y", "FRAME"} <= set(names)


def _trackmate(path, names, rows):
    heading = next((row for row in rows[:4] if _units_of(names, row)), None)
    units = _units_of(names, heading) if heading else {}
    # The rows of words and units are those before the first whose frame is a number.
    frame = names.index("FRAME")
    first = next((number for number, row in enumerate(rows) if _is_number(row[frame : frame + 1])), len(rows))
    told = ["POSITION_T"] if "POSITION_T" in names else []
    wanted = ["FRAME", "POSITION_Y", "POSITION_X"]
    body = [[cell if cell.strip().lower() not in ("none", "null") else "" for cell in row] for row in rows[first:]]
    found = _numbers(path, names, body, wanted, optional=["TRACK_ID", *told])
    lone = found["TRACK_ID"].isna()
    lowest = found["TRACK_ID"].min()
    found["TRACK_ID"] += 1.0 if lowest == 0 else 0.0  # TrackMate counts from 0
    highest = found["TRACK_ID"].max() if (~lone).any() else 0
    found.loc[lone, "TRACK_ID"] = highest + 1 + np.arange(lone.sum())
    names_here = {"TRACK_ID": "track_id", "FRAME": "frame", "POSITION_Y": "y", "POSITION_X": "x"}
    table = found.rename(columns=names_here)[list(names_here.values())]
    again = table[table.duplicated(["track_id", "frame"])]
    if len(again):
        raise ValueError(
            f"{path}: TrackMate's track {again['track_id'].iloc[0] - (lowest == 0):g} has several spots in frame "
            f"{again['frame'].iloc[0]:g}: it splits or merges, and this table does not tell how. Give TrackMate's XML."
        )
    length, time = units.get("POSITION_X", ""), units.get("POSITION_T", "")
    slope = _slope(found["FRAME"], found["POSITION_T"]) if told else None
    minutes = None if slope is None or minutes_per(time) is None else slope * minutes_per(time)
    return TrackTable(
        "TrackMate",
        _checked(path, table),
        um=um_per(length),
        unit_words=f"its unit of length is {length!r}" if length else "",
        minutes=minutes,
        interval_words=f"its unit of time is {time!r}" if time else "",
        warnings=frame_warnings(found["FRAME"], found.get("POSITION_T"), time),
    )


def _units_of(names, row):
    """Units in parentheses by column; empty where the row has none."""
    found = {name: cell.strip() for name, cell in zip(names, row)}
    return {name: cell[1:-1] for name, cell in found.items() if re.fullmatch(r"\(.*\)", cell)}


def _manual_column(name):
    # The sign for "number" comes in as many ways as there are encodings: n°, n¡, nº, No.
    numbered = re.fullmatch(r"(track|slice)( ?n.{0,6})?", name.lower())
    return _MANUAL.get(numbered[1] if numbered else name.lower())


def _is_manual(names):
    return set(_MANUAL.values()) <= {_manual_column(name) for name in names}


def _manual(path, names, rows):
    columns = [_manual_column(name) or f"other {number}" for number, name in enumerate(names)]
    found = _numbers(path, columns, rows, list(_MANUAL.values()))
    if (found["frame"] < 1).any():
        raise ValueError(f"{path}: column Slice n° holds {found['frame'].min():g}; slices are counted from 1.")
    table = found.assign(frame=found["frame"] - 1)
    return TrackTable(
        "Manual Tracking",
        _checked(path, table),
        unit_words="its positions are in pixels",
        warnings=frame_warnings(table["frame"]),
    )


def _is_idtracker(names):
    return len(names) >= 3 and names[0] in ("time", "seconds") and names[1:3] == ["x1", "y1"]


def _idtracker(path, names, rows):
    cells = len(names) // 2
    wanted = [f"{axis}{cell}" for cell in range(1, cells + 1) for axis in "xy"]
    found = _numbers(path, names, rows, [], optional=wanted)
    places = found[wanted].to_numpy().reshape(len(found), cells, 2)
    cell, frame = np.nonzero(np.isfinite(places).all(axis=2).T)
    x, y = places[frame, cell].T
    table = pd.DataFrame({"track_id": cell + 1, "frame": frame, "y": y, "x": x})
    return TrackTable("idtracker.ai", _checked(path, table), unit_words="its positions are in pixels of the video")


def _is_number(cell):
    try:
        float(cell[0].replace(",", ""))
    except (IndexError, ValueError):
        return False
    return True


def _numbers(path, names, rows, wanted, *, optional=()):
    """The wanted columns as float; `wanted` must hold finite numbers, `optional` may hold nothing."""
    found = {}
    for column in [*wanted, *optional]:
        if column not in names:
            if column in wanted:
                raise ValueError(f"{path}: there is no column {column}.")
            continue
        place = names.index(column)
        words = pd.Series([row[place].strip() if place < len(row) else "" for row in rows], dtype=object)
        values = pd.to_numeric(words, errors="coerce").astype(float)
        empty = words.str.lower().isin(["", "nan"])
        bad = ~np.isfinite(values) & ((column in wanted) | ~empty)
        if bad.any():
            number = int(np.flatnonzero(bad)[0])
            shown = words.iloc[number] or "nothing"
            hint = " Commas separate the columns: write numbers with points, and thousands without a mark."
            raise ValueError(
                f"{path}: column {column}, row {number + 1}: {shown!r} is no number.{hint * (',' in shown)}"
            )
        found[column] = values
    return pd.DataFrame(found)


def _slope(frame, time):
    """Time per frame; None where it is not told, as with a single frame."""
    slopes = _slopes(frame, time)
    slope = float(np.median(slopes)) if len(slopes) else 0.0
    return slope if slope > 0 else None


def _slopes(frame, time):
    """Time per frame from each frame that is told to the next."""
    known = pd.DataFrame({"frame": frame, "time": time}).dropna()
    by_frame = known.groupby("frame")["time"].median()
    return np.diff(by_frame.to_numpy()) / np.diff(by_frame.index.to_numpy())


def frame_warnings(frame, time=None, unit="") -> tuple:
    """Warnings of frames that are not as far apart as the measures take them to be.

    Args:
        frame: (n,) frame numbers, in any order and repeated.
        time: (n,) their times in `unit`, NaN where unknown, or None.

    >>> frame_warnings([0, 1, 2, 3], [0, 10, 20, 55], "min")[0][:65]
    'The time between frames is not always the same (10 to 35 min, mos'
    """
    told, numbers = [], np.unique(frame)
    every = int(np.gcd.reduce(np.diff(numbers).astype(np.int64))) if len(numbers) > 3 else 1
    if every > 1:
        told.append(
            f"Frame numbers go by {every} ({numbers[0]:g}, {numbers[1]:g}, ...): every step counts as one over missed "
            "frames, in which saltations are lost. Number the frames one by one, and give the time between those."
        )
    slopes = _slopes(frame, time) if time is not None else np.zeros(0)
    slope = float(np.median(slopes)) if len(slopes) else 0.0
    if slope > 0 and np.abs(slopes - slope).max() > _EQUAL_WITHIN * slope:
        told.append(
            f"The time between frames is not always the same ({slopes.min():.4g} to {slopes.max():.4g} {unit}, mostly "
            f"{slope:.4g}): one is taken for all, and speeds, pauses and saltations elsewhere are wrong by as much."
        )
    return tuple(told)


def _checked(path, table):
    for column in ("track_id", "frame"):
        wrong = table[column] != table[column].round()
        if wrong.any():
            raise ValueError(f"{path}: {column} must be whole numbers, got {table.loc[wrong, column].iloc[0]:g}.")
        if (table[column] > _HIGHEST).any():
            raise ValueError(f"{path}: {column} must be {_HIGHEST} or less, got {table[column].max():g}.")
        table[column] = table[column].astype(np.int64)
    low = {"track_id": 1, "frame": 0}
    for column, least in low.items():
        if len(table) and table[column].min() < least:
            raise ValueError(f"{path}: {column} must be {least} or more, got {table[column].min()}.")
    if len(table) and table["frame"].max() - table["frame"].min() >= _MOST_FRAMES:
        raise ValueError(
            f"{path}: its frames reach from {table['frame'].min()} to {table['frame'].max()}; a movie may have "
            f"{_MOST_FRAMES}. Is frame a time?"
        )
    again = table[table.duplicated(["track_id", "frame"])]
    if len(again):
        raise ValueError(
            f"{path}: track {again['track_id'].iloc[0]} is in frame {again['frame'].iloc[0]} more than once "
            f"({len(again)} such rows)."
        )
    return table.sort_values(["track_id", "frame"], ignore_index=True)
