"""The two numbers that turn pixels and frames into micrometres and minutes. They are given or read, never guessed."""

import math
from dataclasses import dataclass
from numbers import Real

import numpy as np


@dataclass(frozen=True)
class Calibration:
    """Pixel size and frame interval of a movie.

    Attributes:
        um_per_px: float, edge of a square pixel in micrometres.
        minutes_per_frame: float, time from one frame to the next in minutes.

    Raises:
        ValueError: one of them is not a positive finite number.

    Example:

    >>> calibration = Calibration(um_per_px=0.65, minutes_per_frame=15)
    >>> calibration.times_min(3).tolist()
    [0.0, 15.0, 30.0]
    >>> Calibration(um_per_px=0, minutes_per_frame=15)
    Traceback (most recent call last):
        ...
    ValueError: um_per_px must be a positive number, got 0. Give the edge of a pixel in micrometres (--um-per-px).
    """

    um_per_px: float
    minutes_per_frame: float

    def __post_init__(self):
        _require_positive("um_per_px", self.um_per_px, "the edge of a pixel in micrometres (--um-per-px)")
        _require_positive(
            "minutes_per_frame", self.minutes_per_frame, "the time between frames in minutes (--minutes-per-frame)"
        )
        object.__setattr__(self, "um_per_px", float(self.um_per_px))
        object.__setattr__(self, "minutes_per_frame", float(self.minutes_per_frame))

    def times_min(self, frame_count):
        """Time of each frame after the first, float (frame_count,), in minutes."""
        return np.arange(frame_count) * self.minutes_per_frame


def _require_positive(name, value, meaning):
    number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    if not number or not math.isfinite(value) or value <= 0:
        raise ValueError(f"{name} must be a positive number, got {value!r}. Give {meaning}.")
