"""Models of groups: what they must equal in balanced data, and what they say where they cannot be fitted."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from somaseg.migration.groups.models import fit_count_model, fit_mixed_model


@pytest.fixture
def speeds(nested_cells):
    return lambda **how: nested_cells(**how).rename(columns={"mean_speed_um_per_h": "value"})


def line_means(cells):
    means = cells.groupby(["condition", "line"])["value"].mean()
    return means["other"].to_numpy(), means["control"].to_numpy()


def test_in_balanced_data_the_mixed_model_is_students_test_on_line_means(speeds):
    cells = speeds(seed=3, effect=1.5)
    found, expected = fit_mixed_model(cells, "control"), stats.ttest_ind(*line_means(cells))
    assert found.note == "" and found.sd_lines > 0 and found.sd_assembloids > 0
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-3)
    low, high = expected.confidence_interval()
    assert (found.difference_low, found.difference_high) == pytest.approx((low, high), rel=1e-3)


def test_in_balanced_pairs_the_mixed_model_is_the_paired_test(speeds):
    cells = speeds(seed=4, lines=5, effect=1.0, same_lines=True)
    # One assembloid per line and condition, so that within a pair nothing but cells and assembloids varies.
    cells = cells[cells["assembloid"].str.endswith("A0")]
    found = fit_mixed_model(cells.assign(block=cells["line"]), "control", paired=True)
    means = cells.groupby(["condition", "line"])["value"].mean()
    expected = stats.ttest_rel(means["other"], means["control"])
    assert found.p_value == pytest.approx(expected.pvalue, rel=0.02)


def test_the_mixed_model_tells_the_spread_at_each_level(speeds):
    found = fit_mixed_model(speeds(seed=5, lines=10, assembloids=4, cells=5), "control")
    assert found.sd_lines == pytest.approx(1.0, rel=0.4)
    assert found.sd_assembloids == pytest.approx(0.7, rel=0.3)
    assert found.sd_cells == pytest.approx(2.0, rel=0.1)
    assert math.isnan(found.sd_movies)


def test_too_few_lines_and_no_spread_give_a_note_instead_of_numbers(speeds):
    one = speeds(lines=1, assembloids=1)
    assert fit_mixed_model(one, "control").note == "too few lines for a mixed model"
    assert fit_mixed_model(speeds().assign(value=1.0), "control").note == "all cells have the same value"


def test_the_ratio_of_counts_is_that_of_all_saltations_by_all_hours_whatever_the_hours():
    units = pd.DataFrame(
        {"condition": ["a"] * 3 + ["b"] * 3, "count": [5, 9, 10, 30, 20, 40], "hours": [5, 10, 9, 20, 10, 30]}
    )
    found = fit_count_model(units, "a")
    assert found.ratio == pytest.approx((90 / 60) / (24 / 24))
    assert found.ratio_low < found.ratio < found.ratio_high


def test_counts_that_vary_more_than_by_chance_widen_the_interval():
    hours = np.full(8, 100.0)
    calm = pd.DataFrame(
        {"condition": ["a"] * 4 + ["b"] * 4, "count": [98, 102, 95, 105, 140, 160, 145, 155], "hours": hours}
    )
    wild = calm.assign(count=[50, 150, 70, 130, 80, 220, 100, 200])
    first, second = fit_count_model(calm, "a"), fit_count_model(wild, "a")
    assert first.ratio == pytest.approx(second.ratio) and second.overdispersion > 10 * first.overdispersion
    assert first.p_value < 0.05 < second.p_value


@pytest.mark.parametrize(
    "counts, note",
    [([0, 0, 3, 4], "a group without saltations has no ratio"), ([3, 4], "too few units for a count model")],
)
def test_counts_without_a_ratio_give_a_note(counts, note):
    half = len(counts) // 2
    units = pd.DataFrame({"condition": ["a"] * half + ["b"] * half, "count": counts, "hours": 10.0})
    assert fit_count_model(units, "a").note == note
