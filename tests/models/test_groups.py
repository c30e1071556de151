"""Layer groups: what is frozen stays exactly as it was, what is left trains."""

import re

import keras
import numpy as np
import pytest

from somaseg.models import UNet
from somaseg.models.groups import (
    freeze_all_but_last,
    layer_groups,
    set_trainable,
)


@pytest.fixture
def tiny():
    keras.utils.set_random_seed(0)
    return UNet(filters=2, depth=2)


def group_of(variable):
    return re.match(r"(encoder|up|decoder)_\d+|head", variable.path).group()


def trainable_count(model):
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)


def test_last_three_groups_hold_the_papers_9121_parameters():
    network = UNet(filters=16)
    assert freeze_all_but_last(network, 3) == ["up_9", "decoder_9", "head"]
    assert trainable_count(network) == 9_121
    assert {group_of(v) for v in network.trainable_variables} == {"up_9", "decoder_9", "head"}


def test_layer_groups_hold_every_layer_but_the_input_once(tiny):
    grouped = [layer for group in layer_groups(tiny).values() for layer in group]
    assert grouped == sorted(grouped, key=tiny.layers.index)
    assert set(tiny.layers) - set(grouped) == {tiny.layers[0]}


def test_groups_with_a_common_beginning_are_kept_apart():
    """encoder_1 is not the beginning of encoder_10."""
    layers = layer_groups(UNet(filters=1, depth=10))
    assert not any(layer.name.startswith("encoder_10") for layer in layers["encoder_1"])
    assert len(layers["encoder_10"]) == len(layers["encoder_2"]) == 7


@pytest.mark.parametrize(
    "count, expected",
    [
        (0, []),
        (0.0, []),
        (1, ["head"]),
        (0.2, ["head"]),
        (0.6, ["up_3", "decoder_3", "head"]),
        (5, ["encoder_1", "encoder_2", "up_3", "decoder_3", "head"]),
        (1.0, ["encoder_1", "encoder_2", "up_3", "decoder_3", "head"]),
    ],
)
def test_count_or_fraction_of_groups_from_the_output(tiny, count, expected):
    assert freeze_all_but_last(tiny, count) == expected
    assert {group_of(v) for v in tiny.trainable_variables} == set(expected)


def test_groups_are_chosen_by_name_in_the_order_of_the_network(tiny):
    assert set_trainable(tiny, ["head", "encoder_1"]) == ["encoder_1", "head"]
    assert {group_of(v) for v in tiny.trainable_variables} == {"encoder_1", "head"}
    assert set_trainable(tiny, "head") == ["head"]
    assert {group_of(v) for v in tiny.trainable_variables} == {"head"}


def test_a_later_call_thaws_what_an_earlier_one_froze(tiny):
    everything = trainable_count(tiny)
    freeze_all_but_last(tiny, 0)
    assert trainable_count(tiny) == 0
    freeze_all_but_last(tiny, 5)
    assert trainable_count(tiny) == everything


@pytest.mark.parametrize("count", [-1, 6, 1.5, -0.1, True, "3", None, float("nan")])
def test_a_count_outside_the_network_is_refused_with_its_value(tiny, count):
    with pytest.raises(ValueError, match=f"from 0 to 5.*got {count!r}"):
        freeze_all_but_last(tiny, count)


def test_an_unknown_group_is_refused_with_those_there_are(tiny):
    with pytest.raises(ValueError, match=r"named \['decoder_9'\].*'decoder_3', 'head'"):
        set_trainable(tiny, ["decoder_9", "head"])


def test_training_moves_only_trainable_groups_and_their_statistics(tiny):
    freeze_all_but_last(tiny, 2)
    before = {v.path: v.numpy() for v in tiny.variables}
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    tiny.compile("adam", loss=loss, jit_compile=False)
    image = np.random.default_rng(0).uniform(0, 255, (4, 16, 16, 3)).astype(np.float32)
    tiny.fit(image, image[..., :1] > 128, verbose=0)
    moved = {v.path for v in tiny.variables if (v.numpy() != before[v.path]).any()}
    assert moved == {v.path for v in tiny.variables if group_of(v) in ("decoder_3", "head")}
    assert "decoder_3_norm_1/moving_mean" in moved


def test_frozen_batch_norm_does_not_use_the_statistics_of_the_batch(tiny):
    """Frozen through, an image comes out the same in training mode whatever it is batched with."""
    image = np.random.default_rng(0).uniform(0, 255, (4, 16, 16, 3)).astype(np.float32)
    assert np.abs(tiny(image, training=True)[:1] - tiny(image[:1], training=True)).max() > 1e-3
    freeze_all_but_last(tiny, 0)
    together, alone = tiny(image, training=True)[:1], tiny(image[:1], training=True)
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(together, tiny(image, training=False)[:1], atol=1e-5)


@pytest.mark.parametrize("count", [0, 3])
def test_what_is_frozen_stays_frozen_when_the_network_is_saved(count, tmp_path):
    network = UNet(filters=1, depth=3)
    freeze_all_but_last(network, count)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    trainable = [weight.path for weight in network.trainable_weights]
    assert [weight.path for weight in loaded.trainable_weights] == trainable
    freeze_all_but_last(loaded, 1.0)
    assert len(loaded.trainable_weights) > len(trainable)
