"""From a study to what differs between its conditions, counted on lines or assembloids, never on cells.

For every quantity: group means of the units, their difference and ratio with intervals, one p-value of a t test on the
units, and beside it a mixed model of the cells and, for frequencies, a model of the counts. How many there are at each
level, and the frame interval, stand in every row.
"""

from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd

from somaseg.migration.groups.designs import AUTO, UNIT_LEVELS, choose_design, comparison_units
from somaseg.migration.groups.mean_tests import compare_means, compare_pairs
from somaseg.migration.groups.models import CountModel, MixedModel, fit_count_model, fit_mixed_model
from somaseg.migration.groups.quantities import QUANTITIES, quantity
from somaseg.migration.groups.study_tables import Study
from somaseg.migration.groups.units import assembloid_values, cell_values, has_values, line_values, unit_table

_FREQUENCIES = ("saltation_frequency_per_h", "saltation_frequency_corrected_per_h")


@dataclass(frozen=True)
class GroupParameters:
    """How conditions are compared.

    Attributes:
        reference: name of the condition that the others are compared with; None = the first of the study.
        level: "auto" (lines where each condition has two or more, else assembloids), "line" or "assembloid".
        paired: None (in pairs where the study has a column pair, or where every line is in both conditions), True or
            False.
        confidence: level of the intervals.
        quantities: names to compare, None = all that the cells hold.
        models: bool, whether the mixed model and the count model are fitted beside the tests (seconds each).
    """

    reference: str | None = None
    level: str = AUTO
    paired: bool | None = None
    confidence: float = 0.95
    quantities: tuple | None = None
    models: bool = True

    def __post_init__(self):
        if self.level not in (AUTO, *UNIT_LEVELS):
            raise ValueError(f"level must be one of {', '.join((AUTO, *UNIT_LEVELS))}, got {self.level!r}.")
        if not 0.5 <= self.confidence < 1:
            raise ValueError(f"confidence must be from 0.5 to below 1, got {self.confidence}.")
        for name in self.quantities or ():
            quantity(name)


@dataclass(frozen=True, eq=False)
class Comparison:
    """What differs between the conditions of a study.

    Attributes:
        table: `pandas.DataFrame` (comparison.csv), a row per quantity and condition that is not the reference.
        units: `pandas.DataFrame` (units.csv), see `somaseg.migration.groups.units.unit_table`.
        groups: `pandas.DataFrame`, n at each level and the frame interval of each condition.
        study: the `Study`.
        parameters: `GroupParameters`, the reference filled in.
        warnings: list of str, those of the study and of the design; those of one quantity stand in its row.
    """

    table: pd.DataFrame
    units: pd.DataFrame
    groups: pd.DataFrame
    study: Study
    parameters: GroupParameters
    warnings: list

    def summary(self) -> dict:
        """Everything but the units as a JSON-able dict (comparison.json)."""
        return {
            "simulated": self.study.simulated,
            "parameters": asdict(self.parameters),
            "groups": self.groups.to_dict("records"),
            "tests": int(self.table["p_value"].notna().sum()),
            "comparisons": self.table.to_dict("records"),
            "warnings": self.warnings,
        }


def compare_groups(study: Study, parameters: GroupParameters = GroupParameters(), *, progress=None) -> Comparison:
    """Compare every condition of a study with the reference.

    Args:
        study: as `somaseg.migration.groups.study_tables.read_study` reads it.
        progress: called with (quantities done, quantities in all).

    Returns:
        `Comparison`. p_value is that of the quantity alone, p_value_holm the same after Holm's correction for all
        tests of the table (corrected and naive numbers of one thing are counted as two).

    Raises:
        ValueError: fewer than two conditions, an unknown reference, no cells, or a quantity that no cell has.
        ImportError: models are asked for and statsmodels is not installed.
    """
    p = _resolved(study, parameters)
    chosen = _quantities(study.cells, p)
    others = [name for name in study.conditions if name != p.reference]
    designs = {name: choose_design(study.cells, name, p.reference, level=p.level, paired=p.paired) for name in others}
    groups = group_sizes(study).set_index("condition")
    limits = {name: _longest_interval_min(study.cells, name) for name in study.conditions}
    rows = []
    for done, each in enumerate(chosen, start=1):
        assembloids = assembloid_values(study.cells, each)
        values = {"assembloid": assembloids, "line": line_values(assembloids), "cell": cell_values(study.cells, each)}
        for name in others:
            rows.append(_row(each, name, designs[name], values, groups.assign(longest_min=limits), p))
        if progress is not None:
            progress(done, len(chosen))
    table = pd.DataFrame(rows)
    table.insert(list(table).index("p_value") + 1, "p_value_holm", _holm(table["p_value"].to_numpy(float)))
    warnings = [*study.warnings, *(text for design in designs.values() for text in design.warnings)]
    return Comparison(table, unit_table(study.cells), groups.reset_index(), study, p, list(dict.fromkeys(warnings)))


def ratio_in_words(row) -> str:
    """Ratio, its interval and p-value of a row of `Comparison.table`, and whichever of them there is not.

    >>> ratio_in_words({"ratio": 1.333, "ratio_low": 1.19, "ratio_high": 1.51, "p_value": 0.0031})
    '1.33 (1.19 to 1.51), p = 0.0031'
    >>> nothing = float("nan")
    >>> ratio_in_words({"ratio": 1.92, "ratio_low": nothing, "ratio_high": nothing, "p_value": nothing})
    '1.92 (no interval), no test'
    """
    limits = f"{row['ratio_low']:.3g} to {row['ratio_high']:.3g}" if row["ratio_low"] == row["ratio_low"] else ""
    ratio = f"{row['ratio']:.3g}" if row["ratio"] == row["ratio"] else "not known"
    p_value = f"p = {row['p_value']:.2g}" if row["p_value"] == row["p_value"] else "no test"
    return f"{ratio} ({limits or 'no interval'}), {p_value}"


def group_sizes(study: Study) -> pd.DataFrame:
    """How many there are at each level; what has no cells is not counted, but for movies.

    Returns:
        `pandas.DataFrame`: condition, lines, assembloids, movies, cells, observed_h, minutes_per_frame (text where
        there are several).
    """
    rows = []
    for name in study.conditions:
        cells, movies = (table[table["condition"] == name] for table in (study.cells, study.movies))
        minutes = sorted(set(movies["minutes_per_frame"].dropna()))
        rows.append(
            {
                "condition": name,
                "lines": cells["line"].nunique(),
                "assembloids": len(cells[["line", "assembloid"]].drop_duplicates()),
                "movies": len(movies),
                "cells": len(cells),
                "observed_h": float(cells["duration_h"].sum()),
                "minutes_per_frame": minutes[0] if len(minutes) == 1 else ", ".join(f"{value:g}" for value in minutes),
            }
        )
    return pd.DataFrame(rows)


def _resolved(study, parameters):
    names = study.conditions
    if len(names) < 2:
        raise ValueError(f"a comparison needs two conditions, the study has {', '.join(names) or 'none'}.")
    if not len(study.cells):
        raise ValueError("there is not one cell in the study, so there is nothing to compare.")
    if parameters.reference is not None and parameters.reference not in names:
        raise ValueError(f"reference must be one of {', '.join(names)}, got {parameters.reference!r}.")
    known = {entry.name: getattr(parameters, entry.name) for entry in fields(parameters)}
    return GroupParameters(**{**known, "reference": parameters.reference or names[0]})


def _quantities(cells, parameters):
    if parameters.quantities is None:
        return [each for each in QUANTITIES if has_values(cells, each)]
    chosen = [quantity(name) for name in parameters.quantities]
    for each in chosen:
        if not has_values(cells, each):
            raise ValueError(f"no cell of the study has a {each.name}. Leave it out, or analyze the movies anew.")
    return chosen


def _row(each, condition, design, values, groups, p):
    units = comparison_units(values["assembloid"], values["line"], design, condition, p.reference)
    pair = (condition, p.reference)
    own, base = (units.loc[units["condition"] == name, "value"].to_numpy() for name in pair)
    compare = compare_pairs if design.paired else compare_means
    found = asdict(compare(own, base, confidence=p.confidence))
    test = {name: found.pop(name) for name in ("p_value", "degrees_of_freedom", "test")}
    sizes = {}
    for name, suffix in zip(pair, ("", "_reference")):
        mine = {level: table[table["condition"] == name] for level, table in values.items()}
        counts = {f"n_{level}s{suffix}": len(mine[level]) for level in ("line", "assembloid", "cell")}
        interval = groups.loc[name, "minutes_per_frame"]
        sizes |= {**counts, f"minutes_per_frame{suffix}": interval}
    warnings = _warnings(each, own, base, design, groups.loc[list(pair)], values, pair)
    row = {
        "quantity": each.name,
        "label": each.label,
        "unit": each.unit,
        "condition": condition,
        "reference": p.reference,
        **found,
        **test,
        "level": design.level,
        "paired_by": design.pairs_by,
        "n_units": len(own),
        "n_units_reference": len(base),
        **sizes,
    }
    if p.models:
        mixed, counts = _models(each, design, values, pair, p)
        row |= {f"mixed_{name}": value for name, value in asdict(mixed).items()}
        row |= {f"count_{name}": value for name, value in asdict(counts).items()}
    return {**row, "warnings": " | ".join(warnings)}


def _models(each, design, values, pair, p):
    cells = values["cell"][values["cell"]["condition"].isin(pair)]
    if not each.spread:
        return MixedModel(note="not a number of single cells"), CountModel(note="not a frequency")
    by = {"": ["line"], "pair": ["pair"], "line": ["line"], "assembloid": ["line", "assembloid"]}[design.pairs_by]
    cells = cells.assign(block=cells[by].agg(" / ".join, axis=1))
    mixed = fit_mixed_model(cells, p.reference, paired=design.paired, confidence=p.confidence)
    if each.name not in _FREQUENCIES:
        return mixed, CountModel(note="not a frequency")
    if design.paired:
        return mixed, CountModel(note="the count model knows no pairs")
    names = ["condition", "line"] if design.level == "line" else ["condition", "line", "assembloid"]
    cells = cells.assign(count=cells["value"] * cells["weight"])
    units = cells.groupby(names).agg(count=("count", "sum"), hours=("weight", "sum")).reset_index()
    return mixed, fit_count_model(units, p.reference, confidence=p.confidence)


def _warnings(each, own, base, design, groups, values, pair):
    warnings = []
    fewest = min(len(own), len(base))
    what = "pairs" if design.paired else f"{design.level}s"
    if fewest < 2:
        warnings.append(f"{fewest} {what} with a value: no test is possible.")
    elif fewest < 3:
        warnings.append(f"Only {fewest} {what}: the interval is very wide, and no small difference can be found.")
    naive = each.saltations and "corrected" not in each.name
    if naive and groups["minutes_per_frame"].astype(str).nunique() > 1:
        warnings.append("The frame intervals differ between the groups, and this number depends on them.")
    minutes = pd.to_numeric(groups["minutes_per_frame"], errors="coerce")
    too_long = groups.index[minutes > groups["longest_min"]]
    if naive and len(too_long):
        name = too_long[0]
        warnings.append(
            f"Frame interval {minutes[name]:g} min is too long for how often {name} jumps (at most "
            f"{groups.loc[name, 'longest_min']:.2g} min): saltations merge. Compare the corrected numbers."
        )
    share = _cells_per_assembloid(values["cell"], pair)
    if share < 3:
        warnings.append(f"An assembloid has {share} cells with a value: its mean is mostly chance.")
    return warnings


def _longest_interval_min(cells, condition):
    """The longest frame interval that shows nearly all saltations of a group: a twelfth of the time between two."""
    seen, corrected = (cells.get(name) for name in _FREQUENCIES)
    if seen is not None and corrected is not None and seen.equals(corrected):
        # The truth of a simulation, which hides no saltation at any interval.
        return np.inf
    mine = cell_values(cells[cells["condition"] == condition], quantity("saltation_frequency_per_h"))
    count, hours = (mine["value"] * mine["weight"]).sum(), mine["weight"].sum()
    return 60.0 * hours / (12.0 * count) if count > 0 else np.inf


def _cells_per_assembloid(cells, pair):
    cells = cells[cells["condition"].isin(pair)]
    return int(cells.groupby(["condition", "line", "assembloid"]).size().min()) if len(cells) else 0


def _holm(p_values):
    """Holm 1979, Scand J Stat 6:65; a test that was not possible is not counted."""
    adjusted = np.full(len(p_values), np.nan)
    order = [index for index in np.argsort(p_values) if np.isfinite(p_values[index])]
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min((len(order) - rank) * p_values[index], 1.0))
        adjusted[index] = highest
    return adjusted
