"""sweep_figures: the right settings are compared, every figure says what the data are, every image has its panel."""

import dataclasses

import cv2
import numpy as np
import pandas as pd
import pytest

from somaseg.data.datasets import Samples
from somaseg.report.plot_style import svg_text
from somaseg.report.sweep_figures import (
    draw_labelled_images,
    draw_losses,
    draw_scores,
    final_setting,
    save_sweep_figures,
    save_validation_panels,
    settings_by_value,
)
from somaseg.training.grids import GRIDS, Setting
from somaseg.training.recipes import REPORT
from somaseg.training.sweep_table import MEASURED, summarise

CAPTION = "Simulated stills, no real image: 3 to train, 2 to validate (tests)."


def history(length=4):
    epochs = np.arange(1, length + 1)
    values = {name: 1 / (1 + epochs) for name in ("loss", "val_loss", "iou", "val_iou")}
    return pd.DataFrame({"epoch": epochs, **values})


def rows_of(settings, seeds=2):
    rng = np.random.default_rng(0)
    rows = [
        {"setting": setting.name, **{k: rng.uniform(0.2, 0.6) for k in MEASURED}}
        for setting in settings
        for _ in range(seeds)
    ]
    return pd.DataFrame(rows)


def test_the_reports_comparisons_are_those_of_its_table():
    settings = GRIDS["report"](REPORT)

    def names(value):
        return [setting.name for setting in settings_by_value(settings, value).values()]

    assert names("learning_rate") == ["model 3", "model 1", "model 2"]
    assert names("batch_size") == ["model 1", "model 4", "model 5"]
    assert names("weight_decay") == ["model 7", "model 1", "model 6"]
    assert names("trainable_groups") == []


def test_all_groups_come_last():
    assert list(settings_by_value(GRIDS["groups"](REPORT), "trainable_groups")) == [1, 2, 3, 5, None]


def test_all_figures_of_the_report_are_drawn(tmp_path):
    settings = GRIDS["report"](REPORT)
    rows, histories = rows_of(settings), {s.name: [history(), history()] for s in settings if s.recipe}
    paths = save_sweep_figures(settings, summarise(settings, rows), rows, histories, tmp_path, CAPTION)
    assert {path.stem for path in paths} == {
        *("scores", "final_model", "loss_by_learning_rate", "loss_by_batch_size", "loss_by_weight_decay")
    }
    for path in paths:
        assert min(cv2.imread(str(path)).shape[:2]) > 200
        assert CAPTION in path.with_suffix(".svg").read_text()


def test_a_loss_figure_has_a_thin_line_for_each_seed_and_a_mean_for_each_value():
    settings = settings_by_value(GRIDS["report"](REPORT), "batch_size")
    figure = draw_losses(settings, {s.name: [history(), history(3)] for s in settings.values()}, "batch_size", CAPTION)
    axes = figure.axes[0]
    assert len(axes.lines) == 3 * (2 + 1)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["8", "16", "32"]
    assert [len(line.get_xdata()) for line in axes.lines[:3]] == [4, 3, 3]


def test_scores_show_every_run_its_mean_and_what_was_reported():
    settings = GRIDS["report"](REPORT)
    rows = rows_of(settings)
    axes = draw_scores(summarise(settings, rows), rows, CAPTION).axes[0]
    dots, diamonds, mean, reported = axes.lines[4:8]  # of model 1
    own = rows[rows["setting"] == "model 1"]
    assert dots.get_xdata().tolist() == own["val_iou"].tolist()
    assert diamonds.get_xdata().tolist() == own["precise_val_iou"].tolist()
    assert mean.get_xdata() == pytest.approx([own["val_iou"].mean()] * 2)
    assert list(reported.get_xdata()) == [0.5]
    assert "the report's" in [text.get_text() for text in axes.get_legend().get_texts()]
    settings = GRIDS["groups"](REPORT)
    rows = rows_of(settings)
    legend = draw_scores(summarise(settings, rows), rows, CAPTION).axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["run", "run, precise statistics", "mean"]


def test_scores_by_labelled_images_are_drawn_where_there_are_several_numbers():
    settings = GRIDS["self_training"](REPORT)
    figure = draw_labelled_images(settings, summarise(settings, rows_of(settings)), CAPTION)
    texts = svg_text(figure)
    assert "IoU, with pseudo-labels" in texts and ">4<" in texts and ">8<" in texts
    settings = GRIDS["report"](REPORT)
    assert draw_labelled_images(settings, summarise(settings, rows_of(settings)), CAPTION) is None


def test_the_final_setting_is_the_trained_one_of_highest_mean():
    settings = [Setting("baseline", None), Setting("a", REPORT), Setting("b", dataclasses.replace(REPORT, epochs=2))]
    rows = pd.DataFrame({"setting": ["baseline", "a", "a", "b", "b"], "val_iou": [0.9, 0.1, 0.8, 0.5, 0.5]})
    assert final_setting(settings, summarise(settings, rows)).name == "b"
    assert final_setting(settings[:1], summarise(settings[:1], rows)) is None


def test_every_validation_image_has_a_panel_of_input_truth_and_prediction(tmp_path):
    labels = np.zeros((64, 64), np.uint16)
    labels[20:40, 20:40] = 1
    image = np.where(labels > 0, 200, 20).astype(np.uint8)
    samples = Samples.from_arrays([("a b/1", image, labels), ("a b/2", image, labels)])
    paths = save_validation_panels(
        samples, [labels, 0 * labels], [1.0, 0.0], tmp_path, heading="model 1", caption=CAPTION
    )
    assert [path.name for path in paths] == ["a_b_1.png", "a_b_2.png"]
    found, missed = (cv2.imread(str(path)).astype(int) for path in paths)
    third = found.shape[1] // 3
    changed = (np.abs(found - missed).sum(axis=-1) > 60).any(axis=0)
    assert changed[2 * third :].any()  # the outline in the right picture alone
    rows = slice(found.shape[0] // 4, 3 * found.shape[0] // 4)
    assert not (np.abs(found - missed).sum(axis=-1) > 60)[rows, : 2 * third - 20].any()
