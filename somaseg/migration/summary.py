"""The numbers of a movie as a whole (summary.json): pooled over its cells, with intervals, and n at each level.

A flat dict. X_um comes with X_low_um and X_high_um, its 95 % interval where one is known, from the differences between
cells; it says how much other cells of the same movie would differ, and nothing of other dishes or donors. The
frame interval stands first and again beside the saltations, which cannot be read without it.
"""

import math

from somaseg.migration.cells import noise_floor_um
from somaseg.migration.pooled import mean_of_cells, pooled_ratio, share_of_cells

_UNITS = ("_um_per_h", "_per_h", "_um", "_min", "_deg")


def summarize(
    *,
    calibration,
    cells,
    outline_steps,
    unsure_ends,
    partial_somas,
    saltations,
    not_counted,
    pauses,
    survival,
    noise,
    corrected,
    directions,
    walk,
) -> dict:
    """All pooled numbers of a movie; see the head of this module.

    Args:
        calibration: `Calibration`.
        cells: as `somaseg.migration.cells.measure_cells` makes them.
        outline_steps: int, as `without_outline_steps` counts them.
        unsure_ends: int, as `without_unsure_ends` counts them.
        partial_somas: int, as `without_partial_somas` counts them.
        not_counted: int, saltations that are no more than errors, see `somaseg.migration.saltations.detection_limit`.
        saltations, noise, corrected: `Saltations`, `PositionNoise`, `CorrectedSaltations` or None.
        pauses, survival: as `find_pauses` makes them, and their `PauseSurvival`.
        directions: `Directions` of the cells.
        walk: `FuerthFit`.

    Returns:
        dict of str to number, str or None. Rates are pooled: all saltations over all hours, all paths over all hours.
        Straightness, outreach, displacement ratio, turning angle and FMI are means over the cells that are not
        arrested: the path of an arrested cell is position noise.
    """
    minutes = calibration.minutes_per_frame
    numbers = {
        "um_per_px": calibration.um_per_px,
        "minutes_per_frame": minutes,
        "cells": len(cells),
        "cells_seen_once": int((cells["duration_h"] == 0).sum()),
        "hours": float(cells["duration_h"].sum()),
        "outline_steps": outline_steps,
        "unsure_ends": unsure_ends,
        "partial_somas": partial_somas,
        "position_noise_um": noise.sigma_um,
        "position_noise_steps": noise.n_steps,
        "position_noise_source": noise.source,
        "position_noise_worse_share": noise.tail.share,
        "position_noise_worse_um": noise.sigma_um * math.sqrt(noise.tail.variance),
        "drift_residue_um": noise.drift_um,
    }
    numbers |= _of_saltations(cells, saltations, not_counted, corrected)
    numbers |= _of_pauses(pauses, survival, saltations)
    numbers |= _of_paths(cells, saltations)
    numbers |= _of_directions(cells, directions)
    return numbers | _of_walk(walk)


def _of_saltations(cells, saltations, not_counted, corrected):
    table, minutes = saltations.table, saltations.minutes_per_frame
    whole = table[~table["cut_by_track_end"].astype(bool)]
    sums = table.groupby("track_id")[["length_um", "duration_min"]].sum()
    lengths = whole.groupby("track_id")["length_um"].agg(["sum", "size"])
    durations = whole.groupby("track_id")["duration_min"].sum()
    exposure_h = float(cells["saltation_exposure_h"].sum())
    frequency = pooled_ratio(cells["saltation_count"], cells["saltation_exposure_h"])
    moving = cells[~_arrested(cells)]
    numbers = {
        "saltations": len(table),
        "saltations_not_counted": not_counted,
        "saltations_seen_to_start": int(cells["saltation_count"].sum()),
        "saltations_cut_by_track_end": int(table["cut_by_track_end"].astype(bool).sum()),
        "saltation_exposure_h": exposure_h,
        "saltation_frame_interval_min": minutes,
        "on_speed_um_per_h": saltations.parameters.on_speed_um_per_h,
        "off_speed_um_per_h": saltations.parameters.off_speed_um_per_h,
        "saltation_noise_floor_um": noise_floor_um(saltations),
        **_estimate("saltation_frequency_per_h", frequency),
    }
    if exposure_h > 0 and not cells["saltation_count"].any():
        # No event in a time: the exact Poisson limits of a count of 0.
        numbers["saltation_frequency_low_per_h"] = 0.0
        numbers["saltation_frequency_high_per_h"] = -math.log(0.025) / exposure_h
    numbers |= _estimate(
        "saltation_frequency_not_arrested_per_h",
        pooled_ratio(moving["saltation_count"], moving["saltation_exposure_h"]),
    )
    numbers |= _estimate("saltation_length_um", pooled_ratio(lengths["sum"], lengths["size"]))
    numbers |= _estimate("saltation_duration_min", pooled_ratio(durations, lengths["size"]))
    numbers |= _estimate("speed_when_mobile_um_per_h", pooled_ratio(sums["length_um"], sums["duration_min"] / 60.0))
    if corrected is not None:
        numbers |= {
            "saltation_frequency_corrected_per_h": corrected.frequency_per_h,
            "saltation_frequency_corrected_low_per_h": corrected.frequency_low,
            "saltation_frequency_corrected_high_per_h": corrected.frequency_high,
            "saltation_length_corrected_um": corrected.length_um,
            "saltation_length_corrected_low_um": corrected.length_low,
            "saltation_length_corrected_high_um": corrected.length_high,
            "saltation_correction_method": corrected.method,
        }
    return numbers


def _of_pauses(pauses, survival, saltations):
    steps = saltations.steps
    judged_min = (steps["next_frame"] - steps["frame"]).groupby(steps["track_id"]).sum() * saltations.minutes_per_frame
    paused_min = pauses.groupby("track_id")["duration_min"].sum().reindex(judged_min.index, fill_value=0.0)
    return {
        "pauses_seen_whole": survival.seen_whole,
        "pauses_cut_by_track_end": survival.cut_by_track_end,
        "pauses_cut_by_track_start_left_out": survival.cut_by_track_start,
        "pause_median_min": survival.median_min,
        "pause_median_low_min": survival.median_low,
        "pause_median_high_min": survival.median_high,
        **_estimate("pause_fraction", pooled_ratio(paused_min, judged_min)),
    }


def _of_paths(cells, saltations):
    steps = saltations.steps
    judged_h = (
        (steps["next_frame"] - steps["frame"]).groupby(steps["track_id"]).sum() * saltations.minutes_per_frame / 60
    )
    judged_h = judged_h.reindex(cells["track_id"], fill_value=0.0).to_numpy()
    corrected_um = cells["mean_speed_noise_corrected_um_per_h"] * judged_h
    known = cells["arrested"].notna()
    shares = share_of_cells(cells.loc[known, "arrested"].astype(bool))
    numbers = {
        **_estimate("mean_speed_um_per_h", pooled_ratio(cells["path_um"], cells["duration_h"])),
        **_estimate("mean_speed_noise_corrected_um_per_h", pooled_ratio(corrected_um, judged_h)),
        "arrested_cells": int(cells.loc[known, "arrested"].sum()),
        "cells_watched_too_briefly_to_tell": int((~known).sum()),
        **_estimate("arrested_share", shares),
        "cells_not_arrested": int((~_arrested(cells)).sum()),
    }
    for name in ("straightness", "outreach", "displacement_ratio", "mean_turning_angle_deg"):
        numbers |= _estimate(name, mean_of_cells(cells.loc[~_arrested(cells), name]))
    return numbers


def _of_directions(cells, directions):
    numbers = {
        "cells_with_direction": directions.n,
        "mean_direction_deg": directions.mean_deg,
        "resultant_length": directions.resultant_length,
        "rayleigh_p": directions.rayleigh_p,
        "axis_deg": directions.axis_deg,
    }
    if directions.axis_deg is not None:
        numbers["v_test_p"] = directions.v_test_p
        for name in ("fmi_along", "fmi_across"):
            numbers |= _estimate(name, mean_of_cells(cells.loc[~_arrested(cells), name]))
    return numbers


def _of_walk(walk):
    return {
        "fuerth_cells": walk.cells,
        "fuerth_longest_lag_min": walk.longest_lag_min,
        "fuerth_speed_um_per_h": walk.speed_um_per_h,
        "fuerth_speed_low_um_per_h": walk.speed_low,
        "fuerth_speed_high_um_per_h": walk.speed_high,
        "fuerth_persistence_min": walk.persistence_min,
        "fuerth_persistence_low_min": walk.persistence_low,
        "fuerth_persistence_high_min": walk.persistence_high,
        "fuerth_noise_um": walk.noise_um,
        "fuerth_law_p": walk.law_p,
    }


def _estimate(name, estimate):
    """The number under its name, its limits with _low and _high before the unit."""
    stem, unit = next(((name.removesuffix(unit), unit) for unit in _UNITS if name.endswith(unit)), (name, ""))
    return {name: estimate.value, f"{stem}_low{unit}": estimate.low, f"{stem}_high{unit}": estimate.high}


def _arrested(cells):
    return cells["arrested"].astype("boolean").fillna(False).to_numpy(bool)
