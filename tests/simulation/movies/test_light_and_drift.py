"""Simulated movies: light bleaches, noise is the camera's, and tissue moves as the truth says."""

import dataclasses

import numpy as np
import pytest
import scipy.ndimage

from somaseg.simulation.movies import simulate_movie
from somaseg.simulation.movies.slow_noise import slow_noise


def test_light_bleaches_with_the_tau_given_and_the_background_stays(static, electrons):
    p = dataclasses.replace(static, haze_fraction=0.4, bleaching_tau_h=2.0, background_photons=5.0, duration_h=3.0)
    light = electrons(simulate_movie(p, seed=2)).mean(axis=(1, 2)) - 5.0
    slope_per_h = np.polyfit(p.times_min / 60.0, np.log(light), 1)[0]
    assert -1.0 / slope_per_h == pytest.approx(2.0, rel=0.01)


def test_noise_is_that_of_photons_and_of_the_camera(static, electrons):
    p = dataclasses.replace(
        static, haze_fraction=0.4, haze_sigma_um=20.0, shot_noise=True, read_noise_sd=4.0, duration_h=25.0
    )
    counts = electrons(simulate_movie(p, seed=2))
    mean, variance = counts.mean(axis=0).ravel(), counts.var(axis=0, ddof=1).ravel()
    assert mean.max() - mean.min() > 20.0
    slope, level = np.polyfit(mean, variance, 1)
    assert slope == pytest.approx(1.0, abs=0.05)
    assert level == pytest.approx(16.0, abs=1.5)


def test_the_tissue_lies_where_the_drift_says(static, electrons):
    p = dataclasses.replace(
        static,
        texture_fraction=0.2,
        haze_fraction=0.2,
        drift_um_per_frame=1.0,
        creep_um_per_h=(3.0, 3.0),
        stage_jump_probability=1.0,
        stage_jump_um=(5.0, 5.0),
    )
    movie = simulate_movie(p, seed=4)
    frames = electrons(movie)
    for frame, drift_px in zip(frames, movie.drift_px):
        # Shifted back by the truth it fits frame 0 better than by 0.2 px more or less; phase correlation sees 0.1 px.
        misfit = {}
        for error in [(0.0, 0.0), (0.2, 0.0), (-0.2, 0.0), (0.0, 0.2), (0.0, -0.2)]:
            back = scipy.ndimage.shift(frame, error - drift_px, order=3)
            misfit[error] = np.mean((back - frames[0])[20:76, 20:76] ** 2)
        assert min(misfit, key=misfit.get) == (0.0, 0.0)
    assert np.hypot(*movie.drift_px[-1]) > 10.0 and not movie.drift_px[0].any()


@pytest.mark.parametrize("jumps", [0.0, 1.0])
def test_the_stage_jump_can_be_forced_and_forbidden(jumps, static):
    p = dataclasses.replace(static, stage_jump_probability=jumps, stage_jump_um=(6.5, 6.5), height_px=16, width_px=16)
    for seed in range(4):
        steps_px = np.hypot(*np.diff(simulate_movie(p, seed=seed).drift_px, axis=0).T)
        assert np.count_nonzero(steps_px) == jumps
        assert steps_px.sum() == pytest.approx(jumps * 10.0)


def test_creep_is_steady_and_goes_one_way(static):
    drift_px = simulate_movie(dataclasses.replace(static, creep_um_per_h=(2.6, 2.6)), seed=0).drift_px
    np.testing.assert_allclose(np.hypot(*drift_px.T), np.arange(6) * 2.6 / 4 / 0.65, atol=1e-9)


def test_slow_noise_is_smooth_and_of_unit_variance():
    curves = slow_noise(np.arange(0, 60000, 5.0), np.random.default_rng(0), count=20, period_h=(1.0, 4.0))
    assert curves.var() == pytest.approx(1.0, rel=0.05)
    # The steepest wave of one hour: sqrt(2 / 4) * 4 waves * 2 pi / 12 steps.
    assert np.abs(np.diff(curves, axis=0)).max() < np.sqrt(0.5) * 4 * 2 * np.pi / 12
