"""From a simulated movie to the tables of a result folder: what a perfect analysis of its visible cells would find.

What the pixels hold (tracks) is taken from the labels; what the cells did is exact, from the fine clock of the motion,
between the first and the last frame in which a cell is visible, gaps included. Definitions, per cell:

- duration_h: from the first to the last visible frame.
- path_um: length of the path of the soma's centre in that time, on the fine clock, so it does not depend on the
  sampling; without the wobble of a soma that stands still, so 0 for an arrested cell.
- net_displacement_um, direction_deg: from the centre in the first to that in the last visible frame. Both carry the
  wobble; the direction is undefined where the path is 0.
- mean_speed_um_per_h: path / duration. straightness: net / path. outreach: greatest distance from the first position
  in any frame / path. Both are at most 1, which the wobble of a hardly moving cell would else exceed.
- saltation_count: saltations whose start lies in that time; saltation_frequency_per_h: count / duration.
- saltation_length_um: mean of their net lengths; speed_when_mobile_um_per_h: mean of length / duration. One that ends
  after the last visible frame is marked cut_by_track_end and counts with its whole length.
- pause_fraction: share of that time in no saltation. pause_median_min: median of the pauses seen whole, from the end
  of one saltation to the start of the next.
- arrested: the cell never moves on (its behaviour, not a threshold).
- mean_speed_noise_corrected_um_per_h, saltation_frequency_corrected_per_h, saltation_length_corrected_um: as the column
  that each corrects; an exact value has nothing to correct.

What has no value (a speed of a cell seen once, a mean of nothing) is NaN.
"""

import numpy as np
import pandas as pd

from somaseg.simulation.motion import STATES, Motion
from somaseg.simulation.movies import SimulatedMovie
from somaseg.tracking.tables import CELL_COLUMNS, SALTATION_COLUMNS

_NOTHING_TO_CORRECT = {
    "mean_speed_noise_corrected_um_per_h": "mean_speed_um_per_h",
    "saltation_frequency_corrected_per_h": "saltation_frequency_per_h",
    "saltation_length_corrected_um": "saltation_length_um",
}


def true_tracks(movie: SimulatedMovie) -> pd.DataFrame:
    """One row per visible soma per frame (tracks.csv).

    y_px and x_px are the centroid of the visible outline, y_um and x_um the same in tissue coordinates, mean_intensity
    the mean grey level of the outline, and probability 1. Further columns: centre_y_um and centre_x_um, the centre of
    the whole soma in tissue coordinates at the true time of the frame, and its state.
    """
    p, motion = movie.parameters, movie.motion
    rows = []
    index_of = {int(track_id): index for index, track_id in enumerate(motion.track_ids)}
    for frame, (picture, labels) in enumerate(zip(movie.frames, movie.labels, strict=True)):
        y, x = np.nonzero(labels)
        ids, members, area = np.unique(labels[y, x], return_inverse=True, return_counts=True)
        y_px, x_px, level = (np.bincount(members, values) / area for values in (y, x, picture[y, x]))
        indices = [index_of[int(track_id)] for track_id in ids]
        dy, dx = movie.drift_px[frame]
        rows.append(
            pd.DataFrame(
                {
                    "track_id": ids.astype(np.int64),
                    "frame": frame,
                    "time_min": p.times_min[frame],
                    "y_px": y_px,
                    "x_px": x_px,
                    "y_um": (y_px - dy) * p.um_per_px,
                    "x_um": (x_px - dx) * p.um_per_px,
                    "area_um2": area * p.um_per_px**2,
                    "mean_intensity": level,
                    "probability": 1.0,
                    "centre_y_um": motion.centre_um[indices, frame, 0],
                    "centre_x_um": motion.centre_um[indices, frame, 1],
                    "state": _state_names(motion.state[indices, frame]),
                }
            )
        )
    return pd.concat(rows, ignore_index=True).sort_values(["track_id", "frame"], ignore_index=True)


def true_cells(movie: SimulatedMovie) -> pd.DataFrame:
    """One row per cell that is visible at least once (cells.csv); see the head of this module for the definitions."""
    rows = [_cell_row(movie.motion, index, *span) for index, span in _visible_spans(movie)]
    cells = pd.DataFrame(rows, columns=[*CELL_COLUMNS, "behaviour"])
    return cells.assign(**{corrected: cells[exact] for corrected, exact in _NOTHING_TO_CORRECT.items()})


def true_saltations(movie: SimulatedMovie) -> pd.DataFrame:
    """The saltations that start while their cell is in the movie (saltations.csv), exact, whatever the sampling.

    start_frame is the last frame at or before the start, end_frame the first at or after the end, both within the
    track; start_min, duration_min, length_um and speed_um_per_h are those of the whole saltation.
    """
    motion, minutes = movie.motion, movie.parameters.minutes_per_frame
    tables = []
    for index, (first, last) in _visible_spans(movie):
        table = _saltations_from(motion, index, first, last)
        end_min = table["start_min"] + table["duration_min"]
        # A hair of tolerance, so that a start at 30.000000001 min of 15 is frame 2 and not 3.
        table["start_frame"] = np.clip(np.floor(table["start_min"] / minutes + 1e-9), first, last).astype(np.int64)
        table["end_frame"] = np.clip(np.ceil(end_min / minutes - 1e-9), first, last).astype(np.int64)
        table["cut_by_track_end"] = end_min > motion.times_min[last] + 1e-9
        tables.append(table)
    if not tables:
        return pd.DataFrame(columns=list(SALTATION_COLUMNS))
    return pd.concat(tables, ignore_index=True)[list(SALTATION_COLUMNS)]


def true_states(movie: SimulatedMovie) -> pd.DataFrame:
    """Every cell in every frame, seen or not (states.csv): tissue coordinates, depth, heading, state, visible."""
    motion = movie.motion
    cells, frames = motion.state.shape
    return pd.DataFrame(
        {
            "track_id": np.repeat(motion.track_ids, frames),
            "frame": np.tile(np.arange(frames), cells),
            "time_min": np.tile(motion.times_min, cells),
            "y_um": motion.centre_um[:, :, 0].ravel(),
            "x_um": motion.centre_um[:, :, 1].ravel(),
            "z_um": motion.depth_um.ravel(),
            "heading_deg": motion.heading_deg.ravel(),
            "state": _state_names(motion.state.ravel()),
            "visible": movie.visible.ravel(),
        }
    )


def true_drift(movie: SimulatedMovie) -> pd.DataFrame:
    """Where the tissue lies in each frame, relative to frame 0 (drift.csv)."""
    dy, dx = movie.drift_px.T
    return pd.DataFrame({"frame": np.arange(len(dy)), "dy_px": dy, "dx_px": dx})


def true_summary(movie: SimulatedMovie) -> dict:
    """Pooled numbers of the visible cells (summary.json); rates are pooled over cell hours."""
    cells, saltations = true_cells(movie), true_saltations(movie)
    moving = cells[~cells["arrested"].astype(bool)]
    moving_salts = saltations[saltations["track_id"].isin(moving["track_id"])]
    p, hours = movie.parameters, float(cells["duration_h"].sum())
    return {
        "simulated": True,
        "um_per_px": p.um_per_px,
        "minutes_per_frame": p.minutes_per_frame,
        "frames": len(movie.frames),
        "tracks": len(cells),
        "somas": int(movie.visible.sum()),
        "arrested_cells": int(cells["arrested"].sum()),
        "observed_h": hours,
        "saltations": len(saltations),
        "saltation_frequency_per_h": _ratio(len(saltations), hours),
        "saltation_frequency_not_arrested_per_h": _ratio(len(moving_salts), float(moving["duration_h"].sum())),
        "saltation_length_um": _mean(saltations["length_um"]),
        "speed_when_mobile_um_per_h": _mean(saltations["speed_um_per_h"]),
        "mean_speed_um_per_h": _ratio(float(cells["path_um"].sum()), hours),
        "missing_frames": list(movie.missing_frames),
        "blurred_frames": list(movie.blurred_frames),
        "warnings": ["This is a simulation: the numbers are the truth that was put in, not a measurement."],
    }


def _state_names(codes):
    return np.array(STATES, object)[codes.astype(np.uint8)]


def _visible_spans(movie):
    """(index, (first, last visible frame)) of each cell that is ever visible."""
    for index in np.flatnonzero(movie.visible.any(axis=1)):
        frames = np.flatnonzero(movie.visible[index])
        yield int(index), (int(frames[0]), int(frames[-1]))


def _cell_row(motion: Motion, index, first, last):
    start_min, end_min = motion.times_min[first], motion.times_min[last]
    duration_h = (end_min - start_min) / 60.0
    path = float(motion.path_um[index, last] - motion.path_um[index, first])
    away = motion.centre_um[index, first : last + 1] - motion.centre_um[index, first]
    distances = np.hypot(away[:, 0], away[:, 1])
    net = float(distances[-1])
    started = _saltations_from(motion, index, first, last)
    mobile_min, pauses_min = _time_shares(motion, index, start_min, end_min)
    return {
        "track_id": int(motion.track_ids[index]),
        "first_frame": first,
        "last_frame": last,
        "duration_h": duration_h,
        "path_um": path,
        "net_displacement_um": net,
        "mean_speed_um_per_h": _ratio(path, duration_h),
        "speed_when_mobile_um_per_h": _mean(60.0 * started["length_um"] / started["duration_min"]),
        "saltation_count": len(started),
        "saltation_frequency_per_h": _ratio(len(started), duration_h),
        "saltation_length_um": _mean(started["length_um"]),
        "pause_median_min": float(np.median(pauses_min)) if len(pauses_min) else float("nan"),
        "pause_fraction": 1.0 - _ratio(mobile_min, end_min - start_min),
        "arrested": bool(motion.behaviour[index] == "arrested"),
        "straightness": min(_ratio(net, path), 1.0),
        "outreach": min(_ratio(float(distances.max()), path), 1.0),
        "direction_deg": float(np.rad2deg(np.arctan2(-away[-1, 0], away[-1, 1]))) if path > 0 else float("nan"),
        "behaviour": str(motion.behaviour[index]),
    }


def _saltations_of(motion, index):
    table = motion.saltations
    return table[table["track_id"] == motion.track_ids[index]].sort_values("start_min")


def _saltations_from(motion, index, first, last):
    """The saltations that start from the first visible frame on and before the last."""
    table = _saltations_of(motion, index)
    start = table["start_min"]
    return table[(start >= motion.times_min[first]) & (start < motion.times_min[last])].copy()


def _time_shares(motion, index, start_min, end_min):
    """Minutes in saltations within the time given, and the pauses between two of them that lie within it."""
    table = _saltations_of(motion, index)
    starts = table["start_min"].to_numpy(float)
    ends = starts + table["duration_min"].to_numpy(float)
    mobile_min = float(np.maximum(np.minimum(ends, end_min) - np.maximum(starts, start_min), 0.0).sum())
    whole = (ends[:-1] >= start_min) & (starts[1:] <= end_min)
    return mobile_min, (starts[1:] - ends[:-1])[whole]


def _ratio(numerator, denominator):
    return float(numerator) / float(denominator) if denominator > 0 else float("nan")


def _mean(values):
    return float(np.mean(values)) if len(values) else float("nan")
