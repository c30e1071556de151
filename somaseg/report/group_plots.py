"""A comparison of groups as SuperPlots: cells small, assembloids larger, lines largest, in one colour per line.

The eye then counts what the test counts. After Lord et al. 2020, J Cell Biol 219:e202001064.
"""

from textwrap import fill

import numpy as np

from somaseg.migration.groups.comparing import Comparison, ratio_in_words
from somaseg.migration.groups.quantities import quantity
from somaseg.migration.groups.units import assembloid_values, cell_values, line_values

# Okabe & Ito, without the yellow that is lost on white; with the shapes, no two of 35 lines look alike.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000")
SHAPES = ("o", "s", "^", "D", "v")
_CELLS_DRAWN = 3000


def save_superplots(folder, comparison: Comparison) -> list:
    """Save superplot_<quantity>.png and .svg of every quantity compared; returns the paths."""
    import matplotlib

    paths = []
    for name in dict.fromkeys(comparison.table["quantity"]):
        figure = draw_superplot(comparison, name)
        for ending in ("png", "svg"):
            paths.append(folder / f"superplot_{name}.{ending}")
            # Without date and random ids, the same numbers give the same file.
            metadata = {"Date": None} if ending == "svg" else {}
            with matplotlib.rc_context({"svg.hashsalt": "somaseg"}):
                figure.savefig(paths[-1], dpi=150, format=ending, metadata=metadata)
    return paths


def draw_superplot(comparison: Comparison, name: str):
    """The SuperPlot of one quantity as a matplotlib Figure: left the data, right the differences with their intervals.

    Raises:
        ValueError: the quantity was not compared.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = comparison.table[comparison.table["quantity"] == name].to_dict("records")
    if not rows:
        raise ValueError(
            f"{name} was not compared; there are {', '.join(dict.fromkeys(comparison.table['quantity']))}."
        )
    conditions = comparison.study.conditions
    figure = Figure(figsize=(2.6 + 1.5 * len(conditions) + 1.1 * len(rows), 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    data, effect = figure.subplots(1, 2, width_ratios=[1.5 * len(conditions), 0.6 + 0.8 * len(rows)])
    _draw_data(data, comparison, quantity(name), rows)
    _draw_effects(effect, rows, comparison.parameters.confidence, _unit(quantity(name)))
    figure.suptitle(_title(comparison, rows), fontsize=9, x=0.02, ha="left")
    return figure


def line_styles(study) -> dict:
    """(colour, shape) of each line; a line that is in two conditions, and the lines of a pair, share theirs."""
    key = "pair" if "pair" in study.movies else "line"
    names = dict.fromkeys(study.movies[key])
    styles = {
        name: (COLOURS[k % len(COLOURS)], SHAPES[k // len(COLOURS) % len(SHAPES)]) for k, name in enumerate(names)
    }
    if key == "line" and not _shared_lines(study):
        # Lines of different conditions stand apart, so each condition may begin with the first colour.
        styles = {}
        for _, movies in study.movies.groupby("condition", sort=False):
            for k, name in enumerate(dict.fromkeys(movies["line"])):
                styles[name] = (COLOURS[k % len(COLOURS)], SHAPES[k // len(COLOURS) % len(SHAPES)])
    return {row["line"]: styles[row[key]] for row in study.movies.to_dict("records")}


def _draw_data(axes, comparison, each, rows):
    study = comparison.study
    assembloids = assembloid_values(study.cells, each)
    lines = line_values(assembloids)
    cells = cell_values(study.cells, each) if each.spread else None
    styles = line_styles(study)
    drawn = []
    rng = np.random.default_rng(0)
    for place, condition in enumerate(study.conditions):
        present = [name for name in styles if name in set(lines.loc[lines["condition"] == condition, "line"])]
        middles = dict(zip(present, place + _spread_out(len(present), 0.5)))
        for line, x in middles.items():
            colour, shape = styles[line]
            look = {"color": colour, "marker": shape, "linestyle": "none"}
            own = [_of(table, condition, line) for table in (cells, assembloids, lines)]
            width = 0.5 / max(len(present), 1)
            if cells is not None:
                values = own[0]["value"].to_numpy()
                values = values if len(values) <= _CELLS_DRAWN else rng.choice(values, _CELLS_DRAWN, replace=False)
                axes.plot(
                    x + rng.uniform(-0.4, 0.4, len(values)) * width, values, markersize=2.5, alpha=0.35, mew=0, **look
                )
            count = len(own[1])
            axes.plot(
                x + _spread_out(count, 0.6 * width),
                own[1]["value"],
                markersize=6,
                mec="white",
                mew=0.6,
                alpha=0.9,
                **look,
            )
            drawn.append((own[2].iloc[0], x))
            axes.plot(x, own[2]["value"].iloc[0], markersize=11, mec="black", mew=1.0, zorder=4, **look)
    if rows[0]["paired_by"] in ("pair", "line"):
        _join_pairs(axes, drawn, rows[0]["paired_by"])
    means = {row["reference"]: row["reference_mean"] for row in rows} | {row["condition"]: row["mean"] for row in rows}
    for place, condition in enumerate(study.conditions):
        axes.hlines(means[condition], place - 0.4, place + 0.4, color="black", linewidth=1.5, zorder=3)
    axes.set_xticks(
        range(len(study.conditions)), [_sizes(comparison, each, name) for name in study.conditions], fontsize=8
    )
    axes.set_xlim(-0.6, len(study.conditions) - 0.4)
    axes.set_ylabel(f"{fill(each.label, 36)}{_unit(each)}", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)


def _join_pairs(axes, drawn, by):
    """Lines between the means that belong together; `drawn`: (row of the line, its place) of each."""
    for name in dict.fromkeys(row[by] for row, _ in drawn):
        mine = [(x, row["value"]) for row, x in drawn if row[by] == name]
        axes.plot(*zip(*mine), color="0.5", linewidth=0.8, zorder=2)


def _draw_effects(axes, rows, confidence, unit):
    for place, row in enumerate(rows):
        low, high = row["difference_low"], row["difference_high"]
        axes.plot(place, row["difference"], "o", color="black", markersize=7)
        if np.isfinite(low):
            axes.vlines(place, low, high, color="black", linewidth=1.5)
    axes.axhline(0.0, color="0.5", linewidth=0.8, linestyle=":")
    axes.set_xticks(range(len(rows)), [f"{row['condition']}\n- {row['reference']}" for row in rows], fontsize=8)
    axes.set_xlim(-0.6, len(rows) - 0.4)
    axes.set_ylabel(f"difference{unit}, {100 * confidence:g} % interval", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)


def _title(comparison, rows):
    simulated = "Simulated study. " if comparison.study.simulated else ""
    told = []
    for row in rows:
        counted = f"{row['n_units']} pairs" if row["paired_by"] else f"{row['n_units']} and {row['n_units_reference']}"
        told.append(
            f"{row['condition']} / {row['reference']} = {ratio_in_words(row)}\n"
            f"{row['test']}, {counted} {row['level']} means"
        )
    cells = "cells (smallest), " if quantity(rows[0]["quantity"]).spread else ""
    dots = f"Dots: {cells}assembloids, lines (largest).\nBars: means of what the test counts."
    return simulated + rows[0]["label"] + "\n" + "\n".join([*told, dots])


def _unit(each):
    return f" ({each.unit.replace('um', 'µm')})" if each.unit else ""


def _sizes(comparison, each, condition):
    for row in comparison.table[comparison.table["quantity"] == each.name].to_dict("records"):
        for name, suffix in ((row["condition"], ""), (row["reference"], "_reference")):
            if name == condition:
                counts = [row[f"n_{level}s{suffix}"] for level in ("line", "assembloid", "cell")]
                interval = f"\n{_minutes(row[f'minutes_per_frame{suffix}'])}" if each.saltations else ""
                told = (f"{n} {level}{'s' * (n != 1)}" for n, level in zip(counts, ("line", "assembloid", "cell")))
                return "\n".join([condition, *told]) + interval
    return condition


def _minutes(value):
    return f"{value:g} min/frame" if isinstance(value, float) else f"{value or 'unknown'} min/frame"


def _of(table, condition, line):
    return None if table is None else table[(table["condition"] == condition) & (table["line"] == line)]


def _spread_out(count, width):
    return np.linspace(-width / 2, width / 2, count) if count > 1 else np.zeros(count)


def _shared_lines(study):
    return bool((study.movies.groupby("line")["condition"].nunique() > 1).any())
