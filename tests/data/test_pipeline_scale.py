"""CropBatches: images of any scale are brought to one where their instances have the diameter asked for."""

import numpy as np
import pytest

from somaseg.data.datasets import Samples
from somaseg.data.pipeline import CropBatches
from somaseg.data.scaling import MOST_MAGNIFIED
from somaseg.training.recipes import Recipe


def discs(radius, size=256):
    y, x = np.mgrid[:size, :size]
    labels = np.zeros((size, size), np.uint16)
    for i, (row, column) in enumerate(((size // 2, size // 2), (3 * radius, 3 * radius))):
        labels[np.hypot(y - row, x - column) < radius] = i + 1
    return labels


def samples(*radii):
    return Samples.from_arrays((str(r), np.uint8(200) * (discs(r) > 0), discs(r)) for r in radii)


def diameters(batch):
    areas = [np.bincount(labels.ravel())[1:].max() for labels in batch["instances"]]
    return np.sqrt(4 * np.array(areas) / np.pi)


def test_discs_of_all_sizes_come_out_at_the_diameter_asked_for():
    batches = CropBatches(samples(6, 12, 24), batch_size=3, crop_size=96, diameter_px=24.0)
    np.testing.assert_allclose(diameters(batches.batch(0, 0)), 24, rtol=0.06)
    untouched = CropBatches(samples(6, 12, 24), batch_size=3, crop_size=96)
    np.testing.assert_allclose(diameters(untouched.batch(0, 0)), [12, 24, 48], rtol=0.06)


def test_an_enlarged_image_has_more_crops_and_a_training_crop_the_size_asked_for():
    counts = [
        len(CropBatches(samples(6), batch_size=1, crop_size=96, seed=1, diameter_px=d).places) for d in (None, 36.0)
    ]
    assert counts == [1, 3]
    batches = CropBatches(samples(6, 24), batch_size=2, crop_size=96, seed=1, diameter_px=24.0, zoom=1.3)
    assert batches.batch(0, 0)["image"].shape == (2, 96, 96, 3)


def test_no_image_is_enlarged_beyond_all_measure_and_one_without_instances_is_left():
    empty = Samples.from_arrays([("empty", np.zeros((64, 64), np.uint8), np.zeros((64, 64), np.uint16))])
    assert CropBatches(empty, batch_size=1, crop_size=32, diameter_px=24.0).magnification == [1.0]
    tiny = CropBatches(samples(2), batch_size=1, crop_size=32, diameter_px=240.0)
    assert tiny.magnification == [MOST_MAGNIFIED]
    with pytest.raises(ValueError, match="diameter_px must be positive, got 0"):
        Recipe(diameter_px=0)
