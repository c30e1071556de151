"""Units: pooling by hand, nesting by name, and directions."""

import numpy as np
import pandas as pd
import pytest

from somaseg.migration.groups.quantities import QUANTITIES, quantity
from somaseg.migration.groups.units import assembloid_values, line_values, unit_table


def cells_of(rows, columns):
    table = pd.DataFrame(rows, columns=["condition", "line", "assembloid", *columns])
    return table.assign(movie=table["line"] + table["assembloid"])


def test_a_frequency_is_all_saltations_by_all_hours_and_a_line_the_mean_of_its_assembloids():
    cells = cells_of(
        [("a", "x", "1", 1, 1.0, 1.0), ("a", "x", "1", 1, 9.0, 1 / 9), ("a", "x", "2", 4, 8.0, 0.5)],
        ["saltation_count", "duration_h", "saltation_frequency_per_h"],
    )
    assembloids = assembloid_values(cells, quantity("saltation_frequency_per_h"))
    assert assembloids["value"].tolist() == pytest.approx([0.2, 0.5])
    assert assembloids["n_cells"].tolist() == [2, 1]
    lines = line_values(assembloids)
    assert lines[["value", "n_assembloids", "n_cells"]].values.tolist() == [pytest.approx([0.35, 2, 3])]


def test_a_frequency_counts_the_time_in_which_a_start_would_be_seen_where_the_cells_tell_it():
    cells = cells_of(
        [("a", "x", "1", 2, 10.0, 4.0, 0.5), ("a", "x", "1", 0, 10.0, 1.0, 0.0)],
        ["saltation_count", "duration_h", "saltation_exposure_h", "saltation_frequency_per_h"],
    )
    assert assembloid_values(cells, quantity("saltation_frequency_per_h"))["value"].tolist() == pytest.approx([0.4])


def test_a_length_is_the_mean_over_saltations_and_cells_without_any_are_left_out():
    cells = cells_of(
        [("a", "x", "1", 3, 10.0), ("a", "x", "1", 1, 20.0), ("a", "x", "1", 0, np.nan)],
        ["saltation_count", "saltation_length_um"],
    )
    found = assembloid_values(cells, quantity("saltation_length_um"))
    assert found[["value", "n_cells"]].values.tolist() == [[12.5, 2]]


def test_numbers_that_start_anew_in_each_line_name_different_assembloids():
    cells = cells_of([("a", "x", "1", 1.0), ("a", "y", "1", 3.0), ("b", "x", "1", 5.0)], ["pause_median_min"])
    assert assembloid_values(cells, quantity("pause_median_min"))["value"].tolist() == [1.0, 3.0, 5.0]


def test_agreement_of_directions_is_the_mean_cosine_of_all_pairs_without_the_arrested():
    rows = [("a", "x", "1", angle, False) for angle in (0.0, 90.0, 180.0)] + [("a", "x", "1", 45.0, True)]
    found = assembloid_values(cells_of(rows, ["direction_deg", "arrested"]), quantity("direction_agreement"))
    # Cosines of 90, 90 and 180 degrees.
    assert found["value"].tolist() == pytest.approx([-1 / 3])
    assert found["n_cells"].tolist() == [3]


def test_agreement_of_directions_does_not_grow_when_there_are_few_cells():
    rng = np.random.default_rng(0)
    rows = [("a", "x", str(k // 3), angle, False) for k, angle in enumerate(rng.uniform(-180, 180, 3 * 1500))]
    found = assembloid_values(cells_of(rows, ["direction_deg", "arrested"]), quantity("direction_agreement"))
    # Resultant lengths of three random directions have a mean of 0.52.
    assert found["value"].mean() == pytest.approx(0.0, abs=4 * found["value"].std() / np.sqrt(1500))


def test_the_table_of_units_has_every_assembloid_and_line_and_a_mean_direction():
    rows = [("a", "x", "1", 170.0, False, 1.0), ("a", "x", "2", -170.0, False, 2.0), ("b", "y", "1", 0.0, False, 3.0)]
    table = unit_table(cells_of(rows, ["direction_deg", "arrested", "duration_h"]))
    assert table["level"].tolist() == ["assembloid"] * 3 + ["line"] * 2
    line = table[(table["level"] == "line") & (table["line"] == "x")].iloc[0]
    assert abs(line["direction_deg"]) == pytest.approx(180.0)
    assert (line["n_assembloids"], line["n_cells"], line["observed_h"]) == (2, 2, 3.0)
    assert "pause_median_min" not in table


def test_every_quantity_is_known_by_its_name_and_another_name_is_refused():
    assert all(quantity(each.name) is each for each in QUANTITIES)
    with pytest.raises(ValueError, match="quantity must be one of .* got 'speed'"):
        quantity("speed")
