"""Chosen links as paths through the somas of a movie."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Paths:
    """Each of N somas with the one that follows it.

    Attributes:
        following: int (N,), index of the next soma of the same cell, -1 at the end of a path.
        probability: float (N,), of the link to it; 1 at the end of a path.
    """

    following: np.ndarray
    probability: np.ndarray

    @classmethod
    def from_links(cls, count: int, source: np.ndarray, target: np.ndarray, probability: np.ndarray) -> "Paths":
        following, sure = np.full(count, -1), np.ones(count)
        following[source], sure[source] = target, probability
        return cls(following, sure)

    def previous(self) -> np.ndarray:
        """(N,) index of the soma before, -1 at the start of a path."""
        before = np.full(len(self.following), -1)
        linked = np.flatnonzero(self.following >= 0)
        before[self.following[linked]] = linked
        return before

    def path_of(self) -> np.ndarray:
        """(N,) the index of the last soma of each one's path.

        >>> Paths(np.array([2, 3, -1, -1]), np.ones(4)).path_of().tolist()
        [2, 3, 2, 3]
        """
        last = np.where(self.following >= 0, self.following, np.arange(len(self.following)))
        while True:
            further = last[last]
            if np.array_equal(further, last):
                return last
            last = further

    def without(self, hidden: np.ndarray) -> "Paths":
        """Paths that pass over the somas marked in `hidden`, bool (N,); a link is as probable as its weakest part.

        >>> Paths(np.array([1, 2, -1]), np.array([0.9, 0.8, 1.0])).without(np.array([False, True, False]))
        Paths(following=array([ 2, -1, -1]), probability=array([0.8, 1. , 1. ]))
        """
        following, probability = self.following.copy(), self.probability.copy()
        while True:
            over = np.flatnonzero((following >= 0) & hidden[following])
            if not len(over):
                break
            skipped = following[over]
            following[over] = self.following[skipped]
            probability[over] = np.minimum(probability[over], self.probability[skipped])
        following[hidden] = -1
        probability[following < 0] = 1.0
        return Paths(following, probability)

    def with_tails_swapped(self, first: int, second: int) -> "Paths":
        """The paths with what follows the somas `first` and `second` exchanged."""
        following = self.following.copy()
        following[[first, second]] = following[[second, first]]
        return Paths(following, self.probability)
