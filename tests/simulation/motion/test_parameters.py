"""MotionParameters refuses what cannot be, and takes what can."""

import dataclasses

import pytest

from somaseg.simulation.motion import MotionParameters


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"saltation_rate_per_h": 4.0}, "saltation_rate_per_h must be at most 1.38.*got 4.0. Lower"),
        ({"reversal_probability": 0.4}, "reversal_probability must be at most 0.311.*got 0.4"),
        ({"spacing_um": 80.0}, "spacing_um must be at most 50.* at density_per_field 20.0, got 80.0"),
        ({"arrested_fraction": 0.8, "exploring_fraction": 0.3}, "must be at most 1, got 0.8 \\+ 0.3"),
        ({"jump_speed_um_per_h": (120.0, 60.0)}, "jump_speed_um_per_h must be a pair .*got \\(120.0, 60.0\\)"),
        ({"jump_length_um": float("nan")}, "jump_length_um must be a number from 0.1 to 500.0, got nan"),
        ({"wobble_um": "some"}, "wobble_um must be a number .*got 'some'"),
    ],
)
def test_impossible_parameters_are_refused(values, told):
    with pytest.raises(ValueError, match=told):
        MotionParameters(**values)


def test_highest_rate_is_one_that_works(many):
    highest = dataclasses.replace(MotionParameters(), saltation_rate_per_h=MotionParameters().highest_rate_per_h)
    motion = many(100, 2.0, highest)
    assert motion.saltations.pause_before_min.min() >= 10.0 - 1e-6


def test_parameters_come_from_a_dict_and_refuse_an_unknown_key():
    parameters = MotionParameters(axis_deg=30.0)
    assert MotionParameters.from_dict(dataclasses.asdict(parameters)) == parameters
    with pytest.raises(ValueError, match="Unknown motion parameters \\['speed'\\]"):
        MotionParameters.from_dict({"speed": 1})
