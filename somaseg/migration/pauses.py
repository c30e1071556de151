"""Pauses between saltations, of which many are seen in part only, and how long a pause is nevertheless.

A pause that a track's end cuts is longer than it was seen: leaving such pauses out keeps the short ones, and taking
them as whole makes long ones short. The Kaplan-Meier estimator counts them for as long as they were seen. A pause that
was already under way when its track began is left out: nobody knows its age, and it is likely one of the long ones.
"""

import math
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import CensoredData, ecdf

PAUSE_COLUMNS = ("track_id", "start_frame", "end_frame", "duration_min", "begin_seen", "end_seen")


@dataclass(frozen=True, eq=False)
class PauseSurvival:
    """How long pauses last.

    Attributes:
        median_min: float, NaN where less than half of the pauses are known to end.
        median_low, median_high: 95 % interval; NaN where it is open.
        seen_whole, cut_by_track_end, cut_by_track_start: int, numbers of pauses; the last are left out.
        curve: `pandas.DataFrame` pause_min, survival (share of the pauses longer than that; a step function),
            survival_low, survival_high (95 %, NaN where they are not defined).
    """

    median_min: float
    median_low: float
    median_high: float
    seen_whole: int
    cut_by_track_end: int
    cut_by_track_start: int
    curve: pd.DataFrame


def find_pauses(steps: pd.DataFrame, *, minutes_per_frame: float) -> pd.DataFrame:
    """The times in which no saltation goes on, `PAUSE_COLUMNS`; all of it for a cell without any.

    Args:
        steps: track_id, frame, next_frame, moving, as `somaseg.migration.saltations.saltation.find_saltations` judges
            them. Where one does not begin in the frame in which the last one ended, the track counts as two.
        minutes_per_frame: float.

    Returns:
        `pandas.DataFrame`; begin_seen and end_seen tell whether a saltation bounds the pause there, and not the end of
        what was seen of the track.

    >>> steps = pd.DataFrame({"track_id": 1, "frame": [0, 1, 2, 3], "next_frame": [1, 2, 3, 4]})
    >>> steps["moving"] = [False, True, False, False]
    >>> find_pauses(steps, minutes_per_frame=10)[["duration_min", "begin_seen", "end_seen"]].values.tolist()
    [[10.0, False, True], [20.0, True, False]]
    """
    moving = steps["moving"].astype(bool)
    follows = (steps["track_id"] == steps["track_id"].shift()) & (steps["frame"] == steps["next_frame"].shift())
    runs = pd.DataFrame({"run": (~follows | (moving != moving.shift())).cumsum(), "piece": (~follows).cumsum()})
    runs = runs.assign(track_id=steps["track_id"], frame=steps["frame"], next_frame=steps["next_frame"], moving=moving)
    runs = runs.groupby("run").agg(
        track_id=("track_id", "first"),
        start_frame=("frame", "first"),
        end_frame=("next_frame", "last"),
        piece=("piece", "first"),
        moving=("moving", "first"),
    )
    runs["duration_min"] = (runs["end_frame"] - runs["start_frame"]) * float(minutes_per_frame)
    runs["begin_seen"] = runs["piece"] == runs["piece"].shift()
    runs["end_seen"] = runs["piece"] == runs["piece"].shift(-1)
    return runs.loc[~runs["moving"].astype(bool), list(PAUSE_COLUMNS)].reset_index(drop=True)


def pause_survival(pauses: pd.DataFrame) -> PauseSurvival:
    """Kaplan-Meier estimate of how long pauses last, and its median.

    S(t) = product over the times t_i <= t at which pauses end of (1 - ended_i / still_going_i); the median is the first
    time with S <= 1/2. Kaplan & Meier 1958, J. Am. Stat. Assoc. 53:457. Interval: where the pointwise 95 % limits of S,
    by log(-log S), cross 1/2: Brookmeyer & Crowley 1982, Biometrics 38:29.

    Args:
        pauses: as `find_pauses` makes them.

    >>> pauses = pd.DataFrame({"duration_min": [10.0, 20.0, 30.0], "begin_seen": True, "end_seen": [True, True, False]})
    >>> pause_survival(pauses).median_min
    20.0
    """
    known = pauses[pauses["begin_seen"].astype(bool)]
    ended = known["end_seen"].to_numpy(bool)
    minutes = known["duration_min"].to_numpy(float)
    counts = int(ended.sum()), int((~ended).sum()), len(pauses) - len(known)
    if not ended.any():
        return PauseSurvival(math.nan, math.nan, math.nan, *counts, _curve() if len(known) else _curve().iloc[:0])
    survival = ecdf(CensoredData(uncensored=minutes[ended], right=minutes[~ended])).sf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where S is 1 or 0 its logarithm has no limits
        low, high = survival.confidence_interval(method="log-log")
    medians = (_first_half_time(limit) for limit in (survival, low, high))
    return PauseSurvival(*medians, *counts, _curve(survival, low, high))


def _curve(survival=None, low=None, high=None):
    """The estimate with its limits, from 1 at 0 on."""
    columns = {"pause_min": [0.0], "survival": [1.0], "survival_low": [1.0], "survival_high": [1.0]}
    if survival is not None:
        columns["pause_min"] = np.append(0.0, survival.quantiles)
        for name, function in (("survival", survival), ("survival_low", low), ("survival_high", high)):
            columns[name] = np.append(1.0, function.probabilities)
    return pd.DataFrame(columns)


def _first_half_time(survival):
    # S of two halves is 0.5 but for rounding.
    half = np.flatnonzero(survival.probabilities <= 0.5 + 1e-9)
    return float(survival.quantiles[half[0]]) if len(half) else math.nan
