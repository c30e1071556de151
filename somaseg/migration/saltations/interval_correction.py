"""From saltations as they appear at a frame interval to how many there were and how long: corrected, with intervals.

A hidden semi-Markov model of a cell that rests and moves in turn (`saltatory_law`) is fitted to the lengths of all
steps by maximum likelihood, the regularity of the pauses with it, next to cells that rest all the time or wander
(`step_likelihood`). Frequency is that of the fitted law, length is the distance gone per hour (`distances`) by
frequency. What one cell adds to the slope of the likelihood tells how far the estimate would move without it: that
gives the intervals, so that cells, not steps, are what was drawn.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats

from somaseg.migration.distances import noise_free_distances
from somaseg.migration.saltations.law_fit import FittedLaw, fit_law
from somaseg.migration.saltations.position_noise import USUAL_TAIL, NoiseTail
from somaseg.migration.saltations.saltation import Saltations, averaged_frames
from somaseg.migration.saltations.saltatory_law import SaltatoryLaw
from somaseg.migration.saltations.step_likelihood import BinnedSteps, SaltatoryLikelihood, bin_steps

METHOD = "hidden semi-Markov model"
NOT_CORRECTED = "as seen, not corrected"

_FEWEST_SALTATIONS = 8
_FEWEST_CELLS = 5
_PARAMETERS = 5  # of the law, and the share of saltatory cells
# Relative error of the law itself, as measured on simulated cells of other laws (docs/sampling.md): small up to so many
# saltations of a cell per frame interval, and growing from there.
_LAW_ERROR, _CROWDED, _CROWDING_ERROR = 0.02, 0.3, 0.6


@dataclass(frozen=True, eq=False)
class CorrectedSaltations:
    """Saltations of a movie, corrected for its frame interval.

    Attributes:
        frequency_per_h, frequency_low, frequency_high: saltations per observed hour over all cells, resting ones too,
            and its 95 % interval: for cells like these, of which the movie shows a sample.
        length_um, length_low, length_high: mean length of a saltation; NaN where there are none.
        cells: DataFrame, one row per track: track_id, saltation_frequency_corrected_per_h and
            saltation_length_corrected_um (expected from the cell's own steps given the law of all, so that a cell with
            few steps is drawn to the others; length NaN where less than one saltation is expected), and
            p_saltatory, p_resting, p_wandering, the probability of each kind.
        law: `SaltatoryLaw` that was fitted; None where nothing was, or no cell follows it.
        method: `METHOD`, or `NOT_CORRECTED` where there was too little to fit; the numbers are then as seen.
        warnings: list of str.
    """

    frequency_per_h: float
    frequency_low: float
    frequency_high: float
    length_um: float
    length_low: float
    length_high: float
    cells: pd.DataFrame
    law: SaltatoryLaw | None
    method: str
    warnings: list = field(default_factory=list)


def correct_for_interval(
    tracks: pd.DataFrame,
    saltations: Saltations,
    *,
    minutes_per_frame: float,
    noise_um: float,
    tail: NoiseTail = USUAL_TAIL,
    seed: int = 1,
    progress=None,
) -> CorrectedSaltations:
    """Correct frequency and length of saltations for what is not seen between frames.

    Args:
        tracks: those that the saltations were found in; names the cells of the result.
        saltations: from `find_saltations`; its steps are what is fitted.
        minutes_per_frame, noise_um: as there.
        tail: `PositionNoise.tail`, how many steps are noisier than the others.
        seed: has no effect, as nothing is drawn at random; here so that another method may need one.
        progress: called with (trials done, trials expected) from time to time.

    Raises:
        ValueError: the saltations were found at another frame interval.

    At 15-20 min between frames and up to 1 saltation/h the estimates are right within a few percent on simulated
    movies, whether the pauses are memoryless or regular: docs/sampling.md.
    """
    if minutes_per_frame != saltations.minutes_per_frame:
        raise ValueError(
            f"minutes_per_frame must be that of the saltations, {saltations.minutes_per_frame:g}, "
            f"got {minutes_per_frame!r}."
        )
    ids = np.unique(tracks["track_id"].to_numpy())
    whole = int((~saltations.table["cut_by_track_end"].astype(bool)).sum())
    if whole < _FEWEST_SALTATIONS or saltations.steps["track_id"].nunique() < _FEWEST_CELLS:
        return _as_seen(ids, saltations)
    together = averaged_frames(minutes_per_frame)
    minutes, noise_um, tail = together * minutes_per_frame, noise_um / math.sqrt(together), tail.averaged(together)
    table = saltations.steps.assign(**{name: saltations.steps[name] // together for name in ("frame", "next_frame")})
    steps = bin_steps(table, minutes_per_frame=minutes, noise_um=noise_um, tail=tail)
    fit = fit_law(steps, _start(saltations), progress=progress)
    of_steps = noise_free_distances(table, minutes_per_frame=minutes, noise_um=noise_um * tail.whole_sd)
    distance = np.bincount(np.searchsorted(steps.track_ids, table["track_id"].to_numpy()), weights=of_steps)
    frequency = float(fit.kinds[0] @ steps.hours / steps.hours.sum()) * fit.law.frequency_per_h
    length = float(fit.kinds[0] @ distance / steps.hours.sum()) / frequency
    cells, warnings = _cells(ids, steps, fit, distance), _warnings(fit, minutes_per_frame)
    if fit.kinds[0].sum() < 1.0:
        # As if none had been seen.
        limits = 0.0, max(frequency, _poisson_limits(0, float(steps.hours.sum()))[1])
        return CorrectedSaltations(frequency, *limits, *[math.nan] * 3, cells, None, METHOD, warnings)
    margin = np.exp(_spread(steps, fit, distance) * stats.t.ppf(0.975, _freedom(fit)))
    of_frequency = frequency, frequency / margin[0], frequency * margin[0]
    of_length = length, length / margin[1], length * margin[1]
    return CorrectedSaltations(*map(float, (*of_frequency, *of_length)), cells, fit.law, METHOD, warnings)


def _start(saltations):
    """A law to begin with: the frequency as seen, a little higher."""
    moving = saltations.cells.loc[saltations.cells["started"] > 0]
    rate_per_h = moving["started"].sum() / max(moving["exposure_h"].sum(), 1e-9)
    return SaltatoryLaw(max(60.0 / max(1.2 * rate_per_h, 0.05) - 15.0, 10.0), 0.4, 15.0, 60.0)


def _spread(steps: BinnedSteps, fit: FittedLaw, distance):
    """sd of the logs of frequency and length between samples of cells: infinitesimal jackknife (Efron 1982).

    Frequency is the share of saltatory hours times the law's; length is distance per hour by frequency. To it comes how
    far off the law itself may be.
    """
    hours = steps.hours

    def of_share(values):
        return values / values.sum() - hours / hours.sum()

    of_frequency = fit.influence + of_share(fit.kinds[0] * hours)
    influence = np.array([of_frequency, of_share(fit.kinds[0] * distance) - of_frequency])
    of_cells = (influence**2).sum(axis=1) * (_freedom(fit) + _PARAMETERS) / _freedom(fit)
    per_interval = steps.minutes_per_frame / 60.0 * fit.law.frequency_per_h
    of_law = _LAW_ERROR**2 + (_CROWDING_ERROR * max(per_interval - _CROWDED, 0.0)) ** 2
    return np.sqrt(of_cells + of_law)


def _freedom(fit):
    """Saltatory cells beyond the number of parameters."""
    return max(fit.kinds[0].sum() - _PARAMETERS, 1.0)


def _cells(ids, steps, fit, distance):
    """Expected starts of each cell given its steps, and what they share its distance into."""
    small = 1e-3
    likelihood = SaltatoryLikelihood(steps)
    up, down = (likelihood.log_of_cells(fit.law, log_starts=sign * small) for sign in (1, -1))
    kinds = fit.kinds
    starts, distance = kinds[0] * (up - down) / (2.0 * small), kinds[0] * distance
    enough = starts >= 1.0
    table = pd.DataFrame(
        {
            "track_id": steps.track_ids,
            "saltation_frequency_corrected_per_h": starts / steps.hours,
            "saltation_length_corrected_um": np.where(enough, distance / np.where(enough, starts, 1.0), np.nan),
            "p_saltatory": kinds[0],
            "p_resting": kinds[1],
            "p_wandering": kinds[2:].sum(axis=0),
        }
    )
    return table.set_index("track_id").reindex(ids).rename_axis("track_id").reset_index()


def _warnings(fit, minutes):
    warnings, kinds, pause_min = [], fit.kinds, fit.law.pause_min
    own, jumping = fit.law.frequency_per_h, kinds[0].sum() >= 1.0
    if jumping and minutes > 60.0 / (12.0 * own):
        warnings.append(
            f"Frame interval {minutes:g} min is too long for {own:.2g} saltations/h of a moving cell (it should be at "
            f"most {60 / (12 * own):.2g} min): frequency and length rest on the correction."
        )
    moving, wandering = kinds[0].sum() + kinds[2:].sum(), kinds[2:].sum()
    if wandering > 0.5 * moving and wandering >= 2.0:
        warnings.append(
            f"{wandering:.0f} of {moving:.0f} moving cells wander in steps of one size, as in a random walk, and do "
            "not jump: what is listed of them as saltations is none."
        )
    if jumping and minutes > 0.5 * pause_min:
        warnings.append(
            f"Pauses of {pause_min:.0f} min are hardly longer than the frame interval of {minutes:g} min: the "
            "correction rests on its assumptions more than on the data."
        )
    return warnings


def _as_seen(ids, saltations):
    """The numbers as they appear."""
    cells = saltations.cells
    low, high = _poisson_limits(int(cells["started"].sum()), float(cells["exposure_h"].sum()))
    table = pd.DataFrame(
        {"track_id": ids, "saltation_frequency_corrected_per_h": math.nan, "saltation_length_corrected_um": math.nan}
    )
    table["p_saltatory"] = table["p_resting"] = table["p_wandering"] = math.nan
    found, watched = len(saltations.table), saltations.steps["track_id"].nunique()
    warning = (
        f"Too few saltations to correct for the frame interval ({found} in {watched} cell{'s' * (watched != 1)}): "
        "frequency and length are as seen."
    )
    return CorrectedSaltations(
        saltations.frequency_per_h,
        float(low),
        float(high),
        saltations.length_um,
        math.nan,
        math.nan,
        table,
        None,
        NOT_CORRECTED,
        [warning],
    )


def _poisson_limits(count, hours):
    """95 % interval of a rate (Garwood 1936)."""
    if not hours > 0:
        return math.nan, math.nan
    low = stats.chi2.ppf(0.025, 2 * count) / 2.0 if count else 0.0
    return low / hours, stats.chi2.ppf(0.975, 2 * count + 2) / 2.0 / hours
