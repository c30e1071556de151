"""sweep_table: rows survive the file, and means and spreads are those computed by hand."""

import numpy as np
import pandas as pd
import pytest

from somaseg.training.grids import Reported, Setting
from somaseg.training.recipes import Recipe
from somaseg.training.sweep_table import append_row, format_table, read_rows, summarise

SETTINGS = [
    Setting("baseline", None, Reported(None, 0.10, 0.07)),
    Setting("model 1", Recipe(learning_rate=0.01, trainable_groups=3), Reported(0.016, 0.39, 0.5)),
    Setting("mine", Recipe()),
]
ROWS = pd.DataFrame(
    [
        {"setting": "baseline", "train_iou": 0.2, "val_iou": 0.3, "wall_s": 6.0},
        {"setting": "model 1", "loss": 0.02, "train_iou": 0.5, "val_iou": 0.4, "wall_s": 60.0},
        {"setting": "model 1", "loss": 0.04, "train_iou": 0.5, "val_iou": 0.6, "wall_s": 120.0},
        {"setting": "mine", "loss": 0.01, "train_iou": 0.5, "val_iou": 0.7, "wall_s": 60.0},
    ]
)


def test_appended_rows_are_read_as_they_were_and_new_columns_are_empty_before(tmp_path):
    path = tmp_path / "results.csv"
    assert read_rows(path).empty
    append_row(path, {"run": "0123456789e1", "val_iou": 0.1 + 0.2})
    append_row(path, {"run": "000000000012", "val_iou": 1 / 3, "new": 5})
    rows = read_rows(path)
    assert rows["run"].tolist() == ["0123456789e1", "000000000012"]
    assert rows["val_iou"].tolist() == [0.1 + 0.2, 1 / 3]
    assert np.isnan(rows["new"][0]) and rows["new"][1] == 5
    assert [file.name for file in tmp_path.iterdir()] == ["results.csv"]


def test_a_table_of_something_else_is_refused(tmp_path):
    (tmp_path / "results.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match='no column "run"'):
        read_rows(tmp_path / "results.csv")


def test_means_and_spreads_are_those_by_hand():
    summary = summarise(SETTINGS, ROWS).set_index("setting")
    assert summary["runs"].tolist() == [1, 2, 1]
    assert summary.loc["model 1", "val_iou"] == pytest.approx(0.5)
    assert summary.loc["model 1", "val_iou_sd"] == pytest.approx(np.sqrt(0.02))  # two values 0.2 apart
    assert summary.loc["model 1", "loss"] == pytest.approx(0.03)
    assert np.isnan(summary.loc["mine", "val_iou_sd"])
    assert np.isnan(summary.loc["baseline", "loss"])
    assert summary.loc["model 1", "reported_val_iou"] == 0.5
    assert np.isnan(summary.loc["mine", "reported_val_iou"])


def test_the_printed_table_has_our_figure_its_spread_and_the_reports():
    table = format_table(summarise(SETTINGS, ROWS), "Simulated stills.")
    lines = {
        line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[1:-1]] for line in table.split("\n")[:5]
    }
    assert lines["model 1"][:7] == ["model 1", "0.01", "16", "160", "0.0001", "3", "2"]
    assert "0.0300 ± 0.0141 [0.016]" in lines["model 1"]
    assert "0.500 ± 0.141 [0.5]" in lines["model 1"]
    assert lines["baseline"][1:6] == ["-"] * 5
    assert "0.300 [0.07]" in lines["baseline"]
    assert lines["mine"][5] == "all"
    assert "0.700" in lines["mine"]
    assert lines["model 1"][-1] == "1.5"
    assert len({len(line) for line in table.split("\n")[:5]}) == 1  # columns stand below each other
    assert "Simulated stills." in table
