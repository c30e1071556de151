"""precise_statistics: those of the weights as they are, where a moving average is of weights that are gone."""

import keras
import numpy as np
import pytest

from somaseg.data.datasets import Samples
from somaseg.models import UNet, freeze_all_but_last
from somaseg.training import runs
from somaseg.training.fixed_examples import FixedBatches
from somaseg.training.precise_statistics import MOST_BATCHES, settle_statistics
from somaseg.training.recipes import Recipe
from somaseg.training.trainer import SegmentationTrainer


def noise_batches(count=5, batch_size=2):
    rng = np.random.default_rng(0)
    images = rng.uniform(0, 255, (count, 16, 16, 3)).astype(np.float32)
    instances = rng.integers(0, 2, (count, 16, 16, 1)).astype(np.int32)
    return FixedBatches({"image": images, "instances": instances}, batch_size=batch_size, seed=1)


def disc_samples():
    y, x = np.mgrid[:16, :16]
    discs = [(np.hypot(y - 5 - i, x - 8) < 4).astype(np.uint16) for i in range(6)]
    return Samples.from_arrays((str(i), 20 + (60 + 20 * i) * disc, disc) for i, disc in enumerate(discs))


def first_norm(network):
    return next(layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization))


def test_settled_statistics_are_the_mean_over_the_batches_of_a_pass(random_unet):
    network, batches = random_unet(filters=2, depth=2), noise_batches()
    norm = first_norm(network)
    before = keras.Model(network.inputs[0], norm.input)
    outputs = [np.asarray(before(batches.batch(0, i)["image"]), np.float64) for i in range(3)]
    settle_statistics(SegmentationTrainer(network), batches)
    of_each = [(x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))) for x in outputs]
    mean, variance = np.mean(of_each, axis=0)
    np.testing.assert_allclose(norm.moving_mean, mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(norm.moving_variance, variance, rtol=1e-3)


def test_what_the_statistics_were_before_has_no_part_in_them(random_unet):
    results = []
    for start in (0.0, 100.0):
        keras.utils.set_random_seed(0)
        network = random_unet(filters=2, depth=2)
        for layer in network.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.moving_mean.assign(np.full(layer.moving_mean.shape, start))
        settle_statistics(SegmentationTrainer(network), noise_batches())
        results.append(network.get_weights())
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


def test_weights_momentum_and_frozen_statistics_stay(random_unet):
    network = random_unet(filters=2, depth=2)
    freeze_all_but_last(network, 2)
    before = {v.path: np.array(v) for v in network.variables}
    settle_statistics(SegmentationTrainer(network), noise_batches())
    changed = {v.path for v in network.variables if (np.array(v) != before[v.path]).any()}
    assert changed and all("decoder_3_norm" in path and "/moving_" in path for path in changed), changed
    assert first_norm(network).momentum == 0.99


def test_of_many_batches_a_part_is_enough(random_unet):
    asked = []

    class Counted(FixedBatches):
        def batch(self, epoch, index):
            asked.append((epoch, index))
            return super().batch(epoch, index)

    batches = Counted(noise_batches(count=MOST_BATCHES + 7, batch_size=1).examples, batch_size=1, seed=1)
    settle_statistics(SegmentationTrainer(random_unet(filters=2, depth=2)), batches)
    assert asked == [(0, index) for index in range(MOST_BATCHES)]


def trained(folder, **values):
    recipe = Recipe(batch_size=2, crop_size=16, learning_rate=0.03, flips=False, elastic_rate=0.0, seed=3, **values)
    keras.utils.set_random_seed(0)
    network = UNet(filters=4, depth=2)
    history = runs.train(network, recipe, disc_samples(), disc_samples(), folder, verbose=0, tensorboard=False)
    return network, recipe, history


def test_a_fast_training_is_lost_by_lagging_statistics_and_kept_by_precise_ones(tmp_path):
    _, _, lagging = trained(tmp_path / "lagging", epochs=8)
    _, _, precise = trained(tmp_path / "precise", epochs=8, precise_statistics=True)
    assert [row["loss"] for row in lagging] == pytest.approx([row["loss"] for row in precise], rel=1e-4)
    assert lagging[-1]["val_iou"] < 0.6
    assert precise[-1]["val_iou"] > 0.9


def test_a_network_settled_afterwards_is_the_one_that_was_settled_while_trained(tmp_path):
    fixed = {"epochs": 3, "fixed_examples": True, "trainable_groups": 3}
    lagging, recipe, _ = trained(tmp_path / "lagging", **fixed)
    precise, _, _ = trained(tmp_path / "precise", **fixed, precise_statistics=True)
    for network, name in ((lagging, "lagging"), (precise, "precise")):
        runs.load_last_epoch(network, tmp_path / name)
    trainable = [layer.trainable for layer in lagging.layers]
    runs.settle_network(lagging, recipe, disc_samples())
    assert [layer.trainable for layer in lagging.layers] == trainable
    for a, b in zip(lagging.get_weights(), precise.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_a_run_with_precise_statistics_goes_on_as_if_it_had_not_ended(tmp_path):
    _, _, whole = trained(tmp_path / "whole", epochs=4, precise_statistics=True)
    trained(tmp_path / "parts", epochs=2, precise_statistics=True)
    _, _, parts = trained(tmp_path / "parts", epochs=4, precise_statistics=True)
    assert [row["val_loss"] for row in whole] == [row["val_loss"] for row in parts]
