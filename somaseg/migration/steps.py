"""Tracks as steps with a length, a speed and a direction, and as a grid of cells and frames.

A frame in which a cell was missed is a gap: the step over it takes longer and lies on the straight line.
"""

import numpy as np
import pandas as pd

from somaseg.migration.displacements import DISPLACEMENT_COLUMNS, checked_tracks, find_displacements

STEP_COLUMNS = (*DISPLACEMENT_COLUMNS, "duration_min", "length_um", "speed_um_per_h", "direction_deg")


def find_steps(tracks: pd.DataFrame, *, minutes_per_frame: float) -> pd.DataFrame:
    """One row per pair of positions that follow each other in a track: `STEP_COLUMNS`.

    direction_deg is 0 along +x and counter-clockwise as seen on screen, in -180..180, NaN for a step of length 0.

    Args:
        tracks: `pandas.DataFrame` with track_id, frame, y_um, x_um.
        minutes_per_frame: float.

    Raises:
        ValueError: see `somaseg.migration.displacements.find_displacements`.

    >>> tracks = pd.DataFrame({"track_id": 1, "frame": [0, 2], "y_um": [0, -3], "x_um": [0, 4]})
    >>> find_steps(tracks, minutes_per_frame=15)[["duration_min", "length_um", "speed_um_per_h"]].values.tolist()
    [[30.0, 5.0, 10.0]]
    """
    return with_lengths(find_displacements(tracks), minutes_per_frame=minutes_per_frame)


def with_lengths(displacements: pd.DataFrame, *, minutes_per_frame: float) -> pd.DataFrame:
    """Displacements (`DISPLACEMENT_COLUMNS`) with what follows from them: `STEP_COLUMNS`."""
    length_um = np.hypot(displacements["dy_um"], displacements["dx_um"])
    duration_min = (displacements["next_frame"] - displacements["frame"]) * float(minutes_per_frame)
    return displacements.assign(
        duration_min=duration_min,
        length_um=length_um,
        speed_um_per_h=60.0 * length_um / duration_min,
        direction_deg=direction_deg(displacements["dy_um"], displacements["dx_um"]),
    )


def direction_deg(dy_um, dx_um):
    """Direction of displacements in degrees, 0 = +x, counter-clockwise on screen (+y, down, is -90); NaN for none.

    >>> direction_deg(np.array([0.0, -1.0, 1.0, 0.0]), np.array([2.0, 0.0, 0.0, 0.0])).tolist()
    [0.0, 90.0, -90.0, nan]
    """
    dy, dx = np.asarray(dy_um, float), np.asarray(dx_um, float)
    # 0.0 - dy and not -dy: the latter makes -0.0 of 0, and arctan2 then gives -180 for straight left.
    return np.where((dy == 0) & (dx == 0), np.nan, np.rad2deg(np.arctan2(0.0 - dy, dx)))


def shorter_way_round_deg(angle_deg):
    """Differences of directions in -180..180.

    >>> shorter_way_round_deg(np.array([350.0, -190.0, 180.0])).tolist()
    [-10.0, 170.0, 180.0]
    """
    return 180.0 - (180.0 - np.asarray(angle_deg, float)) % 360.0


def position_grid(tracks: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """(track ids, int (N,)), (positions, float (N, T, 2) as (y, x) in um, NaN where a cell was not seen).

    T is the number of frames from the first to the last in which any cell was seen.

    >>> tracks = pd.DataFrame({"track_id": 7, "frame": [3, 5], "y_um": [0, 1], "x_um": [0, 1]})
    >>> position_grid(tracks)[1][0, :, 1].tolist()
    [0.0, nan, 1.0]
    """
    own = checked_tracks(tracks)
    ids, row = np.unique(own["track_id"].to_numpy(), return_inverse=True)
    frame = own["frame"].to_numpy()
    frame = frame - frame.min() if len(frame) else frame
    grid = np.full((len(ids), int(frame.max(initial=-1)) + 1, 2), np.nan)
    grid[row, frame] = own[["y_um", "x_um"]].to_numpy()
    return ids, grid
