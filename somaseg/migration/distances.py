"""From noisy steps to the distance that cells went: unbiased by position noise, slow begins and ends included.

The length of a step that is clear of noise is corrected for it. A step within noise counts by its part along the way
that the cell goes around it: noise is as often backward as forward, so it cancels over steps, and slow movement adds
up.
"""

import numpy as np
import pandas as pd

_CLEAR = 4.0  # noise sd of a step: one resting step in 3000 is longer
_NEAR_MIN = 12.0


def noise_free_distances(steps: pd.DataFrame, *, minutes_per_frame: float, noise_um: float) -> np.ndarray:
    """(N,) signed distance in um of each step; its sum over many steps is the length of their path.

    Args:
        steps: track_id, frame, next_frame, dy_um, dx_um, sorted by track and frame, as in `Saltations.steps`.
        minutes_per_frame: frame interval. noise_um: sd of a position along each axis.

    A step is clear when it is longer than 4 sqrt(2) sigma; then its distance is sqrt(length^2 - 2 sigma^2), as noise
    across its direction adds 2 sigma^2 to the square (Rice 1944). Another one counts by its part along the clear steps
    within 12 min of it (at least the next ones), or where there are none along the step before, itself and the one
    after together, if these are clear. All others count 0: they rest, or move too slowly to tell.

    >>> steps = pd.DataFrame({"track_id": 1, "frame": [0, 1, 2], "next_frame": [1, 2, 3], "dy_um": [0.0, 0.0, 0.3]})
    >>> steps["dx_um"] = [9.0, 1.0, -0.2]
    >>> noise_free_distances(steps, minutes_per_frame=15, noise_um=0.5).round(2).tolist()
    [8.97, 1.0, 0.0]
    """
    vectors = steps[["dy_um", "dx_um"]].to_numpy(float).reshape(-1, 2)
    clear_um = _CLEAR * np.sqrt(2.0) * noise_um
    lengths = np.hypot(*vectors.T)
    clear = lengths > clear_um
    reach = max(1, int(np.ceil(_NEAR_MIN / minutes_per_frame)))
    direction, _ = _sum_around(steps, np.where(clear[:, None], vectors, 0.0), reach)
    # The ends of the three steps are others than those of the middle one, and so is their noise.
    beside, neighbours = _sum_around(steps, vectors, 1)
    around = np.where((neighbours == 2)[:, None], vectors + beside, 0.0)
    around[np.hypot(*around.T) <= clear_um] = 0.0
    direction = np.where(np.any(direction, axis=1, keepdims=True), direction, around)
    size = np.hypot(*direction.T)
    along = np.sum(vectors * direction, axis=1) / np.where(size > 0, size, 1.0)
    return np.where(clear, np.sqrt(np.maximum(lengths**2 - 2.0 * noise_um**2, 0.0)), along)


def _sum_around(steps, vectors, reach):
    """Sum (N, 2) over the steps up to `reach` before and after each one, itself left out, and their number (N,)."""
    track, frame, following = (steps[name].to_numpy() for name in ("track_id", "frame", "next_frame"))
    total, count = np.zeros_like(vectors), np.zeros(len(vectors), int)
    for offset in range(1, min(reach, len(vectors) - 1) + 1):
        near = (track[offset:] == track[:-offset]) & (frame[offset:] - following[:-offset] == offset - 1)
        total[offset:][near] += vectors[:-offset][near]
        total[:-offset][near] += vectors[offset:][near]
        count[offset:] += near
        count[:-offset] += near
    return total, count
