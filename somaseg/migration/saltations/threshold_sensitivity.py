"""How much the saltations found depend on the threshold: the same tracks, judged at a row of thresholds."""

from dataclasses import replace

import numpy as np
import pandas as pd

from somaseg.migration.saltations.detection_limit import above_errors
from somaseg.migration.saltations.position_noise import measure_position_noise
from somaseg.migration.saltations.saltation import SaltationParameters, find_saltations

SPEEDS_UM_PER_H = (5.0, 7.5, 10.0, 12.5, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0)


def threshold_sensitivity(
    tracks,
    *,
    minutes_per_frame,
    noise_um,
    thresholds_um_per_h=SPEEDS_UM_PER_H,
    parameters=SaltationParameters(),
    drift=None,
    by_a_program=False,
):
    """Frequency and length of saltations against the speed above which a step starts one.

    Where the curve is flat the threshold does not matter; where it is steep the numbers are the threshold's as much as
    the cells'. The speed that goes on with a saltation keeps its ratio to the one that starts it.

    Args:
        tracks: DataFrame with track_id, frame, y_um, x_um.
        minutes_per_frame: frame interval.
        noise_um: sd of a soma's position along each axis.
        thresholds_um_per_h: positive speeds.
        parameters: `SaltationParameters`; its `on_speed_um_per_h` is the default that the curve is about.
        drift: `PositionNoise.drift` of these tracks, to take off; measured anew if None.
        by_a_program: bool, see `somaseg.migration.saltations.detection_limit.above_errors`.

    Returns:
        DataFrame, one row per threshold: on_speed_um_per_h, saltations, saltation_frequency_per_h, saltation_length_um.

    >>> tracks = pd.DataFrame({"track_id": 1, "frame": range(6), "y_um": 0.0, "x_um": [0, 0, 7.0, 14, 14, 14]})
    >>> table = threshold_sensitivity(tracks, minutes_per_frame=10, noise_um=0.3, thresholds_um_per_h=[20.0, 50.0])
    >>> table["saltations"].tolist()
    [1, 0]
    """
    ratio = parameters.off_speed_um_per_h / parameters.on_speed_um_per_h if parameters.on_speed_um_per_h else 0.0
    drift, rows = measure_position_noise(tracks).drift if drift is None else drift, []
    for speed in np.asarray(thresholds_um_per_h, float):
        chosen = replace(parameters, on_speed_um_per_h=float(speed), off_speed_um_per_h=float(speed * ratio))
        found = find_saltations(
            tracks, minutes_per_frame=minutes_per_frame, noise_um=noise_um, parameters=chosen, drift=drift
        )
        found, _ = above_errors(found, by_a_program=by_a_program)
        rows.append((speed, len(found.table), found.frequency_per_h, found.length_um))
    names = ["on_speed_um_per_h", "saltations", "saltation_frequency_per_h", "saltation_length_um"]
    return pd.DataFrame(rows, columns=names)
