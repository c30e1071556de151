"""How cells turn: the angles between their steps, and for how long a direction is kept.

A step that position noise alone could make has no direction of its own: steps up to `minimum_um` are left out, else a
resting cell would seem to turn back at every step.
"""

import numpy as np
import pandas as pd

from somaseg.migration.steps import shorter_way_round_deg


def turning_angles(steps: pd.DataFrame, *, minimum_um: float = 0.0) -> pd.DataFrame:
    """Angle between each step and the next of the same track, for steps of one frame longer than `minimum_um`.

    theta_i = direction_(i+1) - direction_i, the shorter way round; 0 is straight on, 180 is back, positive is
    counter-clockwise on screen. Its absolute value is celltrackR's turning angle (Wortel et al. 2021, ImmunoInformatics
    1-2:100003); where steps have no length it has no value, as there.

    Args:
        steps: `pandas.DataFrame` as `somaseg.migration.steps.find_steps` makes it.
        minimum_um: float.

    Returns:
        `pandas.DataFrame` track_id, frame (of the position between the two steps), turning_angle_deg.

    >>> from somaseg.migration.steps import find_steps
    >>> x = [8, 9, 7, 7, 6, 5]
    >>> tracks = pd.DataFrame({"track_id": 1, "frame": range(6), "y_um": 0, "x_um": x})
    >>> turning_angles(find_steps(tracks, minutes_per_frame=10))["turning_angle_deg"].abs().tolist()
    [180.0, 0.0]
    """
    first, second = steps.iloc[:-1].reset_index(drop=True), steps.iloc[1:].reset_index(drop=True)
    told = (first["track_id"] == second["track_id"]) & _told(first, minimum_um) & _told(second, minimum_um)
    angle = shorter_way_round_deg(second["direction_deg"] - first["direction_deg"])
    table = pd.DataFrame({"track_id": first["track_id"], "frame": second["frame"], "turning_angle_deg": angle})
    return table[told].reset_index(drop=True)


def direction_autocorrelation(steps: pd.DataFrame, *, minimum_um: float = 0.0) -> pd.DataFrame:
    """How alike the directions of two steps of a cell are, by the time between them, pooled over cells.

    C(lag) = mean of cos(direction(t + lag) - direction(t)) over all pairs of steps of the same track, where both are of
    one frame and longer than `minimum_um`. 1 is the same direction, 0 none in common. Gorelik & Gautreau 2014, Nature
    Protocols 9:1931.

    Args:
        steps: as `somaseg.migration.steps.find_steps` makes it.
        minimum_um: float.

    Returns:
        `pandas.DataFrame` lag_min, value (NaN without a pair), n (pairs), cells; lags from 0 to the longest.

    >>> from somaseg.migration.steps import find_steps
    >>> tracks = pd.DataFrame({"track_id": 1, "frame": range(4), "y_um": 0, "x_um": [0, 1, 2, 1]})
    >>> direction_autocorrelation(find_steps(tracks, minutes_per_frame=10))["value"].tolist()
    [1.0, 0.0, -1.0]
    """
    told = steps[_told(steps, minimum_um)]
    ids, row = np.unique(told["track_id"].to_numpy(), return_inverse=True)
    frame = told["frame"].to_numpy() - told["frame"].min() if len(told) else np.zeros(0, int)
    frames = int(frame.max(initial=-1)) + 1
    heading = np.zeros((len(ids), frames), complex)
    heading[row, frame] = np.exp(1j * np.deg2rad(told["direction_deg"].to_numpy()))
    seen = (heading != 0).astype(float)
    minutes_per_frame = float(told["duration_min"].iloc[0]) if len(told) else 0.0
    rows = []
    for lag in range(frames):
        alike = (heading[:, lag:] * heading[:, : frames - lag].conj()).real.sum()
        pairs = (seen[:, lag:] * seen[:, : frames - lag]).sum(axis=1)
        n = int(pairs.sum())
        rows.append((lag * minutes_per_frame, alike / n if n else np.nan, n, int((pairs > 0).sum())))
    return pd.DataFrame(rows, columns=["lag_min", "value", "n", "cells"]).astype({"n": int, "cells": int})


def _told(steps, minimum_um):
    """Which steps have a direction and are of one frame."""
    one_frame = steps["next_frame"] - steps["frame"] == 1
    return one_frame & (steps["length_um"] > minimum_um) & steps["direction_deg"].notna()
