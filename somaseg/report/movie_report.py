"""report.html: one movie's migration on one page that needs no network, made for a biologist.

What was measured comes first, then how far to trust it, then the film, the plots, and the tables behind them.
"""

import re
from html import escape
from pathlib import Path

from somaseg import __version__
from somaseg.files import replace_when_whole
from somaseg.report.columns import column_label, column_meaning
from somaseg.report.film import read_film
from somaseg.report.headlines import headlines, pooled_numbers
from somaseg.report.html import data_table, film_player, page, picture
from somaseg.report.migration_plots import PLOTS
from somaseg.report.plot_style import svg_text
from somaseg.report.trust import facts_of_trust

_GROUPS = (("paths", "Where cells go"), ("saltations", "Saltations and pauses"), ("walk", "Speed and persistence"))


def write_report(path, result, migration, *, run, overlay=None, plots=None, title=None):
    """Write report.html, whole or not at all.

    Args:
        path: the file.
        result: `somaseg.tracking.Result`; its tracks, calibration and summary are used, and the size of its labels.
        migration: `somaseg.migration.measures.Migration` of it.
        run: dict of what it was made with, as in run.json. With "simulated" (here, or in a summary) true, a banner
            says so.
        overlay: path of the movie with outlines (overlay.mp4), or None for a page without film.
        plots: folder that `save_plots` filled from the same migration, whose SVG files are taken; None to draw them.
        title: str; by default the name of the movie.

    Raises:
        ValueError: `overlay` is no video.
    """
    title = title or f"Migration in {Path(str(run.get('movie', 'a movie'))).name}"
    film = read_film(overlay) if overlay is not None else None
    sections = [
        ("short", "In short", _short(migration)),
        ("trust", "How far to trust it", _trust(migration, result, run)),
    ]
    if film is not None:
        sections.append(("movie", "Movie", _movie(film, result)))
    sections += [(name, heading, _figures(name, migration, result, plots)) for name, heading in _GROUPS]
    sections += [
        ("tables", "Tables", _tables(migration, film is not None)),
        ("made", "How it was made", _made(migration, run)),
    ]
    simulated = any((source or {}).get("simulated") for source in (run, result.summary, migration.summary))
    text = page(title, _body(title, result, migration, sections, simulated=simulated))
    with replace_when_whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _body(title, result, migration, sections, *, simulated):
    banner = (
        '<p class="banner" role="note">SIMULATED: a computer made this movie. Nothing here was seen in a cell.</p>'
        if simulated
        else ""
    )
    frames, minutes = len(result.labels), result.calibration.minutes_per_frame
    length = f"{frames} frames, one every {minutes:g} min, {result.calibration.um_per_px:g} µm per pixel"
    links = "".join(f'<a href="#{name}">{escape(heading)}</a>' for name, heading, _ in sections)
    parts = "\n".join(
        f'<section id="{name}" aria-labelledby="{name}-heading"><h2 id="{name}-heading">{escape(heading)}</h2>\n'
        f"{content}</section>"
        for name, heading, content in sections
    )
    return (
        f'{banner}<header><h1>{escape(title)}</h1><p class="note">{len(migration.cells)} cells, {length}</p>\n'
        f'<nav aria-label="sections">{links}</nav></header>\n<main>\n{parts}\n</main>'
    )


def _short(migration):
    if len(migration.cells) == 0:
        return '<p class="nothing">No cell was found in this movie, so there is nothing to measure.</p>'
    cards = "".join(
        f'<div class="card"><div class="label">{escape(shown.label)}</div>'
        f'<div class="value">{escape(shown.value)} <small>{escape(shown.unit)}</small></div>'
        + "".join(f'<p class="note">{escape(line)}</p>' for line in (shown.interval, shown.note) if line)
        + "</div>"
        for shown in headlines(migration.summary)
    )
    return f'<div class="cards">{cards}</div>\n'


def _trust(migration, result, run):
    told = [*migration.summary.get("warnings", []), *(result.summary or {}).get("warnings", [])]
    # Files and terminals say um; the page has the letter.
    told = [re.sub(r"\bum\b", "µm", warning) for warning in dict.fromkeys(told)]
    warnings = "".join(f"<li><strong>Warning:</strong> {escape(warning)}</li>" for warning in told)
    rows = "".join(
        f'<tr><th scope="row">{escape(fact.name)}</th><td class="value">{escape(fact.value)}'
        + ('<br><span class="look">look twice</span>' if fact.look else "")
        + f"</td><td>{escape(fact.meaning)}</td></tr>"
        for fact in facts_of_trust(migration, result, run=run)
    )
    listed = f'<ul class="warnings">{warnings}</ul>' if warnings else "<p>No warnings.</p>"
    return f'{listed}\n<table class="trust"><tbody>{rows}</tbody></table>\n'


def _movie(film, result):
    height, width = result.labels.shape[1:]
    positions = {
        int(track_id): dict(zip(own["frame"].tolist(), zip(own["y_px"] / height, own["x_px"] / width)))
        for track_id, own in result.tracks.groupby("track_id")
    }
    every = "" if film.stride == 1 else f" Every {film.stride}th frame is shown; overlay.mp4 has them all."
    return (
        "<p>Each cell in one colour, with its last ten positions. Watch whether outlines sit on somas and keep to one "
        f"cell: the numbers are as good as that.{every} A “show” button in the tables leads here.</p>\n"
        + film_player(film, minutes_per_frame=result.calibration.minutes_per_frame, positions=positions)
    )


def _figures(group, migration, result, plots):
    parts = []
    for plot in PLOTS:
        if plot.group != group:
            continue
        svg = _drawn(plot, migration, result) if plots is None else _saved(plot, Path(plots))
        if svg is None:
            shown = f'<p class="nothing">{escape(plot.nothing)}</p>'
        else:
            shown = picture(svg, alt=f"{plot.title}. {plot.caption}")
            shown = f'<div class="scroll" tabindex="0">{shown}</div>' if plot.wide else shown
        kind = ' class="wide"' if plot.wide else ""
        parts.append(
            f'<figure id="{plot.name}"{kind}><h3>{escape(plot.title)}</h3>{shown}'
            f"<figcaption>{escape(plot.caption)}</figcaption></figure>"
        )
    return f'<div class="figures">{"".join(parts)}</div>\n'


def _drawn(plot, migration, result):
    figure = plot.draw(migration, result)
    return None if figure is None else svg_text(figure)


def _saved(plot, folder):
    path = folder / f"{plot.name}.svg"
    return path.read_text(encoding="utf-8") if path.exists() else None


def _tables(migration, with_film):
    spans = (("first_frame", "last_frame"), ("start_frame", "end_frame")) if with_film else (None, None)
    names = dict.fromkeys([*migration.cells.columns, *migration.saltations.columns])
    meanings = "".join(
        f"<dt>{escape(column_label(name))}</dt><dd>{escape(column_meaning(name))} ({escape(name)})</dd>"
        for name in names
        if column_meaning(name)
    )
    return (
        '<p class="note">A click on a head sorts. Downloads hold all digits and are the files of the same name.</p>\n'
        f'<details><summary>What the columns mean</summary><dl class="facts">{meanings}</dl></details>\n'
        + data_table(migration.cells, name="cells.csv", caption=f"{len(migration.cells)} cells", shows_in_film=spans[0])
        + data_table(
            migration.saltations,
            name="saltations.csv",
            caption=f"{len(migration.saltations)} saltations",
            shows_in_film=spans[1],
        )
    )


def _made(migration, run):
    facts = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>"
        for name, _, value in pooled_numbers({"somaseg": __version__, **run})
    )
    rows = "".join(
        f"<tr><td>{escape(words)}</td><td>{escape(name)}</td><td>{escape(value)}</td></tr>"
        for name, words, value in pooled_numbers(migration.summary)
    )
    return (
        f"<details><summary>All pooled numbers (summary.json)</summary>"
        f'<div class="scroll"><table class="trust"><thead><tr><th scope="col">Number</th><th scope="col">Name</th>'
        f'<th scope="col">Value</th></tr></thead><tbody>{rows}</tbody></table></div></details>\n'
        f'<details><summary>Program, preset and settings (run.json)</summary><dl class="facts">{facts}</dl></details>\n'
    )
