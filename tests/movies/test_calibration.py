"""Calibration: refuses what is no unit."""

import math

import numpy as np
import pytest

from somaseg.movies import Calibration


@pytest.mark.parametrize("wrong", [0, -0.65, math.nan, math.inf, "0.65", None, True, np.True_])
def test_what_is_no_positive_number_is_refused_by_name_and_flag(wrong):
    with pytest.raises(ValueError, match=r"^um_per_px must be a positive number, got .*--um-per-px"):
        Calibration(wrong, 15)
    with pytest.raises(ValueError, match=r"^minutes_per_frame must be a positive number, got .*--minutes-per-frame"):
        Calibration(0.65, wrong)


def test_numpy_numbers_become_floats():
    calibration = Calibration(np.float32(0.5), np.int64(15))
    assert type(calibration.um_per_px) is type(calibration.minutes_per_frame) is float
    assert calibration == Calibration(0.5, 15)
