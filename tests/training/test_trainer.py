"""SegmentationTrainer: Keras' own loss, augmentation in training only, and it learns."""

import keras
import numpy as np
import pytest

from somaseg.data.datasets import Samples
from somaseg.data.pipeline import CropBatches
from somaseg.models import UNet
from somaseg.training.losses import binary_cross_entropy, overlap_loss
from somaseg.training.recipes import Recipe
from somaseg.training.trainer import SegmentationTrainer


class Darken(keras.layers.Layer):
    """An augmentation that can be told from the outside: image and mask become 0."""

    def call(self, inputs, training=True):
        return {key: 0 * value for key, value in inputs.items()} if training else inputs


def disc_samples(count, size=48, seed=0):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    triples = []
    for i in range(count):
        centre, radius = rng.uniform(16, size - 16, 2), rng.uniform(6, 10)
        disc = np.hypot(y - centre[0], x - centre[1]) < radius
        image = 40 + 120 * disc + rng.normal(0, 4, disc.shape)
        triples.append((f"disc_{i}", image.astype(np.uint8), disc.astype(np.uint16)))
    return Samples.from_arrays(triples)


def batch(count=2):
    rng = np.random.default_rng(0)
    image = rng.uniform(0, 255, (count, 16, 16, 3)).astype(np.float32)
    return {"image": image, "instances": (image[..., :1] > 100).astype(np.int32)}


def test_binary_cross_entropy_is_keras_own_from_logits():
    rng = np.random.default_rng(0)
    logits = np.concatenate([rng.normal(0, 3, 97), [-90.0, 0.0, 90.0]]).reshape(1, 10, 10, 1)
    mask = rng.integers(0, 2, logits.shape).astype(np.float32)
    logits = logits.astype(np.float32)
    expected = keras.losses.BinaryCrossentropy(from_logits=True)(mask, logits)
    assert float(binary_cross_entropy(mask, logits)) == pytest.approx(float(expected), rel=1e-5)


@pytest.fixture(scope="module")
def trainer():
    keras.utils.set_random_seed(0)
    trainer = SegmentationTrainer(UNet(filters=1, depth=2), [Darken()])
    trainer.compile(optimizer="adam", jit_compile=False)
    return trainer


def test_reported_loss_and_iou_are_those_of_the_network(trainer):
    values = trainer.evaluate(batch(), verbose=0, return_dict=True)
    logits = trainer.network.predict(batch()["image"], verbose=0)
    true, predicted = batch()["instances"] > 0, logits > 0
    loss = keras.losses.BinaryCrossentropy(from_logits=True)(true.astype(np.float32), logits)
    per_image = (true & predicted).sum((1, 2, 3)) / (true | predicted).sum((1, 2, 3))
    assert values["loss"] == pytest.approx(float(loss), rel=1e-4)
    assert values["iou"] == pytest.approx(per_image.mean(), abs=1e-6)
    pooled = (true & predicted).sum() / (true | predicted).sum()
    assert values["pooled_iou"] == pytest.approx(pooled, abs=1e-6)


def test_augmentation_runs_in_training_only(trainer):
    assert np.any(trainer(batch(), training=False)["targets"])
    assert not np.any(trainer(batch(), training=True)["targets"])


def test_augmentation_adds_no_weights_to_the_network(trainer):
    assert len(trainer.trainable_variables) == len(trainer.network.trainable_variables)


def test_a_tiny_network_learns_bright_discs_in_seconds():
    keras.utils.set_random_seed(0)
    network = UNet(filters=4, depth=3)
    recipe = Recipe(learning_rate=0.01, elastic_alpha=10.0)
    trainer = SegmentationTrainer(network, recipe.augmentation())
    trainer.compile(optimizer=recipe.optimizer(), jit_compile=False)
    settings = {"batch_size": 8, "crop_size": 32}
    training = CropBatches(disc_samples(32), seed=1, **settings)
    unseen = CropBatches(disc_samples(8, seed=1), **settings)
    before = trainer.evaluate(unseen, verbose=0, return_dict=True)["iou"]
    trainer.fit(training, epochs=50, verbose=0)  # 200 steps, after which the batch norms know the data
    after = trainer.evaluate(unseen, verbose=0, return_dict=True)
    assert before < 0.5
    assert after["iou"] > 0.8
    assert after["pooled_iou"] > 0.8


def test_the_overlap_loss_is_one_minus_the_soft_iou():
    mask = np.zeros((1, 4, 4, 1), np.float32)
    mask[0, :2] = 1.0
    certain = np.where(mask > 0, 30.0, -30.0).astype(np.float32)
    assert float(overlap_loss(mask, certain)) == pytest.approx(0.0, abs=1e-6)
    half = np.where(np.arange(4)[None, :, None, None] < 1, 30.0, -30.0) * np.ones((1, 4, 4, 1))
    assert float(overlap_loss(mask, half.astype(np.float32))) == pytest.approx(1 - 5 / 9)  # 4 of 8 pixels, plus one


def test_the_overlap_weight_adds_to_the_loss():
    mask = np.random.default_rng(0).integers(0, 2, (2, 8, 8, 1)).astype(np.float32)
    y_pred = {"targets": mask, "logits": np.full_like(mask, 0.3)}
    plain, weighted = (SegmentationTrainer(UNet(filters=2, depth=2), overlap_weight=w) for w in (0.0, 2.0))
    difference = float(weighted.compute_loss(y_pred=y_pred)) - float(plain.compute_loss(y_pred=y_pred))
    assert difference == pytest.approx(2.0 * float(overlap_loss(mask, y_pred["logits"])), rel=1e-5)
