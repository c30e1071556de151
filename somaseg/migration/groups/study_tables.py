"""From STUDY.csv and the result folders it names to one table of cells that knows assembloid, line and condition.

What follows from a study depends on which cells belong together, so a name that may mean two things is told as a
warning here, before any number is made.
"""

import io
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from somaseg.json_files import read_json
from somaseg.migration.text_tables import read_text, separator
from somaseg.tracking.tables import read_table

STUDY_COLUMNS = ("movie", "assembloid", "line", "condition")
LEVELS = ("condition", "line", "assembloid", "movie")


@dataclass(frozen=True, eq=False)
class Study:
    """The cells of all movies of a study.

    Attributes:
        movies: `pandas.DataFrame`, one row per movie: movie, assembloid, line, condition, pair where the study has
            one, minutes_per_frame (NaN where no summary.json tells it), cells.
        cells: `pandas.DataFrame`, one row per cell: condition, line, assembloid, movie, pair, and the columns of
            cells.csv. A column that some movies lack is NaN there.
        simulated: bool, whether any movie is a simulation.
        warnings: list of str.
    """

    movies: pd.DataFrame
    cells: pd.DataFrame
    simulated: bool = False
    warnings: list = field(default_factory=list)

    @property
    def conditions(self) -> list:
        """Names of the conditions in the order in which STUDY.csv first names them."""
        return list(dict.fromkeys(self.movies["condition"]))


def read_study(path, *, results=None) -> Study:
    """Read STUDY.csv and the cells.csv and summary.json of every movie in it.

    Args:
        path: CSV with the columns movie (path of a result folder), assembloid, line and condition; optionally pair,
            the isogenic pair or batch that a line belongs to. Further columns are left alone. Names are text: an
            assembloid "1" of line "a" is another than "1" of line "b".
        results: folder that the paths in `movie` are relative to; None = the folder of STUDY.csv.

    Raises:
        FileNotFoundError: STUDY.csv, a movie's folder or its cells.csv is not there.
        ValueError: a column is missing, a name is empty, a movie is there twice, by whatever path, a line has two
            pairs, or a cells.csv is wrong or was measured in pixels. File, column and row are named.
    """
    path = Path(path)
    root = path.parent if results is None else Path(results)
    movies = _read_movies(path, root)
    tables, intervals, simulated, told = [], [], False, 0
    names = [name for name in (*LEVELS, "pair") if name in movies]
    for row in movies.to_dict("records"):
        folder = root / row["movie"]
        cells = _read_cells(folder, path)
        summary = read_json(folder / "summary.json") or {}
        _refuse_pixels(folder, summary)
        intervals.append(summary.get("minutes_per_frame"))
        simulated = simulated or bool(summary.get("simulated"))
        told += bool(summary.get("warnings")) and not summary.get("simulated")
        tables.append(cells.assign(**{name: row[name] for name in names}))
    movies["minutes_per_frame"] = pd.to_numeric(pd.Series(intervals, dtype=object), errors="coerce").to_numpy(float)
    movies["cells"] = [len(table) for table in tables]
    cells = _stacked(tables)
    cells = cells[[*names, *(column for column in cells if column not in names)]]
    warnings = study_warnings(movies)
    if told:
        warnings.append(f"{told} of {len(movies)} movies carry warnings of their own: see their summary.json.")
    return Study(movies, cells, simulated, warnings)


def study_warnings(movies) -> list:
    """What in the design of a study speaks against taking its numbers as they stand.

    Args:
        movies: table as in `Study.movies`.

    >>> movies = pd.DataFrame({"movie": ["m1", "m2"], "assembloid": ["a", "b"], "line": ["x", "y"],
    ...                        "condition": ["c", "d"], "minutes_per_frame": [5.0, 20.0], "cells": [9, 0]})
    >>> for text in study_warnings(movies):
    ...     print(text)
    The frame interval differs between conditions (c: 5 min; d: 20 min): saltation numbers depend on it, so a difference between these conditions may be one of filming. Only the corrected ones may be compared.
    1 movie has no cells: m2.
    """  # noqa: E501
    warnings = _interval_warnings(movies)
    empty = movies.loc[movies["cells"] == 0, "movie"].tolist()
    if empty:
        warnings.append(f"{_count(len(empty), 'movie has', 'movies have')} no cells: {_listed(empty)}.")
    both = _in_several_conditions(movies, ["line"])
    if both:
        names = _listed([name for (name,) in both])
        warnings.append(
            f"Line {names} appears in more than one condition and is taken for the same line there. If different "
            "lines share a name, give each its own."
        )
    shared = [assembloid for line, assembloid in _in_several_conditions(movies, ["line", "assembloid"])]
    if shared:
        warnings.append(
            f"Assembloid {_listed(shared)} of one line appears in more than one condition and is taken for the same "
            "assembloid there. If different assembloids share a name, give each its own."
        )
    return warnings


def _interval_warnings(movies):
    warnings = []
    unknown = int(movies["minutes_per_frame"].isna().sum())
    if unknown:
        warnings.append(
            f"The frame interval of {_count(unknown, 'movie', 'movies')} is not known (no minutes_per_frame in "
            "summary.json): saltation numbers cannot be judged without it."
        )
    known = movies.dropna(subset="minutes_per_frame")
    by_condition = known.groupby("condition", sort=False)["minutes_per_frame"].agg(lambda v: tuple(sorted(set(v))))
    if by_condition.nunique() > 1:
        told = "; ".join(f"{name}: {_minutes(values)}" for name, values in by_condition.items())
        warnings.append(
            f"The frame interval differs between conditions ({told}): saltation numbers depend on it, so a difference "
            "between these conditions may be one of filming. Only the corrected ones may be compared."
        )
    elif known["minutes_per_frame"].nunique() > 1:
        warnings.append(
            f"The movies differ in frame interval ({_minutes(sorted(set(known['minutes_per_frame'])))}, alike in all "
            "conditions): saltation numbers depend on it and mix several here."
        )
    return warnings


def _read_movies(path, root):
    if path.is_dir():
        raise ValueError(f"{path} is a folder. Give the CSV table that lists the movies of the study.")
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file.")
    try:
        text = read_text(path)
        movies = pd.read_csv(io.StringIO(text), dtype=str, sep=separator(text), keep_default_na=False)
    except ValueError as error:
        raise ValueError(f"{path}: this is not a CSV table ({str(error).splitlines()[0]}).") from error
    movies.columns = [str(column).strip() for column in movies.columns]
    missing = [column for column in STUDY_COLUMNS if column not in movies]
    if missing:
        raise ValueError(
            f"{path}: missing column(s) {', '.join(missing)}; it has {', '.join(movies)}. "
            f"A study lists {', '.join(STUDY_COLUMNS)}, one movie a row."
        )
    if not len(movies):
        raise ValueError(f"{path}: there is no movie in it.")
    names = [*STUDY_COLUMNS, *(["pair"] if "pair" in movies else [])]
    movies = movies[names].apply(lambda column: column.str.strip())
    for column in names:
        empty = movies[column] == ""
        if empty.any():
            raise ValueError(f"{path}: column {column}, row {empty.idxmax() + 1}: nothing stands where a name must be.")
    folders = movies["movie"].map(lambda name: (root / name).resolve())
    again = folders.duplicated()
    if again.any():
        row = again.idxmax()
        first = (folders == folders[row]).idxmax()
        name, other = movies["movie"][row], movies["movie"][first]
        also = "" if name == other else f" (row {first + 1}: {other})"
        raise ValueError(f"{path}: row {row + 1}: movie {name} is there twice{also}.")
    if "pair" in movies:
        several = movies.groupby(["condition", "line"])["pair"].nunique()
        if (several > 1).any():
            raise ValueError(f"{path}: line {several.idxmax()[1]} has {several.max()} pairs; a line belongs to one.")
    return movies


def _read_cells(folder, study):
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: there is no such folder; {study} names it as a movie's results.")
    if not (folder / "cells.csv").exists():
        raise FileNotFoundError(
            f"{folder}: there is no cells.csv in it. Make one with `somaseg analyze` or `somaseg migrate`."
        )
    return read_table(folder / "cells.csv", "cells.csv")


def _refuse_pixels(folder, summary):
    """`somaseg migrate` once took --pixels; its tables say um and hours all the same."""
    if "pixels" in (summary.get("units_from") or {}).values():
        raise ValueError(
            f"{folder}: its migration was measured in pixels and frames, and um and hours are compared. Measure it "
            "again with `somaseg migrate`, without --pixels."
        )


def _stacked(tables):
    """All cells; a table without rows says nothing of its columns' types, so it adds none."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]


def _in_several_conditions(movies, names):
    counts = movies.groupby(names, sort=False)["condition"].nunique()
    found = counts.index[counts > 1].tolist()
    return [name if isinstance(name, tuple) else (name,) for name in found]


def _minutes(values):
    return ", ".join(f"{value:g}" for value in values) + " min"


def _count(number, one, many):
    return f"{number} {one if number == 1 else many}"


def _listed(names, most=5):
    shown = ", ".join(str(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
