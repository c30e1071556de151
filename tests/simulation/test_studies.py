"""Studies: nested names, factors that follow their law, runs that go on, and the same movies for the same seed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from somaseg.simulation import studies
from somaseg.simulation.movie_presets import PRESETS
from somaseg.simulation.studies import StudyDesign, draw_study, movie_parameters, simulate_study

SMALL = PRESETS["typical"].changed({"height_px": 64, "width_px": 96, "duration_h": 1.0, "motion.margin_um": 20.0})
DESIGN = StudyDesign(conditions={"a": SMALL, "b": SMALL}, lines=2, assembloids=2)
FACTORS = [f"{name}_factor" for name in ("saltation_rate_per_h", "jump_length_um", "jump_speed_um_per_h")]


def test_names_are_nested_so_that_no_line_or_assembloid_is_shared():
    table = draw_study(DESIGN, seed=1)
    assert len(table) == table["movie"].nunique() == 8
    assert table["simulated"].all()
    assert (table.groupby("line")["condition"].nunique() == 1).all() and table["line"].nunique() == 4
    assert (table.groupby("assembloid")["line"].nunique() == 1).all() and table["assembloid"].nunique() == 8
    assert table["seed"].nunique() == 8


def test_factors_have_mean_1_and_the_spread_of_line_and_assembloid():
    design = StudyDesign(lines=300, assembloids=3, line_cv=0.2, assembloid_cv=0.1)
    table = draw_study(design, seed=2)
    by_line = np.log(table.groupby("line")[FACTORS].mean())
    within = np.log(table[FACTORS]) - np.log(table[FACTORS]).groupby(table["line"]).transform("mean")
    # 600 lines: relative standard errors of 1 % of a mean and 3 % of a standard deviation.
    np.testing.assert_allclose(table[FACTORS].mean(), 1.0, atol=4 * 0.2 / np.sqrt(600))
    expected = np.sqrt(np.log1p(0.2**2) + np.log1p(0.1**2) / 3)
    np.testing.assert_allclose(by_line.std(), expected, rtol=4 * 0.03)
    np.testing.assert_allclose(within.std(), np.sqrt(np.log1p(0.1**2) * 2 / 3), rtol=4 * 0.03)


def test_movies_of_one_assembloid_share_its_factors_and_differ_in_seed():
    table = draw_study(replace(DESIGN, movies=2), seed=1)
    pairs = table.groupby("assembloid")
    assert (pairs[FACTORS].nunique() == 1).all(axis=None)
    assert (pairs["seed"].nunique() == 2).all()


def test_no_spread_means_the_parameters_of_the_condition():
    design = replace(DESIGN, line_cv=0.0, assembloid_cv=0.0)
    assert movie_parameters(design, draw_study(design, seed=1).iloc[0]) == SMALL


def test_a_larger_study_begins_like_a_smaller_one():
    large = draw_study(replace(DESIGN, lines=3, movies=2), seed=1).set_index("movie")
    small = draw_study(DESIGN, seed=1).set_index("movie")
    pd.testing.assert_frame_equal(large.loc[small.index], small)


def test_a_rate_that_leaves_no_time_to_pause_is_lowered_to_the_highest_possible():
    row = {"condition": "ts_like", **dict.fromkeys(FACTORS, 1.0), "saltation_rate_per_h_factor": 3.0}
    motion = movie_parameters(StudyDesign(), row).motion
    assert motion.saltation_rate_per_h == pytest.approx(motion.highest_rate_per_h)


def test_tables_only_study_goes_on_where_it_stopped_and_is_the_same(tmp_path, monkeypatch):
    whole = tmp_path / "whole"
    simulate_study(DESIGN, whole, seed=3, pictures=False)
    calls = []

    def stop_at_third(movie, folder):
        calls.append(folder)
        if len(calls) == 3:
            raise KeyboardInterrupt
        original(movie, folder)

    original = studies.save_truth_tables
    monkeypatch.setattr(studies, "save_truth_tables", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        simulate_study(DESIGN, tmp_path / "stopped", seed=3, pictures=False)
    done = []
    simulate_study(DESIGN, tmp_path / "stopped", seed=3, pictures=False, progress=lambda *at: done.append(at))
    assert len(calls) == 3 + 6 and done[-1] == (8, 8)
    for path in sorted(whole.rglob("*.csv")):
        assert path.read_bytes() == (tmp_path / "stopped" / path.relative_to(whole)).read_bytes()


def test_a_folder_of_another_study_is_refused(tmp_path):
    simulate_study(replace(DESIGN, lines=1, assembloids=1), tmp_path, seed=3, pictures=False)
    with pytest.raises(ValueError, match="holds another study. Give another folder"):
        simulate_study(DESIGN, tmp_path, seed=3, pictures=False)


def test_movies_with_pictures_are_whole_results(tmp_path):
    from somaseg.tracking import read_result

    design = replace(DESIGN, lines=1, assembloids=1)
    table = simulate_study(design, tmp_path, seed=4)
    result = read_result(tmp_path / table["movie"][0])
    assert result.labels.shape == (4, 64, 96)
    assert result.summary["simulated"] is True


def test_unknown_study_and_no_condition_are_refused():
    with pytest.raises(ValueError, match="study must be one of ts, null, got 'x'"):
        studies.study("x")
    with pytest.raises(ValueError, match="conditions must name at least one"):
        StudyDesign(conditions={})
