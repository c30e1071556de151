"""A grid of recipes, each trained from the same preset with several seeds; a row per run is kept as soon as it is done.

A run is known by what decides how it comes out (recipe with seed, the preset's weights, the data), so a sweep that was
killed goes on where it stopped, and a run that two grids share is trained once.
"""

import dataclasses
import hashlib
import json
import platform
import time
from dataclasses import dataclass
from pathlib import Path

import keras
import pandas as pd

from somaseg.models import presets
from somaseg.models.unet import UNet
from somaseg.segmentation.evaluation import THRESHOLDS, score_images
from somaseg.segmentation.segmenter import DEFAULTS, Segmenter
from somaseg.training.labelled_images import split_labelled
from somaseg.training.recipes import Recipe
from somaseg.training.runs import load_last_epoch, settle_network, train
from somaseg.training.self_training import STUDENT, self_train
from somaseg.training.sweep_table import append_row, read_rows

RESULTS = "results.csv"


@dataclass(frozen=True)
class Scoring:
    """How predictions are made from a trained network and counted.

    Attributes:
        threshold: float, a pixel is soma when its probability is above it.
        minimum_area_px: int, smaller objects are dropped.
        match_iou: float, IoU from which a predicted soma is a true one: 0.5, 0.55, ... 0.95.
    """

    threshold: float = DEFAULTS["threshold"]
    minimum_area_px: int = DEFAULTS["minimum_area_px"]
    match_iou: float = 0.5

    def __post_init__(self):
        if not 0 < self.threshold < 1:
            raise ValueError(f"threshold must be between 0 and 1, got {self.threshold!r}.")
        if self.minimum_area_px < 0:
            raise ValueError(f"minimum_area_px must be 0 or more, got {self.minimum_area_px!r}.")
        if self.match_iou not in THRESHOLDS:
            raise ValueError(f"match_iou must be one of {THRESHOLDS}, got {self.match_iou!r}.")


@dataclass(frozen=True)
class Run:
    """One training of a sweep: which setting, which seed, and `identity`, by which its row and folder are known."""

    setting: str
    recipe: object
    seed: int
    identity: str


def plan_runs(settings, seeds, data, preset):
    """The runs of a sweep in their order: each setting with each seed, the untouched preset once.

    Args:
        settings: list of `somaseg.training.grids.Setting`.
        seeds: list of int.
        data: `somaseg.training.sweep_data.SweepData`.
        preset: str, name or folder.

    Returns:
        List of `Run`, the first seed of every setting before the second of any.

    Raises:
        ValueError: no seed, or one twice, or more labelled images than there are.
    """
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds must be different whole numbers, at least one, got {list(seeds)}.")
    weights = presets.read_metadata(presets.find_preset(preset))["weights_sha256"]
    runs = []
    for seed in seeds:
        for setting in settings:
            if setting.recipe is None and seed != seeds[0]:
                continue
            recipe = setting.recipe and dataclasses.replace(setting.recipe, seed=seed)
            if recipe and recipe.labelled_images is not None:
                if recipe.labelled_images > len(data.train):
                    raise ValueError(
                        f"{setting.name}: labelled_images must be {len(data.train)}, the training images of "
                        f"{data.name}, or less, got {recipe.labelled_images}."
                    )
                if recipe.labelled_images == len(data.train):
                    recipe = dataclasses.replace(recipe, labelled_images=None)  # all, the same run
            decides = {"recipe": recipe and _unusual(recipe), "weights": weights, "data": data.fingerprint}
            identity = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:12]
            runs.append(Run(setting.name, recipe, 0 if recipe is None else seed, identity))
    return runs


def run_sweep(runs, data, folder, *, preset, scoring=None, progress=None, measure=None):
    """Train and score what is not in the folder's results.csv yet, and add a row to it after each run.

    Args:
        runs: list of `Run`, as `plan_runs` gives it.
        data: `SweepData` that they were planned for.
        folder: where results.csv and runs/<identity>/ are kept.
        preset: str, name or folder that every run starts from.
        scoring: `Scoring`; None for its defaults.
        progress: None, or a function called before each run with (runs done, runs in all, the next `Run` or None).
        measure: function in the place of `measure_run`.

    Returns:
        `pandas.DataFrame`, a row for each of `runs`, with "setting" first: the recipe, and what `measure_run` gives.
    """
    folder, scoring, measure = Path(folder), scoring or Scoring(), measure or measure_run
    path, counted = folder / RESULTS, dataclasses.asdict(scoring)
    rows = []
    for done, run in enumerate(runs):
        found = find_row(read_rows(path), run, scoring)
        if found is None:
            if progress:
                progress(done, len(runs), run)
            facts = {"run": run.identity, "name": run.setting, **(run.recipe.to_dict() if run.recipe else {})}
            facts |= {
                "seed": run.seed,
                "preset": str(preset),
                "dataset": data.name,
                "data": data.fingerprint,
                **counted,
            }
            append_row(path, {**facts, **measure(run, data, folder / "runs" / run.identity, preset, scoring)})
            found = find_row(read_rows(path), run, scoring)
        rows.append({"setting": run.setting, **found})
    if progress:
        progress(len(runs), len(runs), None)
    return pd.DataFrame(rows)


def find_row(rows, run, scoring):
    """The row of `run` counted by `scoring` as a dict, or None."""
    own = rows[rows["run"] == run.identity]
    for name, value in dataclasses.asdict(scoring).items():
        own = own[own[name] == value] if len(own) else own
    return own.iloc[-1].to_dict() if len(own) else None


def measure_run(run, data, folder, preset, scoring):
    """Train (or go on, or only read a finished run) and score.

    Returns:
        Dict: epochs_done, loss and val_loss of the last epoch, best_epoch; train_ and val_ iou (union masks of whole
        images, mean over images), precision, recall and f1 (matched somas at `scoring.match_iou`, pooled over images)
        of the last epoch's weights; the same with precise_ of these weights with precise statistics over the labelled
        training images (`somaseg.training.precise_statistics`), and with best_ of those of the best epoch; wall_s, the
        seconds that the epochs took with their validation (of self-training, the student's); and what it ran on. The
        training images scored are those that the recipe uses with their labels.
    """
    started = time.time()
    keras.utils.clear_session()
    if run.recipe is None:
        scores = _scores(_segmenter(UNet.from_preset(preset), scoring), data.train, data.validation, scoring)
        return {**scores, "wall_s": round(time.time() - started, 1), **_machine()}
    network, history = _train(run, data, folder, preset)
    best = max(history, key=lambda row: row["val_iou"])
    used = data.train
    if run.recipe.labelled_images is not None:
        used, _ = split_labelled(data.train, run.recipe.labelled_images, seed=run.seed)
    segmenter = _segmenter(network, scoring, run.recipe.smoothing_px)
    best_scores = last_scores = _scores(segmenter, used, data.validation, scoring)
    if best["epoch"] != len(history):
        load_last_epoch(network, _last_run(run.recipe, folder))
        last_scores = _scores(segmenter, used, data.validation, scoring)
    precise_scores = last_scores
    if not run.recipe.precise_statistics:
        settle_network(network, run.recipe, used)
        precise_scores = _scores(segmenter, used, data.validation, scoring)
    return {
        "epochs_done": len(history),
        "loss": history[-1]["loss"],
        "val_loss": history[-1]["val_loss"],
        "best_epoch": best["epoch"],
        **last_scores,
        **{f"precise_{name}": value for name, value in precise_scores.items()},
        **{f"best_{name}": value for name, value in best_scores.items()},
        "wall_s": round(sum(row["seconds"] for row in history), 1),
        **_machine(),
    }


def read_history(run, folder):
    """The epochs of a finished run as a `pandas.DataFrame`; of self-training, the student's.

    Args:
        run: `Run` with a recipe.
        folder: the sweep's.
    """
    return pd.read_csv(_last_run(run.recipe, Path(folder) / "runs" / run.identity) / "history.csv")


def load_run(run, folder, *, preset, scoring):
    """The segmenter of a finished run, with the weights of its last epoch; of the preset itself without a recipe."""
    network = UNet.from_preset(preset)
    if run.recipe is not None:
        load_last_epoch(network, _last_run(run.recipe, Path(folder) / "runs" / run.identity))
    return _segmenter(network, scoring, run.recipe.smoothing_px if run.recipe else 0.0)


def _unusual(recipe):
    """What of a recipe is not as in `Recipe()`: a setting that is added later leaves finished runs what they are."""
    usual = Recipe().to_dict()
    return {name: value for name, value in recipe.to_dict().items() if value != usual[name]}


def _train(run, data, folder, preset):
    keras.utils.set_random_seed(run.seed)
    network = UNet.from_preset(preset, dtype=run.recipe.dtype_policy())
    options = {"verbose": 0, "tensorboard": False}
    if run.recipe.unlabelled_images:
        options["unlabelled"] = data.unlabelled
        return network, self_train(network, run.recipe, data.train, data.validation, folder, **options)
    return network, train(network, run.recipe, data.train, data.validation, folder, **options)


def _last_run(recipe, folder):
    return folder / STUDENT if recipe.unlabelled_images else folder


def _scores(segmenter, train_samples, validation_samples, scoring):
    result = {}
    for split, samples in (("train", train_samples), ("val", validation_samples)):
        predictions = [segmenter(image).labels for image in samples.images]
        scores = score_images(zip(samples.ids, samples.instances, predictions))
        matched = scores.by_threshold().set_index("threshold").loc[scoring.match_iou]
        result[f"{split}_iou"] = float(scores.images["iou"].mean())
        result |= {f"{split}_{name}": float(matched[f"{name}_pooled"]) for name in ("precision", "recall", "f1")}
    return result


def _segmenter(network, scoring, smoothing_px=0.0):
    return Segmenter(
        network,
        threshold=scoring.threshold,
        minimum_area_px=scoring.minimum_area_px,
        smoothing_px=smoothing_px,
    )


def _machine():
    devices = keras.distribution.list_devices("gpu") or ["cpu"]
    return {"backend": keras.backend.backend(), "device": str(devices[0]), "python": platform.python_version()}
