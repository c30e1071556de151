"""Small studies whose numbers a reader can check."""

import numpy as np
import pandas as pd
import pytest

from somaseg.migration.groups.study_tables import Study, study_warnings


@pytest.fixture
def study_of():
    """Function that makes a `Study` of a table of cells."""
    return _study_of


@pytest.fixture
def nested_cells():
    """Function that draws cells of assembloids of lines of two conditions."""
    return _nested_cells


def _study_of(cells, *, minutes=15.0, simulated=False):
    """A Study of a table of cells; `minutes` is one interval or {condition: interval}."""
    names = [name for name in ("movie", "assembloid", "line", "condition", "pair") if name in cells]
    movies = cells[names].drop_duplicates().reset_index(drop=True)
    intervals = minutes if isinstance(minutes, dict) else dict.fromkeys(movies["condition"], minutes)
    movies["minutes_per_frame"] = movies["condition"].map(intervals).astype(float)
    movies["cells"] = cells.groupby("movie").size().reindex(movies["movie"]).to_numpy()
    return Study(movies, cells.reset_index(drop=True), simulated, study_warnings(movies))


def _nested_cells(
    seed=0, *, conditions=("control", "other"), lines=3, assembloids=4, cells=5, effect=0.0, same_lines=False
):
    """Cells with a mean speed of 10 + line + assembloid + cell + effect of the second condition; sd 1, 0.7 and 2."""
    rng = np.random.default_rng(seed)
    rows = []
    shifts = rng.normal(0, 1.0, (1 if same_lines else len(conditions), lines))
    for group, line, assembloid in np.ndindex(len(conditions), lines, assembloids):
        centre = 10.0 + shifts[0 if same_lines else group, line] + rng.normal(0, 0.7) + effect * group
        names = {
            "condition": conditions[group],
            "line": f"L{line}" if same_lines else f"{conditions[group]}{line}",
            "assembloid": f"A{assembloid}" if not same_lines else f"{group}A{assembloid}",
            "movie": f"{group}-{line}-{assembloid}",
        }
        for speed in rng.normal(centre, 2.0, cells):
            rows.append({**names, "duration_h": 10.0, "mean_speed_um_per_h": speed, "direction_deg": 0.0})
    table = pd.DataFrame(rows)
    frequency = rng.poisson(10.0, len(table)) / 10.0
    return table.assign(
        saltation_count=(frequency * 10).astype(int), saltation_frequency_per_h=frequency, arrested=frequency == 0
    )
