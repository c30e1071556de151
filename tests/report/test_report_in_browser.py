"""The report in headless Chromium: nothing is asked of the network, and what can be clicked does what it says."""

import shutil

import numpy as np
import pandas as pd
import pytest

from somaseg.movies.overlay_movie import write_overlay_movie
from somaseg.report.html import data_table, page
from somaseg.report.movie_report import write_report
from somaseg.tracking.tables import write_table

_FRAMES = 20


@pytest.fixture(scope="module")
def chromium():
    """A browser of the machine, driven by Playwright."""
    driver = pytest.importorskip("playwright.sync_api")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("there is no Chromium here (Debian: apt-get install chromium)")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(make_movie, tmp_path_factory):
    """(path, migration) of a report of 8 cells with its film."""
    folder = tmp_path_factory.mktemp("browser")
    migration, result = make_movie(8, _FRAMES)
    frames = np.random.default_rng(0).integers(0, 255, (_FRAMES, 160, 160), dtype=np.uint8)
    result.labels = np.zeros(frames.shape, np.uint16)
    result.tracks[["y_px", "x_px"]] %= 160
    write_overlay_movie(folder / "overlay.mp4", frames, result.labels, result.tracks, result.calibration)
    write_report(folder / "report.html", result, migration, run={"simulated": True}, overlay=folder / "overlay.mp4")
    return folder / "report.html", migration


@pytest.fixture
def opened(chromium, report):
    """The open page; what it asked for and what it complained of are checked when the test is done."""
    opened = chromium.new_page(viewport={"width": 1200, "height": 900})
    asked, complaints = [], []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(report[0].as_uri())
    yield opened
    assert complaints == [] and [url for url in asked if not url.startswith("data:")] == [report[0].as_uri()]
    opened.close()


def test_all_pictures_are_shown(opened):
    widths = opened.eval_on_selector_all("img", "pictures => pictures.map((picture) => picture.naturalWidth)")
    assert len(widths) == 14 and min(widths) > 100


def test_a_click_on_a_head_sorts_and_another_turns_it_round(opened, report):
    head = opened.locator("#cells-table th button", has_text="Path (")
    column = list(report[1].cells.columns).index("path_um")
    read = f"rows => rows.map((row) => Number(row.cells[{column}].dataset.value))"
    expected = sorted(report[1].cells["path_um"])
    for order, values in (("ascending", expected), ("descending", expected[::-1])):
        head.click()
        np.testing.assert_allclose(opened.eval_on_selector_all("#cells-table tbody tr", read), values)
        assert opened.locator("#cells-table th").nth(column).get_attribute("aria-sort") == order


def test_undefined_values_stay_at_the_end(opened):
    opened.evaluate("document.querySelector('#saltations-table tbody tr').cells[5].dataset.value = ''")
    head = opened.locator("#saltations-table th button").nth(5)
    for _ in range(2):
        head.click()
        last = opened.locator("#saltations-table tbody tr").last.locator("td").nth(5)
        assert last.get_attribute("data-value") == ""


def test_the_download_is_the_file(opened, report, tmp_path):
    with opened.expect_download() as download:
        opened.get_by_text("Download saltations.csv").click()
    write_table(tmp_path / "saltations.csv", report[1].saltations)
    assert download.value.suggested_filename == "saltations.csv"
    assert download.value.path().read_bytes() == (tmp_path / "saltations.csv").read_bytes()


def test_the_film_steps_plays_and_shows_a_saltation(opened, report):
    stamp = opened.locator("#film-stamp")
    assert stamp.text_content() == "frame 0, 0:00 h"
    before = opened.locator("#film-picture").get_attribute("src")
    opened.locator("#film-on").click()
    assert stamp.text_content() == "frame 1, 0:15 h"
    assert opened.locator("#film-picture").get_attribute("src") != before
    opened.locator("#film-back").click()
    opened.locator("#film-back").click()
    assert stamp.text_content() == f"frame {_FRAMES - 1}, 4:45 h"
    row = report[1].saltations.iloc[3]
    opened.locator("#saltations-table button.show").nth(3).click()
    opened.locator("#film-play").click()
    frame = int(stamp.text_content().split(",")[0].removeprefix("frame "))
    assert row.start_frame - 1 <= frame <= row.end_frame + 1
    assert f"ring about cell {row.track_id}" in stamp.text_content()


def test_of_a_long_table_200_rows_are_shown_until_all_are_asked_for(chromium, tmp_path):
    table = pd.DataFrame({"track_id": range(1, 301), "path_um": np.arange(300.0)})
    path = tmp_path / "long.html"
    path.write_text(page("long", data_table(table, name="cells.csv", caption="300 cells")), encoding="utf-8")
    opened = chromium.new_page()
    opened.goto(path.as_uri())
    shown = "rows => rows.filter((row) => row.offsetParent !== null).map((row) => Number(row.cells[1].textContent))"
    for _ in range(2):
        opened.locator("#cells-table th button").nth(1).click()
    assert opened.eval_on_selector_all("#cells-table tbody tr", shown) == list(range(299, 99, -1))
    opened.get_by_text("Show all 300 rows").click()
    assert len(opened.eval_on_selector_all("#cells-table tbody tr", shown)) == 300
    opened.close()


def test_a_phone_scrolls_down_and_not_sideways(opened):
    opened.set_viewport_size({"width": 360, "height": 740})
    assert opened.evaluate("document.documentElement.scrollWidth") == 360
