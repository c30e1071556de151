"""STUDY.csv: what `somaseg simulate --study` writes is read, names stay text, and what is wrong is told by row."""

import json
import shutil
from contextlib import nullcontext
from dataclasses import replace

import pandas as pd
import pytest

from somaseg.migration.groups.comparing import GroupParameters, compare_groups
from somaseg.migration.groups.study_tables import read_study
from somaseg.simulation.movie_presets import PRESETS
from somaseg.simulation.studies import StudyDesign, simulate_study

SMALL = PRESETS["typical"].changed({"height_px": 200, "width_px": 200, "duration_h": 1.0, "motion.margin_um": 20.0})


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    design = StudyDesign(conditions={"a": SMALL, "b": SMALL}, lines=2, assembloids=2)
    simulate_study(design, folder, seed=1, pictures=False)
    return folder


@pytest.fixture
def rewritten(simulated, tmp_path):
    """Function that writes the study's table with changes, its results staying where they are."""

    def rewrite(change=lambda table: table, **how):
        table = change(pd.read_csv(simulated / "study.csv"))
        table.to_csv(tmp_path / "study.csv", index=False, **how)
        return tmp_path / "study.csv"

    return rewrite


def test_a_simulated_study_is_read_and_compared(simulated):
    study = read_study(simulated / "study.csv")
    assert study.simulated and study.conditions == ["a", "b"] and study.warnings == []
    assert len(study.movies) == 8 and (study.movies["minutes_per_frame"] == 15.0).all()
    assert study.cells["movie"].nunique() == 8 and study.movies["cells"].sum() == len(study.cells)
    comparison = compare_groups(study, GroupParameters(models=False))
    assert not comparison.table["warnings"].str.contains("too long").any()
    assert comparison.groups["lines"].tolist() == [2, 2] and comparison.groups["assembloids"].tolist() == [4, 4]


def test_results_may_lie_elsewhere_and_semicolons_and_byte_order_marks_are_read(simulated, rewritten):
    count = len(read_study(simulated / "study.csv").cells)
    for how in ((";", "utf-8-sig"), (";", "latin-1"), ("\t", "utf-16")):
        path = rewritten(lambda table: table.replace("a", "kontrölle"), sep=how[0], encoding=how[1])
        study = read_study(path, results=simulated)
        assert len(study.cells) == count and study.conditions == ["kontrölle", "b"]
    with pytest.raises(FileNotFoundError, match="no such folder"):
        read_study(path)


def test_names_that_look_like_numbers_or_nothing_stay_names(simulated, rewritten):
    names = {"a_line1": "01", "a_line2": "1", "b_line1": "NA", "b_line2": "None"}
    study = read_study(rewritten(lambda table: table.replace({"line": names})), results=simulated)
    assert set(study.movies["line"]) == set(names.values())


@pytest.mark.parametrize(
    "change, told",
    [
        (lambda table: table.drop(columns="line"), r"missing column\(s\) line"),
        (lambda table: table.iloc[:0], "there is no movie in it"),
        (lambda table: pd.concat([table, table.iloc[:1]]), "row 9: movie a_line1_assembloid1_movie1 is there twice"),
        (lambda table: table.assign(condition=["a", None] * 4), "column condition, row 2: nothing stands"),
        (lambda table: table.assign(pair=list("12345678")), "line a_line1 has 2 pairs"),
    ],
)
def test_a_wrong_table_is_told_by_column_and_row(simulated, rewritten, change, told):
    with pytest.raises(ValueError, match=told):
        read_study(rewritten(change), results=simulated)


@pytest.mark.parametrize("spelled", ["{0}/", "./{0}", "{1}/{0}", "{0}/../{0}", "link"])
def test_a_movie_is_there_twice_however_its_path_is_spelled(simulated, rewritten, tmp_path, spelled):
    name = pd.read_csv(simulated / "study.csv")["movie"][0]
    if spelled == "link":
        spelled = str(tmp_path / "link")
        (tmp_path / "link").symlink_to(simulated / name)
    again = spelled.format(name, simulated)
    path = rewritten(lambda table: pd.concat([table, table.iloc[:1].assign(movie=again)]))
    with pytest.raises(ValueError, match=rf"row 9: movie \S+ is there twice \(row 1: {name}\)"):
        read_study(path, results=simulated)


def test_results_in_pixels_are_not_compared(simulated, rewritten, tmp_path):
    first = pd.read_csv(simulated / "study.csv")["movie"][0]
    shutil.copytree(simulated / first, tmp_path / "other")
    summary = json.loads((tmp_path / "other" / "summary.json").read_text())
    path = rewritten(lambda table: table.assign(movie=[str(tmp_path / "other"), *table["movie"][1:]]))
    for source, told in (("flag", nullcontext()), ("pixels", pytest.raises(ValueError, match="other: its .* pixels"))):
        summary["units_from"] = dict.fromkeys(("um_per_px", "minutes_per_frame"), source)
        (tmp_path / "other" / "summary.json").write_text(json.dumps(summary))
        with told:
            assert len(read_study(path, results=simulated).movies) == 8


def test_a_movie_that_was_not_analyzed_says_how_to_make_its_cells(simulated, rewritten, tmp_path):
    (tmp_path / "empty").mkdir()
    path = rewritten(lambda table: table.assign(movie=["empty", *table["movie"][1:]]))
    with pytest.raises(FileNotFoundError, match="no cells.csv in it. Make one with `somaseg analyze`"):
        read_study(path)
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_study(tmp_path / "other.csv")
    with pytest.raises(ValueError, match="is a folder"):
        read_study(tmp_path)


def test_movies_without_a_cell_are_told_and_counted_nowhere(tmp_path):
    blank = replace(SMALL, motion=PRESETS["blank"].motion)
    simulate_study(
        StudyDesign(conditions={"a": SMALL, "b": blank}, lines=2, assembloids=1), tmp_path, seed=1, pictures=False
    )
    study = read_study(tmp_path / "study.csv")
    assert any("2 movies have no cells" in text for text in study.warnings)
    comparison = compare_groups(study, GroupParameters(models=False))
    assert comparison.table["p_value"].isna().all() and comparison.groups["lines"].tolist() == [2, 0]
