"""`somaseg simulate` and `somaseg score`: files, what is printed, exit codes and refusals."""

import json
import re

import cv2
import pandas as pd
import pytest

from somaseg.tracking import read_result

SMALL = ["--set", "height_px=96", "--set", "width_px=128", "--set", "duration_h=1.5", "--quiet"]


def test_a_simulated_movie_is_a_result_folder_with_a_picture(run, tmp_path):
    code, out, _ = run("simulate", "-o", tmp_path / "a", "--seed", 3, *SMALL, "--set", "motion.density_per_field=60")
    assert code == 0 and out.startswith("simulated typical, seed 3: 6 frames, ")
    result = read_result(tmp_path / "a")
    assert result.labels.shape == (6, 96, 128) and len(result.cells) > 0
    recorded = json.loads((tmp_path / "a" / "run.json").read_text())
    assert recorded["simulated"] is True and recorded["preset"] == "typical" and recorded["seed"] == 3
    assert recorded["parameters"]["motion"]["density_per_field"] == 60
    assert cv2.imread(str(tmp_path / "a" / "sheet.png")).std() > 10


def test_what_is_there_is_refused_before_anything_is_computed(run, tmp_path, monkeypatch):
    run("simulate", "-o", tmp_path / "a", *SMALL)
    before = (tmp_path / "a" / "movie.tif").read_bytes()
    monkeypatch.setattr("somaseg.simulation.movies.simulate_movie", lambda *a, **k: pytest.fail("computed"))
    code, _, err = run("simulate", "-o", tmp_path / "a", *SMALL)
    assert code == 1 and "exists. Give another folder, or --overwrite." in err
    assert (tmp_path / "a" / "movie.tif").read_bytes() == before


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_a_file_in_the_place_of_the_folder_is_refused_before_anything_is_computed(
    run, tmp_path, monkeypatch, overwrite
):
    (tmp_path / "a").write_text("mine")
    monkeypatch.setattr("somaseg.simulation.movies.simulate_movie", lambda *a, **k: pytest.fail("computed"))
    code, _, err = run("simulate", "-o", tmp_path / "a", *SMALL, *overwrite)
    assert code == 1 and err.count("\n") == 1 and "a is a file. Give a folder." in err
    assert (tmp_path / "a").read_text() == "mine"


def test_the_working_directory_can_be_the_folder_of_a_movie(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = run("simulate", "-o", ".", *SMALL)
    assert (code, err) == (0, "")
    assert (tmp_path / "movie.tif").is_file() and (tmp_path / "sheet.png").is_file()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--preset", "x"], "preset must be one of easy, typical, .*, got 'x'"),
        (["--set", "um_per_px"], "--set takes NAME=VALUE, got 'um_per_px'"),
        (["--set", "um_per_pixel=1"], "um_per_pixel.*um_per_px"),
        (["--set", "motion.axis=1"], "axis.*axis_deg"),
        (["--set", "bit_depth=9"], "bit_depth must be one of 8, 12, 16, got 9"),
        (["--set", "motion.stretch=[2,1]"], r"stretch must be a pair \(low, high\)"),
        (["--seed", "-1"], "seed must be a whole number from 0"),
        (["--lines", "2"], "--lines does not go without --study"),
        (["--tables-only"], "--tables-only does not go without --study"),
        (["--study", "ts", "--preset", "dim"], "--preset does not go with --study"),
        (["--study", "ts", "--rgb"], "--rgb does not go with --study"),
        (["--study", "x"], "study must be one of ts, null, got 'x'"),
        (["--study", "ts", "--lines", "0"], "lines must be a whole number from 1"),
    ],
)
def test_a_wrong_argument_is_one_line_and_leaves_nothing(run, tmp_path, arguments, message):
    code, _, err = run("simulate", "-o", tmp_path / "a", *arguments)
    assert code == 1 and err.count("\n") == 1
    assert re.search(message, err)
    assert not list(tmp_path.iterdir())


def test_a_study_of_tables(run, tmp_path):
    arguments = ["--study", "null", "--tables-only", "--lines", 1, "--assembloids", 1, "--quiet"]
    code, out, _ = run("simulate", "-o", tmp_path, *arguments)
    assert code == 0 and "simulated study null, seed 1: 2 movies" in out
    table = pd.read_csv(tmp_path / "study.csv")
    assert table["condition"].tolist() == ["control_a", "control_b"]
    assert len(pd.read_csv(tmp_path / table["movie"][0] / "cells.csv")) > 0


def test_truth_against_itself_scores_1_and_is_written(run, tmp_path):
    pytest.importorskip("ctc_metrics")
    run("simulate", "-o", tmp_path / "a", *SMALL, "--set", "motion.density_per_field=60")
    code, out, _ = run("score", tmp_path / "a", tmp_path / "a", "-o", tmp_path / "scores")
    assert code == 0
    printed = dict(line.split() for line in out.splitlines() if line.startswith("  "))
    assert all(float(printed[name]) == 1 for name in ("seg", "det", "tra", "lnk", "hota", "idf1", "saltation_f1"))
    assert json.loads((tmp_path / "scores" / "scores.json").read_text())["idf1"] == 1
    assert (pd.read_csv(tmp_path / "scores" / "cell_errors.csv")["status"] == "matched").all()


def test_scores_that_are_there_are_refused_before_anything_is_computed(run, tmp_path, monkeypatch):
    (tmp_path / "scores.json").write_text("mine")
    monkeypatch.setattr("somaseg.migration.result_scores.score_results", lambda *_: pytest.fail("computed"))
    code, out, err = run("score", tmp_path / "a", tmp_path / "a", "-o", tmp_path)
    assert (code, out) == (1, "") and "scores.json exists. Give another folder, or --overwrite." in err
    assert (tmp_path / "scores.json").read_text() == "mine"


def test_score_of_no_result_is_one_line(run, tmp_path):
    code, _, err = run("score", tmp_path / "none", tmp_path)
    assert code == 1 and "there is no such folder" in err and err.count("\n") == 1
