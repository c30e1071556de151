"""Parameters of simulated stills: what is refused, and the trip through JSON."""

import dataclasses
import json

import numpy as np
import pytest

from somaseg.simulation import StillParameters, draw_parameters


@pytest.mark.parametrize(
    "name, value",
    [
        ("um_per_px", 0.0),
        ("um_per_px", float("nan")),
        ("height_px", 15),
        ("width_px", 64.5),
        ("cell_count", -1),
        ("cell_count", (5, 2)),
        ("cell_count", (1.5, 3)),
        ("touching_fraction", 1.2),
        ("leading_length_um", 40.0),
        ("process_width_um", (2.0, 1.0)),
        ("shot_noise", 1),
        ("bit_depth", 10),
        ("look", "sepia"),
        ("soma_width_um", "8"),
    ],
)
def test_a_bad_value_is_refused_by_name(name, value):
    with pytest.raises(ValueError) as refusal:
        StillParameters(**{name: value})
    assert str(refusal.value).startswith(f"{name} must be ")
    assert f"got {value!r}" in str(refusal.value)


def test_jpeg_of_more_than_8_bits_is_refused():
    with pytest.raises(ValueError, match="jpeg_quality must be 0 unless bit_depth is 8"):
        StillParameters(jpeg_quality=80, bit_depth=16)


def test_an_unknown_key_is_refused_by_name():
    with pytest.raises(ValueError, match="haze_fractoin"):
        StillParameters.from_dict({"haze_fractoin": 0.1})


def test_parameters_survive_a_trip_through_json():
    parameters = draw_parameters("dense_hazy", rng=np.random.default_rng(3))
    parameters = dataclasses.replace(parameters, cell_count=(3, 9))
    text = json.dumps(dataclasses.asdict(parameters))
    assert StillParameters.from_dict(json.loads(text)) == parameters
