"""Simulated movies: black, repeated and blurred frames, and what the truth says of them."""

import dataclasses

import cv2
import numpy as np

from somaseg.simulation.movies import simulate_movie


def test_a_black_frame_is_black_and_shows_no_cell(busy):
    p = dataclasses.replace(busy, missing_frames=1)
    whole, movie = simulate_movie(busy, seed=3), simulate_movie(p, seed=3)
    (missing,) = movie.missing_frames
    others = [frame for frame in range(3) if frame != missing]
    assert not movie.frames[missing].any() and not movie.labels[missing].any()
    assert whole.visible[:, missing].any() and not movie.visible[:, missing].any()
    np.testing.assert_array_equal(movie.frames[others], whole.frames[others])


def test_a_repeated_frame_is_the_one_before_with_its_truth(busy):
    movie = simulate_movie(dataclasses.replace(busy, missing_frames=1, missing_frame_kind="repeated"), seed=3)
    (missing,) = movie.missing_frames
    for stack in (movie.frames, movie.labels, movie.drift_px):
        np.testing.assert_array_equal(stack[missing], stack[missing - 1])
    assert missing > 0 and movie.frames[missing].any()


def test_a_blurred_frame_is_less_sharp_than_the_others(quiet):
    p = dataclasses.replace(quiet, blurred_frames=1, blurred_frame_sigma_um=3.0)
    movie = simulate_movie(p, seed=3)
    sharpness = [cv2.Laplacian(frame.astype(float), cv2.CV_64F).std() for frame in movie.frames]
    assert movie.blurred_frames == (int(np.argmin(sharpness)),)
    assert min(sharpness) < 0.5 * np.median(sharpness)


def test_faults_never_hit_the_first_frame_and_never_the_same_frame(static):
    p = dataclasses.replace(static, height_px=16, width_px=16, missing_frames=2, blurred_frames=9)
    movie = simulate_movie(p, seed=0)
    assert len(movie.missing_frames) == 2 and len(movie.blurred_frames) == 3
    assert sorted(movie.missing_frames + movie.blurred_frames) == [1, 2, 3, 4, 5]
