"""Looks of simulated stills: in each of them somas stand out, and drawn parameters vary."""

import dataclasses

import numpy as np
import pytest

from somaseg.simulation import LOOKS, Still, draw_parameters, simulate_still


def test_there_are_many_looks():
    assert "green_on_black" in LOOKS and len(LOOKS) >= 7
    assert all(parameters.look == name for name, parameters in LOOKS.items())


@pytest.mark.parametrize("look", LOOKS)
def test_each_look_shows_its_somas_against_the_ground(look):
    drawn = draw_parameters(look, rng=np.random.default_rng(1))
    still = simulate_still(dataclasses.replace(drawn, height_px=160, width_px=160), seed=11)
    assert isinstance(still, Still) and still.instances.max() >= 1
    gray = still.image.astype(float).sum(axis=2)
    soma, ground = gray[still.instances > 0].mean(), gray[still.instances == 0].mean()
    dark_somas = look in (
        "inverted_gray",
        "brightfield",
        "histology_purple",
        "histology_brown",
        "phase_contrast",
    )
    assert soma < 0.9 * ground if dark_somas else soma > 1.25 * ground


def test_green_on_black_keeps_the_signal_in_green():
    image = simulate_still(seed=1).image.reshape(-1, 3).astype(float)
    assert image[:, 1].max() > 150
    assert image[:, [0, 2]].mean() < 0.05 * image[:, 1].mean()


def test_drawn_parameters_vary_and_follow_the_generator():
    drawn = [draw_parameters("dim_noisy", rng=np.random.default_rng(s)) for s in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert drawn[0].um_per_px != drawn[2].um_per_px
    assert drawn[0].haze_fraction != drawn[2].haze_fraction


def test_an_unknown_look_is_refused():
    with pytest.raises(ValueError, match=r"look must be one of .*got 'sepia'"):
        draw_parameters("sepia", rng=np.random.default_rng(0))
