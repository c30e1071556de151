"""Flips at test time: an image and its mirror image are segmented alike, and each part of an offset is turned back."""

import numpy as np
import pytest

from somaseg.segmentation import Segmenter
from somaseg.segmentation.flips import predict_flipped


def test_what_mirrors_with_the_image_comes_back_as_it_is():
    batch = np.random.default_rng(1).random((2, 6, 8, 1)).astype(np.float32)

    def predict(images):
        """Where to go to get brighter: an offset that mirrors as it should."""
        y, x = np.gradient(images[..., 0], axis=(1, 2))
        return {"mask": images, "offset_y": y[..., None], "offset_x": x[..., None]}

    for name, averaged in predict_flipped(predict, batch).items():
        np.testing.assert_allclose(averaged, predict(batch)[name], atol=1e-6)


def test_four_images_are_averaged():
    seen = []

    def predict(images):
        seen.append(images)
        return {"mask": np.full(images.shape, len(seen), np.float32)}

    batch = np.arange(6, dtype=np.float32).reshape(1, 2, 3, 1)
    np.testing.assert_array_equal(predict_flipped(predict, batch)["mask"], np.full(batch.shape, 2.5))
    pictures = {tuple(images.ravel().tolist()) for images in seen}
    assert pictures == {(0, 1, 2, 3, 4, 5), (2, 1, 0, 5, 4, 3), (3, 4, 5, 0, 1, 2), (5, 4, 3, 2, 1, 0)}


@pytest.mark.parametrize("axis", [0, 1])
def test_the_mirror_image_has_the_same_somas(random_unet, axis):
    network = random_unet(seed=1, filters=2, depth=2, heads="offsets")
    image = np.random.default_rng(0).integers(0, 256, (96, 64), dtype=np.uint8)
    segmenter = Segmenter(network, minimum_area_px=0, vote_spread_px=1.0, flips=True)
    there, mirrored = segmenter(image), segmenter(np.flip(image, axis))
    np.testing.assert_allclose(np.flip(mirrored.probability, axis), there.probability, atol=1e-5)
    plain = Segmenter(network, minimum_area_px=0, vote_spread_px=1.0)(image)
    assert np.abs(plain.probability - there.probability).max() > 0.01
    assert segmenter.settings()["flips"]


def test_tiles_change_nothing(random_unet):
    network = random_unet(seed=1, filters=2, depth=2, heads="offsets")
    image = np.random.default_rng(0).integers(0, 256, (100, 90), dtype=np.uint8)
    whole, tiled = (Segmenter(network, minimum_area_px=0, tile_px=side, flips=True)(image) for side in (1024, 32))
    np.testing.assert_allclose(tiled.probability, whole.probability, atol=1e-5)
