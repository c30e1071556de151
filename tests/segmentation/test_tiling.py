"""Tiling: a tiled prediction is that of the whole image, and the margins are as wide as the network reaches."""

import functools

import keras
import numpy as np
import pytest

from somaseg.models import UNet
from somaseg.segmentation.tiling import predict_tiled, receptive_field_radius


def smallest_tile(depth):
    grid = 2 ** (depth - 1)
    return 2 * (-(-receptive_field_radius(depth) // grid) * grid) + grid


def probabilities(network):
    def predict(batch):
        logits = network(batch.astype(np.float32), training=False)
        return {"mask": keras.ops.convert_to_numpy(keras.ops.sigmoid(logits))}

    return predict


@pytest.fixture(scope="module")
def network_of(random_unet):
    """Function from a depth to a random network of that depth, which is made once."""
    return functools.cache(lambda depth: random_unet(seed=depth, filters=3, depth=depth))


@pytest.mark.parametrize(
    "depth, tile_px, height, width",
    [
        (2, 24, 24, 24),  # one tile exactly
        (2, 24, 25, 23),  # one pixel more and one less
        (2, 22, 26, 23),  # the smallest tile there is
        (2, 33, 90, 71),  # a tile off the pooling grid
        (2, 30, 5, 200),  # long and thin
        (2, 64, 1, 1),
        (3, 64, 130, 67),
        (3, 64, 160, 3),
        (4, 128, 150, 131),
        (5, 240, 241, 300),
        (5, 256, 17, 513),
    ],
)
def test_tiled_equals_untiled(network_of, depth, tile_px, height, width):
    network = network_of(depth)
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    grid = 2 ** (depth - 1)
    whole = np.pad(image, ((0, -height % grid), (0, -width % grid), (0, 0)), mode="symmetric")
    expected = probabilities(network)(whole[None])["mask"][0, :height, :width, 0]
    tiled = predict_tiled(probabilities(network), image, depth=depth, tile_px=tile_px)["mask"]
    assert tiled.shape == (height, width)
    assert tiled.dtype == np.float32
    assert expected.size < 100 or np.ptp(expected) > 0.1
    np.testing.assert_allclose(tiled, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("height, width", [(16, 16), (40, 41), (64, 30), (65, 200), (33, 64)])
def test_every_pixel_is_written_once_and_no_tile_is_larger_than_asked(height, width):
    """A "network" that returns its first channel: the image comes back."""
    shapes = []

    def predict(batch):
        shapes.append(batch.shape[1:3])
        return {"first": batch[..., :1], "second": batch[..., 1:].astype(np.float16)}

    image = np.random.default_rng(1).random((height, width, 2), np.float32)
    result = predict_tiled(predict, image, depth=2, tile_px=32)
    np.testing.assert_array_equal(result["first"], image[..., 0])
    np.testing.assert_array_equal(result["second"], image[..., 1].astype(np.float16))
    assert result["second"].dtype == np.float16
    assert max(max(shape) for shape in shapes) <= 32
    assert all(side % 2 == 0 for shape in shapes for side in shape)


def test_progress_counts_the_tiles():
    told = []
    image = np.zeros((50, 20, 1))
    predict_tiled(lambda x: {"same": x}, image, depth=2, tile_px=32, progress=lambda *x: told.append(x))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("depth", [2, 5])
def test_a_tile_without_room_between_its_margins_is_refused(depth):
    image, least = np.zeros((16, 16, 1)), smallest_tile(depth)
    predict_tiled(lambda x: {"same": x}, image, depth=depth, tile_px=least)
    with pytest.raises(ValueError, match=f"tile_px must be at least {least} for this network, got {least - 1}"):
        predict_tiled(lambda x: {"same": x}, image, depth=depth, tile_px=least - 1)


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_the_receptive_field_is_as_wide_as_stated(depth):
    """Averaging kernels let no pixel's change get lost on the way; the widest reach is over all places on the grid."""
    network = UNet(filters=1, depth=depth)
    for layer in network.layers:
        if "convolution" in layer.name:
            layer.set_weights(
                [np.full(w.shape, 1 / np.prod(w.shape[:3]) if w.ndim > 1 else 0.0) for w in layer.weights]
            )
    grid, radius = 2 ** (depth - 1), receptive_field_radius(depth)
    centre = -(-radius // grid) * grid + grid
    changed = np.zeros((grid, grid, 2 * centre + grid, 3), np.float32)
    changed[range(grid), :, range(centre, centre + grid)] = 1e6
    response = keras.ops.convert_to_numpy(network(changed))[:, 0, :, 0]
    assert not np.any(keras.ops.convert_to_numpy(network(np.zeros_like(changed[:1]))))
    reach = [np.abs(np.flatnonzero(row) - (centre + i)).max() for i, row in enumerate(response)]
    assert max(reach) == radius
