"""The table of a movie's cells (cells.csv): what was measured of each, side by side."""

import math

import numpy as np
import pandas as pd

from somaseg.migration.kinematics import measure_paths, noise_corrected_path_um, ratio
from somaseg.migration.pauses import pause_survival
from somaseg.migration.saltations.saltation import Saltations
from somaseg.migration.steps import shorter_way_round_deg, with_lengths
from somaseg.migration.turning import turning_angles
from somaseg.tracking.tables import CELL_COLUMNS

EXTRA_CELL_COLUMNS = (
    "frames_seen",
    "largest_displacement_um",
    "displacement_ratio",
    "fmi_along",
    "fmi_across",
    "mean_turning_angle_deg",
    "mean_turn_between_saltations_deg",
    "saltation_exposure_h",
    "pauses_seen_whole",
    "pauses_cut",
    "position_noise_um",
)


def noise_floor_um(saltations: Saltations) -> float:
    """Length up to which position noise alone may have made a displacement: k sqrt(2) sigma, k = 4 by default."""
    return saltations.parameters.noise_multiple * math.sqrt(2.0) * saltations.noise_um


def measure_cells(
    tracks: pd.DataFrame,
    saltations: Saltations,
    *,
    pauses: pd.DataFrame,
    arrested: pd.Series,
    corrected: pd.DataFrame | None = None,
    axis_deg: float | None = None,
) -> pd.DataFrame:
    """One row per track: `CELL_COLUMNS` of `somaseg.tracking.tables`, then `EXTRA_CELL_COLUMNS`.

    Beside what `measure_paths` says:

    - direction_deg is left out for an arrested cell, and where the net displacement is within `noise_floor_um`.
    - mean_speed_noise_corrected_um_per_h = `noise_corrected_path_um` / duration of the judged steps.
    - saltation_count: saltations seen to start. One under way in the track's first step may have started before; it
      stands in saltations.csv (started is false) and is not counted, as in a stereologist's counting frame (Gundersen
      1977, J. Microsc. 111:219): else each track would count its own beginning.
    - saltation_frequency_per_h = count / saltation_exposure_h, the time in which a start would be seen.
    - saltation_length_um: mean net length of those not cut by a track end.
    - speed_when_mobile_um_per_h = sum of lengths / sum of durations of all saltations.
    - pause_median_min: `pause_survival` of the cell alone; pause_fraction: share of the judged time in no saltation.
    - mean_turning_angle_deg: mean absolute angle between steps above the noise floor (`turning_angles`);
      mean_turn_between_saltations_deg: that between the headings of a saltation and the next.
    - position_noise_um: sd along each axis; the same for all cells of a movie.

    Args:
        tracks: `pandas.DataFrame` with track_id, frame, y_um, x_um.
        saltations: `somaseg.migration.saltations.saltation.Saltations` of these tracks.
        pauses: as `somaseg.migration.pauses.find_pauses` makes them.
        arrested: "boolean" by track_id, as `somaseg.migration.arrest.find_arrested` makes it.
        corrected: track_id, saltation_frequency_corrected_per_h, saltation_length_corrected_um, or None.
        axis_deg: float or None.
    """
    minutes, floor = saltations.minutes_per_frame, noise_floor_um(saltations)
    cells = measure_paths(tracks, minutes_per_frame=minutes, axis_deg=axis_deg).set_index("track_id")
    cells["arrested"] = arrested.reindex(cells.index)
    still = cells["arrested"].fillna(False).astype(bool) | (cells["net_displacement_um"] <= floor)
    cells["direction_deg"] = cells["direction_deg"].mask(still)

    steps, table = saltations.steps, saltations.table
    judged_h = ((steps["next_frame"] - steps["frame"]) * minutes / 60.0).groupby(steps["track_id"]).sum()
    path = noise_corrected_path_um(steps, noise_um=saltations.noise_um)
    cells["mean_speed_noise_corrected_um_per_h"] = ratio(path, judged_h)
    of_cells = saltations.cells.set_index("track_id")
    cells["saltation_count"], cells["saltation_exposure_h"] = of_cells["started"], of_cells["exposure_h"]
    cells["saltation_frequency_per_h"] = of_cells["frequency_per_h"]
    whole = table[~table["cut_by_track_end"].astype(bool)]
    cells["saltation_length_um"] = whole.groupby("track_id")["length_um"].mean()
    sums = table.groupby("track_id")[["length_um", "duration_min"]].sum()
    cells["speed_when_mobile_um_per_h"] = 60.0 * ratio(sums["length_um"], sums["duration_min"])

    cells["pause_fraction"] = ratio(pauses.groupby("track_id")["duration_min"].sum() / 60.0, judged_h)
    cells["pause_fraction"] = cells["pause_fraction"].fillna(0.0).where(cells.index.isin(judged_h.index))
    survivals = {track_id: pause_survival(own) for track_id, own in pauses.groupby("track_id")}
    for name, attribute in (("pause_median_min", "median_min"), ("pauses_seen_whole", "seen_whole")):
        cells[name] = pd.Series({key: getattr(own, attribute) for key, own in survivals.items()}, dtype=float)
    cells["pauses_cut"] = pauses.groupby("track_id").size() - cells["pauses_seen_whole"]
    counts = ["pauses_seen_whole", "pauses_cut"]
    cells[counts] = cells[counts].fillna(0).astype(int)

    lengths = with_lengths(steps, minutes_per_frame=minutes)
    turns = turning_angles(lengths, minimum_um=floor)
    cells["mean_turning_angle_deg"] = turns["turning_angle_deg"].abs().groupby(turns["track_id"]).mean()
    cells["mean_turn_between_saltations_deg"] = _turns_between(table)
    cells["position_noise_um"] = saltations.noise_um
    for name in ("saltation_frequency_corrected_per_h", "saltation_length_corrected_um"):
        cells[name] = np.nan if corrected is None else corrected.set_index("track_id")[name]
    return cells.reset_index()[[*CELL_COLUMNS, *EXTRA_CELL_COLUMNS]]


def _turns_between(table):
    table = table.sort_values(["track_id", "start_frame"])
    turn = pd.Series(shorter_way_round_deg(table.groupby("track_id")["heading_deg"].diff()), index=table.index)
    return turn.abs().groupby(table["track_id"]).mean()
