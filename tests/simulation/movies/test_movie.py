"""Simulated movies: what a seed means, the type of the frames, and one clock behind every frame interval."""

import dataclasses

import numpy as np
import pytest

from somaseg.simulation.movie_presets import PRESETS
from somaseg.simulation.movies import simulate_movie

# Measured when the streams of a seed were fixed; they change only when what a seed means changes.
GOLDEN_MEANS = [386, 385, 382, 379]
GOLDEN_DRIFT = [-0.8190079888091472, -5.7230403690201745]


def test_the_same_seed_gives_the_same_movie_and_another_seed_another(busy, shortened):
    one, same, other = (simulate_movie(shortened(busy), seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.frames, same.frames)
    np.testing.assert_array_equal(one.labels, same.labels)
    assert np.any(one.frames != other.frames) and np.any(one.labels != other.labels)


def test_a_seed_means_the_same_on_every_machine():
    blank = simulate_movie(dataclasses.replace(PRESETS["blank"], height_px=64, width_px=64, duration_h=1.0), seed=1)
    assert [round(float(frame.mean())) for frame in blank.frames] == GOLDEN_MEANS
    np.testing.assert_allclose(blank.drift_px[-1], GOLDEN_DRIFT, atol=1e-6)


@pytest.mark.parametrize("bit_depth, dtype", [(8, np.uint8), (12, np.uint16), (16, np.uint16)])
def test_frames_have_the_type_and_range_of_their_bit_depth(bit_depth, dtype, busy, shortened):
    # White far below the soma peak saturates, so the largest value is the camera's limit.
    movie = simulate_movie(shortened(busy, bit_depth=bit_depth, white_at_soma_peaks=0.1), seed=1)
    assert movie.frames.shape == (2, 64, 64) and movie.frames.dtype == dtype
    assert movie.labels.shape == (2, 64, 64) and movie.labels.dtype == np.uint16
    assert movie.frames.max() == 2**bit_depth - 1


def test_a_cell_looks_the_same_at_the_same_time_however_often_it_is_filmed(busy):
    p = dataclasses.replace(
        busy, duration_h=1.0, height_px=64, width_px=64, drift_um_per_frame=0.0, shot_noise=False, read_noise_sd=0.0
    )
    fast = simulate_movie(dataclasses.replace(p, minutes_per_frame=10.0), seed=5)
    slow = simulate_movie(dataclasses.replace(p, minutes_per_frame=20.0), seed=5)
    np.testing.assert_array_equal(fast.frames[:6:2], slow.frames)
    np.testing.assert_array_equal(fast.labels[:6:2], slow.labels)
    assert slow.labels.any()


def test_progress_is_told_after_each_frame(static):
    told = []
    simulate_movie(
        dataclasses.replace(static, height_px=16, width_px=16), seed=0, progress=lambda *done: told.append(done)
    )
    assert told == [(frame, 6) for frame in range(1, 7)]


@pytest.mark.parametrize("seed", [-1, 1.5, None, True])
def test_a_bad_seed_is_refused(seed, busy, shortened):
    with pytest.raises(ValueError, match="seed must be a whole number from 0 on"):
        simulate_movie(shortened(busy), seed=seed)
