"""sweep: a run is known by what decides it, trained once, kept when it is done, and scored on whole images."""

import dataclasses

import cv2
import keras
import numpy as np
import pandas as pd
import pytest

from somaseg.data.datasets import Samples
from somaseg.models import UNet
from somaseg.training.grids import Setting
from somaseg.training.recipes import Recipe
from somaseg.training.sweep import RESULTS, Scoring, load_run, plan_runs, read_history, run_sweep
from somaseg.training.sweep_data import SweepData

RECIPE = Recipe(epochs=1, batch_size=2, crop_size=32, trainable_groups=1, fixed_examples=True, threefold=True)
FAST = Setting("fast", dataclasses.replace(RECIPE, learning_rate=0.1))
SLOW = Setting("slow", dataclasses.replace(RECIPE, learning_rate=0.01))
BASELINE = Setting("baseline", None)


def discs(count, first=0):
    y, x = np.mgrid[:32, :32]
    labels = [(np.hypot(y - 8 - i, x - 12) < 6).astype(np.uint16) for i in range(first, first + count)]
    return Samples.from_arrays((f"simulated_{i}", 20 + 200 * disc, disc) for i, disc in enumerate(labels))


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("preset")
    UNet(filters=2, depth=2).save_to_preset(folder)
    return folder


@pytest.fixture(scope="module")
def data():
    return SweepData("discs", discs(3), discs(2, first=3))


class Measuring:
    """In the place of `measure_run`: counts, and dies at a run if asked to."""

    def __init__(self, dies_at=None):
        self.done, self.dies_at = [], dies_at

    def __call__(self, run, data, folder, preset, scoring):
        if len(self.done) == self.dies_at:
            raise KeyboardInterrupt
        self.done.append((run.setting, run.seed))
        return {"val_iou": len(self.done) / 7, "loss": 0.1, "threshold_seen": scoring.threshold}


def test_every_setting_runs_with_every_seed_and_the_untouched_preset_once(preset, data):
    runs = plan_runs([BASELINE, FAST, SLOW], [5, 6], data, preset)
    assert [(run.setting, run.seed) for run in runs] == [
        *(("baseline", 0), ("fast", 5), ("slow", 5)),
        *(("fast", 6), ("slow", 6)),
    ]
    assert [run.recipe and run.recipe.seed for run in runs] == [None, 5, 5, 6, 6]
    assert len({run.identity for run in runs}) == 5


def test_a_sweep_that_was_killed_goes_on_where_it_stopped(preset, data, tmp_path):
    runs, first, second = plan_runs([FAST, SLOW], [1, 2], data, preset), Measuring(dies_at=2), Measuring()
    with pytest.raises(KeyboardInterrupt):
        run_sweep(runs, data, tmp_path, preset=preset, measure=first)
    assert len(pd.read_csv(tmp_path / RESULTS)) == 2
    told = []
    rows = run_sweep(
        *(runs, data, tmp_path),
        preset=preset,
        measure=second,
        progress=lambda done, total, run: told.append((done, total, run and run.setting)),
    )
    assert first.done + second.done == [("fast", 1), ("slow", 1), ("fast", 2), ("slow", 2)]
    assert told == [(2, 4, "fast"), (3, 4, "slow"), (4, 4, None)]
    assert rows["setting"].tolist() == ["fast", "slow", "fast", "slow"]
    assert rows["val_iou"].tolist() == pytest.approx([1 / 7, 2 / 7, 1 / 7, 2 / 7])
    assert rows["seed"].tolist() == [1, 1, 2, 2]
    assert rows["learning_rate"].tolist() == [0.1, 0.01, 0.1, 0.01]


def test_a_run_that_two_grids_share_is_done_once(preset, data, tmp_path):
    measure = Measuring()
    run_sweep(plan_runs([FAST], [1], data, preset), data, tmp_path, preset=preset, measure=measure)
    same = Setting("all three images", dataclasses.replace(FAST.recipe, labelled_images=3))
    rows = run_sweep(plan_runs([same], [1], data, preset), data, tmp_path, preset=preset, measure=measure)
    assert (len(measure.done), rows["setting"].tolist()) == (1, ["all three images"])


@pytest.mark.parametrize("what", ["seed", "recipe", "data", "preset"])
def test_a_run_is_another_when_what_decides_it_is_another(preset, data, tmp_path, what):
    (run,) = plan_runs([FAST], [1], data, preset)
    settings, seeds = [FAST], [1]
    if what == "seed":
        seeds = [2]
    elif what == "recipe":
        settings = [Setting("fast", dataclasses.replace(FAST.recipe, elastic_alpha=3.0))]
    elif what == "data":
        changed = discs(3)
        changed.instances[2][0, 0] = 2
        data = SweepData("discs", changed, data.validation)
    else:
        keras.utils.set_random_seed(9)
        UNet(filters=2, depth=2).save_to_preset(tmp_path)
        preset = tmp_path
    assert plan_runs(settings, seeds, data, preset)[0].identity != run.identity


def test_another_threshold_is_counted_anew(preset, data, tmp_path):
    runs, measure = plan_runs([FAST], [1], data, preset), Measuring()
    for scoring in (Scoring(), Scoring(threshold=0.3), Scoring()):
        rows = run_sweep(runs, data, tmp_path, preset=preset, scoring=scoring, measure=measure)
        assert rows["threshold_seen"].tolist() == [scoring.threshold]
    assert len(measure.done) == 2


@pytest.mark.parametrize(
    "settings, seeds, message",
    [
        ([FAST], [], "at least one"),
        ([FAST], [1, 1], "must be different"),
        (
            [Setting("many", dataclasses.replace(RECIPE, labelled_images=9))],
            [1],
            "many: labelled_images must be 3, the training images of discs, or less, got 9",
        ),
    ],
)
def test_a_plan_that_cannot_be_run_is_refused(preset, data, settings, seeds, message):
    with pytest.raises(ValueError, match=message):
        plan_runs(settings, seeds, data, preset)


@pytest.mark.parametrize("values", [{"threshold": 1.0}, {"minimum_area_px": -1}, {"match_iou": 0.42}])
def test_a_bad_scoring_is_refused_by_name(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        Scoring(**values)


def test_real_runs_are_trained_scored_and_can_be_loaded(preset, data, tmp_path):
    scoring = Scoring(minimum_area_px=0)
    runs = plan_runs([BASELINE, Setting("two", dataclasses.replace(FAST.recipe, epochs=2))], [1], data, preset)
    rows = run_sweep(runs, data, tmp_path, preset=preset, scoring=scoring).set_index("setting")
    history = read_history(runs[1], tmp_path)
    assert rows.loc["two", "epochs_done"] == len(history) == 2
    assert rows.loc["two", "loss"] == history["loss"].iloc[-1]
    assert rows.loc["two", "val_iou"] == pytest.approx(history["val_iou"].iloc[-1])  # the crops are the whole images
    assert pd.isna(rows.loc["baseline", "loss"])
    for run in runs:  # the scores are those of the segmenter that a user would load
        segmenter = load_run(run, tmp_path, preset=preset, scoring=scoring)
        found = [segmenter(image).labels > 0 for image in data.validation.images]
        truth = [labels > 0 for labels in data.validation.instances]
        iou = np.mean([(a & b).sum() / (a | b).sum() for a, b in zip(truth, found)])
        assert rows.loc[run.setting, "val_iou"] == pytest.approx(iou)


def test_the_caption_calls_simulated_stills_simulated_and_others_not():
    assert SweepData("neuron_soma/simulated", discs(3), discs(2)).caption.startswith(
        "Simulated stills, no real image: 3"
    )
    picture = cv2.circle(np.zeros((24, 24), np.uint8), (12, 12), 5, 200, -1)
    lab = Samples.from_arrays([("culture_1", picture, picture // 200)])
    assert SweepData("neuron_soma/lab", lab, discs(2)).caption.startswith("Labelled images: 1 to train")
