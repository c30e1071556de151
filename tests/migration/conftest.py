"""A movie small enough to check by hand: 3 square cells in 6 frames 10 min apart, two of them with saltations."""

import numpy as np
import pandas as pd
import pytest

from somaseg.movies import Calibration
from somaseg.tracking import Result


@pytest.fixture
def make_truth():
    """Function that makes the true `Result` anew."""
    return _truth


def _truth():
    labels = np.zeros((6, 20, 30), np.uint16)
    for track_id, y in ((1, 2), (2, 8), (3, 14)):
        labels[:, y : y + 4, 3:7] = track_id
    frame = np.tile(np.arange(6), 3)
    y_px = np.repeat([3.5, 9.5, 15.5], 6)
    tracks = pd.DataFrame({"track_id": np.repeat([1, 2, 3], 6), "frame": frame, "time_min": frame * 10.0})
    tracks["y_px"], tracks["x_px"], tracks["y_um"], tracks["x_um"] = y_px, 4.5, y_px / 2, 2.25
    tracks["area_um2"], tracks["mean_intensity"], tracks["probability"] = 4.0, 100.0, 1.0
    cells = pd.DataFrame({"track_id": [1, 2, 3], "first_frame": 0, "last_frame": 5, "duration_h": 1.0})
    cells["path_um"] = cells["net_displacement_um"] = cells["mean_speed_um_per_h"] = [20.0, 0.0, 40.0]
    cells["mean_speed_noise_corrected_um_per_h"] = cells["mean_speed_um_per_h"]
    cells["speed_when_mobile_um_per_h"] = [60.0, np.nan, 60.0]
    cells["saltation_count"] = [2, 0, 2]
    cells["saltation_frequency_per_h"] = [2.0, 0.0, 2.0]
    cells["saltation_length_um"] = [10.0, np.nan, 20.0]
    cells["saltation_frequency_corrected_per_h"] = cells["saltation_frequency_per_h"]
    cells["saltation_length_corrected_um"] = cells["saltation_length_um"]
    cells["pause_median_min"], cells["pause_fraction"] = [20.0, np.nan, 10.0], [0.6, 1.0, 0.3]
    cells["arrested"] = [False, True, False]
    cells["straightness"], cells["outreach"], cells["direction_deg"] = 1.0, 1.0, [170.0, np.nan, 150.0]
    saltations = pd.DataFrame({"track_id": [1, 1, 3, 3], "start_frame": [0, 3, 0, 3], "end_frame": [1, 4, 2, 5]})
    saltations["start_min"], saltations["duration_min"] = [0.0, 30.0, 0.0, 30.0], [10.0, 10.0, 20.0, 20.0]
    saltations["length_um"], saltations["speed_um_per_h"] = [10.0, 10.0, 20.0, 20.0], 60.0
    saltations["heading_deg"], saltations["cut_by_track_end"] = 170.0, False
    return Result(Calibration(0.5, 10), labels, tracks, cells, saltations)


@pytest.fixture
def renumber():
    """Function that gives the cells of a `Result` other numbers, {old: new}."""

    def renumber(result, numbers):
        table = np.zeros(max(numbers) + 1, np.uint16)
        table[list(numbers)] = list(numbers.values())
        result.labels = table[result.labels]
        for given in (result.tracks, result.cells, result.saltations):
            given["track_id"] = given["track_id"].map(numbers)
        return result

    return renumber


@pytest.fixture
def drop_cell():
    """Function that takes a cell out of a `Result`."""

    def drop_cell(result, track_id):
        result.labels[result.labels == track_id] = 0
        for name in ("tracks", "cells", "saltations"):
            table = getattr(result, name)
            setattr(result, name, table[table["track_id"] != track_id].reset_index(drop=True))
        return result

    return drop_cell
