"""From the cells of a study to one number per assembloid and one per line: the units that a comparison counts.

Cells of one assembloid share its medium, age and handling, and assembloids of a line its genome, so they are no
independent observations; their means are.
"""

import numpy as np
import pandas as pd

from somaseg.migration.groups.quantities import QUANTITIES

# An assembloid is named within its line and condition, so numbers that start anew in each line are no harm.
_WITHIN = {"assembloid": ["condition", "line", "assembloid"], "line": ["condition", "line"]}


def has_values(cells, quantity) -> bool:
    """Whether the cells hold any value of this quantity.

    Args:
        cells: table as in `somaseg.migration.groups.study_tables.Study.cells`.
        quantity: `Quantity`.
    """
    return bool(cell_values(cells, quantity)["value"].notna().any())


def cell_values(cells, quantity) -> pd.DataFrame:
    """The value and the weight of each cell; cells without a value, or of weight 0, are left out.

    Returns:
        `pandas.DataFrame` with condition, line, assembloid, movie, pair (as far as `cells` has them), value and weight.

    Of direction_agreement the value is the direction in degrees; an arrested cell has none, as its direction is that
    of its position noise.
    """
    names = [name for name in ("condition", "line", "assembloid", "movie", "pair") if name in cells]
    column = "direction_deg" if quantity.name == "direction_agreement" else quantity.name
    if column not in cells:
        return cells.iloc[:0][names].assign(value=np.zeros(0), weight=np.zeros(0))
    value = cells[column].astype(float)
    if quantity.name == "direction_agreement" and "arrested" in cells:
        value = value.mask(cells["arrested"].astype(float) == 1.0)
    table = cells[names].assign(value=value, weight=_weights(cells, quantity.weight))
    return table[table["value"].notna() & (table["weight"] > 0)].reset_index(drop=True)


def assembloid_values(cells, quantity) -> pd.DataFrame:
    """One number per assembloid: the weighted mean of its cells.

    Returns:
        `pandas.DataFrame` with condition, line, pair where there is one, assembloid, value and n_cells (those with a
        value). An assembloid without any value has no row. direction_agreement is the mean cosine of the angle
        between two cells' directions, over all pairs of cells: 0 without a common direction, 1 when all go the same
        way. Unlike the resultant length R it does not grow when there are few cells; it is
        (n R^2 - 1) / (n - 1), and needs two cells.

    >>> cells = pd.DataFrame({"condition": "a", "line": "b", "assembloid": ["1", "1", "2"], "duration_h": [1.0, 3.0, 2],
    ...                       "saltation_frequency_per_h": [2.0, 0.0, 1.0]})
    >>> assembloid_values(cells, QUANTITIES[0])["value"].tolist()
    [0.5, 1.0]
    """
    values = cell_values(cells, quantity)
    names = [*_WITHIN["assembloid"][:2], *(["pair"] if "pair" in values else []), "assembloid"]
    groups = values.assign(part=values["value"] * values["weight"]).groupby(names, sort=False)
    table = groups.agg(part=("part", "sum"), weight=("weight", "sum"), n_cells=("value", "size")).reset_index()
    if quantity.name == "direction_agreement":
        table["value"] = [_agreement(group) for _, group in groups]
    else:
        table["value"] = table["part"] / table["weight"]
    table = table[[*names, "value", "n_cells"]]
    return table[table["value"].notna()].reset_index(drop=True)


def line_values(assembloids) -> pd.DataFrame:
    """One number per line: the plain mean of its assembloids, so that a crowded one does not outweigh others.

    Args:
        assembloids: table as `assembloid_values` makes it.

    Returns:
        `pandas.DataFrame` with condition, line, pair where there is one, value, n_assembloids, n_cells.
    """
    names = [*_WITHIN["line"], *(["pair"] if "pair" in assembloids else [])]
    groups = assembloids.groupby(names, sort=False)
    return groups.agg(
        value=("value", "mean"), n_assembloids=("value", "size"), n_cells=("n_cells", "sum")
    ).reset_index()


def unit_table(cells) -> pd.DataFrame:
    """All quantities per assembloid and per line (units.csv).

    Returns:
        `pandas.DataFrame`: level ("assembloid" or "line"), condition, line, pair, assembloid (empty for a line),
        n_assembloids, n_cells (all cells, with a value or not), observed_h, then a column for each quantity that the
        cells hold, and direction_deg, the mean direction of the cells that are not arrested.
    """
    quantities = [each for each in QUANTITIES if has_values(cells, each)]
    columns = {"assembloid": {}, "line": {}}
    for each in quantities:
        assembloids = assembloid_values(cells, each)
        for level, table in (("assembloid", assembloids), ("line", line_values(assembloids))):
            columns[level][each.name] = table.set_index(_WITHIN[level])["value"]
    tables = []
    for level, names in _WITHIN.items():
        groups = cells.groupby(names, sort=False)
        table = pd.DataFrame({"n_cells": groups.size(), "observed_h": groups["duration_h"].sum(), **columns[level]})
        if "pair" in cells:
            table.insert(0, "pair", groups["pair"].first())
        if level == "line":
            counts = cells.drop_duplicates(_WITHIN["assembloid"]).groupby(names).size()
            table.insert(0, "n_assembloids", counts)
        table["direction_deg"] = _mean_directions(cells, names)
        tables.append(table.reset_index().assign(level=level))
    whole = pd.concat(tables, ignore_index=True)
    first = ["level", "condition", "line", "pair", "assembloid", "n_assembloids", "n_cells", "observed_h"]
    whole["n_assembloids"] = whole["n_assembloids"].astype("Int64")
    first = [name for name in first if name in whole]
    return whole[[*first, *(name for name in whole if name not in first)]]


def _weights(cells, name):
    if name is None:
        return 1.0
    if name == "saltation_count_corrected":
        return cells["saltation_frequency_corrected_per_h"].astype(float) * cells["duration_h"].astype(float)
    if name == "saltation_exposure_h" and name not in cells:
        name = "duration_h"
    return cells[name].astype(float)


def _agreement(group):
    count = len(group)
    if count < 2:
        return np.nan
    resultant = abs(np.mean(np.exp(1j * np.deg2rad(group["value"].to_numpy()))))
    return float((count * resultant**2 - 1) / (count - 1))


def _mean_directions(cells, names):
    directions = next(each for each in QUANTITIES if each.name == "direction_agreement")
    values = cell_values(cells, directions)
    vectors = np.exp(1j * np.deg2rad(values["value"].to_numpy(float)))
    parts = values.assign(east=vectors.real, north=vectors.imag).groupby(names)[["east", "north"]].sum()
    return np.rad2deg(np.arctan2(parts["north"], parts["east"]))
