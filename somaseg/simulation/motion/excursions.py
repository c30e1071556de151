"""How far simulated cells lie from the focal plane: each at its own depth, some leaving the focus for a while."""

import numpy as np

from somaseg.simulation.motion.parameters import MotionParameters
from somaseg.simulation.motion.streams import cell_stream

_RAMP_MIN = 5.0  # a cell takes so long to leave the focus, and to come back


def cell_depths_um(leaves_focus: np.ndarray, times: np.ndarray, p: MotionParameters, seed: int) -> np.ndarray:
    """(N, T) signed depth in um; cells with `leaves_focus` (N,) below `excursion_fraction` go on excursions."""
    depths = np.zeros((len(leaves_focus), len(times)))
    for cell in range(len(leaves_focus)):
        depths[cell] = p.depth_sd_um * cell_stream(seed, cell, "depth").standard_normal()
        if leaves_focus[cell] < p.excursion_fraction:
            depths[cell] += _excursions(times, p, cell_stream(seed, cell, "excursions"))
    return depths


def _excursions(times, p, rng):
    """Out of focus and back again and again; the whole way out for the drawn time, with a ramp before and after."""
    away = np.zeros(len(times))
    clock = 0.0
    while True:
        clock += 60.0 * p.excursion_interval_h * rng.standard_exponential()
        duration, far, side = rng.random(3)
        duration = p.excursion_duration_min[0] + np.ptp(p.excursion_duration_min) * duration
        if clock - _RAMP_MIN > times[-1]:
            return away
        depth = p.excursion_depth_um[0] + np.ptp(p.excursion_depth_um) * far
        ramp = np.minimum(times - (clock - _RAMP_MIN), clock + duration + _RAMP_MIN - times) / _RAMP_MIN
        ramp = np.clip(ramp, 0.0, 1.0)
        away += np.where(side < 0.5, -depth, depth) * ramp**2 * (3.0 - 2.0 * ramp)
        clock += duration + 2.0 * _RAMP_MIN
