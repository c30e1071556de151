"""Simulated movies: a label is the soma that can be seen, under the name of its cell."""

import dataclasses

import cv2
import numpy as np
import pytest

from somaseg.simulation.movies import simulate_movie


@pytest.fixture(scope="module")
def movie(busy):
    return simulate_movie(dataclasses.replace(busy, duration_h=1.5), seed=3)


def test_masks_lie_within_the_ellipse_of_the_soma_and_never_on_its_processes(busy, quiet):
    p = dataclasses.replace(
        quiet,
        soma_size_cv=0.0,
        soma_irregularity=0.0,
        leading_probability=1.0,
        trailing_probability=1.0,
        process_brightness=(0.5, 0.5),
        drift_um_per_frame=2.0,
        motion=dataclasses.replace(busy.motion, depth_sd_um=2.0, density_per_field=100.0),
    )
    movie = simulate_movie(p, seed=7)
    y, x = np.mgrid[:96, :96]
    whole = 0
    for index, frame in np.argwhere(movie.visible):
        motion = movie.motion
        centre = motion.centre_um[index, frame] / p.um_per_px + movie.drift_px[frame]
        heading, stretch = np.deg2rad(motion.heading_deg[index, frame]), motion.stretch[index, frame]
        along = (x - centre[1]) * np.cos(heading) - (y - centre[0]) * np.sin(heading)
        across = (x - centre[1]) * np.sin(heading) + (y - centre[0]) * np.cos(heading)
        level = np.hypot(along / (6.0 * stretch), across / (4.0 / np.sqrt(stretch))) * p.um_per_px
        mask = movie.labels[frame] == motion.track_ids[index]
        assert level[mask].max() <= 1.0 + 1e-6
        whole += np.array_equal(mask, level <= 1.0)
    assert np.count_nonzero(movie.visible) > 10 and whole > 5


def test_ids_stay_with_their_cells_and_every_label_is_one_piece(movie):
    ids = {int(track_id): index for index, track_id in enumerate(movie.motion.track_ids)}
    assert len(np.unique(movie.labels)) > 6
    for frame, labels in enumerate(movie.labels):
        for label in np.unique(labels)[1:]:
            mask = (labels == label).astype(np.uint8)
            assert cv2.connectedComponents(mask, connectivity=4)[0] == 2
            centroid_um = (np.argwhere(mask).mean(axis=0) - movie.drift_px[frame]) * 0.65
            # Half a soma: a mask may be cut by the edge of the view or by a nearer soma.
            assert np.hypot(*(centroid_um - movie.motion.centre_um[ids[label], frame])) < 9.0


def test_visible_says_which_cells_have_a_label(movie):
    seen = [[track_id in labels for labels in movie.labels] for track_id in movie.motion.track_ids]
    np.testing.assert_array_equal(movie.visible, seen)
    assert not movie.visible.all()


def test_cells_far_out_of_focus_are_not_in_the_truth(busy, quiet):
    movie = simulate_movie(
        dataclasses.replace(quiet, motion=dataclasses.replace(busy.motion, depth_sd_um=100.0)), seed=1
    )
    depths = np.abs(movie.motion.depth_um)
    assert movie.visible.any() and depths[movie.visible].max() < 40.0
    centres = movie.motion.centre_um
    inside = np.all((centres > 10.0) & (centres < 50.0), axis=2)
    assert np.any(inside & (depths > 60.0)) and not np.any(movie.visible & (depths > 60.0))
