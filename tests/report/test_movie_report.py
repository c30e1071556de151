"""report.html: it holds all it needs, says what is known and how far to trust it, and stands without cells too."""

import base64
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from somaseg.movies.overlay_movie import write_overlay_movie
from somaseg.report.html import data_table, page, table_csv
from somaseg.report.migration_plots import save_plots
from somaseg.report.movie_report import write_report
from somaseg.tracking.tables import write_table

_VOID = {"meta", "img", "input", "br", "link"}


class Page(HTMLParser):
    """The elements of a page: (tag, attributes) in order, all text, and whether every element is closed in turn."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.text, self._open = [], "", []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open[-1:] not in (["script"], ["style"]):
            self.text += data

    def having(self, name):
        return [attributes[name] for _, attributes in self.elements if name in attributes]


@pytest.fixture(scope="module")
def written(make_movie, tmp_path_factory):
    """(page, text, migration) of a simulated movie of 6 cells with its overlay."""
    folder = tmp_path_factory.mktemp("report")
    migration, result = make_movie(6, 20)
    frames = np.random.default_rng(0).integers(0, 255, (20, 64, 64), dtype=np.uint8)
    result.labels = np.zeros((20, 64, 64), np.uint16)
    write_overlay_movie(folder / "overlay.mp4", frames, result.labels, result.tracks, result.calibration)
    run = {"movie": "/films/<b>dish 3.tif", "simulated": True, "units_from": {"um_per_px": "flag"}}
    write_report(folder / "report.html", result, migration, run=run, overlay=folder / "overlay.mp4")
    text = (folder / "report.html").read_text(encoding="utf-8")
    return Page(text), text, migration


def test_the_page_needs_nothing_from_elsewhere(written):
    shown, text, _ = written
    for source in (*shown.having("src"), *shown.having("href")):
        assert source.startswith(("data:", "#"))
    assert not {tag for tag, _ in shown.elements} & {"link", "iframe", "object", "embed"}
    assert "@import" not in text and "url(" not in text
    assert "default-src 'none'" in text


def test_every_link_within_the_page_leads_somewhere_and_no_id_is_there_twice(written):
    shown, _, _ = written
    ids = shown.having("id")
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in shown.having("href") if link.startswith("#")} <= set(ids)


def test_pictures_have_words_and_controls_have_names(written):
    shown, _, _ = written
    pictures = [attributes for tag, attributes in shown.elements if tag == "img"]
    assert len(pictures) == 14 and all(len(attributes["alt"]) > 20 for attributes in pictures)
    assert all("aria-label" in attributes for tag, attributes in shown.elements if tag == "input")


def test_a_simulated_movie_is_called_simulated_and_names_are_escaped(written):
    shown, text, _ = written
    assert "SIMULATED" in shown.text and "Migration in <b>dish 3.tif" in shown.text
    assert "<b>dish" not in text


def test_warnings_numbers_and_the_frame_interval_are_told(written):
    shown, _, migration = written
    assert migration.summary["warnings"][0] in shown.text
    assert "15 min between frames" in shown.text
    assert f"{len(migration.saltations)} saltations" in shown.text


def test_the_downloads_are_the_files_of_the_result(written, tmp_path):
    shown, _, migration = written
    downloads = {a["download"]: a["href"] for tag, a in shown.elements if tag == "a" and "download" in a}
    for name, table in (("cells.csv", migration.cells), ("saltations.csv", migration.saltations)):
        write_table(tmp_path / name, table)
        assert base64.b64decode(downloads[name].split(",")[1]) == (tmp_path / name).read_bytes()


def test_the_film_is_in_the_page_and_the_tables_lead_into_it(written):
    shown, text, migration = written
    assert text.count("data:image/webp;base64,") == 2  # the first frame, and what the script puts before the others
    shows = [attributes for _, attributes in shown.elements if attributes.get("class") == "show"]
    assert len(shows) == len(migration.cells) + len(migration.saltations)
    first = migration.saltations.iloc[0]
    of_saltation = shows[len(migration.cells)]
    assert (int(of_saltation["data-first"]), int(of_saltation["data-last"])) == (first.start_frame, first.end_frame)


def test_the_same_movie_gives_the_same_page_which_is_replaced_whole(make_movie, tmp_path):
    migration, result = make_movie(0, 4)
    texts = []
    for _ in range(2):
        write_report(tmp_path / "report.html", result, migration, run={})
        texts.append((tmp_path / "report.html").read_bytes())
    assert texts[0] == texts[1] and [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_movie_without_cells_says_so_and_has_empty_tables_to_download(make_movie, tmp_path):
    migration, result = make_movie(0, 4)
    write_report(tmp_path / "report.html", result, migration, run={})
    shown = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "No cell was found in this movie" in shown.text and "SIMULATED" not in shown.text
    assert "No saltation was found." in shown.text and "nan" not in shown.text
    assert len([a for _, a in shown.elements if "download" in a]) == 2
    assert not [a for _, a in shown.elements if a.get("id") == "film"]


@pytest.mark.slow
@pytest.mark.parametrize(("cells", "frames"), [(1, 1), (1, 40), (70, 40), (500, 60)])
def test_pages_of_one_cell_and_of_many_stay_small(make_movie, tmp_path, cells, frames):
    migration, result = make_movie(cells, frames)
    write_report(tmp_path / "report.html", result, migration, run={})
    assert len(Page((tmp_path / "report.html").read_text(encoding="utf-8")).having("data-value")) > cells
    assert (tmp_path / "report.html").stat().st_size < 7e6


def test_an_undefined_value_is_empty_for_sorting_and_a_dash_for_the_eye():
    table = pd.DataFrame({"track_id": [1, 2], "straightness": [0.51239, np.nan], "behaviour": ["<i>", "still"]})
    text = data_table(table, name="cells.csv", caption="2 cells")
    assert '<td data-value="0.51239">0.512</td>' in text and '<td data-value="">–</td>' in text
    assert "&lt;i&gt;" in text and "<i>" not in text
    assert table_csv(table).splitlines()[2] == "2,,still"


def test_a_title_cannot_break_the_page():
    assert "<title>&lt;/title&gt;</title>" in page("</title>", "")


def test_plots_that_are_saved_already_are_taken_as_they_are(make_movie, written, tmp_path):
    migration, result = make_movie(6, 20)
    save_plots(tmp_path / "plots", migration, result)
    mark = '<svg xmlns="http://www.w3.org/2000/svg"/>'
    (tmp_path / "plots" / "rose.svg").write_text(mark)
    write_report(tmp_path / "taken.html", result, migration, run={}, plots=tmp_path / "plots")
    drawn, taken = written[1], (tmp_path / "taken.html").read_text()
    assert drawn.count("data:image/svg") == taken.count("data:image/svg") > 5
    coded = base64.b64encode(mark.encode()).decode()
    assert coded in taken
    assert coded not in drawn
