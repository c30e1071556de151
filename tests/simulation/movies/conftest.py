"""Small movies to look at one thing: with everything on, somas alone, and nothing but the background."""

import dataclasses

import pytest

from somaseg.simulation.motion import MotionParameters
from somaseg.simulation.movies import MovieParameters


@pytest.fixture(scope="session")
def busy():
    """Parameters of about 7 cells in a small view, with everything on."""
    return MovieParameters(
        height_px=96,
        width_px=96,
        duration_h=0.75,
        motion=MotionParameters(density_per_field=150.0, margin_um=30.0, spacing_um=10.0),
    )


@pytest.fixture(scope="session")
def quiet(busy):
    """Parameters of somas only, without other light, drift, bleaching or noise."""
    return dataclasses.replace(
        busy,
        leading_probability=0.0,
        trailing_probability=0.0,
        neurites_per_field=0.0,
        debris_per_field=0.0,
        distant_cells_per_field=0.0,
        haze_fraction=0.0,
        texture_fraction=0.0,
        glow_fraction=0.0,
        vignetting_fraction=0.0,
        bleaching_tau_h=0.0,
        drift_um_per_frame=0.0,
        creep_um_per_h=(0.0, 0.0),
        stage_jump_probability=0.0,
        shot_noise=False,
        read_noise_sd=0.0,
        bit_depth=16,
    )


@pytest.fixture(scope="session")
def static(quiet):
    """Parameters of no cell: nothing but the background."""
    return dataclasses.replace(quiet, motion=MotionParameters(density_per_field=0.0), duration_h=1.5)


@pytest.fixture(scope="session")
def shortened():
    """Function: the parameters on a small field for two frames."""
    return _shortened


@pytest.fixture(scope="session")
def electrons():
    """Function: the frames of a movie as the electrons that the camera counted."""
    return _electrons


def _shortened(parameters, **changes):
    duration_h = 2 * parameters.minutes_per_frame / 60
    return dataclasses.replace(parameters, height_px=64, width_px=64, duration_h=duration_h, **changes)


def _electrons(movie):
    return movie.frames / movie.parameters.levels_per_electron - movie.parameters.offset_electrons
