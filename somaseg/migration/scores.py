"""How right the numbers of migration are, cell by cell and for the movie as a whole, against a known truth.

Conventions, stated once:
- Cells are matched by identity, one to one, over the frames that they have in common
  (`somaseg.tracking.matching.match_identities`); one frame in common is enough, and `shared_frames` tells how many. A
  true cell without a partner is missed, a cell of the result without one is spurious; both are counted and tabled.
- error = result - truth; of directions the shorter way round, in -180..180. A cell whose value is undefined on either
  side has no error; cell_*_n tells how many have one.
- A true and a found saltation of matched cells match when they overlap in time, one to one, with the most matches.
  saltation_precision, _recall and _f1 are over all saltations: those of a missed cell are missed, those of a spurious
  cell spurious. *_of_matched_cells leave these out (NaN where no cell is matched). Without any saltation they are 1.
- The movie's values are of all its cells, matched or not: frequency = saltations / observed hours, mean speed = path /
  observed hours, speed when mobile = length / duration of all saltations, saltation length = mean over saltations,
  pause fraction = mean of the cells weighted by observed hours, direction = circular mean of the cells, arrested share
  = of the cells that are known to be arrested or not. bias = result - truth, relative error = bias / truth.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from somaseg.tracking.matching import match_identities, match_intervals, one_to_one_pairs, overlap

QUANTITIES = (
    "saltation_frequency_per_h",
    "saltation_length_um",
    "mean_speed_um_per_h",
    "speed_when_mobile_um_per_h",
    "pause_fraction",
    "direction_deg",
)
_RATES = ("precision", "recall", "f1")


@dataclass(frozen=True, eq=False)
class MigrationScores:
    """Scores of one movie's migration.

    Attributes:
        cells: `pandas.DataFrame`, one row per true cell and per spurious cell: status ("matched", "missed",
            "spurious"), truth_id and result_id (missing where there is none), truth_frames, result_frames,
            shared_frames; duration_h, saltation_count, `QUANTITIES` and arrested, each as *_true and *_result, the
            quantities also as *_error; and saltations_matched, where both have saltations.
        pooled: dict of flat numbers, units in the names.
    """

    cells: pd.DataFrame
    pooled: dict


def score_migration(result, truth, *, identities=None):
    """Score the numbers of migration of a result against the truth.

    Args:
        result: `somaseg.tracking.Result` with cells; saltations are scored where both have them.
        truth: the same.
        identities: `pandas.DataFrame` truth_id, result_id, shared_frames if known (as in `TrackingScores`), else found.

    Returns:
        `MigrationScores`.

    Raises:
        ValueError: a table of cells is missing, or the two are not of the same movie.
    """
    for name, side in (("result", result), ("truth", truth)):
        if side.cells is None:
            raise ValueError(f"The {name} has no cells.csv, so its migration cannot be scored.")
    if identities is None:
        overlaps = overlap(result.labels, truth.labels)
        identities = match_identities(one_to_one_pairs(overlaps), overlaps)
    cells = _compare_cells(result, truth, identities)
    pooled = {"cells_" + status: int((cells["status"] == status).sum()) for status in ("matched", "missed", "spurious")}
    pooled = {"cells_true": len(truth.cells), "cells_result": len(result.cells), **pooled}
    if result.saltations is not None and truth.saltations is not None:
        cells["saltations_matched"] = _count_matched_saltations(cells, result.saltations, truth.saltations)
        pooled |= _event_scores(cells, result.saltations, truth.saltations)
    pooled |= _cell_errors(cells)
    of_truth, of_result = _movie_values(truth), _movie_values(result)
    for name, true in of_truth.items():
        pooled |= _movie_error(name, true, of_result[name])
    return MigrationScores(cells, pooled)


def _compare_cells(result, truth, identities):
    frames = {
        side: given.tracks["track_id"].value_counts().rename(f"{side}_frames").rename_axis(f"{side}_id").reset_index()
        for side, given in (("truth", truth), ("result", result))
    }
    table = frames["truth"].merge(identities, how="left", on="truth_id").merge(frames["result"], "outer", "result_id")
    known = {"truth": table["truth_id"].notna(), "result": table["result_id"].notna()}
    table["status"] = np.select([known["truth"] & known["result"], known["truth"]], ["matched", "missed"], "spurious")
    values = ["track_id", "duration_h", "saltation_count", *QUANTITIES, "arrested"]
    for side, suffix, given in (("truth", "true", truth), ("result", "result", result)):
        own = given.cells[values].astype({"arrested": "boolean", "saltation_count": "Int64"})
        own = own.rename(columns={name: f"{name}_{suffix}" for name in values[1:]} | {"track_id": f"{side}_id"})
        table = table.merge(own, how="left", on=f"{side}_id")
    for name in QUANTITIES:
        error = table[f"{name}_result"] - table[f"{name}_true"]
        table[f"{name}_error"] = _shorter_way_round(error) if name.endswith("_deg") else error
    counts = ["truth_id", "result_id", "truth_frames", "result_frames", "shared_frames"]
    table[counts] = table[counts].astype("Int64")
    table["shared_frames"] = table["shared_frames"].fillna(0)
    order = ["status", *counts, *(name for name in table.columns if name not in (*counts, "status"))]
    return table[order].sort_values(["truth_id", "result_id"], na_position="last").reset_index(drop=True)


def _count_matched_saltations(cells, result, truth):
    intervals = {}
    for side, table in (("truth", truth), ("result", result)):
        ends = table["start_min"] + table["duration_min"]
        spans = pd.DataFrame({"track_id": table["track_id"], "start": table["start_min"], "end": ends})
        intervals[side] = {key: own[["start", "end"]].to_numpy() for key, own in spans.groupby("track_id")}
    none = np.zeros((0, 2))
    return [
        len(match_intervals(intervals["truth"].get(row.truth_id, none), intervals["result"].get(row.result_id, none)))
        if row.status == "matched"
        else 0
        for row in cells.itertuples()
    ]


def _event_scores(cells, result, truth):
    matched = cells[cells["status"] == "matched"]
    n_true = int(truth["track_id"].isin(matched["truth_id"]).sum())
    n_result = int(result["track_id"].isin(matched["result_id"]).sum())
    both = int(matched["saltations_matched"].sum())
    of_matched = detection_rates(both, n_true, n_result) if len(matched) else dict.fromkeys(_RATES, float("nan"))
    return {
        "saltations_true": len(truth),
        "saltations_result": len(result),
        "saltations_matched": both,
        "saltations_of_missed_cells": len(truth) - n_true,
        "saltations_of_spurious_cells": len(result) - n_result,
        **{f"saltation_{name}": rate for name, rate in detection_rates(both, len(truth), len(result)).items()},
        **{f"saltation_{name}_of_matched_cells": rate for name, rate in of_matched.items()},
    }


def detection_rates(matched, true, found):
    """precision, recall and f1 of counts, as a dict; all 1 where nothing is true and nothing found, else 0 for 0 / 0.

    >>> detection_rates(3, 4, 3)
    {'precision': 1.0, 'recall': 0.75, 'f1': 0.8571428571428571}
    """
    if true + found == 0:
        return dict.fromkeys(_RATES, 1.0)
    return dict(zip(_RATES, (matched / max(found, 1), matched / max(true, 1), 2 * matched / (true + found))))


def _cell_errors(cells):
    """Over the matched cells: mean and median absolute error of each quantity, and who is called arrested."""
    matched, numbers = cells[cells["status"] == "matched"], {}
    for name in QUANTITIES:
        error = matched[f"{name}_error"].dropna()
        numbers[f"cell_{name}_mean_error"] = float(error.mean())
        numbers[f"cell_{name}_median_absolute_error"] = float(error.abs().median())
        numbers[f"cell_{name}_n"] = len(error)
    called = matched.dropna(subset=["arrested_true", "arrested_result"])
    right = called["arrested_true"] == called["arrested_result"]
    return {
        **numbers,
        "arrested_called_right_share": float(right.astype(float).mean()),
        "arrested_called_moving": int((~right & called["arrested_true"]).sum()),
        "moving_called_arrested": int((~right & called["arrested_result"]).sum()),
        "arrested_n": len(called),
    }


def _movie_values(given):
    """The values of a whole movie, NaN where undefined."""
    cells, saltations = given.cells, given.saltations
    hours, count = cells["duration_h"].sum(), cells["saltation_count"].sum()
    values = {"observed_hours_h": hours, "saltation_frequency_per_h": _ratio(count, hours)}
    if saltations is not None:
        values["saltation_length_um"] = saltations["length_um"].mean()
        duration_h = saltations["duration_min"].sum() / 60
        values["speed_when_mobile_um_per_h"] = _ratio(saltations["length_um"].sum(), duration_h)
    else:
        values["saltation_length_um"] = _weighted_mean(cells["saltation_length_um"], cells["saltation_count"])
        values["speed_when_mobile_um_per_h"] = cells["speed_when_mobile_um_per_h"].mean()
    values["mean_speed_um_per_h"] = _ratio(cells["path_um"].sum(), hours)
    values["pause_fraction"] = _weighted_mean(cells["pause_fraction"], cells["duration_h"])
    angles = np.deg2rad(cells["direction_deg"].dropna())
    mean = np.exp(1j * angles).mean() if len(angles) else 0
    values["direction_deg"] = np.rad2deg(np.angle(mean)) if abs(mean) > 1e-9 else np.nan
    values["arrested_share"] = cells["arrested"].astype("boolean").dropna().astype(float).mean()
    return {name: float(value) for name, value in values.items()}


def _movie_error(name, true, found):
    bias = found - true
    numbers = {f"{name}_true": true, f"{name}_result": found}
    if name.endswith("_deg"):
        return {**numbers, f"{name}_bias": float(_shorter_way_round(bias))}
    return {**numbers, f"{name}_bias": bias, f"{name}_relative_error": _ratio(bias, true)}


def _shorter_way_round(degrees):
    return (degrees + 180) % 360 - 180


def _ratio(numerator, denominator):
    return float(numerator / denominator) if denominator else float("nan")


def _weighted_mean(values, weights):
    known = values.notna() & weights.notna()
    return _ratio((values * weights)[known].sum(), weights[known].sum())
