"""fixed_examples: every epoch has the same examples, each once, in an order of its own."""

import numpy as np
import pytest

from somaseg.data.datasets import Samples
from somaseg.data.pipeline import CropBatches
from somaseg.training.fixed_examples import fixed_batches
from somaseg.training.recipes import REPORT


@pytest.fixture
def samples():
    y, x = np.mgrid[:32, :32]
    discs = [(np.hypot(y - 10 - 2 * i, x - 12) < 6).astype(np.uint16) for i in range(5)]
    return Samples.from_arrays((str(i), 20 + 30 * i + 60 * disc, disc) for i, disc in enumerate(discs))


def crops(samples, **options):
    return CropBatches(samples, **{"batch_size": 4, "crop_size": 32, "seed": 3, "threefold": True, **options})


def sorted_images(batches, epoch):
    images = np.concatenate([batches.batch(epoch, i)["image"] for i in range(batches.num_batches)])[:15]
    return images[np.lexsort(images.reshape(15, -1).T)], images


def test_every_epoch_has_the_same_examples_in_another_order(samples):
    batches = fixed_batches(crops(samples), REPORT.augmentation())
    (first, order), (later, other_order) = sorted_images(batches, 0), sorted_images(batches, 7)
    np.testing.assert_array_equal(first, later)
    assert (order != other_order).any()
    assert len(np.unique(first.reshape(15, -1), axis=0)) == 15


def test_five_images_make_five_originals_five_mirrored_and_five_deformed(samples):
    batches = fixed_batches(crops(samples), REPORT.augmentation())
    images = batches.examples["image"]
    assert len(images) == 15 and set(batches.examples) == {"image", "instances"}
    originals = [samples.stretched(i).astype(np.float32) for i in range(5)]

    def found(wanted):
        return sum(any(np.array_equal(image, one) for image in images) for one in wanted)

    assert found(originals) == 5
    assert found([image[:, ::-1] for image in originals]) == 5


def test_the_same_seed_draws_the_same_deformation(samples):
    draws = [fixed_batches(crops(samples), REPORT.augmentation()).examples["image"] for _ in range(2)]
    np.testing.assert_array_equal(*draws)


def test_validation_is_each_centre_crop_once_in_order(samples):
    validation = crops(samples, seed=None, threefold=False, crop_size=16)
    fixed = fixed_batches(validation, ())
    for index in range(validation.num_batches):
        expected, got = validation.batch(0, index), fixed.batch(5, index)
        for key in expected:
            np.testing.assert_array_equal(got[key], expected[key])
