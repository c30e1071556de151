"""The path of each cell in numbers: how far, how fast, how straight, and along which direction.

All are taken from the positions as they stand in tracks.csv, so that they can be checked by hand, and all but the
corrected speed grow or shrink with position noise: it lengthens a path and bends it. Names and edge cases follow
celltrackR (Wortel et al. 2021, ImmunoInformatics 1-2:100003): a path of length 0 has no straightness or outreach.
"""

import math

import numpy as np
import pandas as pd

from somaseg.migration.displacements import checked_tracks
from somaseg.migration.steps import direction_deg, find_steps

PATH_COLUMNS = (
    "track_id",
    "first_frame",
    "last_frame",
    "frames_seen",
    "duration_h",
    "path_um",
    "net_displacement_um",
    "largest_displacement_um",
    "mean_speed_um_per_h",
    "straightness",
    "outreach",
    "displacement_ratio",
    "direction_deg",
    "fmi_along",
    "fmi_across",
)


def measure_paths(tracks: pd.DataFrame, *, minutes_per_frame: float, axis_deg: float | None = None) -> pd.DataFrame:
    """One row per track, `PATH_COLUMNS`; r_0 ... r_n are its positions, t_0 ... t_n their times, gaps included.

    - duration_h = t_n - t_0, and path_um = sum of |r_(i+1) - r_i|, over a gap the straight line.
    - net_displacement_um = |r_n - r_0|, and largest_displacement_um = max of |r_i - r_0|.
    - mean_speed_um_per_h = path / duration.
    - straightness = net / path: "directness" of the ibidi tool, "directionality ratio" d/D of Gorelik & Gautreau 2014,
      Nature Protocols 9:1931, "confinement ratio" of TrackMate.
    - outreach = largest / path, and displacement_ratio = net / largest: Mokhtari et al. 2013, PLoS One 8:e80808.
    - direction_deg of r_n - r_0: 0 = +x, counter-clockwise on screen.
    - fmi_along = (r_n - r_0) . axis / path, and fmi_across the same with the axis turned by +90 degrees: forward
      migration index, Foxman, Kunkel & Butcher 1999, J. Cell Biol. 147:577. NaN without an axis.

    What is divided by 0 is NaN: all of a track seen once but its counts and lengths, which are 0.

    Args:
        tracks: `pandas.DataFrame` with track_id, frame, y_um, x_um.
        minutes_per_frame: float.
        axis_deg: float or None.

    Raises:
        ValueError: see `somaseg.migration.displacements.checked_tracks`.

    >>> tracks = pd.DataFrame({"track_id": 1, "frame": [0, 1, 2], "y_um": [0, 0, -4], "x_um": [0, 3, 3]})
    >>> paths = measure_paths(tracks, minutes_per_frame=30, axis_deg=90)
    >>> paths[["path_um", "net_displacement_um", "mean_speed_um_per_h", "straightness"]].values.round(3).tolist()
    [[7.0, 5.0, 7.0, 0.714]]
    >>> paths[["fmi_along", "fmi_across"]].values.round(3).tolist()
    [[0.571, -0.429]]
    """
    own = checked_tracks(tracks)
    by_track = own.groupby("track_id")
    first, last = by_track.first(), by_track.last()
    away_y = own["y_um"] - own["track_id"].map(first["y_um"])
    away_x = own["x_um"] - own["track_id"].map(first["x_um"])
    steps = find_steps(own, minutes_per_frame=minutes_per_frame)
    net_y, net_x = last["y_um"] - first["y_um"], last["x_um"] - first["x_um"]
    net = np.hypot(net_y, net_x)
    path = steps.groupby("track_id")["length_um"].sum().reindex(first.index, fill_value=0.0)
    largest = np.hypot(away_y, away_x).groupby(own["track_id"]).max()
    duration_h = (last["frame"] - first["frame"]) * float(minutes_per_frame) / 60.0
    axis = math.radians(math.nan if axis_deg is None else axis_deg)
    columns = (
        first["frame"],
        last["frame"],
        by_track.size(),
        duration_h,
        path,
        net,
        largest,
        ratio(path, duration_h),
        ratio(net, path),
        ratio(largest, path),
        ratio(net, largest),
        direction_deg(net_y, net_x),
        ratio(net_x * math.cos(axis) - net_y * math.sin(axis), path),
        ratio(-net_x * math.sin(axis) - net_y * math.cos(axis), path),
    )
    table = pd.DataFrame(dict(zip(PATH_COLUMNS[1:], columns)), index=first.index)
    return table.reset_index()


def ratio(numerator, denominator):
    """numerator / denominator, NaN where the denominator is 0."""
    return numerator / denominator.where(denominator != 0)


def noise_corrected_path_um(steps: pd.DataFrame, *, noise_um: float) -> pd.Series:
    """Length of each track's path without what position noise adds to it, a `pandas.Series` by track_id.

    Noise of sd sigma along each axis makes of a step d one with E[r^2] = d^2 + 4 sigma^2 and, where d is well above
    sigma, E[r] = d + sigma^2 / d (the law of Rice 1945, Bell Syst. Tech. J. 24:46). So:

    - a moving step counts sqrt(r^2 - 2 sigma^2), which is right to the order of sigma^2 / d;
    - n resting steps together count n sqrt(pi / 4 max(0, mean of r^2 - 4 sigma^2)), the path of movement that is normal
      along both axes with the square left over; 0 where that is within two standard errors of noise alone, which
      are 8 sigma^2 sqrt(1.5 / n), as steps that share a position are correlated. Of simulated cells at rest 3 % of
      their seeming path is left; of cells that creep by 1 um per step along each axis under a noise of 0.5 um all
      of it is, of those that creep by 0.6 um 87 % (40 steps).

    Args:
        steps: track_id, moving, dy_um, dx_um, as `somaseg.migration.saltations.saltation.find_saltations` judges them.
        noise_um: float, sigma.

    >>> steps = pd.DataFrame({"track_id": 1, "moving": [False, True], "dy_um": [0.3, 3.0], "dx_um": [0.4, 4.0]})
    >>> noise_corrected_path_um(steps, noise_um=0.5).round(3).tolist()
    [4.95]
    """
    squared = steps["dy_um"] ** 2 + steps["dx_um"] ** 2
    moving = np.sqrt(np.maximum(squared - 2.0 * noise_um**2, 0.0)).where(steps["moving"], 0.0)
    resting = squared.where(~steps["moving"].astype(bool))
    by_track = steps["track_id"].to_numpy()
    n, left_over = resting.groupby(by_track).count(), resting.groupby(by_track).mean() - 4.0 * noise_um**2
    told = left_over > 8.0 * noise_um**2 * np.sqrt(1.5 / n.where(n > 0))
    crept = n * np.sqrt(math.pi / 4.0 * left_over.where(told, 0.0))
    return (moving.groupby(by_track).sum() + crept).rename_axis("track_id")
