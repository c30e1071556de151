"""Smooth random movement of simulated cells on a fine clock, exact at its steps whatever their length.

Both laws are linear stochastic equations of a position and a velocity, solved exactly from step to step, so that
neither the mean square displacement nor the spread depends on the clock. Arrays are (cells, steps + 1, 2), the
first position included.
"""

import math

import numpy as np
from scipy.signal import lfilter


def persistent_walk(
    normals: np.ndarray, *, step_min: float, speed_um_per_h: float, persistence_min: float
) -> tuple[np.ndarray, np.ndarray]:
    """Persistent random walk (Ornstein-Uhlenbeck velocity), from (0, 0).

    Args:
        normals: (N, 1 + steps, 2, 2) standard normal numbers: per cell, time and (y, x) two of them.
        speed_um_per_h: root mean square speed S. persistence_min: P.

    Returns:
        positions in um and velocities in um/min, both (N, 1 + steps, 2). MSD(t) = 2 S^2 P (t - P (1 - exp(-t/P)))
        (Fuerth 1920); exact update after Gillespie 1996, Phys. Rev. E 54:2084.
    """
    variance = (speed_um_per_h / 60.0) ** 2 / 2.0
    decay = math.exp(-step_min / persistence_min)
    to_velocity = math.sqrt(variance * (1.0 - decay**2))
    variance_step = variance * persistence_min**2 * (2.0 * step_min / persistence_min - (1.0 - decay) * (3.0 - decay))
    shared = variance * persistence_min * (1.0 - decay) ** 2 / to_velocity if to_velocity else 0.0
    own = math.sqrt(max(0.0, variance_step - shared**2))

    kicks = to_velocity * normals[..., 0]
    kicks[:, 0] = math.sqrt(variance) * normals[:, 0, :, 0]
    velocity = lfilter([1.0], [1.0, -decay], kicks, axis=1)
    position = np.zeros_like(velocity)
    steps = (
        persistence_min * (1.0 - decay) * velocity[:, :-1] + shared * normals[:, 1:, :, 0] + own * normals[:, 1:, :, 1]
    )
    np.cumsum(steps, axis=1, out=position[:, 1:])
    return position, velocity


def bound_walk(normals: np.ndarray, *, step_min: float, sd: float, time_min: float) -> tuple[np.ndarray, np.ndarray]:
    """Smooth wandering about (0, 0): a critically damped oscillator pushed at random, from the start in its
    long-run law.

    x'' + 2 x' / tau + x / tau^2 = noise; each coordinate is normal, sd `sd`, correlation (1 + t/tau) exp(-t/tau).

    Args:
        normals: (N, 1 + steps, 2, 2) standard normal numbers. time_min: tau.

    Returns:
        positions in units of `sd` and velocities in those per min, both (N, 1 + steps, 2).
    """
    # In x and w = x' + x / tau the equation is a chain of two simple decays.
    decay, rate = math.exp(-step_min / time_min), 1.0 / time_min
    law = sd**2 * np.array([[2.0 * rate**2, rate], [rate, 1.0]])
    step = decay * np.array([[1.0, 0.0], [step_min, 1.0]])
    kick = _lower_root(law - step @ law @ step.T)
    start = _lower_root(law)
    kicks = normals @ kick.T
    kicks[:, 0] = normals[:, 0] @ start.T
    w = lfilter([1.0], [1.0, -decay], kicks[..., 0], axis=1)
    pushes = kicks[..., 1]
    pushes[:, 1:] += decay * step_min * w[:, :-1]
    x = lfilter([1.0], [1.0, -decay], pushes, axis=1)
    return x, w - rate * x


def _lower_root(covariance):
    """Cholesky factor of a 2 x 2 covariance that may be zero."""
    first = math.sqrt(covariance[0, 0])
    slope = covariance[1, 0] / first if first else 0.0
    return np.array([[first, 0.0], [slope, math.sqrt(max(0.0, covariance[1, 1] - slope**2))]])
