"""Tests on unit means: published numbers, and the laws that tie interval, ratio and p-value together."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from somaseg.migration.groups.mean_tests import compare_means, compare_pairs

# Sleep gained by ten patients with two drugs (Student 1908), in the order of R's data set `sleep`.
DRUG_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
DRUG_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
units = st.lists(st.integers(100, 900).map(lambda tenths: tenths / 10), min_size=3, max_size=5)


def test_welch_meets_the_numbers_that_r_prints_for_students_sleep_data():
    found = compare_means(DRUG_1, DRUG_2)
    assert found.p_value == pytest.approx(0.07939, abs=5e-6)
    assert found.degrees_of_freedom == pytest.approx(17.776, abs=5e-4)
    assert (found.difference_low, found.difference_high) == pytest.approx((-3.3654832, 0.2054832), abs=5e-8)


def test_pairs_meet_the_numbers_that_r_prints_for_students_sleep_data():
    found = compare_pairs(DRUG_1, DRUG_2)
    assert found.p_value == pytest.approx(0.002833, abs=5e-7)
    assert (found.difference_low, found.difference_high) == pytest.approx((-2.4598858, -0.7001142), abs=5e-8)


@given(units, units, st.booleans())
def test_the_ratio_excludes_1_exactly_when_the_test_finds_a_difference(values, reference, paired):
    length = min(len(values), len(reference))
    found = compare_pairs(values[:length], reference[:length]) if paired else compare_means(values, reference)
    assume(math.isfinite(found.ratio_low) and abs(found.p_value - 0.05) > 1e-6)
    assert (found.p_value < 0.05) == (not found.ratio_low <= 1 <= found.ratio_high)
    assert (found.p_value < 0.05) == (not found.difference_low <= 0 <= found.difference_high)


@given(units, units, st.floats(0.01, 100))
def test_units_of_measurement_change_neither_ratio_nor_p(values, reference, factor):
    first, second = (compare_means(np.multiply(values, k), np.multiply(reference, k)) for k in (1.0, factor))
    for name in ("ratio", "ratio_low", "ratio_high", "p_value"):
        assert getattr(first, name) == pytest.approx(getattr(second, name), rel=1e-6, nan_ok=True)


def test_the_interval_of_a_ratio_covers_the_true_ratio_as_often_as_it_says():
    rng = np.random.default_rng(1)
    found = [compare_means(rng.normal(15.0, 1.5, 4), rng.normal(10.0, 1.0, 4)) for _ in range(400)]
    # Welch's test is a little careful with four units: 95 to 97 %, give or take 2 standard errors of 400.
    assert 0.93 < np.mean([each.ratio_low <= 1.5 <= each.ratio_high for each in found]) < 0.985


def test_a_reference_that_may_be_zero_has_no_interval_of_the_ratio():
    found = compare_means([3.0, 4.0, 5.0], [0.0, 0.0, 2.0])
    assert math.isfinite(found.difference_low) and math.isnan(found.ratio_low)


@pytest.mark.parametrize("values, reference", [([1.0], [1.0, 2.0]), ([], [1.0, 2.0]), ([0.1, 0.1], [0.3, 0.3])])
def test_without_replicates_or_spread_there_is_no_p_value(values, reference):
    found = compare_means(values, reference)
    assert math.isnan(found.p_value) and math.isnan(found.difference_low) and math.isnan(found.ratio_high)


def test_pairs_must_be_complete():
    with pytest.raises(ValueError, match="got 2 and 1 values"):
        compare_pairs([1.0, 2.0], [1.0])
