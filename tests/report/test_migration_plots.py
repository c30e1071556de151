"""Plots of migration: what they show of movies whose migration is known, and that they never fail for lack of cells."""

from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest

from somaseg.movies import Calibration
from somaseg.report.migration_plots import PLOTS, save_plots
from somaseg.report.path_plots import draw_rose, draw_tracks_from_origin
from somaseg.report.plot_style import svg_text
from somaseg.report.saltation_plots import (
    draw_pauses,
    draw_saltation_durations,
    draw_strips,
    draw_threshold_sensitivity,
)
from somaseg.report.walk_plots import draw_direction_autocorrelation, draw_msd


@pytest.fixture
def one_cell():
    """(migration, result) of a cell that rests, jumps 15 um to the left, is missed once, and rests."""
    tracks = pd.DataFrame({"track_id": 7, "frame": [0, 1, 2, 4], "time_min": [0.0, 15, 30, 60], "y_um": 5.0})
    tracks["x_um"] = [20.0, 20, 5, 5]
    cells = pd.DataFrame({"track_id": [7], "duration_h": 1.0, "saltation_frequency_per_h": 1.0, "arrested": [False]})
    cells["direction_deg"] = 180.0
    saltations = pd.DataFrame({"track_id": [7], "start_min": 15.0, "duration_min": 15.0, "cut_by_track_end": [False]})
    migration = SimpleNamespace(cells=cells, saltations=saltations, summary={}, curves={})
    return migration, SimpleNamespace(tracks=tracks, calibration=Calibration(1, 15), labels=np.zeros((5, 2, 2)))


@pytest.mark.slow
def test_every_plot_is_saved_as_a_png_and_as_an_svg_with_editable_letters(make_movie, tmp_path):
    migration, result = make_movie(6, 24)
    paths = save_plots(tmp_path / "plots", migration, result)
    assert sorted(path.name for path in paths) == sorted(
        f"{plot.name}.{end}" for plot in PLOTS for end in ("png", "svg")
    )
    assert sorted(tmp_path.rglob("*.*")) == sorted(paths)
    assert cv2.imread(str(tmp_path / "plots/strips.png")).shape[1] == 1960
    assert "<text" in (tmp_path / "plots/msd.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(("cells", "frames"), [(0, 0), (0, 5), (1, 1)])
def test_a_movie_without_cells_or_steps_has_few_plots_or_none(make_movie, tmp_path, cells, frames):
    migration, result = make_movie(cells, frames)
    drawn = {plot.name for plot in PLOTS if plot.draw(migration, result) is not None}
    assert not drawn & {"tracks_from_origin", "rose", "speed_over_time", "saltation_lengths", "saltation_durations"}
    assert ("strips" in drawn) == (cells > 0)


def test_only_plots_that_show_something_are_saved(make_movie, tmp_path):
    paths = save_plots(tmp_path / "plots", *make_movie(0, 5))
    assert [path.name for path in paths] == ["threshold_sensitivity.png", "threshold_sensitivity.svg"]
    assert "<text" in paths[1].read_text(encoding="utf-8") and cv2.imread(str(paths[0])).shape == (840, 960, 3)


def test_the_same_plot_gives_the_same_svg(one_cell):
    texts = [svg_text(draw_tracks_from_origin(*one_cell)) for _ in range(2)]
    assert texts[0] == texts[1]


def test_the_tracks_begin_at_the_origin_and_the_axes_reach_their_ends(one_cell):
    axes = draw_tracks_from_origin(*one_cell).axes[0]
    (lines,) = axes.collections
    np.testing.assert_allclose(lines.get_paths()[0].vertices, [[0, 0], [0, 0], [-15, 0], [-15, 0]])
    assert axes.get_xlim()[0] < -15 and axes.get_aspect() == 1


def test_up_on_screen_is_up_in_the_plot(one_cell):
    migration, result = one_cell
    result.tracks["y_um"] = [5.0, 5, 1, 1]
    (lines,) = draw_tracks_from_origin(migration, result).axes[0].collections
    assert lines.get_paths()[0].vertices[-1].tolist() == [-15, 4]


def test_the_area_of_a_sector_of_the_rose_is_its_count(one_cell):
    migration, result = one_cell
    migration.curves["directions"] = pd.DataFrame({"direction_deg": [3.0, 5, 8, 12, 100, -1, np.nan]})
    axes = draw_rose(migration, result).axes[0]
    areas = np.array([bar.get_height() ** 2 for bar in axes.patches[:24]])
    expected = np.zeros(24)
    expected[[0, 6, 23]] = 4, 1, 1
    np.testing.assert_allclose(areas, expected, atol=1e-9)
    assert axes.get_title().startswith("n = 6 cells, R = 0.83")


def test_a_strip_shows_the_speed_of_each_step_and_the_mean_over_a_gap(one_cell):
    axes = draw_strips(*one_cell).axes[0]
    np.testing.assert_allclose(axes.images[0].get_array().filled(np.nan), [[0, 60, 0, 0, 0]])
    missed, whole, _cut = axes.collections
    assert missed.get_segments()[0][:, 0].tolist() == [0.75, 0.75]  # frame 3, in hours
    assert whole.get_paths()[0].vertices[:4, 0].tolist() == [0.25, 0.5, 0.5, 0.25]


def test_what_came_before_and_after_a_track_is_left_white(one_cell):
    migration, result = one_cell
    later = result.tracks.assign(track_id=8, frame=result.tracks["frame"] + 3)
    result.tracks = pd.concat([result.tracks, later])
    migration.cells = pd.concat([migration.cells, migration.cells.assign(track_id=8)])
    shown = draw_strips(migration, result).axes[0].images[0].get_array().filled(np.nan)
    assert np.isnan(shown).tolist() == [[False] * 5 + [True] * 3, [True] * 3 + [False] * 5]


def test_bins_of_durations_are_whole_frame_intervals(one_cell):
    migration, result = one_cell
    migration.saltations = pd.DataFrame({"duration_min": [15.0, 15, 30]})
    axes = draw_saltation_durations(migration, result).axes[0]
    middles = [bar.get_x() + bar.get_width() / 2 for bar in axes.patches if bar.get_height()]
    assert middles == [15, 30] and [bar.get_height() for bar in axes.patches if bar.get_height()] == [2, 1]


def test_the_median_pause_is_where_half_have_ended(one_cell):
    migration, result = one_cell
    migration.curves["pause_survival"] = pd.DataFrame({"pause_min": [15.0, 45, 60], "survival": [0.8, 0.5, 0.2]})
    assert draw_pauses(migration, result).axes[0].texts[0].get_text() == "median 45 min"
    migration.curves["pause_survival"]["survival"] = [0.9, 0.8, 0.7]
    assert not draw_pauses(migration, result).axes[0].texts


def test_what_cannot_be_told_is_not_drawn(one_cell):
    migration, result = one_cell
    migration.curves["msd"] = pd.DataFrame({"lag_min": [15.0, 30], "msd_um2": [1.0, 4.0], "n": 1, "fit_um2": np.nan})
    migration.summary |= {"fuerth_speed_um_per_h": np.nan, "fuerth_persistence_min": np.nan}
    assert [text.get_text() for text in draw_msd(migration, result).axes[0].get_legend().get_texts()] == ["measured"]
    migration.curves["direction_autocorrelation"] = pd.DataFrame({"lag_min": [0.0, 15], "value": [1, np.nan], "n": 1})
    assert draw_direction_autocorrelation(migration, result) is None
    none = {"on_speed_um_per_h": [20.0, 30], "saltation_frequency_per_h": 0.0, "saltation_length_um": np.nan}
    migration.curves["threshold_sensitivity"] = pd.DataFrame(none)
    assert draw_threshold_sensitivity(migration, result) is None


def test_a_cell_seen_too_briefly_is_not_called_moving(one_cell):
    migration, result = one_cell
    migration.cells["arrested"] = pd.array([pd.NA], "boolean")
    (text,) = draw_tracks_from_origin(migration, result).axes[0].get_legend().get_texts()
    assert text.get_text() == "seen too briefly to tell (1)"


def test_lags_without_movement_do_not_stop_the_logarithmic_msd(one_cell):
    migration, result = one_cell
    migration.curves["msd"] = pd.DataFrame({"lag_min": [15.0, 30], "msd_um2": [0.0, 4.0], "n": 1})
    assert draw_msd(migration, result).axes[0].lines[0].get_xdata().tolist() == [30]
