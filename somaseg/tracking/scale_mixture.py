"""Laws of steps and changes, learnt from the movie itself: mixtures of normal laws about 0 on a ladder of widths.

Most cells pause (a small step: wobble and localisation noise), some jump. A law of one width fits neither; a mixture
does, and its -log grows about linearly over the lengths that matter, which is why plain distance beats squared
distance as a cost. Everything is looked up in tables of `_BINS` values, so that millions of candidates take no time.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr

_BINS = 2048
_LADDER_RATIO = 1.6
_PSEUDO_COUNT = 0.5  # added to every rung, so that nothing within reach is impossible


@dataclass(frozen=True, eq=False)
class ScaleMixture:
    """Density of a step in the plane (`dimensions` 2, by its length) or of a change of a number (1), up to `reach`.

    Attributes:
        widths: (K,) standard deviations per axis.
        weights: (K,) of sum 1.
    """

    widths: np.ndarray
    weights: np.ndarray
    reach: float
    dimensions: int

    @classmethod
    def broad(cls, shortest: float, longest: float, *, reach: float, dimensions: int) -> "ScaleMixture":
        """Equal weights on a ladder from `shortest` to `longest`: what is assumed before anything is known."""
        rungs = max(2, 1 + int(np.ceil(np.log(longest / shortest) / np.log(_LADDER_RATIO))))
        return cls(np.geomspace(shortest, longest, rungs), np.full(rungs, 1 / rungs), reach, dimensions)

    def density(self, size: np.ndarray) -> np.ndarray:
        """Probability per um2 (or per unit) of a step or change of this size, in one direction or with this sign.

        >>> law = ScaleMixture(np.array([2.0]), np.array([1.0]), reach=20.0, dimensions=2)
        >>> round(float(law.density(np.array([0.0]))[0]) * 2 * np.pi * 4, 3)
        1.0
        """
        return self._table[self._bin(size)]

    def counts(self, size: np.ndarray, share: np.ndarray) -> np.ndarray:
        """How many steps or changes, each counted with its share, fall into each bin of the tables: for `fitted`."""
        return np.bincount(self._bin(size), share, minlength=_BINS)

    def fitted(self, counts: np.ndarray, *, rounds: int = 3) -> "ScaleMixture":
        """The law with weights that fit these counts better (so many steps of EM)."""
        weights = self.weights
        for _ in range(rounds):
            parts = self._parts * weights
            belongs = parts / np.maximum(parts.sum(axis=1, keepdims=True), 1e-300)
            weights = counts @ belongs + _PSEUDO_COUNT
            weights = weights / weights.sum()
        return ScaleMixture(self.widths, weights, self.reach, self.dimensions)

    def beyond(self, distance: np.ndarray) -> np.ndarray:
        """Probability of going further than `distance` along one given direction."""
        grid = np.linspace(0, self.reach, 257)
        return np.interp(distance, grid, ndtr(-grid[:, None] / self.widths) @ self.weights)

    def quantile(self, share: float) -> float:
        """The size that this share of all steps or changes does not reach."""
        ring = self._table * (self._centres if self.dimensions == 2 else 1.0)
        total = np.cumsum(ring)
        return float(self._centres[min(np.searchsorted(total, share * total[-1]), _BINS - 1)])

    def excess(self, counts: np.ndarray, *, starts: int, rounds: int = 30) -> "ScaleMixture":
        """The law of steps from all distances within reach, not knowing which somas belong together.

        Different cells lie at distances as random points do; what there is more of at short distances are steps. So a
        mixture of the law, for a share of the `starts`, and an even background is fitted.
        Source: the idea of particle image correlation spectroscopy (Semrau & Schmidt 2007, Biophys J 92:613).
        """
        law, found, total = self, 0.8, counts.sum()
        for _ in range(rounds):
            steps = found * starts * law._table
            even = max(total - found * starts, 1.0) / (np.pi * self.reach**2)
            share = steps / (steps + even)
            found = float(np.clip((counts @ share) / max(starts, 1), 0.05, 0.99))
            law = law.fitted(counts * share, rounds=1)
        return law

    def _bin(self, size):
        return np.minimum((np.abs(size) * (_BINS / self.reach)).astype(np.int32), _BINS - 1)

    @cached_property
    def _centres(self):
        return (np.arange(_BINS) + 0.5) * self.reach / _BINS

    @cached_property
    def _parts(self):
        normal = np.exp(-((self._centres[:, None] / self.widths) ** 2) / 2)
        return normal / (np.sqrt(2 * np.pi) * self.widths) ** self.dimensions

    @cached_property
    def _table(self):
        return self._parts @ self.weights + 1e-30
