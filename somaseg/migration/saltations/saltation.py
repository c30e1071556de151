"""From tracks to saltations by thresholds: when each cell is on the move, how far and how long it goes.

A step is moving when it is both fast and clear of the position noise; a slower step beside a moving one belongs to it
(hysteresis), as a soma starts and stops within a frame interval. Saltations are runs of moving steps. What lies between
two frames is not seen: at long intervals runs merge, and `interval_correction` says by how much.
"""

import math
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import pandas as pd

from somaseg.migration.displacements import checked_tracks, find_displacements
from somaseg.migration.saltations.position_noise import measure_position_noise, remove_drift_residue
from somaseg.tracking.tables import SALTATION_COLUMNS

_SHORTEST_STEP_MIN = 5.0
_FEW_POSITIONS = 3  # of a piece of track that, if it moves throughout, is rather a false soma: docs/sampling.md


@dataclass(frozen=True)
class SaltationParameters:
    """What counts as a saltation. Defaults: see docs/sampling.md for what they were measured on (simulated movies).

    Attributes:
        on_speed_um_per_h: least speed of a step that starts a saltation. Over a gap the cell may have moved in one
            interval and rested in the others: `off_speed_um_per_h` is asked of those.
        off_speed_um_per_h: least speed of a step that goes on with one.
        noise_multiple: a starting step is also longer than so many sd of the difference of two noisy positions,
            sqrt(2) sigma; a continuing one than half as many. At 4, a resting step starts one once in 3000.
        minimum_length_um: least net displacement of a saltation, 5: half a soma.
        longest_gap_frames: a step over more missed frames than this is not judged, and the track counts as two.
        remove_drift_residue: bool, take off what all resting somas of a frame do together.

    Raises:
        ValueError: a value outside its limits, or an off speed above the on speed.

    >>> SaltationParameters(on_speed_um_per_h=-1)
    Traceback (most recent call last):
    ...
    ValueError: on_speed_um_per_h must be a number from 0, got -1.
    """

    on_speed_um_per_h: float = 20.0
    off_speed_um_per_h: float = 10.0
    noise_multiple: float = 4.0
    minimum_length_um: float = 5.0
    longest_gap_frames: int = 3
    remove_drift_residue: bool = True

    def __post_init__(self):
        for field in fields(self)[:5]:
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
                raise ValueError(f"{field.name} must be a number from 0, got {value!r}.")
        if self.longest_gap_frames != int(self.longest_gap_frames):
            raise ValueError(f"longest_gap_frames must be a whole number, got {self.longest_gap_frames!r}.")
        if self.off_speed_um_per_h > self.on_speed_um_per_h:
            raise ValueError(
                "off_speed_um_per_h must be at most on_speed_um_per_h, "
                f"got {self.off_speed_um_per_h} and {self.on_speed_um_per_h}."
            )


@dataclass(frozen=True, eq=False)
class Saltations:
    """The saltations of a movie as they appear at its frame interval.

    Attributes:
        table: DataFrame, one row per saltation with SALTATION_COLUMNS. start_min and duration_min are those of the
            frames around it; length_um is net; cut_by_track_end: it was under way in the first or last frame of its
            track, so that it is longer than it looks. Further column: started, False where it was under way in the
            first step of its track, so that it may have started before. One that fills a piece of track of two or three
            positions is left out: it tells neither frequency nor length, and is a false soma more often than a cell.
        steps: DataFrame, one row per judged step: track_id, frame, next_frame, moving, speed_um_per_h (of the step, gap
            included), dy_um, dx_um (drift residue taken off).
        cells: DataFrame, one row per track of `tracks`: track_id, started (saltations seen to start), exposure_h (the
            time in which a start would be seen: without the first step of each piece of the track), frequency_per_h.
        minutes_per_frame, noise_um, parameters: what they rest upon.

    Below 4 min between frames positions are averaged over as many frames as make 5 min (`averaged_frames`); the frames
    of table and steps are the middle ones, and `step_noise_um` is the noise left.
    """

    table: pd.DataFrame
    steps: pd.DataFrame
    cells: pd.DataFrame
    minutes_per_frame: float
    noise_um: float
    parameters: SaltationParameters

    @property
    def step_noise_um(self) -> float:
        """sd along each axis of the positions that steps are between."""
        return self.noise_um / math.sqrt(averaged_frames(self.minutes_per_frame))

    @cached_property
    def frequency_per_h(self) -> float:
        """Saltations seen to start per hour in which a start would be seen, pooled over cells; NaN without hours."""
        hours = self.cells["exposure_h"].sum()
        return float(self.cells["started"].sum() / hours) if hours > 0 else math.nan

    @cached_property
    def length_um(self) -> float:
        """Mean length of the saltations that are not cut by a track end; NaN without any."""
        whole = self.table.loc[~self.table["cut_by_track_end"].astype(bool), "length_um"]
        return float(whole.mean()) if len(whole) else math.nan

    @cached_property
    def warnings(self) -> list:
        """What to know before trusting the numbers: a frame interval too long for how often the cells jump."""
        frequency, minutes = self.frequency_per_h, self.minutes_per_frame
        if not frequency > 0 or minutes <= 60.0 / (12.0 * frequency):
            return []
        return [
            f"Frame interval {minutes:g} min is too long for {frequency:.2g} saltations/h as they appear (it should be "
            f"at most {60 / (12 * frequency):.2g} min): saltations merge and look rarer and longer than they are."
        ]


def find_saltations(
    tracks: pd.DataFrame,
    *,
    minutes_per_frame: float,
    noise_um: float,
    parameters: SaltationParameters = SaltationParameters(),
    drift: pd.DataFrame | None = None,
) -> Saltations:
    """Find the saltations of every track by thresholds on speed and on length against noise, with hysteresis.

    Args:
        tracks: track_id, frame, y_um, x_um.
        minutes_per_frame: frame interval.
        noise_um: sd of a soma's position along each axis, as `measure_position_noise` finds it.

        drift: `PositionNoise.drift` of these tracks, to take off; measured anew if None.

    Raises:
        ValueError: an argument that is no number above 0 (noise: from 0), or tracks that are no tracks.

    >>> tracks = pd.DataFrame({"track_id": 1, "frame": range(6), "y_um": 0.0, "x_um": [0, 0, 7.0, 14, 14, 14]})
    >>> found = find_saltations(tracks, minutes_per_frame=10, noise_um=0.3)
    >>> found.table[["start_frame", "end_frame", "length_um", "speed_um_per_h"]].values.tolist()
    [[1.0, 3.0, 14.0, 42.0]]
    """
    _check_number("minutes_per_frame", minutes_per_frame, "a number above 0", minutes_per_frame > 0)
    _check_number("noise_um", noise_um, "a number from 0", noise_um >= 0)
    tracks = checked_tracks(tracks)
    ids = np.unique(tracks["track_id"].to_numpy())
    if parameters.remove_drift_residue:
        tracks = remove_drift_residue(tracks, measure_position_noise(tracks).drift if drift is None else drift)
    together = averaged_frames(minutes_per_frame)
    minutes = together * float(minutes_per_frame)
    steps = find_displacements(_averaged(tracks, together))
    intervals = (steps["next_frame"] - steps["frame"]).to_numpy()
    known = intervals <= parameters.longest_gap_frames + 1
    steps, intervals = steps[known].reset_index(drop=True), intervals[known]
    lengths = np.hypot(steps["dy_um"], steps["dx_um"]).to_numpy()
    steps["speed_um_per_h"] = lengths / (intervals * minutes / 60.0)

    on, off = _moving(lengths, intervals, minutes, noise_um / math.sqrt(together), parameters)
    piece = _pieces(steps)
    begin, end = _runs(on, off, piece)
    net = _net_displacements(steps, begin, end)
    long_enough = np.hypot(*net.T) >= parameters.minimum_length_um
    begin, end, net = begin[long_enough], end[long_enough], net[long_enough]
    moving = np.zeros(len(steps) + 1, int)
    np.add.at(moving, begin, 1)
    np.add.at(moving, end + 1, -1)
    steps["moving"] = np.cumsum(moving)[:-1] > 0

    first_of_piece = np.concatenate([[True], piece[1:] != piece[:-1]]) if len(steps) else np.zeros(0, bool)
    last_of_piece = np.concatenate([first_of_piece[1:], [True]]) if len(steps) else np.zeros(0, bool)
    steps["frame"], steps["next_frame"] = (_middle(steps[name], together) for name in ("frame", "next_frame"))
    table = _table(steps, begin, end, net, minutes_per_frame)
    table["started"] = ~first_of_piece[begin]
    table["cut_by_track_end"] = first_of_piece[begin] | last_of_piece[end]
    never_rests = first_of_piece[begin] & last_of_piece[end] & (end - begin + 2 <= _FEW_POSITIONS)
    table = table.loc[~never_rests, [*SALTATION_COLUMNS, "started"]].reset_index(drop=True)
    cells = _cells(ids, steps, table, intervals * ~first_of_piece * minutes / 60.0)
    order = ["track_id", "frame", "next_frame", "moving", "speed_um_per_h", "dy_um", "dx_um"]
    return Saltations(table, steps[order], cells, float(minutes_per_frame), float(noise_um), parameters)


def averaged_frames(minutes_per_frame: float) -> int:
    """Over how many frames positions are averaged: 1 from 4 min on, below as many as come nearest to 5 min.

    At shorter intervals a jump is no clearer than noise from one frame to the next.

    >>> [averaged_frames(minutes) for minutes in (1, 2, 3, 4, 15)]
    [5, 2, 2, 1, 1]
    """
    return max(1, round(_SHORTEST_STEP_MIN / minutes_per_frame))


def _check_number(name, value, expected, fits):
    if not (isinstance(value, (int, float, np.number)) and math.isfinite(value) and fits):
        raise ValueError(f"{name} must be {expected}, got {value!r}.")


def _averaged(tracks, together):
    """Tracks whose frame is a number of `together` frames in a row and whose position is the mean over those seen."""
    if together == 1:
        return tracks
    tracks = tracks.assign(frame=tracks["frame"] // together)
    return tracks.groupby(["track_id", "frame"], as_index=False)[["y_um", "x_um"]].mean()


def _middle(block, together):
    return block * together + (together - 1) // 2


def _moving(lengths, intervals, minutes, noise_um, p):
    """Which steps start and which go on with a saltation."""
    hours = minutes / 60.0
    floor = p.noise_multiple * math.sqrt(2.0) * noise_um
    on = lengths > np.maximum((p.on_speed_um_per_h + (intervals - 1) * p.off_speed_um_per_h) * hours, floor)
    off = lengths > np.maximum(intervals * p.off_speed_um_per_h * hours, floor / 2.0)
    return on, off | on


def _pieces(steps):
    """Number of the unbroken piece of track that each step belongs to."""
    if not len(steps):
        return np.zeros(0, int)
    track, frame, following = (steps[name].to_numpy() for name in ("track_id", "frame", "next_frame"))
    new = (track[1:] != track[:-1]) | (frame[1:] != following[:-1])
    return np.concatenate([[0], np.cumsum(new)])


def _runs(on, off, piece):
    """First and last step of each longest run of `off` steps within a piece that holds an `on` step."""
    if not len(on):
        return np.zeros(0, int), np.zeros(0, int)
    joined = off[1:] & off[:-1] & (piece[1:] == piece[:-1])
    begin = np.flatnonzero(off & ~np.concatenate([[False], joined]))
    end = np.flatnonzero(off & ~np.concatenate([joined, [False]]))
    count = np.concatenate([[0], np.cumsum(on)])
    starts = count[end + 1] > count[begin]
    return begin[starts], end[starts]


def _net_displacements(steps, begin, end):
    along = np.zeros((len(steps) + 1, 2))
    along[1:] = np.cumsum(steps[["dy_um", "dx_um"]].to_numpy(float).reshape(-1, 2), axis=0)
    return along[end + 1] - along[begin]


def _table(steps, begin, end, net, minutes):
    first, last = steps["frame"].to_numpy()[begin], steps["next_frame"].to_numpy()[end]
    lengths, duration_min = np.hypot(*net.T), (last - first) * float(minutes)
    return pd.DataFrame(
        {
            "track_id": steps["track_id"].to_numpy()[begin],
            "start_frame": first,
            "end_frame": last,
            "start_min": first * float(minutes),
            "duration_min": duration_min,
            "length_um": lengths,
            "speed_um_per_h": 60.0 * lengths / duration_min,
            "heading_deg": np.degrees(np.arctan2(0.0 - net[:, 0], net[:, 1])),
        }
    )


def _cells(ids, steps, table, hours):
    started = table[table["started"]].groupby("track_id").size().reindex(ids, fill_value=0)
    exposure = pd.Series(hours).groupby(steps["track_id"].to_numpy()).sum().reindex(ids, fill_value=0.0)
    cells = pd.DataFrame({"track_id": ids, "started": started.to_numpy(int), "exposure_h": exposure.to_numpy(float)})
    cells["frequency_per_h"] = cells["started"] / cells["exposure_h"].where(cells["exposure_h"] > 0)
    return cells
