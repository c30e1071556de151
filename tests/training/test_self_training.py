"""self_training: only certain pixels are learnt from, the student trains as long as the teacher, folders are read."""

import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from somaseg.data.datasets import Samples
from somaseg.data.pipeline import CropBatches
from somaseg.models import UNet
from somaseg.training.losses import map_losses
from somaseg.training.recipes import Recipe
from somaseg.training.self_training import (
    choose_unlabelled,
    pseudo_label,
    read_unlabelled,
    self_train,
    student_recipe,
)
from somaseg.training.trainer import SegmentationTrainer


def discs(count):
    y, x = np.mgrid[:32, :32]
    labels = [(np.hypot(y - 10 - 2 * i, x - 12) < 6).astype(np.uint16) for i in range(count)]
    return Samples.from_arrays((str(i), 20 + 200 * disc, disc) for i, disc in enumerate(labels))


def test_only_pixels_that_the_teacher_is_certain_of_have_weight():
    probability = np.array([[0.95, 0.7, 0.5, 0.3, 0.05], [0.95, 0.7, 0.5, 0.3, 0.95]])
    labels = np.array([[1, 1, 0, 0, 0], [1, 1, 0, 0, 0]])  # the last pixel was too small to be a soma

    def segmenter(image):
        return SimpleNamespace(probability=probability, labels=labels)

    one = Samples.from_arrays([("a", np.arange(10).reshape(2, 5), np.zeros((2, 5), int))])
    pseudo = pseudo_label(segmenter, one, certainty=0.9)
    assert pseudo.instances[0].tolist() == [[1, 0, 0, 0, 0], [1, 0, 0, 0, 0]]
    assert pseudo.weights[0].tolist() == [[1, 0, 0, 0, 1], [1, 0, 0, 0, 0]]


def test_pixels_without_weight_have_no_part_in_any_loss():
    rng = np.random.default_rng(0)
    maps = ("mask", "border", "distance", "offset_y", "offset_x")
    logits = rng.normal(size=(2, 8, 8, 5)).astype(np.float32)
    targets = rng.uniform(size=(2, 8, 8, 5)).astype(np.float32)
    weight = (rng.uniform(size=(2, 8, 8, 1)) < 0.5).astype(np.float32)
    noise = rng.normal(size=logits.shape).astype(np.float32) * (1 - weight)
    options = {"overlap_weight": 1.0, "radius": rng.uniform(1, 9, weight.shape).astype(np.float32)}
    first = map_losses(targets, logits, maps, weight=weight, **options)
    second = map_losses(targets + noise, logits - noise, maps, weight=weight, **options)
    for name in maps:
        assert float(first[name]) == pytest.approx(float(second[name]), rel=1e-5)
    whole = map_losses(targets, logits, maps, weight=np.ones_like(weight), **options)
    plain = map_losses(targets, logits, maps, **options)
    for name in maps:
        assert float(whole[name]) == pytest.approx(float(plain[name]), rel=1e-5)


def test_the_trainer_takes_the_weight_of_its_batch():
    trainer = SegmentationTrainer(UNet(filters=1, depth=2))
    image = np.random.default_rng(0).uniform(0, 255, (1, 8, 8, 3)).astype(np.float32)
    weight = np.zeros((1, 8, 8, 1), np.uint8)
    weight[0, :4] = 1
    losses = []
    for below in (0, 1):  # labels below differ, but have no weight
        instances = np.zeros((1, 8, 8, 1), np.int32)
        instances[0, 4:] = below
        batch = {"image": image, "instances": instances, "weight": weight}
        losses.append(float(trainer.compute_loss(x=batch, y_pred=trainer(batch, training=False))))
    assert losses[0] == losses[1] > 0


def test_weights_are_cut_out_where_the_image_is():
    samples = discs(2)
    weights = [(samples.instances[0] > 0).astype(np.uint8), None]
    weighted = Samples(samples.ids, samples.images, samples.instances, samples.limits, weights)
    batches = CropBatches(weighted, batch_size=2, crop_size=16, seed=1, zoom=1.5)
    for epoch in range(5):
        batch = batches.batch(epoch, 0)
        assert batch["weight"].shape == batch["instances"].shape
        ones = [bool((w == 1).all()) and not (i > 0).all() for w, i in zip(batch["weight"], batch["instances"])]
        masks = [bool(((i > 0) == (w > 0)).all()) for w, i in zip(batch["weight"], batch["instances"])]
        assert sum(ones) >= 1 and sum(masks) >= 1
    assert "weight" not in CropBatches(samples, batch_size=2, crop_size=16, seed=1).batch(0, 0)


def test_pseudo_labelled_samples_are_not_saved(tmp_path):
    samples = discs(1)
    weighted = Samples(samples.ids, samples.images, samples.instances, samples.limits, [None])
    with pytest.raises(ValueError, match="pseudo-labelled and are not saved"):
        weighted.save(tmp_path / "train.npz")


def test_unlabelled_images_are_those_left_out_or_those_given():
    recipe = Recipe(labelled_images=2, unlabelled_images=3, seed=1)
    assert len(choose_unlabelled(recipe, discs(6), None)) == 3
    assert len(choose_unlabelled(recipe, discs(2), discs(5))) == 3
    with pytest.raises(ValueError, match="must be 1 to 2, the unlabelled images there are, got 3"):
        choose_unlabelled(recipe, discs(4), None)
    with pytest.raises(ValueError, match="must be 1 to 0"):
        choose_unlabelled(Recipe(unlabelled_images=1), discs(4), None)


def test_the_student_takes_as_many_steps_as_the_teacher():
    recipe = Recipe(batch_size=8, epochs=300, cooldown_epochs=60, threefold=True, labelled_images=4)
    student = student_recipe(recipe, train_images=32, unlabelled_images=28)  # 4 * 7 + 28 images: 21 steps, not 2
    assert (student.epochs, student.cooldown_epochs) == (29, 6)


def test_images_of_a_folder_are_read_and_masks_left_out(tmp_path):
    picture = np.arange(400, dtype=np.uint8).reshape(20, 20)
    for name in ("b.png", "a.tif", "a_masks.tif"):
        cv2.imwrite(str(tmp_path / name), picture)
    (tmp_path / "notes.txt").write_text("no image")
    samples = read_unlabelled(tmp_path)
    assert samples.ids == ["a.tif", "b.png"]
    assert samples.instances[0].shape == (20, 20)
    for folder in (tmp_path / "none", tmp_path / "notes.txt"):
        with pytest.raises(ValueError, match="holds no image"):
            read_unlabelled(folder)


@pytest.mark.slow
def test_teacher_and_student_are_kept_and_the_network_is_the_students(tmp_path):
    recipe = Recipe(epochs=2, batch_size=2, crop_size=16, labelled_images=2, unlabelled_images=2, learning_rate=0.01)
    network = UNet(filters=1, depth=2)
    options = {"verbose": 0, "tensorboard": False}
    history = self_train(network, recipe, discs(4), discs(2), tmp_path, **options)
    stored = {name: json.loads((tmp_path / name / "recipe.json").read_text()) for name in ("teacher", "student")}
    assert stored["teacher"]["unlabelled_images"] == 0
    assert stored["student"]["unlabelled_images"] == 2
    student = UNet(filters=1, depth=2)
    student.load_weights(next((tmp_path / "student" / "checkpoints").glob("best-*.weights.h5")))
    for ours, theirs in zip(network.get_weights(), student.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    again = self_train(UNet(filters=1, depth=2), recipe, discs(4), discs(2), tmp_path, **options)
    assert again == history
