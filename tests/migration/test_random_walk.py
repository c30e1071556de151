"""MSD and Fuerth's law: exact on straight paths, right weights, and persistence recovered from simulated walkers."""

import numpy as np
import pandas as pd
import pytest

from somaseg.migration.msd import covariance_um4, mean_square_displacement
from somaseg.migration.random_walk import fit_fuerth, fuerth_msd_um2
from somaseg.simulation.motion import simulate_motion
from somaseg.simulation.motion.persistent_walk import persistent_walk
from somaseg.simulation.movie_presets import PRESETS

WALK = PRESETS["random_walk"].motion


def tracks_of(centres_um, *, inside=None, noise_um=0.0, seed=0):
    """Tracks of (N, T, 2) positions; with `inside` (um) only where the cell is in a square field of that side."""
    seen = (
        np.ones(centres_um.shape[:2], bool) if inside is None else ((centres_um >= 0) & (centres_um <= inside)).all(2)
    )
    cell, frame = np.nonzero(seen)
    y, x = (centres_um[cell, frame] + np.random.default_rng(seed).normal(0, noise_um, (len(cell), 2))).T
    return pd.DataFrame({"track_id": cell + 1, "frame": frame, "y_um": y, "x_um": x})


def walkers(seed, *, minutes=15.0, hours=10.0, field=332.8):
    times = np.arange(0, 60 * hours + 1e-9, minutes)
    return simulate_motion(WALK, times_min=times, field_um=(field, field), seed=seed).centre_um


def test_msd_of_straight_paths_is_the_square_of_speed_and_lag():
    frames = np.arange(21)
    tracks = tracks_of(np.stack([np.stack([0 * frames, speed * frames], axis=1) for speed in (1.0, 3.0)]))
    table = mean_square_displacement(tracks, minutes_per_frame=10).table()
    assert table["lag_min"].tolist() == [10, 20, 30, 40, 50]
    assert table["msd_um2"].to_numpy() == pytest.approx(5.0 * np.arange(1, 6) ** 2)
    assert table["n"].tolist() == [40, 38, 36, 34, 32]


def test_a_missed_frame_is_in_no_pair():
    tracks = pd.DataFrame({"track_id": 1, "frame": [0, 1, 3, 4], "y_um": 0.0, "x_um": [0.0, 1, 3, 4]})
    table = mean_square_displacement(tracks, minutes_per_frame=1, share_of_longest=1).table()
    assert table["n"].tolist() == [2, 1, 2, 1]
    assert table["msd_um2"].tolist() == [1, 4, 9, 16]


def test_the_law_begins_straight_and_ends_diffusive():
    speed, persistence = 30.0, 40.0
    early, late = (float(fuerth_msd_um2(lag, speed_um_per_h=speed, persistence_min=persistence)) for lag in (0.01, 1e6))
    assert early == pytest.approx((speed / 60 * 0.01) ** 2, rel=1e-3)
    assert late == pytest.approx(2 * (speed / 60) ** 2 * persistence * 1e6, rel=1e-3)
    noisy = fuerth_msd_um2(np.array([0.0, 1e-9]), speed_um_per_h=1, persistence_min=1, noise_um=0.5)
    assert noisy == pytest.approx([0.0, 1.0])


def test_the_weights_are_the_covariance_that_walks_have():
    """1000 movies of 3 walkers with a missed frame: the scatter of their MSDs, and how lags err together."""
    law_of_preset = {"speed_um_per_h": WALK.walk_speed_um_per_h, "persistence_min": WALK.walk_persistence_min}
    normals = np.random.default_rng(12).standard_normal((3000, 21, 2, 2))
    centres, _ = persistent_walk(normals, step_min=15, **law_of_preset)
    tracks = tracks_of(centres)
    msd = mean_square_displacement(tracks[tracks["frame"] != 7], minutes_per_frame=15)
    sums, weights = (part.reshape(1000, 3, -1).sum(axis=1) for part in (msd.sums_um2, msd.weights))
    lags = np.array([1, 2, 5])
    movie = mean_square_displacement(tracks[(tracks["frame"] != 7) & (tracks["track_id"] <= 3)], minutes_per_frame=15)
    expected = covariance_um4(movie, lags, lambda lag_min: fuerth_msd_um2(lag_min, **law_of_preset))
    assert np.cov((sums / weights)[:, lags - 1].T) == pytest.approx(expected, rel=0.15)


def test_persistence_of_walkers_is_recovered():
    """80 walkers over 10 h at 15 min with noise; seeds that no default was chosen on."""
    for seed in (4101, 4102, 4103):
        tracks = tracks_of(walkers(seed)[:80], noise_um=0.5, seed=seed)
        fit = fit_fuerth(mean_square_displacement(tracks, minutes_per_frame=15))
        assert fit.persistence_min == pytest.approx(WALK.walk_persistence_min, rel=0.2)
        assert fit.speed_um_per_h == pytest.approx(WALK.walk_speed_um_per_h, rel=0.1)
        assert fit.noise_um == pytest.approx(0.5, abs=0.25)
        assert fit.persistence_low < fit.persistence_min < fit.persistence_high
        assert fit.warnings == () and fit.cells == 80 and fit.law_p > 0.001


def test_cells_that_leave_the_field_make_the_msd_too_small_unless_accounted_for():
    """4000 walkers in 400 um, seen through a field of 120 um in their middle, which the far-going leave first."""
    rng = np.random.default_rng(41)
    law_of_preset = {"speed_um_per_h": WALK.walk_speed_um_per_h, "persistence_min": WALK.walk_persistence_min}
    walked, _ = persistent_walk(rng.standard_normal((4000, 41, 2, 2)), step_min=15, **law_of_preset)
    tracks = tracks_of(walked + rng.uniform(-140, 260, (4000, 1, 2)), inside=120)
    seen, accounted = (
        mean_square_displacement(tracks, minutes_per_frame=15, field_um=field).table().iloc[-1]
        for field in (None, (120, 120))
    )
    true = fuerth_msd_um2(seen["lag_min"], **law_of_preset)
    assert seen["msd_um2"] < 0.9 * true
    assert accounted["msd_um2"] == pytest.approx(true, rel=0.05)


def test_cells_that_pause_and_jump_are_told_not_to_walk_by_the_law():
    motion = simulate_motion(
        PRESETS["typical"].motion, times_min=np.arange(0, 601, 5.0), field_um=(100, 100), seed=4301
    )
    jumping = motion.centre_um[motion.behaviour == "migrating"][:40]
    msd = mean_square_displacement(tracks_of(jumping), minutes_per_frame=5)
    fit = fit_fuerth(msd)
    assert fit.law_p < 0.001 and "do not walk by Fuerth's law" in fit.warnings[0]
    drawn = fuerth_msd_um2(
        msd.lags_min, speed_um_per_h=fit.speed_um_per_h, persistence_min=fit.persistence_min, noise_um=fit.noise_um
    )
    assert drawn == pytest.approx(msd.pooled_um2, rel=0.5)


def test_what_cannot_be_fitted_says_so():
    none = pd.DataFrame({"track_id": [], "frame": [], "y_um": [], "x_um": []})
    for tracks in (none, pd.DataFrame({"track_id": [1], "frame": [3], "y_um": [0.0], "x_um": [0.0]})):
        fit = fit_fuerth(mean_square_displacement(tracks, minutes_per_frame=15))
        assert np.isnan(fit.persistence_min) and len(fit.warnings) == 1
    still = tracks_of(np.zeros((3, 41, 2)))
    assert np.isnan(fit_fuerth(mean_square_displacement(still, minutes_per_frame=15)).persistence_min)


def test_a_walk_without_persistence_is_told_to_have_none_that_can_be_seen():
    steps = np.random.default_rng(3).normal(0, 3, (60, 41, 2))
    fit = fit_fuerth(mean_square_displacement(tracks_of(np.cumsum(steps, axis=1)), minutes_per_frame=15))
    assert fit.persistence_min < 7.5
    assert "below half the frame interval" in fit.warnings[0]
