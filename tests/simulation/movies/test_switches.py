"""Simulated movies: every element can be switched off alone and leaves the others where they were."""

import dataclasses

import numpy as np
import pytest

from somaseg.simulation.motion import MotionParameters
from somaseg.simulation.movies import simulate_movie

SWITCHES = {
    "leading_probability": 0.0,
    "trailing_probability": 0.0,
    "neurites_per_field": 0.0,
    "debris_per_field": 0.0,
    "distant_cells_per_field": 0.0,
    "haze_fraction": 0.0,
    "texture_fraction": 0.0,
    "glow_fraction": 0.0,
    "vignetting_fraction": 0.0,
    "bleaching_tau_h": 0.0,
    "drift_um_per_frame": 0.0,
    "creep_um_per_h": (0.0, 0.0),
    "stage_jump_probability": 0.0,
    "shot_noise": False,
    "read_noise_sd": 0.0,
    "soma_size_cv": 0.0,
    "soma_irregularity": 0.0,
    "soma_texture": 0.0,
    "brightness_cv": 0.0,
    "flicker_cv": 0.0,
    "fork_probability": 0.0,
    "process_sway_deg": 0.0,
    "process_growth": 0.0,
    "process_turn_deg": 0.0,
    "beading": 0.0,
    "defocus_per_um": 0.0,
    "psf_sigma_um": 0.0,
    "background_photons": 0.0,
}


@pytest.fixture(scope="module")
def rich_parameters(busy):
    """Two frames of a small view with much of everything."""
    return dataclasses.replace(
        busy,
        height_px=64,
        width_px=64,
        duration_h=0.5,
        debris_per_field=200.0,
        neurites_per_field=20.0,
        fork_probability=1.0,
    )


@pytest.fixture(scope="module")
def rich(rich_parameters):
    return simulate_movie(dataclasses.replace(rich_parameters, stage_jump_probability=1.0), seed=8)


@pytest.mark.parametrize("name", SWITCHES)
def test_an_element_can_be_switched_off_and_leaves_the_others_where_they_were(name, rich):
    without = simulate_movie(dataclasses.replace(rich.parameters, **{name: SWITCHES[name]}), seed=8)
    assert np.any(without.frames != rich.frames)
    np.testing.assert_array_equal(without.motion.centre_um, rich.motion.centre_um)
    drifts = ("drift_um_per_frame", "creep_um_per_h", "stage_jump_probability")
    assert np.array_equal(without.drift_px, rich.drift_px) == (name not in drifts)
    if name in (
        "neurites_per_field",
        "debris_per_field",
        "shot_noise",
        "read_noise_sd",
        "fork_probability",
        "leading_probability",
    ):
        common = np.count_nonzero((without.labels > 0) & (without.labels == rich.labels))
        assert common > 0.8 * np.count_nonzero(rich.labels)


def test_debris_neurites_and_haze_alone_make_no_label(rich_parameters):
    p = dataclasses.replace(rich_parameters, motion=MotionParameters(density_per_field=0.0), haze_fraction=0.4)
    movie = simulate_movie(p, seed=1)
    assert not movie.labels.any() and movie.visible.shape == (0, 2)
    assert movie.frames.std() > 10
