"""What does not jump: walkers, arrested cells and explorers."""

import dataclasses

import numpy as np

from somaseg.simulation.motion import simulate_motion
from somaseg.simulation.motion.persistent_walk import persistent_walk


def test_random_walk_follows_fuerth(assert_mean, jumping_parameters):
    p = dataclasses.replace(
        jumping_parameters, random_walk_fraction=1.0, walk_speed_um_per_h=20.0, walk_persistence_min=40.0
    )
    times = np.array([0.0, 5.0, 20.0, 60.0, 180.0, 480.0])
    motion = simulate_motion(p, times_min=times, field_um=(1300.0, 1300.0), seed=1)
    assert set(motion.behaviour) == {"random_walk"}
    speed, persistence = 20.0 / 60.0, 40.0
    square = np.sum((motion.centre_um - motion.centre_um[:, :1]) ** 2, axis=2)
    for frame, lag in enumerate(times[1:], 1):
        fuerth = 2 * speed**2 * persistence * (lag - persistence * (1 - np.exp(-lag / persistence)))
        assert_mean(square[:, frame], fuerth)


def test_random_walk_does_not_depend_on_its_clock(assert_mean):
    rng = np.random.default_rng(0)
    coarse, _ = persistent_walk(
        rng.normal(size=(2000, 2, 2, 2)), step_min=60.0, speed_um_per_h=60.0, persistence_min=30.0
    )
    assert_mean(np.sum(coarse[:, 1] ** 2, axis=1), 2 * 30.0 * (60.0 - 30.0 * (1 - np.exp(-2.0))))


def test_arrested_cells_do_not_move(many):
    motion = many(60, 10.0, arrested_fraction=1.0)
    assert np.ptp(motion.centre_um, axis=1).max() == 0 and motion.path_um.max() == 0
    assert set(motion.behaviour) == {"arrested"} and not len(motion.saltations)


def test_wobble_has_its_spread_and_no_path(many, assert_mean):
    motion = many(400, 10.0, arrested_fraction=1.0, wobble_um=0.3)
    moved = (motion.centre_um[:, 1] - motion.centre_um[:, 0]).ravel()
    assert_mean(moved**2, 2 * 0.3**2)
    assert motion.path_um.max() == 0


def test_explorers_stay_about_their_home(assert_mean, jumping_parameters):
    p = dataclasses.replace(jumping_parameters, exploring_fraction=1.0, exploring_radius_um=15.0)
    motion = simulate_motion(p, times_min=np.arange(0.0, 1440.0, 10.0), field_um=(700.0, 700.0), seed=2)
    reach = np.ptp(motion.centre_um, axis=1).max(axis=1)
    moved = motion.centre_um[:, -1] - motion.centre_um[:, 0]
    assert reach.max() <= 30.0 and reach.min() > 5.0
    assert_mean(moved[:, 0], 0.0)
    assert_mean(moved[:, 1], 0.0)
    assert not len(motion.saltations)
