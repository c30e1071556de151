"""The fit of a saltatory law to the steps of all cells of a movie, and of the kinds of cells with it.

A cell is saltatory, rests all the time, or wanders. The law of the saltatory ones and the shares of the kinds are
chosen together, so that resting cells do not pass for cells that pause for long, nor wanderers for cells that jump.
"""

import math
from dataclasses import dataclass

import numpy as np

from somaseg.migration.saltations.saltatory_law import SaltatoryLaw
from somaseg.migration.saltations.step_likelihood import (
    BinnedSteps,
    SaltatoryLikelihood,
    log_likelihood_if_wandering,
)

# The four parameters are log pause, refractory share, log movement, log speed. Weak beliefs (mean, sd): a saltation
# lasts 5-40 min at a speed of 20-160 um/h; next to nothing is said of the pauses.
_BELIEFS = np.array([(math.log(60.0), 2.0), (0.4, 1.0), (math.log(15.0), 0.5), (math.log(60.0), 0.5)])
_LOW = np.array([math.log(3.0), 0.0, math.log(3.0), math.log(8.0)])
_HIGH = np.array([math.log(6000.0), 0.85, math.log(90.0), math.log(400.0)])
_LONGEST_MOVE = np.array([0.7, 0.3, 0.5, 0.4])
_SLOPE_STEP = 0.005
# Distances lie on bins that grow with the speed, so the likelihood ripples as it changes, by some tenths over a change
# of 0.1: over shorter steps its curvature is that of a ripple, and may be of either sign.
_CURVATURE_STEPS = np.array([0.02, 0.02, 0.02, 0.15])
_MOST_ROUNDS = 25
_CLOSE_ENOUGH = 0.02  # of a log likelihood: far below what the data can tell
_TRIALS_EXPECTED = 80
_KIND_WEIGHT = 0.05  # cells that each kind has beforehand, so that none is ruled out


@dataclass(frozen=True, eq=False)
class FittedLaw:
    """What the steps of a movie say.

    Attributes:
        law: the likeliest `SaltatoryLaw`.
        kinds: (2 + K, C) probability of each cell to be saltatory, resting, or wandering in one of K ways.
        influence: (C,) by how much the log of the law's frequency would fall without each cell, nearly.
    """

    law: SaltatoryLaw
    kinds: np.ndarray
    influence: np.ndarray


def fit_law(steps: BinnedSteps, start: SaltatoryLaw, *, progress=None) -> FittedLaw:
    """The likeliest law, searched from `start` by scoring (Berndt, Hall, Hall & Hausman 1974).

    Args:
        progress: called with (trials done, trials expected) after each trial of a law.
    """
    trials = _Trials(steps, progress)
    begin = [math.log(start.pause_min), start.refractory_share, math.log(start.movement_min)]
    best = _search(trials, np.clip([*begin, math.log(start.speed_um_per_h)], _LOW, _HIGH))
    law = _law(best)
    cycle_min = law.pause_min + law.movement_min
    of_frequency = np.array([-law.pause_min / cycle_min, 0.0, -law.movement_min / cycle_min, 0.0])
    slopes, curvature = _derivatives(trials, best)
    influence = slopes @ np.linalg.pinv(curvature, hermitian=True) @ of_frequency
    return FittedLaw(law, trials.kinds(best), influence)


class _Trials:
    """Log likelihood of each cell and its kinds, given parameters."""

    def __init__(self, steps, progress):
        self._saltatory, self._progress, self._count = SaltatoryLikelihood(steps), progress, 0
        self._wandering = log_likelihood_if_wandering(steps)

    def cells(self, parameters):
        return self._mixed(parameters)[1]

    def kinds(self, parameters):
        return self._mixed(parameters)[0]

    def _mixed(self, parameters):
        self._count += 1
        if self._progress is not None:
            self._progress(self._count, max(_TRIALS_EXPECTED, self._count))
        return _mix_kinds(np.vstack([self._saltatory.log_of_cells(_law(parameters)), self._wandering]))


def _mix_kinds(log_likelihoods):
    """Probabilities of the kinds (K, C) and log likelihood (C,), the kinds' shares by expectation-maximisation."""
    kinds, cells = log_likelihoods.shape
    highest = log_likelihoods.max(axis=0)
    likelihoods = np.exp(log_likelihoods - highest)
    shares = np.full(kinds, 1.0 / kinds)
    for _ in range(100):
        total = shares @ likelihoods
        probabilities = shares[:, None] * likelihoods / total
        before, shares = shares, (probabilities.sum(axis=1) + _KIND_WEIGHT) / (cells + kinds * _KIND_WEIGHT)
        if np.abs(shares - before).max() < 1e-7:
            break
    return probabilities, np.log(total) + highest


def _law(parameters):
    pause, share, movement, speed = parameters
    return SaltatoryLaw(math.exp(pause), float(share), math.exp(movement), math.exp(speed))


def _search(trials, here):
    cells = trials.cells(here)
    for _ in range(_MOST_ROUNDS):
        slopes = _slopes(trials, here, cells)
        gradient = slopes.sum(axis=0) + (_BELIEFS[:, 0] - here) / _BELIEFS[:, 1] ** 2
        curvature = slopes.T @ slopes + np.diag(1.0 / _BELIEFS[:, 1] ** 2)
        free = ~(((here <= _LOW) & (gradient < 0)) | ((here >= _HIGH) & (gradient > 0)))
        move = np.zeros(len(here))
        move[free] = np.linalg.solve(curvature[np.ix_(free, free)], gradient[free])
        if gradient @ move < 2.0 * _CLOSE_ENOUGH:
            break
        move /= max(1.0, np.abs(move / _LONGEST_MOVE).max())
        there, tried, gain = _climb(trials, here, cells, move)
        if gain <= 0:
            break
        here, cells = there, tried
        if gain < _CLOSE_ENOUGH:
            break
    return here


def _climb(trials, here, cells, move):
    """The first of ever shorter moves that gains, with its log likelihoods and gain; the last one if none does."""
    value = cells.sum() + _log_belief(here)
    for _ in range(6):
        there = np.clip(here + move, _LOW, _HIGH)
        tried = trials.cells(there)
        gain = tried.sum() + _log_belief(there) - value
        if gain > 0:
            break
        move = move / 3.0
    return there, tried, gain


def _log_belief(parameters):
    return -0.5 * np.sum(((parameters - _BELIEFS[:, 0]) / _BELIEFS[:, 1]) ** 2)


def _slopes(trials, here, cells):
    """(C, 4) slopes of each cell's log likelihood, by differences away from the nearer limit."""
    steps = np.where(here > (_LOW + _HIGH) / 2.0, -_SLOPE_STEP, _SLOPE_STEP)
    tried = [trials.cells(here + step * axis) for step, axis in zip(steps, np.eye(len(here)))]
    return (np.array(tried) - cells).T / steps


def _derivatives(trials, best):
    """Slopes (C, 4) of each cell's log likelihood, and the curvature (4, 4) of minus the whole, belief included.

    A parameter at its limit is taken as known: its slopes are 0.
    """
    width, steps = _CURVATURE_STEPS, np.diag(_CURVATURE_STEPS)
    free = np.flatnonzero((best > _LOW + width) & (best < _HIGH - width))
    centre = trials.cells(best)
    ahead, behind = ({i: trials.cells(best + sign * steps[i]) for i in free} for sign in (1, -1))
    slopes, curvature = np.zeros((len(centre), len(best))), np.zeros((len(best), len(best)))
    for i in free:
        slopes[:, i] = (ahead[i] - behind[i]) / (2.0 * width[i])
        curvature[i, i] = (2.0 * centre - ahead[i] - behind[i]).sum() / width[i] ** 2 + 1.0 / _BELIEFS[i, 1] ** 2
    for i, j in ((i, j) for i in free for j in free if i < j):
        both = trials.cells(best + steps[i] + steps[j])
        curvature[i, j] = curvature[j, i] = (ahead[i] + ahead[j] - centre - both).sum() / (width[i] * width[j])
    # Rounding must not make a direction look flatter than the beliefs alone make it.
    values, vectors = np.linalg.eigh(curvature)
    bounded = np.where(np.abs(values) > 1e-12, np.maximum(values, 1.0 / _BELIEFS[:, 1].max() ** 2), 0.0)
    return slopes, vectors @ np.diag(bounded) @ vectors.T
