"""Drift of the tissue, measured on made textures with a known shift and on a small simulated movie."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from scipy import ndimage

from somaseg.movies.drift import DriftEstimator
from somaseg.movies.drift_smoothing import smooth_drift
from somaseg.movies.registration import measure_shift
from somaseg.simulation.movie_presets import preset
from somaseg.simulation.movies import simulate_movie


def tissue(seed=0, size=320):
    rng = np.random.default_rng(seed)
    return 100 + 20 * ndimage.gaussian_filter(rng.standard_normal((size, size)), 2.0) / 0.14


def view(picture, drift, size=192, noise=6.0, seed=0):
    """What a camera sees of it: (size, size) from the middle, drifted, with noise of its own."""
    corner = (picture.shape[0] - size) / 2
    y, x = np.mgrid[:size, :size]
    seen = ndimage.map_coordinates(picture, [y + corner - drift[0], x + corner - drift[1]], order=3)
    return seen + np.random.default_rng(seed).normal(0, noise, seen.shape)


def drift_of(frames, labels=None):
    estimator = DriftEstimator()
    for number, frame in enumerate(frames):
        estimator.add(frame, None if labels is None else labels[number])
    return estimator.finish()


def walk(frames, seed=0):
    path = np.cumsum(np.random.default_rng(seed).normal(0, 0.4, (frames, 2)), axis=0) + np.arange(frames)[:, None] * 0.3
    return path - path[0]


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.5, -0.25), (3.3, 7.8), (-20.6, 11.1)])
def test_a_shift_is_found_to_a_fraction_of_a_pixel_without_pull_to_whole_ones(shift):
    picture = tissue()
    first, second = (view(picture, d, seed=s) - 100 for s, d in enumerate(((0, 0), shift)))
    found = measure_shift(first, second, near_px=measure_shift(first, second).shift_px)
    assert np.abs(np.subtract(found.shift_px, shift)).max() < 0.06
    assert found.significance > 8 and found.error_px < 0.1


def test_unrelated_pictures_are_not_significant():
    found = [measure_shift(view(tissue(s), (0, 0)) - 100, view(tissue(s + 9), (0, 0)) - 100) for s in range(5)]
    assert max(shift.significance for shift in found) < 6


def test_errors_do_not_add_up_over_frames():
    path = walk(30)
    drift = drift_of([view(tissue(), d, seed=t) for t, d in enumerate(path)])
    assert np.abs(drift.drift_px - path).max() < 0.2
    assert drift.reliable.all() and drift.jumps == () and drift.warnings == []


def test_a_jump_of_the_stage_stays_a_jump():
    path = walk(12)
    path[6:] += (14.0, -9.0)
    drift = drift_of([view(tissue(), d, seed=t) for t, d in enumerate(path)])
    assert drift.jumps == (6,)
    assert np.abs(drift.drift_px - path).max() < 0.2


def test_black_blurred_and_repeated_frames_are_bridged():
    path = walk(12)
    frames = [view(tissue(), d, seed=t) for t, d in enumerate(path)]
    frames[3] = np.zeros_like(frames[3])
    frames[6] = ndimage.gaussian_filter(frames[6], 3.0) + np.random.default_rng(9).normal(0, 6, frames[6].shape)
    frames[9], path[9] = frames[8], path[8]
    drift = drift_of(frames)
    assert np.flatnonzero(~drift.reliable).tolist() == [3]
    assert np.abs(drift.drift_px - path).max() < 0.6
    assert np.abs(np.delete(drift.drift_px - path, (3, 6), axis=0)).max() < 0.25
    assert "1 frame(s)" in drift.warnings[0]


def test_a_jump_behind_a_black_frame_is_not_spread_over_it():
    path = np.zeros((8, 2))
    path[4:] = 10.0
    frames = [view(tissue(), d, seed=t) for t, d in enumerate(path)]
    frames[4] = np.zeros_like(frames[4])
    drift = drift_of(frames)
    assert drift.jumps == (5,) and np.abs(drift.drift_px[:5]).max() < 0.2


@pytest.mark.parametrize("kind", ["noise", "black", "one value"])
def test_frames_without_texture_get_no_invented_drift(kind):
    rng = np.random.default_rng(3)
    frames = [rng.normal(100, 8, (128, 128)) if kind == "noise" else np.full((128, 128), 7.0) for _ in range(6)]
    if kind == "black":
        frames = [np.zeros((128, 128), np.uint8)] * 6
    drift = drift_of(frames)
    assert not drift.reliable.any() and not drift.drift_px.any()
    assert "taken to be 0" in drift.warnings[0]


def test_a_first_frame_of_noise_does_not_spoil_the_rest():
    path = walk(8)
    frames = [view(tissue(), d, seed=t) for t, d in enumerate(path)]
    frames[0] = np.random.default_rng(1).normal(100, 30, frames[0].shape)
    drift = drift_of(frames)
    assert drift.reliable.tolist() == [False] + [True] * 7
    assert np.abs((drift.drift_px - path)[1:] - (drift.drift_px - path)[1]).max() < 0.2


@pytest.mark.parametrize("labelled", [True, False])
def test_cells_that_move_together_are_not_drift(labelled):
    rng = np.random.default_rng(4)
    places = rng.uniform(15, 177, (25, 2))
    moving = np.arange(25) < 15  # 60 %
    frames, labels = [], []
    for t in range(6):
        frame, label = view(tissue(), (0, 0), seed=t), np.zeros((192, 192), np.uint8)
        for number, (y, x) in enumerate(places + np.outer(moving, (0, 3.0)) * t):
            spot = np.zeros_like(label)
            cv2.ellipse(spot, (round(x), round(y)), (9, 6), 0, 0, 360, 1, -1)
            frame += 400 * cv2.GaussianBlur(spot.astype(float), (0, 0), 1.0)
            label[spot > 0] = number + 1
        frames.append(frame)
        labels.append(label)
    drift = drift_of(frames, labels if labelled else None)
    assert drift.reliable.all()
    assert np.abs(drift.drift_px).max() < 0.2


def test_large_frames_are_binned_and_give_pixels_of_the_frame():
    picture = tissue(size=900)
    path = np.array([[0, 0], [3.0, -5.0]])
    drift = drift_of([view(picture, d, size=700, seed=t) for t, d in enumerate(path)])
    assert np.abs(drift.drift_px - path).max() < 0.15


def test_smoothing_takes_out_noise_and_a_stray_frame_but_follows_steps():
    rng = np.random.default_rng(0)
    truth = np.outer(np.arange(60), (0.2, -0.1))
    measured = truth + rng.normal(0, 0.3, truth.shape)
    path, _ = smooth_drift(measured, np.full(60, 0.3))
    start = (measured - truth)[0]
    assert np.std(path - truth, axis=0).max() < 0.6 * np.std(measured - truth, axis=0).min()
    assert np.abs(start).max() > 0  # the path starts at 0 all the same
    assert path[0].tolist() == [0, 0]


def test_a_frame_of_another_size_is_refused():
    estimator = DriftEstimator()
    estimator.add(tissue(size=64))
    with pytest.raises(ValueError, match="one size"):
        estimator.add(tissue(size=80))
    with pytest.raises(ValueError, match="labels must fit"):
        estimator.add(tissue(size=64), np.zeros((3, 3), int))


def test_no_frames_no_drift():
    drift = DriftEstimator().finish()
    assert drift.drift_px.shape == (0, 2) and drift.warnings == []


def test_drift_of_a_simulated_movie_is_right():
    parameters = replace(preset("typical"), height_px=256, width_px=256, duration_h=2.0, stage_jump_probability=1.0)
    movie = simulate_movie(parameters, seed=101)
    drift = drift_of(movie.frames, movie.labels)
    assert np.abs(drift.drift_px - movie.drift_px).max() < 0.5
    assert len(drift.jumps) == 1
