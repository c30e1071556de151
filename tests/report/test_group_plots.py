"""SuperPlots: every line and assembloid is drawn, colours tell lines apart, files are whole and repeatable."""

import numpy as np
import pandas as pd
import pytest

from somaseg.migration.groups.comparing import GroupParameters, compare_groups
from somaseg.migration.groups.study_tables import Study
from somaseg.report.group_plots import draw_superplot, line_styles, save_superplots


@pytest.fixture
def comparison():
    rng = np.random.default_rng(0)
    rows = [
        {
            "condition": f"c{c}",
            "line": f"c{c}l{k}",
            "assembloid": f"a{a}",
            "movie": f"{c}{k}{a}",
            "mean_speed_um_per_h": value,
        }
        for c, k, a in np.ndindex(2, 3, 4)
        for value in rng.normal(10, 2, 5)
    ]
    cells = pd.DataFrame(rows).assign(duration_h=10.0, pair=lambda table: table["line"].str[-1])
    names = ["movie", "assembloid", "line", "condition", "pair"]
    movies = cells[names].drop_duplicates().assign(minutes_per_frame=15.0, cells=5)
    return compare_groups(Study(movies, cells, simulated=True), GroupParameters(models=False))


def test_a_superplot_shows_each_level_by_its_size_and_says_simulated(comparison):
    figure = draw_superplot(comparison, "mean_speed_um_per_h")
    data, effect = figure.axes
    by_size = {}
    for line in data.get_lines():
        if line.get_marker() not in ("", "None"):
            by_size[line.get_markersize()] = by_size.get(line.get_markersize(), 0) + len(line.get_xdata())
    assert sorted(by_size.values()) == [6, 24, 120]
    assert max(by_size, key=by_size.get) < min(by_size, key=by_size.get)
    assert "Simulated study" in figure.get_suptitle() and "3 pairs line means" in figure.get_suptitle()
    assert "3 lines\n12 assembloids\n60 cells" in data.get_xticklabels()[0].get_text()
    assert "Dots: cells (smallest), assembloids, lines (largest)" in figure.get_suptitle()
    assert effect.get_ylabel() == "difference (µm/h), 95 % interval"
    row = comparison.table.iloc[0]
    assert effect.get_lines()[0].get_ydata()[0] == row["difference"]


def test_lines_of_a_pair_share_a_look_and_others_differ(comparison):
    styles = line_styles(comparison.study)
    assert styles["c0l1"] == styles["c1l1"] and len(set(styles.values())) == 3


def test_files_are_written_for_every_quantity_and_are_the_same_each_time(comparison, tmp_path):
    (tmp_path / "again").mkdir()
    paths = save_superplots(tmp_path, comparison)
    again = save_superplots(tmp_path / "again", comparison)
    assert [path.name for path in paths] == ["superplot_mean_speed_um_per_h.png", "superplot_mean_speed_um_per_h.svg"]
    assert paths[1].read_text() == again[1].read_text()
    assert paths[0].read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="outreach was not compared"):
        draw_superplot(comparison, "outreach")
