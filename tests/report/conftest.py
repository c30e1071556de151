"""Movies of many sizes whose migration is known without measuring it: the tables are the truth, the curves made up."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from somaseg.movies import Calibration
from somaseg.tracking import Result
from somaseg.tracking.tables import CELL_COLUMNS, SALTATION_COLUMNS, TRACK_COLUMNS

_MINUTES, _JUMP_UM = 15.0, 15.0


@pytest.fixture(scope="session")
def make_movie():
    """Function from numbers of cells and frames to (migration, result) of cells that jump 15 um now and then."""
    return _movie


def _movie(cells=12, frames=40, *, saltations_per_h=1.0, gaps=True, seed=1):
    rng = np.random.default_rng(seed)
    rate = saltations_per_h * _MINUTES / 60
    jumps = rng.random((cells, max(frames - 1, 0))) < rate
    heading = rng.vonmises(0.4, 1.0, jumps.shape)
    steps = jumps[..., None] * _JUMP_UM * np.stack([-np.sin(heading), np.cos(heading)], axis=-1)
    position = rng.uniform(0, 300, (cells, 1, 2)) + np.cumsum(np.pad(steps, ((0, 0), (1, 0), (0, 0))), axis=1)
    seen = rng.random((cells, frames)) > (0.03 if gaps else 0)
    if frames:
        seen[:, [0, -1]] = True
    cell, frame = np.nonzero(seen)
    at = position[cell, frame] if len(cell) else np.zeros((0, 2))
    tracks = pd.DataFrame({"track_id": cell + 1, "frame": frame, "time_min": frame * _MINUTES})
    tracks["y_um"], tracks["x_um"] = (at + rng.normal(0, 0.3, at.shape)).T
    tracks["y_px"], tracks["x_px"] = tracks["y_um"] / 0.65, tracks["x_um"] / 0.65
    tracks["area_um2"], tracks["mean_intensity"], tracks["probability"] = 75.0, 900.0, 0.95
    saltations = _saltations(jumps, heading)
    result = Result(Calibration(0.65, _MINUTES), np.zeros((frames, 4, 4), np.uint16), tracks[list(TRACK_COLUMNS)])
    result.summary = {"warnings": []}
    table = _cells(jumps, position, frames)
    return SimpleNamespace(
        cells=table, saltations=saltations, summary=_summary(table, saltations), curves=_curves(jumps, table)
    ), result


def _saltations(jumps, heading):
    cell, frame = np.nonzero(jumps)
    table = pd.DataFrame({"track_id": cell + 1, "start_frame": frame, "end_frame": frame + 1})
    table["start_min"], table["duration_min"] = frame * _MINUTES, _MINUTES
    table["length_um"], table["speed_um_per_h"] = _JUMP_UM, 60 * _JUMP_UM / _MINUTES
    table["heading_deg"] = np.rad2deg(heading[cell, frame])
    table["cut_by_track_end"] = (frame == 0) | (frame == jumps.shape[1] - 1)
    return table[list(SALTATION_COLUMNS)]


def _cells(jumps, position, frames):
    hours = max(frames - 1, 0) * _MINUTES / 60
    table = pd.DataFrame({"track_id": np.arange(1, len(jumps) + 1), "first_frame": 0, "last_frame": max(frames - 1, 0)})
    count = jumps.sum(axis=1)
    away = position[:, -1] - position[:, 0] if frames else np.zeros((len(jumps), 2))
    table["duration_h"], table["path_um"] = hours, count * _JUMP_UM
    table["net_displacement_um"] = np.hypot(*away.T)
    table["mean_speed_um_per_h"] = table["path_um"] / hours if hours else np.nan
    table["mean_speed_noise_corrected_um_per_h"] = 0.9 * table["mean_speed_um_per_h"]
    table["speed_when_mobile_um_per_h"] = np.where(count > 0, 60 * _JUMP_UM / _MINUTES, np.nan)
    table["saltation_count"] = count
    table["saltation_frequency_per_h"] = count / hours if hours else np.nan
    table["saltation_frequency_corrected_per_h"] = 1.2 * table["saltation_frequency_per_h"]
    table["saltation_length_um"] = np.where(count > 0, _JUMP_UM, np.nan)
    table["saltation_length_corrected_um"] = 0.9 * table["saltation_length_um"]
    table["pause_median_min"], table["pause_fraction"] = np.where(count > 1, 45.0, np.nan), 0.8
    table["arrested"] = count == 0
    with np.errstate(invalid="ignore", divide="ignore"):
        table["straightness"] = table["net_displacement_um"] / table["path_um"]
    table["outreach"] = table["straightness"]
    table["direction_deg"] = np.where(count > 0, np.rad2deg(np.arctan2(-away[:, 0], away[:, 1])), np.nan)
    assert set(CELL_COLUMNS) <= set(table)
    return table


def _summary(cells, saltations):
    hours = float(cells["duration_h"].sum())
    return {
        "cells": len(cells),
        "hours": hours,
        "saltations": len(saltations),
        "minutes_per_frame": _MINUTES,
        "saltation_frequency_per_h": len(saltations) / hours if hours else None,
        "warnings": ["15 min between frames is long for 1 saltation per h."] if len(saltations) else [],
    }


def _curves(jumps, cells):
    lags = np.arange(1, max(2, jumps.shape[1] // 4)) * _MINUTES if len(cells) else np.zeros(0)
    return {
        "msd": pd.DataFrame({"lag_min": lags, "msd_um2": 4 * lags, "n": len(cells), "fit_um2": 4 * lags}),
        "direction_autocorrelation": pd.DataFrame({"lag_min": lags, "value": np.exp(-lags / 60), "n": len(cells)}),
        "pause_survival": pd.DataFrame({"pause_min": lags, "survival": np.exp(-lags / 45)}),
        "threshold_sensitivity": pd.DataFrame(
            {
                "on_speed_um_per_h": [20.0, 30, 40],
                "saltation_frequency_per_h": [1.4, 1.0, 0.9],
                "saltation_length_um": 15.0,
            }
        ),
        "directions": cells[["track_id", "direction_deg"]],
    }
