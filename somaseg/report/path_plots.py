"""Plots of where cells went: tracks from a common origin, directions, and speed and displacement over time."""

import numpy as np

from somaseg.migration.steps import find_steps
from somaseg.report.plot_style import (
    BLACK,
    GREEN,
    GREY,
    LIGHT_GREY,
    MEASURED,
    SPREAD,
    STILL,
    VERMILLION,
    new_axes,
    new_figure,
    tidy,
    too_many_for_vectors,
)

_UNTOLD = "seen too briefly to tell"
_SECTORS = 24  # as in Polleux et al. 2002


def draw_tracks_from_origin(migration, result):
    """All tracks moved to begin at one point, as seen on screen; None without a track of two positions."""
    from matplotlib.collections import LineCollection

    tracks = _with_displacement(result.tracks)
    tracks = tracks[tracks.groupby("track_id")["frame"].transform("size") > 1]
    if tracks.empty:
        return None
    figure = new_figure(height_in=4.4)
    axes = new_axes(figure, xlabel="to the right (µm)", ylabel="up (µm)", aspect="equal")
    kind = migration.cells.set_index("track_id")["arrested"].astype("boolean")
    kind = tracks["track_id"].map(kind.map({True: "arrested", False: "moving"}).fillna(_UNTOLD))
    for name, colour in (("arrested", STILL), ("moving", MEASURED), (_UNTOLD, SPREAD)):
        own = tracks[kind == name]
        if own.empty:
            continue
        paths = _of_each_track(own, own[["right_um", "up_um"]].to_numpy())
        ends = np.array([path[-1] for path in paths])
        flat = too_many_for_vectors(len(tracks))
        fainter = float(np.clip(30 / len(paths), 0.25, 0.8))
        axes.add_collection(LineCollection(paths, colors=colour, linewidths=0.9, alpha=fainter, rasterized=flat))
        axes.plot(*ends.T, "o", markersize=3, color=colour, label=f"{name} ({len(paths)})", rasterized=flat)
    reach = 1.05 * max(float(tracks[["right_um", "up_um"]].abs().max().max()), 1.0)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach))
    axes.plot(0, 0, "+", color=BLACK, markersize=10)
    axes.legend(loc="upper right", fontsize=8, framealpha=0.9)
    return figure


def draw_rose(migration, result):
    """Directions from start to end, one per cell, in 24 sectors whose area is the count, with the resultant.

    The arrow points in the mean direction; its length is R, with the edge of the plot at 1. None without a direction.
    """
    degrees = directions_deg(migration)
    if len(degrees) == 0:
        return None
    figure = new_figure(height_in=4.4)
    axes = figure.add_subplot(projection="polar")
    counts = np.histogram(degrees % 360, bins=np.linspace(0, 360, _SECTORS + 1))[0]
    width = 2 * np.pi / _SECTORS
    axes.bar(
        (np.arange(_SECTORS) + 0.5) * width,
        np.sqrt(counts),
        width=width,
        color=SPREAD,
        edgecolor="white",
        linewidth=0.6,
    )
    most = int(counts.max())
    rings = [count for count in (1, 2, 5, 10, 20, 50, 100, 200, 500) if count <= most][-3:]
    axes.set_yticks(np.sqrt(rings), [str(count) for count in rings])
    axes.set_ylim(0, 1.08 * np.sqrt(most))
    axes.tick_params(labelsize=8)
    axes.set_rlabel_position(67.5)
    axes.grid(color=LIGHT_GREY, linewidth=0.6)
    axes.spines["polar"].set_color(LIGHT_GREY)
    resultant = np.exp(1j * np.deg2rad(degrees)).mean()
    if abs(resultant) > 1e-9:
        tip = {"xy": (np.angle(resultant), abs(resultant) * axes.get_ylim()[1]), "xytext": (0, 0)}
        axes.annotate("", **tip, arrowprops={"arrowstyle": "-|>", "color": VERMILLION, "linewidth": 2, "shrinkA": 0})
    axis = migration.summary.get("axis_deg")
    if axis is not None:
        axes.plot(np.deg2rad([axis, axis]), [0, axes.get_ylim()[1]], "--", color=BLACK, linewidth=1)
    axes.set_title(f"n = {len(degrees)} cells, R = {abs(resultant):.2f}", fontsize=10)
    return figure


def draw_speed_over_time(migration, result):
    """Mean over cells of the speed from frame to frame with its 95 % interval, and the median; None without a step."""
    steps = find_steps(result.tracks, minutes_per_frame=result.calibration.minutes_per_frame)
    steps = steps[steps["next_frame"] == steps["frame"] + 1]
    if steps.empty:
        return None
    by_frame = steps.groupby("frame")["speed_um_per_h"].agg(["mean", "median", "sem"])
    hours = (by_frame.index.to_numpy() + 0.5) * result.calibration.minutes_per_frame / 60
    margin = 1.96 * by_frame["sem"].fillna(0)
    figure = new_figure()
    axes = new_axes(figure, xlabel="time of the movie (h)", ylabel="speed (µm/h)")
    low, high = (by_frame["mean"] - margin).clip(lower=0), by_frame["mean"] + margin
    axes.fill_between(hours, low, high, color=SPREAD, alpha=0.4, linewidth=0, label="95 % interval of the mean")
    marker = "o" if len(hours) == 1 else ""
    axes.plot(hours, by_frame["mean"], color=MEASURED, marker=marker, label="mean of the cells")
    axes.plot(hours, by_frame["median"], "--", color=BLACK, linewidth=1, label="median of the cells")
    axes.set_ylim(0, 1.35 * max(float(high.max()), 1e-6))
    axes.legend(fontsize=8, loc="upper right")
    return figure


def draw_displacement_over_time(migration, result):
    """Distance of each cell from where it was first seen; None without a track of two positions."""
    from matplotlib.collections import LineCollection

    tracks = _with_displacement(result.tracks)
    tracks = tracks[tracks.groupby("track_id")["frame"].transform("size") > 1]
    if tracks.empty:
        return None
    distance = np.hypot(tracks["right_um"], tracks["up_um"])
    hours = tracks["since_start_min"] / 60
    figure = new_figure()
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    lines = _of_each_track(tracks, np.column_stack([hours, distance]))
    flat = too_many_for_vectors(len(tracks))
    axes.add_collection(LineCollection(lines, colors=GREY, linewidths=0.7, alpha=0.4, rasterized=flat))
    mean = distance.groupby(tracks["since_start_min"]).agg(["mean", "size"])
    axes.plot(mean.index / 60, mean["mean"], color=MEASURED, linewidth=2, label="mean of the cells still seen")
    below.step(mean.index / 60, mean["size"], where="mid", color=GREEN)
    axes.set(ylabel="from the start (µm)", xlim=(0, max(float(hours.max()), 1e-6)))
    axes.set_ylim(0, 1.05 * max(float(distance.max()), 1e-6))
    below.set(ylabel="cells", xlabel="time since first seen (h)", ylim=(0, 1.1 * mean["size"].max()))
    for own in (axes, below):
        tidy(own)
    axes.legend(fontsize=8, loc="upper left")
    return figure


def directions_deg(migration):
    """One direction per cell, of those that have one."""
    table = migration.curves.get("directions")
    table = migration.cells if table is None else table
    return table["direction_deg"].dropna().to_numpy(float)


def _of_each_track(tracks, values):
    """The rows of `values` as one array per track; `tracks` is sorted by track."""
    return np.split(values, np.flatnonzero(np.diff(tracks["track_id"].to_numpy())) + 1)


def _with_displacement(tracks):
    """The tracks in order, with right_um, up_um and since_start_min from each one's first position."""
    tracks = tracks.sort_values(["track_id", "frame"], ignore_index=True)
    first = tracks.groupby("track_id")[["y_um", "x_um", "time_min"]].transform("first")
    return tracks.assign(
        right_um=tracks["x_um"] - first["x_um"],
        up_um=first["y_um"] - tracks["y_um"],
        since_start_min=tracks["time_min"] - first["time_min"],
    )
