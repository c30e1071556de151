"""Heads: how logits are read, and what a network with other heads takes over from a preset."""

import keras
import numpy as np
import pytest

from somaseg.models import UNet
from somaseg.models.heads import HEADS, read_maps


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def test_probabilities_are_sigmoids_and_offsets_are_in_pixels():
    logits = np.array([[[[0.0, 100.0, -100.0, 0.5, -2.0]]]], np.float32)
    maps = {name: float(numpy(m).squeeze()) for name, m in read_maps(logits, "all").items()}
    assert maps == {"mask": 0.5, "border": 1.0, "distance": 0.0, "offset_y": 8.0, "offset_x": -32.0}


@pytest.mark.parametrize("heads", HEADS)
def test_a_network_has_a_channel_for_each_of_its_maps(heads):
    network = UNet(filters=1, depth=2, heads=heads)
    logits = network(np.zeros((2, 16, 32, 3), np.float32))
    assert logits.shape == (2, 16, 32, len(HEADS[heads]))
    maps = read_maps(logits, heads)
    assert list(maps) == list(HEADS[heads])
    assert all(m.shape == (2, 16, 32, 1) for m in maps.values())


def test_other_heads_keep_the_trunk_and_the_common_maps_of_a_preset(bright_preset, bright_network):
    network = UNet.from_preset(bright_preset, heads="offsets")
    image = np.random.default_rng(0).uniform(0, 255, (1, 16, 16, 3)).astype(np.float32)
    np.testing.assert_allclose(numpy(network(image))[..., :1], numpy(bright_network(image)), atol=1e-5)
    back = UNet(filters=1, depth=2)
    back._adopt(network)
    for ours, theirs in zip(back.get_weights(), bright_network.get_weights()):
        np.testing.assert_array_equal(ours, theirs)


def test_an_activation_is_refused_where_channels_differ():
    with pytest.raises(ValueError, match="activation must be None with heads='offsets', got 'sigmoid'"):
        UNet(filters=1, depth=2, heads="offsets", activation="sigmoid")


def test_heads_survive_saving_and_a_preset(tmp_path):
    network = UNet(filters=1, depth=2, heads="offsets")
    network.save(tmp_path / "network.keras")
    assert keras.saving.load_model(tmp_path / "network.keras").heads == "offsets"
    network.save_to_preset(tmp_path / "preset")
    again = UNet.from_preset(tmp_path / "preset")
    assert again.heads == "offsets"
    image = np.full((1, 16, 16, 3), 99.0, np.float32)
    np.testing.assert_array_equal(numpy(again(image)), numpy(network(image)))
