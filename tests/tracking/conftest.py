"""A movie small enough to check by eye: 3 square cells of 4x4 px that move 1 px to the right in each of 6 frames."""

import numpy as np
import pandas as pd
import pytest

from somaseg.movies import Calibration
from somaseg.tracking import TRACK_COLUMNS, Result

CALIBRATION = Calibration(um_per_px=0.5, minutes_per_frame=10)


@pytest.fixture
def labels():
    labels = np.zeros((6, 20, 30), np.uint16)
    for track_id, y in ((1, 2), (2, 8), (3, 14)):
        for frame in range(6):
            labels[frame, y : y + 4, 3 + frame : 7 + frame] = track_id
    return labels


@pytest.fixture
def tracks_of():
    """Function from labels to tracks.csv's table: the centroids of the masks."""
    return _tracks_of


@pytest.fixture
def tables():
    """cells, saltations and drift that fit `labels`; cell 2 is arrested and its direction undefined."""
    cells = pd.DataFrame({"track_id": [1, 2, 3], "first_frame": 0, "last_frame": 5, "duration_h": 5 / 6})
    for name in ("path_um", "net_displacement_um", "mean_speed_um_per_h", "speed_when_mobile_um_per_h"):
        cells[name] = [2.5, 2.5, 2.5]
    cells["mean_speed_noise_corrected_um_per_h"] = [2.25, np.nan, 2.25]
    cells["saltation_count"] = [1, 0, 2]
    for name in ("saltation_frequency_per_h", "saltation_length_um", "pause_median_min", "pause_fraction"):
        cells[name] = [1 / 3, np.nan, 0.7]
    cells["saltation_frequency_corrected_per_h"], cells["saltation_length_corrected_um"] = 0.5, [4.5, np.nan, 4.5]
    cells["arrested"] = [False, True, False]
    cells["straightness"], cells["outreach"] = 1.0, 1.0
    cells["direction_deg"] = [0.0, np.nan, -170.0]
    saltations = pd.DataFrame({"track_id": [1, 3, 3], "start_frame": [0, 0, 3], "end_frame": [1, 2, 5]})
    saltations["start_min"] = [0.0, 0.0, 30.0]
    saltations["duration_min"] = [10.0, 20.0, 20.0]
    saltations["length_um"], saltations["speed_um_per_h"], saltations["heading_deg"] = 5.0, 30.0, 0.0
    saltations["cut_by_track_end"] = [False, False, True]
    drift = pd.DataFrame({"frame": range(6), "dy_px": 0.1, "dx_px": np.arange(6) / 3})
    return {"cells": cells, "saltations": saltations, "drift": drift}


@pytest.fixture
def result(labels, tables):
    return Result(CALIBRATION, labels, _tracks_of(labels), **tables, summary={"note": "hand-made"})


def _tracks_of(labels):
    rows = []
    for frame, image in enumerate(labels):
        for track_id in np.unique(image[image > 0]):
            y, x = (axis.mean() for axis in np.nonzero(image == track_id))
            area = np.count_nonzero(image == track_id) * 0.25
            rows.append([int(track_id), frame, frame * 10.0, y, x, y / 2, x / 2, area, np.nan, 1.0])
    return pd.DataFrame(rows, columns=TRACK_COLUMNS)
