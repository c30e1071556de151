"""Headings of a simulated cell from jump to jump: small turns and rare reversals whose long-run law is known.

The law is a wrapped Cauchy about an axis, f(t) = (1 - rho^2) / (2 pi (1 + rho^2 - 2 rho cos(t - axis))). The chain
starts in it and each step leaves it as it is (Metropolis et al. 1953), so the headings of all jumps, the first and
the last, follow it with the resultant length rho, although each is close to the one before.
"""

import math

import numpy as np

from somaseg.simulation.motion.parameters import MotionParameters

# A turn is tried in so many equal parts, so that it hardly ever fails as a whole.
_PARTS = 4


class HeadingChain:
    """Headings of one cell; `draw(n)` gives the next n as degrees in -180..180, and which are reversals.

    >>> chain = HeadingChain(MotionParameters(turn_sd_deg=0, reversal_probability=0), np.random.default_rng(0))
    >>> headings, reversed_ = chain.draw(3)
    >>> bool((headings == chain.start_deg).all()), bool(reversed_.any())
    (True, False)
    """

    def __init__(self, parameters: MotionParameters, rng: np.random.Generator):
        self._parameters, self._rng = parameters, rng
        highest = parameters.highest_reversal_probability
        self._reversal_tries = parameters.reversal_probability / highest
        self.start_deg = wrapped_cauchy_deg(rng.random(), parameters.axis_deg, parameters.heading_concentration)
        self._heading_deg = self.start_deg

    def draw(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        turns = (self._parameters.turn_sd_deg / math.sqrt(_PARTS) * self._rng.standard_normal((count, _PARTS))).tolist()
        turn_chances = self._rng.random((count, _PARTS)).tolist()
        flips = self._rng.random((count, 2)).tolist()
        headings, reversals = [], []
        for turn, chances, (wish, chance) in zip(turns, turn_chances, flips, strict=True):
            for part, part_chance in zip(turn, chances, strict=True):
                self._move(part, part_chance)
            reversals.append(wish < self._reversal_tries and self._move(180.0, chance))
            headings.append(self._heading_deg)
        return np.array(headings), np.array(reversals, bool)

    def _move(self, by_deg, chance):
        """Turn if the law allows it; whether it did."""
        there = wrap_deg(self._heading_deg + by_deg)
        if chance * self._rarity(there) < self._rarity(self._heading_deg):
            self._heading_deg = there
            return True
        return False

    def _rarity(self, heading_deg):
        """One over the density, but for a factor."""
        rho = self._parameters.heading_concentration
        return 1.0 + rho * rho - 2.0 * rho * math.cos(math.radians(heading_deg - self._parameters.axis_deg))


def wrapped_cauchy_deg(uniform, axis_deg: float, rho: float):
    """Wrapped Cauchy headings in -180..180 from uniform numbers in 0..1, by its quantile function.

    >>> float(wrapped_cauchy_deg(0.5, 30.0, 0.6))
    30.0
    """
    half = math.pi * (np.asarray(uniform) - 0.5)
    away = 2.0 * np.arctan((1.0 - rho) / (1.0 + rho) * np.tan(half))
    return wrap_deg(axis_deg + np.degrees(away))


def wrap_deg(angle_deg):
    """The same direction in -180 (included) to 180 (not included).

    >>> wrap_deg(270.0)
    -90.0
    """
    return (angle_deg + 180.0) % 360.0 - 180.0


def unit_vectors(heading_deg) -> np.ndarray:
    """Unit vectors (..., 2) as (y, x), y down, of directions counter-clockwise from +x.

    >>> unit_vectors(90.0).round(3).tolist()
    [-1.0, 0.0]
    """
    angle = np.radians(heading_deg)
    return np.stack([-np.sin(angle), np.cos(angle)], axis=-1)
