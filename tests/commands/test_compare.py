"""`somaseg compare` on a simulated study: files, what is printed, and refusals."""

import argparse
import json

import pandas as pd
import pytest

from somaseg.commands import compare
from somaseg.simulation.movie_presets import PRESETS
from somaseg.simulation.studies import StudyDesign, simulate_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    small = PRESETS["typical"].changed({"height_px": 200, "width_px": 200, "duration_h": 1.0, "motion.margin_um": 20.0})
    folder = tmp_path_factory.mktemp("study")
    simulate_study(
        StudyDesign(conditions={"a": small, "b": small}, lines=2, assembloids=2), folder, seed=3, pictures=False
    )
    return folder / "study.csv"


def run(*arguments):
    parser = argparse.ArgumentParser()
    compare.add_to(parser.add_subparsers())
    options = parser.parse_args(["compare", "--quiet", *map(str, arguments)])
    return options.run(options)


def test_a_study_becomes_tables_and_plots_and_n_is_printed_at_each_level(study, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(study, "-o", out, "--no-models", "--quantity", "mean_speed_um_per_h", "--quantity", "arrested") == 0
    names = {path.name for path in out.iterdir()}
    assert {"comparison.csv", "comparison.json", "units.csv"} <= names and len(names) == 3 + 2 * 2
    assert len(pd.read_csv(out / "comparison.csv")) == 2
    assert json.loads((out / "comparison.json").read_text())["groups"][0]["lines"] == 2
    printed = capsys.readouterr().out
    assert "Simulated study." in printed and "a: 2 lines, 4 assembloids, 4 movies" in printed
    assert "Welch's t test on 2 and 2 line means" in printed and "a frame every 15 min" in printed
    with pytest.raises(FileExistsError, match="--overwrite"):
        run(study, "-o", out)


def test_one_movie_per_condition_has_no_interval_and_no_test_and_says_so(study, tmp_path, capsys):
    table = pd.read_csv(study).groupby("condition").head(1)
    table.to_csv(tmp_path / "study.csv", index=False)
    out = ["-o", tmp_path / "out", "--results", study.parent]
    assert run(tmp_path / "study.csv", *out, "--no-models", "--quantity", "mean_speed_um_per_h") == 0
    printed = capsys.readouterr().out
    assert "a: 1 line, 1 assembloid, 1 movie" in printed and "(no interval), no test" in printed
    assert "no test is possible" in printed and "nan" not in printed


def test_help_names_the_columns_of_the_study(capsys):
    with pytest.raises(SystemExit):
        run("--help")
    assert "assembloid, line, condition" in capsys.readouterr().out
