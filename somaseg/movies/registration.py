"""How far one picture lies from another: sub-pixel phase correlation weighted by what stands out of the noise.

The phases of the cross spectrum tell the shift; each frequency counts as much as both pictures hold signal there, known
from how far their power lies above the noise floor (the maximum likelihood weights of Hannan & Thomson 1973). The
peak is refined on the Fourier sum itself, not on a grid, so that there is no pull towards whole pixels.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import fft

_LOWEST_CYCLES = 3  # per picture: slower waves are cut by its border
_NOISE_FROM = 0.38  # cycles per px: from here on power is taken to be noise
_HIGHEST_COHERENCE = 0.9
_NEWTON_STEPS = 8


@dataclass(frozen=True)
class Shift:
    """Where a picture lies relative to another one.

    Attributes:
        shift_px: (dy, dx), the content of the second picture is that of the first moved by this.
        significance: height of the peak in standard deviations of what unrelated pictures give; unrelated ones reach 5.
        error_px: standard error per axis, from how well the frequencies agree.
    """

    shift_px: tuple[float, float]
    significance: float
    error_px: float


def measure_shift(first: np.ndarray, second: np.ndarray, *, near_px=None, reach_px: float | None = None) -> Shift:
    """Shift of `second` against `first`, float (Y, X) of one size and about mean 0, as `tissue_texture` gives them.

    Args:
        near_px: (dy, dx) about where it is; None: unknown. The common part of the two is compared.
        reach_px: how far from there it is looked for; None: 0.4 of the shorter side.
    """
    base = (0, 0) if near_px is None else tuple(int(round(value)) for value in near_px)
    a, b = _common_parts(first, second, base)
    if min(a.shape) < 32:
        return Shift((float(base[0]), float(base[1])), 0.0, np.inf)
    cross, weight = _weighted_phases(a, b)
    total = float(np.sum(weight**2))
    if total <= 0:
        return Shift((float(base[0]), float(base[1])), 0.0, np.inf)
    surface = fft.irfft2(cross * weight, a.shape)
    start = _highest(surface, 0.4 * min(a.shape) if reach_px is None else reach_px)
    shift, significance, error = _refined(start, cross, weight, a.shape)
    return Shift((base[0] + float(shift[0]), base[1] + float(shift[1])), significance, error)


def _common_parts(first, second, base):
    (y, x), (height, width) = base, first.shape
    # Cut to whole multiples of 16: quick to transform, and few sizes to prepare.
    rows, columns = ((side - abs(by)) // 16 * 16 for side, by in zip((height, width), base))
    rows, columns = max(rows, 0), max(columns, 0)
    top, left = (height - abs(y) - rows) // 2, (width - abs(x) - columns) // 2
    a = first[max(0, -y) + top :, max(0, -x) + left :][:rows, :columns]
    b = second[max(0, y) + top :, max(0, x) + left :][:rows, :columns]
    return a, b


def _weighted_phases(a, b):
    """Unit phases of the cross spectrum, and the weight of each frequency; half plane, as rfft2 gives it."""
    window, radius, twice, usable = _frame_of(a.shape)
    one, two = (fft.rfft2(picture * window) for picture in (a, b))
    cross = two * np.conj(one)
    cross /= np.maximum(np.abs(cross), 1e-30)
    waves = np.bincount(radius.ravel(), twice.ravel())
    cycles = np.arange(len(waves)) / (len(waves) - 1) * np.sqrt(0.5)
    shares = np.ones(len(waves))
    for spectrum in (one, two):
        power = spectrum.real**2 + spectrum.imag**2
        ring = np.bincount(radius.ravel(), (power * twice).ravel()) / waves
        noise = np.median(ring[(cycles >= _NOISE_FROM) & (cycles <= 0.5)])
        # A ring's power scatters: what is hardly above the floor is floor.
        shares *= np.where(ring > 1.1 * noise, 1.0 - noise / np.maximum(ring, 1e-30), 0.0)
    shares = np.minimum(shares, _HIGHEST_COHERENCE)
    return cross, (shares / (1.0 - shares)).astype(np.float32)[radius] * (twice * usable)


@lru_cache(maxsize=8)
def _frame_of(shape):
    """Window, ring number of each frequency, how often each stands for one of the full plane, and which to use."""
    sides = [_taper(side) for side in shape]
    fy, fx = _frequencies(shape)
    rings = max(8, min(shape) // 8)
    radius = np.minimum((np.hypot(fy, fx) / np.sqrt(0.5) * rings).astype(int), rings)
    twice = np.full(radius.shape, 2.0, np.float32)
    twice[:, 0] = 1.0
    if shape[1] % 2 == 0:
        twice[:, -1] = 1.0
    slow = np.hypot(fy * shape[0], fx * shape[1]) < _LOWEST_CYCLES
    fast = np.hypot(fy, fx) > 0.5
    return np.outer(*sides).astype(np.float32), radius, twice, ~(slow | fast)


def _taper(side):
    place = (np.arange(side) + 0.5) / side
    edge = np.minimum(place, 1 - place) / 0.2
    return np.where(edge < 1, 0.5 - 0.5 * np.cos(np.pi * edge), 1.0)


def _frequencies(shape):
    return np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None]


def _highest(surface, reach):
    """Whole-pixel place (dy, dx) of the highest point within `reach`, of at most half a side."""
    reach = np.clip(reach, 1.0, (min(surface.shape) - 1) // 2)
    around = np.arange(-int(reach), int(reach) + 1)
    inside = np.hypot(around[:, None], around) <= reach
    index = np.argmax(np.where(inside, surface[np.ix_(around, around)], -np.inf))
    return around[np.array(np.unravel_index(index, inside.shape))].astype(float)


def _refined(start, cross, weight, shape):
    """Newton's method on the weighted sum of cosines of the phases that are left."""
    rows, columns = np.nonzero(weight)
    fy, fx = _frequencies(shape)
    waves = 2 * np.pi * np.stack([fy[rows, 0], fx[0, columns]])
    phase, w = np.angle(cross[rows, columns]), weight[rows, columns].astype(float)
    shift = start.astype(float)
    for _ in range(_NEWTON_STEPS):
        left = phase + shift @ waves
        slope = -(waves * (w * np.sin(left))).sum(axis=1)
        bend = (waves * (w * np.cos(left))) @ waves.T
        if np.linalg.det(bend) <= 0 or bend[0, 0] <= 0:
            break
        step = np.linalg.solve(bend, slope)
        shift = shift + np.clip(step, -0.5, 0.5)
        if np.abs(step).max() < 1e-4:
            break
    if np.hypot(*(shift - start)) > 1.5:
        shift = start.astype(float)
    left = phase + shift @ waves
    # Each wave of the half plane stands for two of the full one; w holds that factor already.
    significance = float((w * np.cos(left)).sum() / np.sqrt(max((w**2).sum() / 2, 1e-30)))
    bend = (waves * (w * np.cos(left))) @ waves.T
    scatter = (waves * (w * np.sin(left)) ** 2) @ waves.T
    if np.linalg.det(bend) <= 0:
        return shift, significance, np.inf
    inverse = np.linalg.inv(bend)
    return shift, significance, float(np.sqrt(np.trace(inverse @ scatter @ inverse) / 2))
