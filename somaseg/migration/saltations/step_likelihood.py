"""How likely the steps of each cell are, if it jumps, rests, or wanders; binned once, so that trying is cheap.

Only the lengths of steps are used, not their directions. Noise of positions makes the length of a step that went d
Rician about d. Some steps are noisier than the others, as measured (`NoiseTail`), and a few may be anything: outlines
fail.
"""

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import i0e

from somaseg.migration.saltations.position_noise import OUTLIER_SHARE, USUAL_TAIL, NoiseTail
from somaseg.migration.saltations.saltatory_law import (
    SaltatoryLaw,
    long_run_stages,
    stage_chances,
    step_kernel,
    substeps_of,
)

_BINS = 110
_MOST_FOR_ONE_THREAD = 2**18  # multiplications, of OpenBLAS
# As slopes are taken by one parameter after the other, the speed last.
_LAWS_KEPT, _SPEEDS_KEPT = 4, 2
_WANDERING_SCALES = 6
_LONGEST_WANDERING_STEP_UM = 6.0


@dataclass(frozen=True, eq=False)
class BinnedSteps:
    """The steps of a movie, in bins of length.

    Attributes:
        noise_um: sd of a step along each axis of a resting soma: sqrt(2) times that of a position. tail: `NoiseTail`.
        minutes_per_frame: frame interval. intervals: (G,) how many of them steps take.
        centres_um: (B,) middle of each bin. reach_um: end of the last one.
        index: (P, T) for each unbroken piece of a track, longest first, its steps as G * bin, -1 after its end.
        lengths: (P,) steps of each piece. cell: (P,) index of its cell. track_ids: (C,). hours: (C,) observed.
    """

    noise_um: float
    tail: NoiseTail
    minutes_per_frame: float
    intervals: np.ndarray
    centres_um: np.ndarray
    reach_um: float
    index: np.ndarray
    lengths: np.ndarray
    cell: np.ndarray
    track_ids: np.ndarray
    hours: np.ndarray


def bin_steps(
    steps: pd.DataFrame, *, minutes_per_frame: float, noise_um: float, tail: NoiseTail = USUAL_TAIL
) -> BinnedSteps:
    """Bin the steps of `Saltations.steps` (at least one); `noise_um` is that of a position.

    >>> steps = pd.DataFrame({"track_id": 3, "frame": [0, 1], "next_frame": [1, 3], "dy_um": 0.0, "dx_um": [5.0, 0.5]})
    >>> binned = bin_steps(steps, minutes_per_frame=15, noise_um=0.5)
    >>> binned.intervals.tolist(), binned.index.shape, binned.hours.tolist()
    ([1, 2], (1, 2), [0.75])
    """
    track, frame, following = (steps[name].to_numpy() for name in ("track_id", "frame", "next_frame"))
    step_um = np.hypot(steps["dy_um"], steps["dx_um"]).to_numpy()
    starts = np.concatenate([[True], (track[1:] != track[:-1]) | (frame[1:] != following[:-1])])
    piece = np.cumsum(starts) - 1
    place = np.arange(len(piece)) - np.flatnonzero(starts)[piece]
    lengths = np.bincount(piece)
    order = np.argsort(-lengths, kind="stable")
    rank = np.argsort(order)
    noise = max(float(np.sqrt(2.0) * noise_um), 0.05)
    reach = max(float(step_um.max()) * 1.001, 15.0 * noise)
    edges = noise * np.expm1(np.linspace(0.0, np.log1p(reach / noise), _BINS + 1))
    intervals, which = np.unique(following - frame, return_inverse=True)
    index = np.full((len(lengths), lengths.max()), -1)
    index[rank[piece], place] = which * _BINS + np.searchsorted(edges, step_um, side="right") - 1
    track_ids, cell = np.unique(track[starts][order], return_inverse=True)
    hours = np.bincount(np.searchsorted(track_ids, track), weights=following - frame) * minutes_per_frame / 60.0
    centres = (edges[1:] + edges[:-1]) / 2.0
    return BinnedSteps(
        noise, tail, minutes_per_frame, intervals, centres, reach, index, lengths[order], cell, track_ids, hours
    )


class SaltatoryLikelihood:
    """How likely the steps are under one saltatory law after another.

    What laws that are tried next to each other have in common is remembered: all but the speed of a law or, where only
    that is the same, what is seen of a distance.
    """

    def __init__(self, steps: BinnedSteps):
        self._steps = steps
        gaps = len(steps.intervals)
        self._chances = functools.lru_cache(_LAWS_KEPT * gaps)(stage_chances)
        self._densities = functools.lru_cache(_SPEEDS_KEPT * gaps)(functools.partial(_density_if_moving, steps))

    def log_of_cells(self, law: SaltatoryLaw, *, log_starts: float = 0.0) -> np.ndarray:
        """(C,) log likelihood of each cell's steps; `log_starts` as in `step_kernel`."""
        steps, tables = self._steps, []
        cut = {"substeps": substeps_of(steps.minutes_per_frame), "log_starts": log_starts, "chances": self._chances}
        for intervals in steps.intervals:
            # Steps over gaps are few: as many sub-steps, longer ones, will do.
            kernel = step_kernel(law, float(intervals * steps.minutes_per_frame), **cut)
            distances, stages, _ = kernel.chance.shape
            density = self._densities(distances, kernel.spacing_um, kernel.blur_um)
            joint = _product(density, kernel.chance.reshape(distances, -1))
            tables.append(joint.reshape(-1, stages, stages))
        return _forward(steps, np.concatenate(tables), long_run_stages(law))


def log_likelihood_if_wandering(steps: BinnedSteps) -> np.ndarray:
    """(1 + K, C) log likelihood of each cell's steps if it rests (first row) or wanders, fast or slowly (other rows).

    A wandering cell makes Gaussian steps, of one size all the time: as a random walk does, and a cell that creeps or
    explores; a saltatory cell has many steps that are nearly none and some that are long.
    """
    slowest, fastest = 1.3, max(2.0, _LONGEST_WANDERING_STEP_UM / steps.noise_um)
    rows, there = [], steps.index >= 0
    for size in (1.0, *np.geomspace(slowest, fastest, _WANDERING_SCALES)):
        # Over a gap, noise is what it was and movement grows, more than a free walk and less than a straight one.
        variances = steps.noise_um**2 * (1.0 + (size**2 - 1.0) * steps.intervals.astype(float) ** 1.5)
        tables = [_density(steps, np.zeros(1), variance)[:, 0] for variance in variances]
        logs = np.log(np.concatenate(tables))
        rows.append(np.bincount(steps.cell, weights=np.where(there, logs[steps.index], 0.0).sum(axis=1)))
    return np.array(rows)


def _product(left, right):
    """Matrix product in pieces for which BLAS starts no threads: here they cost more than they save."""
    columns = max(1, _MOST_FOR_ONE_THREAD // left.size)
    pieces = [left @ right[:, first : first + columns] for first in range(0, right.shape[1], columns)]
    return np.concatenate(pieces, axis=1)


def _density_if_moving(steps, distances, spacing_um, blur_um):
    """(B, D) density of each bin of length, for each distance of a kernel, blurred as it says."""
    distance = spacing_um * np.arange(distances)
    blur = np.exp(-((distance[:, None] - distance) ** 2) / (2.0 * blur_um**2))
    blur[0], blur[:, 0] = 0.0, 0.0
    blur[0, 0] = 1.0
    # Shares of the distances that each distance above 0 stands for.
    blur /= blur.sum(axis=1, keepdims=True)
    return _product(_density(steps, distance, steps.noise_um**2), blur.T)


def _density(steps, distance_um, variance):
    """(B, D) density of each bin of length, for each distance."""
    usual = _rice(steps.centres_um, distance_um, variance)
    noisy = _rice(steps.centres_um, distance_um, steps.tail.variance * variance)
    usual_share = 1.0 - steps.tail.share - OUTLIER_SHARE
    return usual_share * usual + steps.tail.share * noisy + OUTLIER_SHARE / steps.reach_um


def _rice(length, distance, variance):
    length = length[:, None]
    return (
        length / variance * np.exp(-((length - distance) ** 2) / (2.0 * variance)) * i0e(length * distance / variance)
    )


def _forward(steps, tables, shares):
    """Forward recursion of a hidden Markov model whose outputs belong to the transitions (Rabiner 1989)."""
    belief = np.repeat(shares[None], len(steps.lengths), axis=0)
    log_likelihood = np.zeros(len(steps.lengths))
    for step in range(steps.index.shape[1]):
        alive = int(np.searchsorted(-steps.lengths, -step, side="left"))
        belief = np.matmul(belief[:alive, None, :], tables[steps.index[:alive, step]])[:, 0]
        total = np.maximum(belief.sum(axis=1), 1e-300)
        log_likelihood[:alive] += np.log(total)
        belief = belief / total[:, None]
    return np.bincount(steps.cell, weights=log_likelihood)
