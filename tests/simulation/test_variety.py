"""variety: what is tested on lies outside of what is trained on, and is drawn the same from the same seed."""

import numpy as np
import pytest

from somaseg.simulation import LOOKS, draw_parameters, simulate_still
from somaseg.simulation.variety import draw_movie_parameters, draw_still_parameters, draw_unseen_parameters


def drawn(draw, count=150):
    return [draw(np.random.default_rng((number,))) for number in range(count)]


@pytest.fixture(scope="module")
def trained_on():
    ways = (draw_parameters, draw_still_parameters)
    looks = [drawn(lambda rng, look=look, draw=draw: draw(look, rng=rng)) for look in LOOKS for draw in ways]
    return [*sum(looks, []), *drawn(draw_movie_parameters)]


@pytest.mark.parametrize(
    "name",
    ["psf_sigma_um", "defocus_per_um", "glow_sigma_um", "texture_sigma_um", "process_turn_deg", "beading"]
    + ["fork_probability", "gamma", "bleed_fraction", "jpeg_quality"],
)
def test_unseen_conditions_are_not_among_those_trained_on(trained_on, name):
    seen = [value for value in (getattr(p, name, None) for p in trained_on) if value]  # a JPEG quality of 0: none
    assert seen
    for value in (getattr(p, name) for p in drawn(draw_unseen_parameters, 50)):
        assert not min(seen) <= value <= max(seen)


def test_unseen_stills_show_somas_in_green_and_follow_their_seed():
    stills = [simulate_still(draw_unseen_parameters(np.random.default_rng(5)), seed=2) for _ in range(2)]
    np.testing.assert_array_equal(stills[0].image, stills[1].image)
    assert stills[0].parameters.look == "green_on_black"
    assert stills[0].instances.max() > 0
    another = simulate_still(draw_unseen_parameters(np.random.default_rng(6)), seed=2)
    assert (another.image != stills[0].image).any()
