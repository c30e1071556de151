"""Fuerth's law of a persistent random walk, fitted to the mean square displacement: how fast, and for how long one way.

The lags of an MSD are far from equally well known and err together: an unweighted fit follows the longest, worst
ones. So the lags are weighted by the covariance that the fitted law itself implies, which also tells whether cells
walk by the law at all. Cells that pause and jump do not: then each lag is weighted alone, so that the line describes
the points, and a warning says that it is no more than that.
"""

import math
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from scipy.linalg import solve_triangular
from scipy.optimize import least_squares
from scipy.stats import chi2
from scipy.stats import t as student

from somaseg.migration.msd import MeanSquareDisplacement, covariance_um4

_MOST_LAGS = 16
_ROUNDS = 4
_FEWEST_LAGS = 4
REFUTED = 0.001  # below this p-value of the law the cells do not walk by it


@dataclass(frozen=True)
class FuerthFit:
    """Fuerth's law fitted to the cells of a movie.

    Attributes:
        speed_um_per_h: root mean square speed S. persistence_min: P. noise_um: sigma, position noise along each axis.
            NaN where the law could not be fitted.
        speed_low, speed_high, persistence_low, persistence_high: 95 % intervals, from the differences between cells;
            NaN with fewer than three cells.
        law_p: float, p-value of the hypothesis that the cells walk by the law.
        cells: int. longest_lag_min: float, lags up to here were fitted.
        warnings: tuple of str.
    """

    speed_um_per_h: float = math.nan
    speed_low: float = math.nan
    speed_high: float = math.nan
    persistence_min: float = math.nan
    persistence_low: float = math.nan
    persistence_high: float = math.nan
    noise_um: float = math.nan
    law_p: float = math.nan
    cells: int = 0
    longest_lag_min: float = math.nan
    warnings: tuple = field(default=())


def fuerth_msd_um2(lag_min, *, speed_um_per_h: float, persistence_min: float, noise_um: float = 0.0):
    """MSD(t) = 2 S^2 P [t - P (1 - exp(-t / P))] + 4 sigma^2 for t > 0, and 0 at t = 0.

    Fuerth 1920, Z. Physik 2:244, in two dimensions; 4 sigma^2 is what position noise along each axis adds.

    >>> float(fuerth_msd_um2(np.array([1e-3]), speed_um_per_h=60, persistence_min=60)[0].round(9))  # (S t)^2
    1e-06
    """
    t = np.asarray(lag_min, float)
    speed = speed_um_per_h / 60.0
    # expm1 keeps the difference of two nearly equal numbers exact at lags far below P.
    walked = 2.0 * speed**2 * persistence_min * (t + persistence_min * np.expm1(-t / persistence_min))
    return walked + 4.0 * noise_um**2 * (t > 0)


def fit_fuerth(msd: MeanSquareDisplacement) -> FuerthFit:
    """Fit Fuerth's law by generalized least squares to the lags of an MSD (up to a quarter of the longest track).

    Minimizes r' V^-1 r, where r = MSD - law at up to 16 lags, evenly spread over the logarithm of the lag, and V is
    `covariance_um4` at the law of the round before (4 rounds). At the minimum it is about chi-square with lags - 3
    degrees of freedom, whose p-value is `law_p`; below 0.001 only the diagonal of V is used. The intervals are those
    of the cluster-robust covariance (sandwich) with cells as clusters, of log S and log P, with Student's t at
    cells - 1.

    On 200 simulated movies of about 31 walkers each (S 15 um/h, P 60 min, 10 h at 15 min, noise 0.5 um, 3 % of the
    frames missed) P was 62 min in the mean, sd 9, within 20 % in 81 %; the intervals held 60 min in 94 %. Where tracks
    are broken it comes out longer (docs/sampling.md, benchmarks/random_walk.py).

    Args:
        msd: `MeanSquareDisplacement`.

    Returns:
        `FuerthFit`; a warning tells where the law could not be fitted or its persistence is not told by these data.
    """
    totals = msd.counts.sum(axis=0)
    usable = np.flatnonzero(totals > 0) + 1
    cells = int((msd.counts.sum(axis=1) > 0).sum())
    if cells == 0:
        return FuerthFit(warnings=(_NOTHING_MOVES,))
    if len(usable) < _FEWEST_LAGS:
        return FuerthFit(cells=cells, warnings=(_too_short(len(usable)),))
    lags = usable[np.unique(np.round(np.geomspace(1, len(usable), _MOST_LAGS)).astype(int)) - 1]
    measured = msd.pooled_um2[lags - 1]
    lags_min = msd.minutes_per_frame * lags
    if measured.max() <= 0.0:
        return FuerthFit(cells=cells, longest_lag_min=float(lags_min[-1]), warnings=(_NOTHING_MOVES,))
    parameters = _first_guess(lags_min, measured)
    root = np.diag(measured / np.sqrt(totals[lags - 1]))
    for _ in range(_ROUNDS):
        parameters = _solve(parameters, lags_min, measured, root).x
        root = _root(covariance_um4(msd, lags, partial(_law, parameters)))
    solution = _solve(parameters, lags_min, measured, root)
    law_p = float(chi2.sf(2.0 * solution.cost, len(lags) - 3))
    if law_p < REFUTED:
        root = np.diag(np.sqrt(np.sum(root**2, axis=1)))
        solution = _solve(parameters, lags_min, measured, root)
    parameters = solution.x
    speed, persistence, noise = math.exp(parameters[0]), math.exp(parameters[1]), math.sqrt(parameters[2])
    spread = _spread(msd, lags, lags_min, parameters, root, cells)
    with np.errstate(over="ignore"):  # what is not told at all has an interval up to infinity
        factors = np.exp(spread * student.ppf(0.975, max(cells - 1, 1)))
    return FuerthFit(
        speed_um_per_h=speed,
        speed_low=speed / factors[0],
        speed_high=speed * factors[0],
        persistence_min=persistence,
        persistence_low=persistence / factors[1],
        persistence_high=persistence * factors[1],
        noise_um=noise,
        law_p=law_p,
        cells=cells,
        longest_lag_min=float(lags_min[-1]),
        warnings=_doubts(persistence, law_p, msd.minutes_per_frame, lags_min[-1]),
    )


_NOTHING_MOVES = "Fuerth's law is not fitted: no cell that is known to move was seen for long enough."


def _too_short(lags):
    return (
        f"Fuerth's law is not fitted: there are {lags} lags up to a quarter of the longest track, and {_FEWEST_LAGS} "
        "are needed."
    )


def _doubts(persistence, law_p, minutes_per_frame, longest):
    if law_p < REFUTED:
        return (
            f"These cells do not walk by Fuerth's law (p = {law_p:.1g}), as cells that pause and jump do not: its "
            "speed and persistence describe their displacements and depend on the frame interval.",
        )
    if persistence < 0.5 * minutes_per_frame:
        return (
            f"Persistence is below half the frame interval of {minutes_per_frame:g} min: these tracks cannot tell it, "
            "nor the speed of the random walk, from shorter ones.",
        )
    if persistence > longest:
        return (f"Persistence is above the longest lag of {longest:g} min: these tracks are too short to tell it.",)
    return ()


def _law(parameters, lag_min):
    log_speed, log_persistence, noise_variance = parameters
    return fuerth_msd_um2(
        lag_min,
        speed_um_per_h=math.exp(log_speed),
        persistence_min=math.exp(log_persistence),
        noise_um=math.sqrt(noise_variance),
    )


def _first_guess(lags_min, measured):
    persistence = lags_min[len(lags_min) // 2]
    shape = fuerth_msd_um2(lags_min[-1], speed_um_per_h=1.0, persistence_min=persistence)
    return np.array([0.5 * math.log(measured[-1] / float(shape)), math.log(persistence), 1e-3 * measured[0] + 1e-9])


def _solve(start, lags_min, measured, root):
    shortest, longest = lags_min[0], lags_min[-1]
    bounds = ([-20.0, math.log(shortest / 50), 0.0], [20.0, math.log(longest * 50), measured.max() + 1e-6])
    return least_squares(
        lambda parameters: solve_triangular(root, measured - _law(parameters, lags_min), lower=True),
        np.clip(start, *bounds),
        bounds=bounds,
        x_scale=(1.0, 1.0, max(measured[0], 1e-6)),
    )


def _root(covariance):
    """Lower root of a covariance; a trace on the diagonal keeps nearly equal lags from making it singular."""
    return np.linalg.cholesky(covariance + 1e-9 * np.diag(np.diag(covariance)))


def _spread(msd, lags, lags_min, parameters, root, cells):
    """Standard errors of log S and log P from how much each cell pulls at the fit; NaN with fewer than 3 cells."""
    if cells < 3:
        return np.full(2, math.nan)
    slopes = np.empty((len(lags), 3))
    for index in range(3):
        step = np.zeros(3)
        step[index] = 1e-5 * max(abs(parameters[index]), 1e-3)
        ahead, behind = parameters + step, np.maximum(parameters - step, [-np.inf, -np.inf, 0.0])
        slopes[:, index] = (_law(ahead, lags_min) - _law(behind, lags_min)) / (ahead - behind)[index]
    free = np.array([True, True, parameters[2] > 1e-9])  # a noise at its bound of 0 is no free parameter
    weighted = solve_triangular(root, slopes[:, free], lower=True)
    weights = msd.weights[:, lags - 1]
    pulls = (msd.sums_um2[:, lags - 1] - weights * _law(parameters, lags_min)) / weights.sum(axis=0)
    influence = np.linalg.pinv(weighted) @ solve_triangular(root, pulls.T, lower=True)
    return np.sqrt(cells / (cells - 1) * np.sum(influence[:2] ** 2, axis=1))
