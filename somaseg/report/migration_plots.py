"""All plots of a movie's migration, in the order in which a biologist reads them, as files or for the report."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from somaseg.report.path_plots import (
    draw_displacement_over_time,
    draw_rose,
    draw_speed_over_time,
    draw_tracks_from_origin,
)
from somaseg.report.plot_style import save_figure
from somaseg.report.saltation_plots import (
    draw_cell_frequencies,
    draw_cell_speeds,
    draw_pauses,
    draw_saltation_durations,
    draw_saltation_lengths,
    draw_strips,
    draw_threshold_sensitivity,
)
from somaseg.report.walk_plots import draw_direction_autocorrelation, draw_msd


@dataclass(frozen=True)
class Plot:
    """A plot and what to say about it.

    Attributes:
        name: str, its file without the ending.
        group: str, the part of the report it stands in: "paths", "saltations" or "walk".
        title: str, heading.
        caption: str, how to read it.
        nothing: str, said in its place when there is nothing to draw.
        draw: function from (`Migration`, `Result`) to a figure, or to None when there is nothing to draw.
        wide: bool, whether it takes the whole width of the page.
    """

    name: str
    group: str
    title: str
    caption: str
    nothing: str
    draw: Callable
    wide: bool = False


_NO_TRACK = "No cell was followed over two frames or more."
_NO_SALTATION = "No saltation was found."

PLOTS = (
    Plot(
        "tracks_from_origin",
        "paths",
        "Tracks from a common origin",
        "Every track moved so that it begins at the cross; a dot ends it. Right and up are as on screen, drift of the "
        "tissue taken off.",
        _NO_TRACK,
        draw_tracks_from_origin,
    ),
    Plot(
        "rose",
        "paths",
        "Directions",
        "One direction per cell, from its first to its last position. The area of a sector is its number of cells, as "
        "on the rings. The arrow points to the mean direction; it would reach the edge (R = 1) if all cells went the "
        "same way. A dashed line is the axis that was given.",
        "No cell has a direction.",
        draw_rose,
    ),
    Plot(
        "speed_over_time",
        "paths",
        "Speed over time",
        "Speed from each frame to the next. Of cells that jump and rest, the median is near the position noise and the "
        "mean above it. A trend over the movie may be bleaching or damage by light.",
        _NO_TRACK,
        draw_speed_over_time,
    ),
    Plot(
        "displacement_over_time",
        "paths",
        "Displacement over time",
        "Distance of each cell from where it was first seen. Below, how many cells are still seen: where they are few, "
        "the mean says little.",
        _NO_TRACK,
        draw_displacement_over_time,
    ),
    Plot(
        "strips",
        "saltations",
        "Cell by cell",
        "A row per cell, the busiest on top. Gray: the cell is seen, darker the faster it steps. A thin white line: a "
        "missed frame. "
        "Coloured bar: a saltation; an open bar is cut by an end of the track.",
        "No cell was found.",
        draw_strips,
        wide=True,
    ),
    Plot(
        "saltation_lengths",
        "saltations",
        "Saltation length",
        "Net displacement of each saltation. Two jumps within one frame interval count as one long one: the longer the "
        "interval, the more so.",
        _NO_SALTATION,
        draw_saltation_lengths,
    ),
    Plot(
        "saltation_durations",
        "saltations",
        "Saltation duration",
        "In whole frame intervals: nothing shorter than one can be seen.",
        _NO_SALTATION,
        draw_saltation_durations,
    ),
    Plot(
        "pauses",
        "saltations",
        "Pauses",
        "Share of pauses longer than a given time (Kaplan-Meier): pauses cut by an end of the track count for as long "
        "as they were seen.",
        "No pause was seen.",
        draw_pauses,
    ),
    Plot(
        "threshold_sensitivity",
        "saltations",
        "What the threshold does",
        "Frequency and length of saltations, had the threshold on speed been another. Numbers to be trusted change "
        "little about the dashed line.",
        "No saltation was found at any threshold.",
        draw_threshold_sensitivity,
    ),
    Plot(
        "cell_frequencies",
        "saltations",
        "Saltation frequency of the cells",
        "As counted, not corrected for the frame interval.",
        "No cell has a frequency.",
        draw_cell_frequencies,
    ),
    Plot(
        "cell_speeds",
        "walk",
        "Mean speed of the cells",
        "Path over time. Position noise makes every step longer, so the line with it taken off is the better one.",
        "No cell has a speed.",
        draw_cell_speeds,
    ),
    Plot(
        "msd",
        "walk",
        "Mean squared displacement",
        "How far cells get in a given time, squared and averaged. Slope 1: a random walk; slope 2: straight on. The "
        "first points carry the position noise.",
        _NO_TRACK,
        draw_msd,
    ),
    Plot(
        "direction_autocorrelation",
        "walk",
        "How long a direction is kept",
        "Mean cosine of the angle between two steps: 1 is the same direction, 0 none in common. Position noise alone "
        "makes neighbouring steps go back and forth (below 0).",
        "No two steps of a cell are clear of the position noise, so none can be compared.",
        draw_direction_autocorrelation,
    ),
)


def save_plots(folder, migration, result) -> list:
    """Save every plot that has something to show as PNG and SVG.

    Args:
        folder: path, made when it is not there.
        migration: `somaseg.migration.measures.Migration`.
        result: `somaseg.tracking.Result` that it was measured on.

    Returns:
        list of the files' paths.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for plot in PLOTS:
        figure = plot.draw(migration, result)
        if figure is not None:
            paths += save_figure(figure, folder / plot.name)
    return paths
