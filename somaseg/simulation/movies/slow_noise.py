"""Smooth random curves in physical time, so that what sways does not depend on how often it is filmed."""

import numpy as np

_WAVES = 4


def slow_noise(
    times_min: np.ndarray, rng: np.random.Generator, *, count: int, period_h: tuple[float, float]
) -> np.ndarray:
    """`count` independent smooth random curves of zero mean and unit variance over time.

    Each is a sum of four sine waves of random phase whose periods are log-uniform in `period_h`, so a curve never
    leaves -2.83..2.83, and its value at a time depends on the generator alone.

    Args:
        times_min: (T,) times in minutes.

    Returns:
        float (T, count).

    >>> def curve(times): return slow_noise(np.array(times), np.random.default_rng(0), count=1, period_h=(1.0, 4.0))
    >>> bool(curve([0.0, 30.0])[1] == curve([0.0, 5.0, 30.0])[2])
    True
    """
    low, high = np.log(period_h[0] * 60.0), np.log(period_h[1] * 60.0)
    periods_min = np.exp(rng.uniform(low, high, (count, _WAVES)))
    phases = rng.uniform(0.0, 2.0 * np.pi, (count, _WAVES))
    angles = 2.0 * np.pi * np.asarray(times_min, float)[:, None, None] / periods_min + phases
    return np.sqrt(2.0 / _WAVES) * np.sin(angles).sum(axis=2)
