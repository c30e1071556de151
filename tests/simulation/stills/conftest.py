"""A still of somas alone, to which a test adds what it is about."""

import dataclasses

import pytest

from somaseg.simulation import StillParameters

# Somas only: no processes, no other light, no noise.
_QUIET = StillParameters(
    height_px=128,
    width_px=128,
    leading_probability=0.0,
    trailing_probability=0.0,
    neurite_count=0.0,
    debris_count=0.0,
    hot_pixel_count=0.0,
    out_of_focus_fraction=0.0,
    depth_sd_um=0.0,
    glow_fraction=0.0,
    haze_fraction=0.0,
    texture_fraction=0.0,
    vignetting_fraction=0.0,
    shot_noise=False,
    read_noise_sd=0.0,
    black_at_background=0.0,
)


@pytest.fixture
def quiet():
    """Function: parameters of somas only, without processes, other light or noise, but for what is given."""
    return _quiet


def _quiet(**changes):
    return dataclasses.replace(_QUIET, **changes)
