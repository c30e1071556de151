"""Directions: tests against published values, and p-values that are uniform where cells have no direction.

Published: astropy.stats (rayleightest and vtest of 130, 90, 0, 145 degrees, their docstrings, version 6) and the MATLAB
toolbox CircStat as quoted in the tests of pingouin (0.785, 1.570, 3.141, 0.839, 5.934 rad).
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from somaseg.migration.directions import rayleigh_test, summarize_directions, v_test
from somaseg.simulation.motion import simulate_motion
from somaseg.simulation.movie_presets import PRESETS

WALK = replace(PRESETS["random_walk"].motion, margin_um=0.0)
CIRCSTAT = np.rad2deg([0.785, 1.570, 3.141, 0.839, 5.934])


def test_p_values_are_those_of_astropy():
    assert rayleigh_test([130, 90, 0, 145]) == pytest.approx(0.2563487733797317, rel=1e-12)
    assert v_test([130, 90, 0, 145], axis_deg=0) == pytest.approx(0.6223678199713766, rel=1e-12)


def test_statistics_are_those_of_circstat():
    """R = 0.497, z = n R^2 = 1.236, V = R n cos(mean - 1) = 2.486; its p of z (another series) is 0.3048."""
    found = summarize_directions(CIRCSTAT, axis_deg=np.rad2deg(1))
    assert round(found.resultant_length, 3) == 0.497
    assert round(5 * found.resultant_length**2, 3) == 1.236
    assert round(5 * found.resultant_length * np.cos(np.deg2rad(found.mean_deg) - 1), 3) == 2.486
    assert found.rayleigh_p == pytest.approx(0.3048, abs=0.003)
    assert found.v_test_p == pytest.approx(0.0579, abs=0.003)


def test_p_values_of_uniform_directions_are_uniform_from_few_cells_on():
    rng = np.random.default_rng(17)
    for n in (5, 25):
        angles = rng.uniform(-180, 180, (800, n))
        assert kstest([rayleigh_test(row) for row in angles], "uniform").pvalue > 1e-3
        assert kstest([v_test(row, axis_deg=40) for row in angles], "uniform").pvalue > 1e-3


def directions_of_walkers(seed):
    """One direction per cell of the preset random_walk, and all their steps of 15 min."""
    motion = simulate_motion(WALK, times_min=[0, 15, 30, 45, 60], field_um=(250, 250), seed=seed)
    away = np.diff(motion.centre_um, axis=1)
    net = away.sum(axis=1)
    return (np.degrees(np.arctan2(-part[..., 0], part[..., 1])).ravel() for part in (net, away))


def test_p_values_of_random_walks_are_uniform_with_one_direction_per_cell_and_not_with_steps():
    cells, steps = zip(*(map(rayleigh_test, directions_of_walkers(seed)) for seed in range(7000, 7045)))
    assert kstest(cells, "uniform").pvalue > 0.01
    assert kstest(steps, "uniform").pvalue < 1e-4


def test_a_common_direction_is_found_and_told():
    found = summarize_directions(90 + 30 * np.random.default_rng(1).standard_normal(40), axis_deg=90)
    assert found.mean_deg == pytest.approx(90, abs=15)
    assert max(found.rayleigh_p, found.v_test_p) < 1e-6
    assert v_test(-90 + 30 * np.random.default_rng(1).standard_normal(40), axis_deg=90) > 0.999


def test_undefined_where_there_is_too_little():
    nothing = summarize_directions([])
    assert nothing.n == 0 and np.isnan([nothing.mean_deg, nothing.resultant_length, nothing.rayleigh_p]).all()
    three = summarize_directions([0, 10, 20, np.nan], axis_deg=0)
    assert three.n == 3 and np.isnan([three.rayleigh_p, three.v_test_p]).all()
    assert np.isnan(summarize_directions([0, 180]).mean_deg)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-180, 180), min_size=4, max_size=30), st.floats(-180, 180))
def test_turning_everything_turns_the_mean_and_nothing_else(angles, turn):
    before = summarize_directions(angles, axis_deg=10)
    after = summarize_directions(np.array(angles) + turn, axis_deg=10 + turn)
    assert after.resultant_length == pytest.approx(before.resultant_length, abs=1e-9)
    assert after.v_test_p == pytest.approx(before.v_test_p, abs=1e-6)
    assert 0 <= before.rayleigh_p <= 1 and 0 <= before.v_test_p <= 1
