"""runs.train: however a run is cut short, it ends with the weights of one that was not."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap

import cv2
import keras
import numpy as np
import pytest

from somaseg.models import UNet
from somaseg.training import runs
from somaseg.training.recipes import Recipe

# The same lines make the data and the network here and in the process that is killed.
SETUP = """
import keras
import numpy as np

from somaseg.data.datasets import Samples
from somaseg.models import UNet
from somaseg.training import runs
from somaseg.training.recipes import Recipe

RECIPE = Recipe(epochs=4, batch_size=1, crop_size=16, learning_rate=0.03, seed=3)
y, x = np.mgrid[:24, :24]
discs = [(np.hypot(y - 6 - 2 * i, x - 12) < 6).astype(np.uint16) for i in range(6)]
SAMPLES = Samples.from_arrays((str(i), 20 + 100 * disc, disc) for i, disc in enumerate(discs))


def train(folder, recipe=RECIPE):
    keras.utils.set_random_seed(0)
    network = UNet(filters=4, depth=2)
    history = runs.train(
        network, recipe, SAMPLES, SAMPLES, folder, verbose=0, tensorboard=False
    )
    return network, history
"""
world = {}
exec(SETUP, world)
RECIPE, train = world["RECIPE"], world["train"]


def with_epochs(epochs, **values):
    return Recipe.from_dict({**RECIPE.to_dict(), "epochs": epochs, **values})


def last_state(folder):
    """The last checkpoint: weights, statistics, random state, optimizer."""
    state = json.loads((folder / "checkpoints" / "state.json").read_text())
    with np.load(folder / "checkpoints" / state["last"]) as arrays:
        return [arrays[str(i)] for i in range(len(arrays.files))]


def without_seconds(history):
    return [{key: row[key] for key in row if key != "seconds"} for row in history]


def assert_same_run(folder, result, other_folder, other_result):
    (network, history), (other_network, other_history) = result, other_result
    assert without_seconds(history) == without_seconds(other_history)
    for ours, theirs in (
        (last_state(folder), last_state(other_folder)),
        (network.get_weights(), other_network.get_weights()),
    ):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of 4 epochs in one go: (folder, (network, history)). Not to be written to."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    return folder, train(folder)


@pytest.fixture(scope="module")
def transfer(tmp_path_factory):
    """A run of one epoch of the head alone: (folder, (network, history)). Not to be written to."""
    folder = tmp_path_factory.mktemp("runs") / "transfer"
    return folder, train(folder, with_epochs(1, trainable_groups=1, threefold=True))


def test_history_has_a_row_per_epoch_here_and_in_history_csv(whole):
    folder, (_, history) = whole
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
    with open(folder / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [{key: float(value) for key, value in row.items()} for row in rows] == history
    assert {"loss", "iou", "pooled_iou", "val_loss", "val_iou", "val_pooled_iou"} < set(rows[0])


def test_curves_are_a_picture_with_something_drawn(whole):
    path = whole[0] / "curves.png"
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    picture = cv2.imread(str(path))
    assert min(picture.shape[:2]) > 200
    colours = np.unique(picture.reshape(-1, 3), axis=0)
    blue, orange = (180, 119, 31), (14, 127, 255)  # matplotlib's first two lines, as BGR
    assert {blue, orange} <= {tuple(colour.tolist()) for colour in colours}


def test_only_the_newest_and_the_best_checkpoint_remain(whole):
    folder, (_, history) = whole
    best = max(history, key=lambda row: row["val_iou"])["epoch"]
    files = {"state.json", "last-0004.npz", f"best-{best:04d}.weights.h5"}
    assert {path.name for path in (folder / "checkpoints").iterdir()} == files
    assert {path.name for path in folder.iterdir()} == {*("checkpoints", "curves.png", "history.csv", "recipe.json")}


def test_network_is_left_with_the_weights_of_its_best_epoch(whole):
    folder, (network, _) = whole
    best = UNet(filters=4, depth=2)
    best.load_weights(next((folder / "checkpoints").glob("best-*.weights.h5")))
    for a, b in zip(network.get_weights(), best.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_training_moved_the_weights_and_lowered_the_loss(whole):
    keras.utils.set_random_seed(0)
    network, history = whole[1]
    before = UNet(filters=4, depth=2).get_weights()
    assert all((a != b).any() for a, b in zip(network.get_weights(), before, strict=True))
    assert history[-1]["loss"] < history[0]["loss"]


def test_two_epochs_and_two_more_are_four(whole, tmp_path):
    _, first = train(tmp_path, with_epochs(2))
    assert len(first) == 2
    assert_same_run(tmp_path, train(tmp_path), *whole)


def test_a_finished_run_is_only_read(whole, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("A finished run was trained on.")

    folder, (network, history) = whole
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    monkeypatch.setattr(keras.Model, "fit", refuse)
    again, told = train(folder)
    assert told == history
    for a, b in zip(again.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    assert after == before


def test_another_recipe_in_the_same_folder_is_refused(whole):
    folder = whole[0]
    stored = (folder / "recipe.json").read_text()
    message = r"another recipe \(learning_rate 0\.03 there, 0\.5 now\)\. Give another folder"
    with pytest.raises(ValueError, match=message):
        train(folder, with_epochs(4, learning_rate=0.5))
    assert (folder / "recipe.json").read_text() == stored


def test_a_checkpoint_of_another_network_is_refused(whole):
    recipe, samples = RECIPE, world["SAMPLES"]
    with pytest.raises(ValueError, match="belongs to another network"):
        runs.train(UNet(filters=1, depth=3), recipe, samples, samples, whole[0], tensorboard=False)


def test_frozen_groups_of_a_recipe_stay_as_they_were(transfer):
    network = transfer[1][0]
    keras.utils.set_random_seed(0)
    fresh = UNet(filters=4, depth=2)
    moved = {
        variable.path.split("/")[0]
        for variable, other in zip(network.variables, fresh.variables, strict=True)
        if (variable.numpy() != other.numpy()).any()
    }
    assert moved == {"head_convolution"}


KILLED = """
import os, signal, sys

from somaseg.training import checkpoints

savez = np.savez


def savez_and_die(file, **arrays):
    savez(file, **arrays)
    if sum(1 for _ in open(sys.argv[1] + "/history.csv")) == 3:  # two epochs are whole
        file.truncate(file.tell() // 2)
        os.kill(os.getpid(), signal.SIGKILL)


class Dying:
    savez = staticmethod(savez_and_die)

    def __getattr__(self, name):
        return getattr(np, name)


open(sys.argv[1] + "/history.csv", "w").close()
checkpoints.np = Dying()
train(sys.argv[1])
"""


def test_a_run_killed_while_it_writes_a_checkpoint_ends_as_if_it_had_not_been(whole, tmp_path):
    killed = subprocess.run(
        [sys.executable, "-c", SETUP + textwrap.dedent(KILLED), str(tmp_path)],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-3000:]
    names = {path.name for path in (tmp_path / "checkpoints").iterdir()}
    assert any(".partial.last-0003.npz" in name for name in names)
    state = json.loads((tmp_path / "checkpoints" / "state.json").read_text())
    assert len(state["history"]) == 2
    assert_same_run(tmp_path, train(tmp_path), *whole)
    files = {"state.json", state_of(tmp_path)["last"], state_of(tmp_path)["best"]}
    assert {path.name for path in (tmp_path / "checkpoints").iterdir()} == files


def state_of(folder):
    return json.loads((folder / "checkpoints" / "state.json").read_text())


def test_load_last_epoch_gives_the_weights_of_the_last_epoch_whichever_was_the_best(tmp_path):
    trained, _ = train(tmp_path, with_epochs(1))
    for best in (tmp_path / "checkpoints").glob("best-*"):
        best.unlink()
    network = UNet(filters=4, depth=2)
    runs.load_last_epoch(network, tmp_path)
    for variable, expected in zip(network.variables, trained.variables):
        np.testing.assert_array_equal(np.asarray(variable), np.asarray(expected))


def test_a_recipe_may_keep_the_last_epoch_whichever_was_the_best(tmp_path):
    recipe = with_epochs(2, last_epoch=True)
    trained, _ = train(tmp_path, recipe)
    UNet(filters=4, depth=2).save_weights(tmp_path / "checkpoints" / state_of(tmp_path)["best"])  # nothing like it
    last = UNet(filters=4, depth=2)
    runs.load_last_epoch(last, tmp_path)
    for network in (trained, train(tmp_path, recipe)[0]):
        for variable, expected in zip(network.variables, last.variables):
            np.testing.assert_array_equal(np.asarray(variable), np.asarray(expected))


def test_load_last_epoch_of_a_transfer_leaves_the_network_as_trainable_as_it_was(transfer):
    folder, (trained, _) = transfer
    network = UNet(filters=4, depth=2)
    runs.load_last_epoch(network, folder)
    for variable, expected in zip(network.variables, trained.variables):
        np.testing.assert_array_equal(np.asarray(variable), np.asarray(expected))
    assert all(layer.trainable for layer in network.layers)


def test_load_last_epoch_refuses_a_folder_without_a_run(tmp_path):
    with pytest.raises(ValueError, match="holds no run"):
        runs.load_last_epoch(UNet(filters=4, depth=2), tmp_path)


def test_a_recipe_stored_before_a_setting_was_there_is_still_the_same_recipe(whole, tmp_path):
    folder = shutil.copytree(whole[0], tmp_path / "run")
    recipe = {key: value for key, value in RECIPE.to_dict().items() if key != "moving_statistics"}
    (folder / "recipe.json").write_text(json.dumps(recipe))
    assert train(folder)[1] == whole[1][1]
    (folder / "recipe.json").write_text(json.dumps({**recipe, "batch_size": 9}))
    with pytest.raises(ValueError, match="another recipe"):
        train(folder)
