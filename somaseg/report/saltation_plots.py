"""Plots of saltations: a strip of time per cell, the distributions, and what the threshold does to the numbers."""

import numpy as np

from somaseg.migration.steps import find_steps
from somaseg.report.plot_style import (
    BLACK,
    FIT,
    GREY,
    LIGHT_GREY,
    MEASURED,
    SALTATION,
    SPREAD,
    new_axes,
    new_figure,
    tidy,
    too_many_for_vectors,
)

_STRIP_WIDTH_IN = 9.8
_ROW_IN, _TALLEST_IN = 0.16, 16.0
_MOST_NAMED_ROWS = 100


def draw_strips(migration, result):
    """A row per cell: gray where it is seen, darker the faster it steps, and a bar for each saltation; None if no cell.

    Rows are in order of saltations per hour, the busiest on top. A white line within a row is a missed frame.
    """
    tracks, cells = result.tracks, migration.cells
    if len(cells) == 0:
        return None
    order = cells.sort_values(["saltation_frequency_per_h", "duration_h"], ascending=False, kind="stable")["track_id"]
    row_of = {int(track_id): row for row, track_id in enumerate(order)}
    minutes = result.calibration.minutes_per_frame
    rows = len(order)
    row_in = min(_ROW_IN, (_TALLEST_IN - 1.2) / rows)
    figure = new_figure(width_in=_STRIP_WIDTH_IN, height_in=max(1.2 + rows * row_in, 2.2))
    axes = figure.add_subplot(xlabel="time of the movie (h)", ylabel="cell (track_id)")
    axes.spines[["top", "right", "left"]].set_visible(False)
    frames = int(tracks["frame"].max()) + 1
    picture = axes.imshow(
        _speeds(tracks, row_of, frames, minutes),
        aspect="auto",
        interpolation="none",
        cmap="Greys",
        vmin=-40,  # so that a cell at rest is not the white of a missed one
        vmax=120,
        extent=(0, frames * minutes / 60, rows - 0.5, -0.5),
    )
    _mark_missed_frames(axes, tracks, row_of, minutes)
    _mark_saltations(axes, migration.saltations, row_of, flat=too_many_for_vectors(10 * len(migration.saltations)))
    if rows <= _MOST_NAMED_ROWS:
        axes.set_yticks(range(rows), [str(int(track_id)) for track_id in order])
        axes.tick_params(axis="y", length=0, labelsize=max(4.0, min(8.0, 55 * row_in)))
    else:
        axes.set_yticks([])
        axes.set_ylabel(f"{rows} cells")
    axes.set_ylim(rows - 0.5, -0.5)
    bar = figure.colorbar(picture, ax=axes, fraction=0.02, pad=0.01, aspect=18 if rows > 20 else 10, extend="max")
    bar.ax.set_ylim(0, 120)
    bar.set_label("speed (µm/h)", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    return figure


def draw_saltation_lengths(migration, result):
    """Histogram of the lengths of all saltations; None without one."""
    return _histogram(migration.saltations["length_um"], xlabel="saltation length (µm)", ylabel="saltations")


def draw_saltation_durations(migration, result):
    """Histogram of the durations of all saltations, in bins of whole frame intervals; None without one."""
    durations = migration.saltations["duration_min"].dropna().to_numpy(float)
    if len(durations) == 0:
        return None
    interval = result.calibration.minutes_per_frame
    most = int(np.ceil(durations.max() / interval + 1e-9))
    wide = max(1, -(-most // 40))
    edges = np.append(0, np.arange(0.5, most + 0.5 + wide, wide)) * interval
    return _histogram(durations, xlabel="saltation duration (min)", ylabel="saltations", bins=edges)


def draw_pauses(migration, result):
    """Kaplan-Meier curve of the pauses, with the median where the curve reaches it; None without a pause."""
    curve = migration.curves.get("pause_survival")
    if curve is None or len(curve[curve["pause_min"] > 0]) == 0:
        return None
    figure = new_figure()
    axes = new_axes(figure, xlabel="pause (min)", ylabel="share of pauses longer than this")
    minutes, survival = (curve[name].to_numpy(float) for name in ("pause_min", "survival"))
    if minutes[0] > 0:
        minutes, survival = np.append(0, minutes), np.append(1, survival)
    axes.step(minutes, survival, where="post", color=MEASURED, linewidth=2)
    if {"survival_low", "survival_high"} <= set(curve):
        low, high = (curve[name].to_numpy(float) for name in ("survival_low", "survival_high"))
        axes.fill_between(curve["pause_min"], low, high, step="post", color=SPREAD, alpha=0.35, linewidth=0)
    reached = np.flatnonzero(survival <= 0.5)
    if len(reached):
        median = minutes[reached[0]]
        axes.plot([0, median, median], [0.5, 0.5, 0], ":", color=BLACK, linewidth=1)
        axes.annotate(f"median {median:.3g} min", (median, 0.5), (6, 4), textcoords="offset points", fontsize=9)
    axes.set(ylim=(0, 1.02), xlim=(0, None))
    return figure


def draw_cell_speeds(migration, result):
    """Histogram of the mean speeds of the cells, and corrected for position noise where that is known; None if none."""
    speeds = migration.cells["mean_speed_um_per_h"].dropna()
    corrected = migration.cells.get("mean_speed_noise_corrected_um_per_h")
    also = None if corrected is None else corrected.dropna()
    return _histogram(
        speeds, xlabel="mean speed of a cell (µm/h)", ylabel="cells", also=also, names=("as measured", "less the noise")
    )


def draw_cell_frequencies(migration, result):
    """Histogram of the saltations per hour of the cells; None if no cell has one."""
    values = migration.cells["saltation_frequency_per_h"].dropna()
    return _histogram(values, xlabel="saltations per hour of a cell", ylabel="cells")


def draw_threshold_sensitivity(migration, result):
    """Saltation frequency and length against the threshold on speed, with the one that was used.

    None if it is not known, or if no threshold finds any.
    """
    table = migration.curves.get("threshold_sensitivity")
    if table is None or not (table[_column(table, "frequency")] > 0).any():
        return None
    figure = new_figure(height_in=4.2)
    used = migration.summary.get("on_speed_um_per_h")
    panels = figure.subplots(2, 1, sharex=True)
    for axes, name, label in (
        (panels[0], _column(table, "frequency"), "saltations per h"),
        (panels[1], _column(table, "length"), "length (µm)"),
    ):
        axes.plot(table["on_speed_um_per_h"], table[name], "o-", color=MEASURED, markersize=3.5)
        if used is not None:
            axes.axvline(used, color=FIT, linestyle="--", linewidth=1.2, label=f"used: {used:.3g} µm/h")
        axes.set_ylabel(label)
        top = table[name].max()
        axes.set_ylim(0, 1.15 * top if top > 0 else 1)
        tidy(axes)
    panels[1].set_xlabel("threshold on speed (µm/h)")
    if used is not None:
        panels[0].legend(fontsize=8)
    return figure


def _column(table, word):
    return next(name for name in table.columns if word in name)


def _speeds(tracks, row_of, frames, minutes):
    """Speed (rows, frames) from each frame to the next, over a gap the mean of it; NaN before and after the track."""
    speeds = np.full((len(row_of), frames), np.nan, np.float32)  # drawn at many times its size
    known = tracks[tracks["track_id"].isin(row_of)]
    last = known.groupby("track_id")["frame"].max()
    speeds[last.index.map(row_of), last.to_numpy(int)] = 0.0
    for step in find_steps(known, minutes_per_frame=minutes).itertuples():
        speeds[row_of[step.track_id], step.frame : step.next_frame] = step.speed_um_per_h
    return speeds


def _mark_missed_frames(axes, tracks, row_of, minutes):
    steps = find_steps(tracks[tracks["track_id"].isin(row_of)], minutes_per_frame=minutes)
    over = steps[steps["next_frame"] > steps["frame"] + 1]
    frames = [range(int(first) + 1, int(after)) for first, after in zip(over["frame"], over["next_frame"])]
    hours = np.array([frame for own in frames for frame in own], float) * minutes / 60
    rows = np.repeat(over["track_id"].map(row_of).to_numpy(float), [len(own) for own in frames])
    axes.vlines(hours, rows - 0.5, rows + 0.02, colors="white", linewidth=2)


def _mark_saltations(axes, saltations, row_of, *, flat):
    from matplotlib.collections import PolyCollection

    known = saltations[saltations["track_id"].isin(row_of)]
    if known.empty:
        return
    row = known["track_id"].map(row_of).to_numpy(float)
    start = known["start_min"].to_numpy(float) / 60
    end = start + known["duration_min"].to_numpy(float) / 60
    top, bottom = row + 0.04, row + 0.46
    corners = np.stack([[start, top], [end, top], [end, bottom], [start, bottom]], axis=0).transpose(2, 0, 1)
    cut = known["cut_by_track_end"].astype("boolean").fillna(False).to_numpy(bool)
    for which, options in ((~cut, {"facecolors": SALTATION}), (cut, {"facecolors": "white", "edgecolors": SALTATION})):
        axes.add_collection(PolyCollection(corners[which], linewidths=0.6, rasterized=flat, **options))


def _histogram(values, *, xlabel, ylabel, bins=None, also=None, names=("", "")):
    values = np.asarray(values.dropna() if hasattr(values, "dropna") else values, float)
    if len(values) == 0:
        return None
    if bins is None:
        together = values if also is None else np.append(values, also)
        low, high = min(0.0, float(together.min())), float(together.max())
        count = int(np.clip(np.ceil(2 * np.sqrt(len(values))), 5, 30))
        bins = np.linspace(low, high if high > low else low + 1, count + 1)
    figure = new_figure(height_in=3.1)
    axes = new_axes(figure, xlabel=xlabel, ylabel=ylabel)
    axes.grid(visible=False, axis="x")
    axes.hist(values, bins=bins, color=SPREAD, edgecolor="white", linewidth=0.6, label=names[0])
    if also is not None and len(also):
        axes.hist(also, bins=bins, histtype="step", color=BLACK, linewidth=1.4, label=names[1])
        axes.legend(fontsize=8)
    median = float(np.median(values))
    axes.axvline(median, color=GREY, linestyle="--", linewidth=1.2)
    axes.set_title(f"n = {len(values)}, median {median:.3g}", fontsize=9, loc="left")
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.spines["left"].set_color(LIGHT_GREY)
    return figure
