"""One result folder against another: one object, one table, two files."""

import json

import pandas as pd
import pytest

from somaseg.migration import score_results, write_scores
from somaseg.movies import Calibration
from somaseg.tracking import read_result, write_result

pytest.importorskip("ctc_metrics")


def test_folders_of_the_truth_against_itself_are_perfect(tmp_path, make_truth):
    for name in ("result", "truth"):
        write_result(tmp_path / name, make_truth(), run={})
    scores = score_results(read_result(tmp_path / "result"), read_result(tmp_path / "truth"))
    summary = scores.summary()
    for name in ("seg", "det", "tra", "lnk", "hota", "idf1", "saltation_f1", "ap_0.50_to_0.95_pooled"):
        assert summary[name] == 1, name
    assert summary["saltation_frequency_per_h_bias"] == 0
    assert scores.notes == []
    frame = scores.to_frame()
    assert dict(zip(frame["measure"], frame["value"])) == pytest.approx(summary, nan_ok=True)
    assert list(frame["part"].unique()) == ["segmentation", "tracking", "migration"]


def test_without_cells_migration_is_absent_and_said_so(make_truth):
    result = make_truth()
    result.cells = None
    scores = score_results(result, make_truth())
    assert scores.migration is None
    assert scores.notes == ["Migration is not scored: no cells.csv in the result."]
    assert scores.summary()["det"] == 1
    assert "saltation_f1" not in scores.summary()


def test_without_saltations_that_is_said_so(make_truth):
    result, truth = make_truth(), make_truth()
    result.saltations = truth.saltations = None
    scores = score_results(result, truth)
    assert scores.notes == ["Saltations are not matched: no saltations.csv in the result and the truth."]
    assert "saltation_frequency_per_h_bias" in scores.summary()


def test_scores_are_written_as_json_and_one_row_per_cell(tmp_path, make_truth, drop_cell):
    scores = score_results(drop_cell(make_truth(), 3), make_truth())
    write_scores(scores, tmp_path / "scores")
    written = json.loads((tmp_path / "scores/scores.json").read_text())
    assert written["cells_missed"] == 1
    assert written["notes"] == []
    cells = pd.read_csv(tmp_path / "scores/cell_errors.csv")
    assert list(cells["status"]) == ["matched", "matched", "missed"]
    assert cells["result_id"].isna().tolist() == [False, False, True]


def test_scores_that_are_there_are_refused_without_overwrite(tmp_path, make_truth):
    write_scores(score_results(make_truth(), make_truth()), tmp_path)
    result = make_truth()
    result.cells = None
    bare = score_results(result, make_truth())
    with pytest.raises(FileExistsError, match="scores.json exists"):
        write_scores(bare, tmp_path)
    write_scores(bare, tmp_path, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["scores.json"]


def test_units_of_another_movie_are_refused(make_truth):
    result = make_truth()
    result.calibration = Calibration(0.5, 15)
    with pytest.raises(ValueError, match="minutes_per_frame is 15 in the result and 10 in the truth"):
        score_results(result, make_truth())
