"""frozen_trunk: training the tail on features of the trunk is training the whole network on the same fixed examples."""

import dataclasses

import keras
import numpy as np
import pytest

from somaseg.data.datasets import Samples
from somaseg.models import freeze_all_but_last
from somaseg.training import frozen_trunk, runs
from somaseg.training.recipes import Recipe

RECIPE = Recipe(
    **{"epochs": 2, "batch_size": 4, "crop_size": 32, "learning_rate": 0.01, "overlap_weight": 1.0},
    **{"trainable_groups": 3, "threefold": True, "fixed_examples": True},
)
NETWORK = {"filters": 2, "depth": 3}


@pytest.fixture(scope="module")
def samples():
    y, x = np.mgrid[:32, :32]
    discs = [(np.hypot(y - 8 - 3 * i, x - 16) < 6).astype(np.uint16) for i in range(4)]
    rng = np.random.default_rng(0)
    return Samples.from_arrays((str(i), 20 + 100 * d + rng.normal(0, 9, d.shape), d) for i, d in enumerate(discs))


@pytest.mark.parametrize("groups", [1, 3, 5])
def test_trunk_and_tail_one_after_the_other_are_the_network(random_unet, groups):
    network = random_unet(**NETWORK)
    freeze_all_but_last(network, groups)
    trunk, tail = frozen_trunk.cut_network(network)
    images = np.random.default_rng(1).uniform(0, 255, (9, 16, 16, 3)).astype(np.float32)
    features = [keras.ops.convert_to_tensor(array) for array in trunk.features(images).values()]
    joined = tail(features if len(features) > 1 else features[0], training=False)
    np.testing.assert_allclose(joined, network(images, training=False), rtol=1e-5, atol=1e-5)
    assert {id(v) for v in tail.trainable_variables} == {id(v) for v in network.trainable_variables}


def test_a_cut_run_ends_with_the_weights_of_a_whole_one(random_unet, samples, tmp_path, monkeypatch):
    results = {}
    for name in ("cut", "whole"):
        if name == "whole":
            monkeypatch.setattr(runs, "can_be_cut", lambda network, recipe: False)
        network = random_unet(filters=2, depth=2)
        before = network.get_weights()
        history = runs.train(network, RECIPE, samples, samples, tmp_path / name, verbose=0, tensorboard=False)
        runs.load_last_epoch(network, tmp_path / name)
        results[name] = (network.get_weights(), history)
    weights, history = results["cut"]
    assert sum((a != b).any() for a, b in zip(weights, before)) > 10  # of up_3, decoder_3 and head
    for variable, ours, theirs, start in zip(network.weights, weights, results["whole"][0], before):
        assert ((ours == start).all()) == ((theirs == start).all())  # the same ones were trained
        # A bias in front of a batch norm does nothing: its gradient is rounding error, which Adam makes into steps.
        if "head" in variable.path or not variable.path.endswith("bias"):
            np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5, err_msg=variable.path)
    for ours, theirs in zip(history, results["whole"][1]):
        for key in ("loss", "iou", "val_loss", "val_iou"):
            assert ours[key] == pytest.approx(theirs[key], rel=1e-4)


@pytest.mark.slow
def test_a_cut_run_that_was_stopped_ends_as_one_that_was_not(random_unet, samples, tmp_path):
    ends = []
    for name, parts in (("stopped", [1, 2]), ("whole", [2])):
        for epochs in parts:
            network = random_unet(**NETWORK)
            recipe = dataclasses.replace(RECIPE, epochs=epochs)
            history = runs.train(network, recipe, samples, samples, tmp_path / name, verbose=0, tensorboard=False)
        runs.load_last_epoch(network, tmp_path / name)
        ends.append((network.get_weights(), [row["loss"] for row in history]))
    assert ends[0][1] == ends[1][1]
    for ours, theirs in zip(ends[0][0], ends[1][0], strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "values, expected",
    [
        ({}, True),
        ({"fixed_examples": False}, False),
        ({"moving_statistics": True}, False),
        ({"mixed_precision": True}, False),
        ({"trainable_groups": None}, False),
        ({"trainable_groups": 0}, False),
    ],
)
def test_only_a_frozen_trunk_with_fixed_examples_is_cut(random_unet, values, expected):
    network, recipe = random_unet(filters=1, depth=2), dataclasses.replace(RECIPE, **values)
    if recipe.trainable_groups is not None:
        freeze_all_but_last(network, recipe.trainable_groups)
    assert frozen_trunk.can_be_cut(network, recipe) is expected


def test_a_network_without_a_frozen_group_is_not_cut(random_unet):
    with pytest.raises(ValueError, match="some must be frozen"):
        frozen_trunk.cut_network(random_unet(filters=1, depth=2))


def test_features_that_would_fill_the_memory_are_refused(random_unet, monkeypatch):
    network = random_unet(filters=1, depth=2)
    freeze_all_but_last(network, 1)
    monkeypatch.setattr(frozen_trunk, "_MOST_BYTES", 1000)
    with pytest.raises(ValueError, match="2 fixed examples would .* fixed_examples off"):
        frozen_trunk.cut_network(network)[0].features(np.zeros((2, 16, 16, 3), np.float32))
