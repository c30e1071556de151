"""Measured drift becomes a smooth path: noise is taken out, gaps are bridged, jumps of the stage stay jumps."""

import numpy as np
from scipy.linalg import solveh_banded

_JUMP_PX = 3.0
_JUMP_SPREADS = 6.0
_LEAST_ERROR_PX = 0.02
_ROUNDS = 4
_HUBER = 2.5


def smooth_drift(measured_px: np.ndarray, error_px: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    """The path (T, 2) that measurements (T, 2) tell, starting at 0, and the frames before which it jumps.

    The path is a random walk about a steady creep, measured with the errors given (T,), infinite where nothing was
    measured (NaN). The size of its steps is learnt from the measurements, robustly; each axis is the exact solution of
    a least squares problem, in which a measurement far from the path counts less. A step beyond 3 px and 6 times
    the usual one is a jump, and the path is free to make it.

    >>> path, jumps = smooth_drift(np.array([[0, 0], [0, 1], [9, 2], [9, 3.0]]), np.full(4, 0.01))
    >>> path.round().tolist(), jumps
    ([[0.0, 0.0], [0.0, 1.0], [9.0, 2.0], [9.0, 3.0]], (2,))
    """
    known = np.flatnonzero(np.isfinite(error_px))
    path = np.zeros(measured_px.shape)
    if len(known) < 2:
        return path, ()
    measured = measured_px[known]
    error = np.maximum(error_px[known], _LEAST_ERROR_PX)
    frames_apart = np.diff(known)
    steps = np.diff(measured, axis=0) / frames_apart[:, None]
    creep = np.median(steps, axis=0)
    unusual = (steps - creep) * np.sqrt(frames_apart)[:, None]
    spread = 1.4826 * np.median(np.abs(unusual))
    walk = max(spread**2 - 2 * np.median(error) ** 2, (0.3 * spread) ** 2, 1e-4)
    limit = max(_JUMP_PX, _JUMP_SPREADS * spread) * np.sqrt(frames_apart)
    jump = np.hypot(*(np.diff(measured, axis=0) - creep * frames_apart[:, None]).T) > limit

    stiffness = np.where(jump, 1e-9, 1.0) / (walk * frames_apart)
    for axis in (0, 1):
        even = measured[:, axis] - creep[axis] * known
        weight = 1 / error**2
        for _ in range(_ROUNDS):
            smooth = _walk(even, weight, stiffness)
            away = np.abs(even - smooth) / error
            weight = np.minimum(1.0, _HUBER / np.maximum(away, 1e-9)) / error**2
        path[:, axis] = _bridged(smooth + creep[axis] * known, known, jump, len(path))
    return path - path[0], tuple(known[1:][jump].tolist())


def _walk(values, weight, stiffness):
    """The x that minimises sum weight (x - values)^2 + sum stiffness (x[t+1] - x[t])^2."""
    bands = np.zeros((2, len(values)))
    bands[1] = weight
    bands[1, :-1] += stiffness
    bands[1, 1:] += stiffness
    bands[0, 1:] = -stiffness
    return solveh_banded(bands, weight * values)


def _bridged(values, known, jump, frames):
    """Straight lines between the known frames; a jump comes with the first known frame after it."""
    all_frames = np.arange(frames)
    path = np.interp(all_frames, known, values)
    for index in np.flatnonzero(jump):
        path[known[index] : known[index + 1]] = values[index]
    return path
