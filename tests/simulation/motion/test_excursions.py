"""Cells that leave the focus now and then."""

import dataclasses

import numpy as np

from somaseg.simulation.motion import simulate_motion


def test_some_cells_leave_the_focus_for_the_drawn_time(assert_mean, jumping_parameters):
    p = dataclasses.replace(jumping_parameters, excursion_fraction=0.5, depth_sd_um=0.0, arrested_fraction=1.0)
    motion = simulate_motion(p, times_min=np.arange(0.0, 1440.0), field_um=(600.0, 600.0), seed=0)
    away = np.abs(motion.depth_um) >= 25.0
    assert_mean((motion.depth_um != 0).any(axis=1), 0.5 * (1 - np.exp(-24 / 4)))
    assert np.abs(motion.depth_um).max() <= 50.0 and motion.depth_um.min() < -25 and motion.depth_um.max() > 25
    edges = np.diff(away.astype(int), axis=1, prepend=0, append=0)
    lengths = np.concatenate(
        [np.flatnonzero(row == -1) - np.flatnonzero(row == 1) for row, cell in zip(edges, away) if not cell[-1]]
    )
    # One minute frames, and part of the ramps of 5 min on both sides lies beyond 25 um.
    assert lengths.min() >= 14 and lengths.max() <= 60 + 11 and len(lengths) > 50


def test_excursions_begin_at_random_after_the_mean_interval(assert_mean, jumping_parameters):
    p = dataclasses.replace(jumping_parameters, excursion_fraction=1.0, depth_sd_um=0.0, arrested_fraction=1.0)
    motion = simulate_motion(p, times_min=np.arange(121.0), field_um=(1500.0, 1500.0), seed=0)
    # A cell is on its way out 5 min before.
    assert_mean((motion.depth_um != 0).any(axis=1), 1 - np.exp(-125 / 240))
