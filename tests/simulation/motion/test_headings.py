"""Headings: their law about the axis, the spread of the turns, and the way that cells go."""

import numpy as np
import pytest
from scipy import stats

from somaseg.simulation.motion import MotionParameters
from somaseg.simulation.motion.headings import HeadingChain
from somaseg.simulation.motion.streams import cell_stream


@pytest.mark.parametrize(("rho", "axis_deg"), [(0.0, 0.0), (0.6, 40.0), (0.85, -120.0)])
def test_headings_follow_the_wrapped_cauchy_at_every_jump(assert_mean, rho, axis_deg):
    p = MotionParameters(heading_concentration=rho, axis_deg=axis_deg)
    drawn = [HeadingChain(p, cell_stream(5, cell, "headings")).draw(40) for cell in range(400)]
    away = np.radians([headings - axis_deg for headings, _ in drawn])
    assert_mean(np.cos(away).mean(axis=1), rho)
    assert_mean(np.sin(away).mean(axis=1), 0.0)
    assert_mean(np.cos(2 * away).mean(axis=1), rho**2)
    assert_mean(np.cos(away[:, -1]), rho)
    assert_mean(np.mean([reversals for _, reversals in drawn], axis=1), 0.05)
    law = stats.wrapcauchy(rho) if rho else stats.uniform(0, 2 * np.pi)
    for jump in (0, 39):
        assert stats.kstest(away[:, jump] % (2 * np.pi), law.cdf).pvalue > 1e-4


def test_turns_have_the_asked_spread_without_an_axis(assert_mean):
    p = MotionParameters(heading_concentration=0.0, reversal_probability=0.0, turn_sd_deg=30.0)
    headings, _ = HeadingChain(p, np.random.default_rng(0)).draw(4000)
    turns = (np.diff(headings) + 180) % 360 - 180
    assert_mean(turns**2, 30.0**2)
    assert_mean(turns[1:] * turns[:-1], 0.0)


def test_jumps_of_a_movie_go_along_its_axis(many, assert_mean):
    motion = many(300, 10.0, axis_deg=90.0)
    moved = motion.centre_um[:, -1] - motion.centre_um[:, 0]
    # Up on the screen is -y.
    assert_mean(moved[:, 0], -0.6 * 15.0 * 10.0)
    assert_mean(moved[:, 1], 0.0)
