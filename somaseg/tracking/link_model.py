"""How much more probable a movie is with a link than with an end and a beginning in its place: the gain of a link.

The gain of a link from soma i to soma j, k frames later, is
log [share found again after k frames x density of the step]
- log [probability that i ends x density of beginnings at j]
plus, for area, intensity and long axis, log [density of the change / density among all cells]. Every one of these is
learnt from the movie, by EM: links weighted by their probability give the laws, and the laws give the probabilities.
"""

from dataclasses import dataclass, replace

import numpy as np

from somaseg.tracking.link_candidates import Candidates, Detections
from somaseg.tracking.scale_mixture import ScaleMixture

_OUTLIERS = 0.01  # share of links whose looks say nothing: a soma half hidden, a mask gone wrong
# What is assumed before the movie has told: it counts as much as so many somas.
_PRIOR_SOMAS, _PRIOR_END = 10.0, 0.05
_LADDERS = {"log_area": (0.03, 1.5, 6.0), "log_intensity": (0.03, 1.5, 6.0), "axis_deg": (3.0, 60.0, 90.0)}


@dataclass(frozen=True, eq=False)
class LinkModel:
    """The laws of one movie.

    Attributes:
        steps: a law of the step (um) for each number of frames 1, 2, ....
        found_again: probability that a soma is next found after 1, 2, ... frames.
        end: probability that a soma far from the border is never found again.
        beginnings_per_um2: of tracks in one frame, far from the border. somas_per_um2: density.
        changes: law of the change of each look; `among` (median, spread): that look among all somas.
    """

    steps: tuple
    found_again: np.ndarray
    end: float
    beginnings_per_um2: float
    somas_per_um2: float
    changes: dict
    among: dict

    @classmethod
    def first_guess(cls, found: Detections, candidates: Candidates, reaches: np.ndarray) -> "LinkModel":
        """From the excess of short distances alone, before any link is made."""
        steps = []
        for index, reach in enumerate(reaches):
            law = ScaleMixture.broad(found.diameter_um / 40, reach / 2, reach=reach, dimensions=2)
            distance = candidates.distance_um[candidates.lag == index + 1]
            starts = int(np.sum(~np.isin(found.frame, found.ends)))
            steps.append(law.excess(law.counts(distance, np.ones(len(distance))), starts=starts))
        frames = max(len(np.unique(found.frame)), 1)
        density = max(found.count, 1) / frames / found.field_um2
        changes, among = {}, {}
        for name, (low, high, reach) in _LADDERS.items():
            if name in found.looks:
                changes[name] = ScaleMixture.broad(low, high, reach=reach, dimensions=1)
                among[name] = _middle_and_spread(found.looks[name])
        again = _prior_found_again(len(reaches))
        return cls(tuple(steps), again, _PRIOR_END, _PRIOR_END * density, density, changes, among)

    def gain(self, found: Detections, candidates: Candidates, weights: dict) -> np.ndarray:
        """Gain of each candidate (E,); `weights` says how much each look counts (see `looks_gain`)."""
        end, beginning = self._at_border(found)
        gain = self.step_gain(candidates.distance_um, candidates.lag)
        gain += np.log(self.found_again)[candidates.lag - 1]
        gain -= np.log(end)[candidates.source] + np.log(beginning)[candidates.target]
        for name, values in found.looks.items():
            if name in self.changes and weights.get(name, 1.0):
                before, after = values[candidates.source], values[candidates.target]
                gain += weights.get(name, 1.0) * self.looks_gain(name, before, after)
        return gain

    def step_gain(self, distance_um: np.ndarray, lag: np.ndarray) -> np.ndarray:
        """Logarithm of the density of steps of these lengths over these numbers of frames."""
        gain = np.empty(len(lag))
        for index, law in enumerate(self.steps):
            here = lag == index + 1
            gain[here] = np.log(law.density(distance_um[here]))
        return gain

    def looks_gain(self, name: str, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """How much the change of one look speaks for being the same cell; 0 where it is unknown (NaN)."""
        change = _change(name, before, after)
        known = np.isfinite(change)
        change = np.where(known, change, 0.0)
        if name == "axis_deg":
            others = 1 / 180.0
        else:
            middle, spread = self.among[name]
            others = _broad_normal(np.where(known, after, middle), middle, spread)
        ratio = self.changes[name].density(change) / others
        return np.where(known, np.log((1 - _OUTLIERS) * ratio + _OUTLIERS), 0.0)

    def fitted(self, found: Detections, candidates: Candidates, share: np.ndarray) -> "LinkModel":
        """The laws of the links, each counted with its probability."""
        steps, again = [], []
        for index, law in enumerate(self.steps):
            here = candidates.lag == index + 1
            steps.append(law.fitted(law.counts(candidates.distance_um[here], share[here])))
            again.append(share[here].sum())
        changes = {}
        for name, law in self.changes.items():
            values = found.looks[name]
            change = _change(name, values[candidates.source], values[candidates.target])
            known = np.isfinite(change)
            changes[name] = law.fitted(law.counts(change[known], share[known]))
        end, beginning = self._at_border(found)
        left = 1 - np.minimum(np.bincount(candidates.source, share, minlength=found.count), 1.0)
        came = 1 - np.minimum(np.bincount(candidates.target, share, minlength=found.count), 1.0)
        watched_on, watched_before = ~np.isin(found.frame, found.ends), ~np.isin(found.frame, found.begins)
        # Of the ends at a border only the part counts that is not explained by leaving the field.
        ended = np.sum((left * self.end / end)[watched_on])
        began = np.sum((came * self.beginnings_per_um2 / beginning)[watched_before])
        frames = max(len(np.unique(found.frame[watched_before])), 1)
        total = np.sum(watched_on) + _PRIOR_SOMAS
        return replace(
            self,
            steps=tuple(steps),
            found_again=(np.array(again) + _PRIOR_SOMAS * _prior_found_again(len(again))) / total,
            end=float((ended + _PRIOR_SOMAS * _PRIOR_END) / total),
            beginnings_per_um2=float(
                (began + _PRIOR_SOMAS * _PRIOR_END) / (frames * found.field_um2 + _PRIOR_SOMAS / self.somas_per_um2)
            ),
            changes=changes,
        )

    def _at_border(self, found):
        """Probability of ending and density of beginnings at each soma: a step may lead out of the field, or in."""
        stay = np.ones(found.count)
        for side in (0, 1):
            stay *= 1 - self.steps[0].beyond(found.position_um[:, side] - found.low_um[side])
            stay *= 1 - self.steps[0].beyond(found.high_um[side] - found.position_um[:, side])
        leaves = 1 - stay
        return self.end + (1 - self.end) * leaves, self.beginnings_per_um2 + self.somas_per_um2 * leaves


def _prior_found_again(lags):
    return 0.9 * np.maximum(0.05 ** np.arange(lags), 0.002)


def _change(name, before, after):
    return np.mod(after - before + 90.0, 180.0) - 90.0 if name == "axis_deg" else after - before


def _middle_and_spread(values):
    middle = float(np.nanmedian(values))
    return middle, max(1.4826 * float(np.nanmedian(np.abs(values - middle))), 0.05)


def _broad_normal(values, middle, spread):
    """A normal law with heavy tails."""
    away = ((values - middle) / spread) ** 2 / 2
    return (0.9 * np.exp(-away) + 0.1 / 3 * np.exp(-away / 9)) / (np.sqrt(2 * np.pi) * spread)
