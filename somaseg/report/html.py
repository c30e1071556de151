"""Parts of a page that needs nothing but itself: head, tables that sort and download, figures, and the film.

Everything is inside the file: style and script (report.css, report.js beside this module), pictures as data. A policy
in the head forbids the browser to load anything from elsewhere.
"""

import base64
import io
import json
from html import escape
from pathlib import Path

import pandas as pd

from somaseg.report.columns import column_label, column_meaning
from somaseg.tracking.tables import write_table

_ROWS_AT_FIRST = 200  # as in report.css
_HERE = Path(__file__).parent
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def page(title, body):
    """A whole HTML document with `body` (HTML) under `title` (text)."""
    style, script = ((_HERE / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<script>document.documentElement.classList.add("scripted");</script>\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n{body}\n"
        f"<script>\n{script}</script>\n</body>\n</html>\n"
    )


def table_csv(table):
    """The table as CSV text, letter for letter what `somaseg.tracking.tables.write_table` writes to a file."""
    text = io.StringIO()
    write_table(text, table)
    return text.getvalue()


def data_table(table, *, name, caption, shows_in_film=None):
    """A table that sorts by a click on its heads and downloads as CSV.

    Args:
        table: `pandas.DataFrame`.
        name: str, file name of the download.
        caption: str.
        shows_in_film: None, or (column of frame, column of the last frame): a button in each row that has track_id
            plays the film there.
    """
    identity = name.rsplit(".", 1)[0]
    text = base64.b64encode(table_csv(table).encode()).decode()
    heads = [
        f'<th scope="col" aria-sort="none"><button type="button" title="{escape(column_meaning(column))}">'
        f"{escape(column_label(column))}</button></th>"
        for column in table.columns
    ]
    rows = ["<tr>" + "".join(_cell(value) for value in row) for row in table.itertuples(index=False, name=None)]
    if shows_in_film:
        heads.append('<th scope="col">Film</th>')
        spans = table[["track_id", *shows_in_film]].astype(int).itertuples(index=False, name=None)
        rows = [row + _film_button(*span) for row, span in zip(rows, spans)]
    return (
        f'<div class="table-head"><h3 id="{identity}-title">{escape(caption)}</h3>'
        f'<a class="button" download="{escape(name)}" href="data:text/csv;charset=utf-8;base64,{text}">'
        f"Download {escape(name)}</a></div>\n"
        f'<div class="scroll" tabindex="0" role="region" aria-labelledby="{identity}-title">'
        f'<table class="data" id="{identity}-table"><thead><tr>{"".join(heads)}</tr></thead>\n<tbody>\n'
        + "\n".join(row + "</tr>" for row in rows)
        + "\n</tbody></table></div>\n"
        + (
            f'<p class="script-only"><button type="button" id="{identity}-table-all">Show all {len(table)} rows, not '
            f"{_ROWS_AT_FIRST}</button></p>\n"
            if len(table) > _ROWS_AT_FIRST
            else ""
        )
        + f'<p class="note print-only">On paper the first 40 rows; all {len(table)} are in {escape(name)}.</p>\n'
    )


def picture(svg, *, alt):
    """An SVG text as an `img`, so that the names within it cannot meet those of another."""
    data = base64.b64encode(svg.encode()).decode()
    return f'<img alt="{escape(alt)}" src="data:image/svg+xml;base64,{data}">'


def film_player(film, *, minutes_per_frame, positions=None):
    """The film with buttons, a slider and a ring that follows a cell; without script, its first frame.

    Args:
        film: `somaseg.report.film.Film`.
        minutes_per_frame: float.
        positions: {track_id: {frame: (y, x)}} as shares of height and width, or None.
    """
    first, *rest = (base64.b64encode(frame).decode() for frame in film.frames)
    facts = {
        "frames": rest,
        "stride": film.stride,
        "minutes": minutes_per_frame,
        "positions": _compact(positions or {}),
    }
    last = len(film.frames) - 1
    return (
        '<div class="film" id="film">\n<div class="screen">'
        f'<img id="film-picture" width="{film.width_px}" height="{film.height_px}" '
        f'alt="The movie with the outlines and tails of the tracked cells" src="data:image/webp;base64,{first}">'
        '<span id="film-ring" hidden></span></div>\n'
        '<div class="controls script-only">'
        '<button type="button" id="film-play">Play</button>'
        '<button type="button" id="film-back" aria-label="one frame back">&#9664;</button>'
        '<button type="button" id="film-on" aria-label="one frame on">&#9654;</button>'
        f'<input type="range" id="film-slider" min="0" max="{last}" value="0" aria-label="frame of the film">'
        '<label>speed <select id="film-speed"><option value="4">slow</option>'
        '<option value="10" selected>normal</option><option value="25">fast</option></select></label>'
        '<output id="film-stamp"></output></div>\n</div>\n'
        f'<script type="application/json" id="film-data">{json.dumps(facts, separators=(",", ":"))}</script>\n'
    )


def plain_number(value):
    """A number for reading: three digits, whole numbers whole, "–" for what is undefined.

    >>> [plain_number(value) for value in (0.123456, 12345.6, 7, float("nan"), True, -179.96, 1e-12)]
    ['0.123', '12346', '7', '–', 'yes', '-180', '< 0.001']
    """
    if value is None or value is pd.NA or value != value:
        return "–"
    if isinstance(value, str):
        return value
    if pd.api.types.is_bool(value):
        return "yes" if value else "no"
    if float(value).is_integer() or abs(value) >= 100:
        return f"{float(value):.0f}"
    if 0 < value < 0.001:
        return "< 0.001"
    return f"{float(value):.3g}"


def _cell(value):
    shown = plain_number(value)
    if shown == "–":
        return '<td data-value="">–</td>'
    if isinstance(value, str):
        return f'<td class="text" data-value="{escape(value)}">{escape(value)}</td>'
    return f'<td data-value="{float(value):.9g}">{escape(shown)}</td>'


def _film_button(track_id, first, last):
    return (
        f'<td><button type="button" class="show" data-cell="{track_id}" data-first="{first}" data-last="{last}" '
        f'aria-label="show cell {track_id} from frame {first} in the film">show</button></td>'
    )


def _compact(positions):
    """{track_id: [first frame, x, y, x, y, ...]} in thousandths; null where the cell is missed."""
    rows = {}
    for track_id, places in positions.items():
        first, last = min(places), max(places)
        flat = [None if t not in places else round(1000 * places[t][i]) for t in range(first, last + 1) for i in (1, 0)]
        rows[str(track_id)] = [first, *flat]
    return rows
