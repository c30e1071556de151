"""Parameters of simulated movies: the presets, what is refused, and the trip through JSON."""

import dataclasses
import json

import pytest

from somaseg.simulation.movie_presets import PRESETS, preset
from somaseg.simulation.movies import MovieParameters, simulate_movie


def test_typical_is_what_the_field_notes_say():
    p = PRESETS["typical"]
    assert (p.height_px, p.width_px, p.um_per_px, p.minutes_per_frame, p.duration_h) == (512, 512, 0.65, 15.0, 10.0)
    assert p.frame_count == 40 and p.times_min[-1] == 585.0


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_a_movie(name, shortened):
    motion = dataclasses.replace(PRESETS[name].motion, margin_um=20.0)
    movie = simulate_movie(shortened(PRESETS[name], motion=motion), seed=0)
    assert movie.frames.shape == (2, 64, 64) and movie.frames.std() > 0
    assert movie.parameters.minutes_per_frame == {"fast_sampling": 5.0, "slow_sampling": 20.0}.get(name, 15.0)


def test_blank_has_no_cell():
    p = PRESETS["blank"]
    movie = simulate_movie(dataclasses.replace(p, height_px=64, width_px=64, duration_h=0.5), seed=0)
    assert len(movie.motion.track_ids) == 0 and not movie.labels.any()


def test_control_and_ts_like_differ_in_their_motion_alone():
    control, ts_like = PRESETS["control"], PRESETS["ts_like"]
    assert dataclasses.replace(ts_like, motion=control.motion) == control
    assert ts_like.motion.saltation_rate_per_h == pytest.approx(1.5 * control.motion.saltation_rate_per_h)


def test_an_unknown_preset_is_refused():
    with pytest.raises(ValueError, match="preset must be one of easy, typical, .*got 'nice'"):
        preset("nice")


@pytest.mark.parametrize(
    "name, value",
    [
        ("um_per_px", 0.0),
        ("minutes_per_frame", -5.0),
        ("duration_h", 0.1),
        ("bit_depth", 10),
        ("missing_frame_kind", "white"),
        ("creep_um_per_h", (5.0, 2.0)),
        ("stage_jump_probability", 1.5),
        ("motion", None),
    ],
)
def test_a_bad_value_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=rf"{name} must .*got"):
        MovieParameters(**{name: value})


def test_parameters_survive_a_trip_through_json():
    parameters = PRESETS["dense"]
    text = json.dumps(dataclasses.asdict(parameters))
    assert MovieParameters.from_dict(json.loads(text)) == parameters
    with pytest.raises(ValueError, match="haze_fractoin"):
        MovieParameters.from_dict({"haze_fractoin": 0.1})
