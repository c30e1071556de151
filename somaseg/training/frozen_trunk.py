"""A network cut where its frozen part ends: what is frozen gives the same output for an example in every epoch, so that
with fixed examples it is run once for each and the rest alone is trained, with the same result.
"""

import keras
import numpy as np

from somaseg.models.groups import layer_groups
from somaseg.training.trainer import SegmentationTrainer

_IMAGES_AT_ONCE = 8
_MOST_BYTES = 8 * 2**30


def can_be_cut(network, recipe):
    """Whether a training by `recipe` may be cut: examples are fixed, and the first groups have nothing that changes."""
    if not recipe.fixed_examples or recipe.moving_statistics or recipe.mixed_precision:
        return False
    return 0 < _frozen_groups(network) < len(layer_groups(network))


def cut_network(network):
    """Cut a network before the first of its trainable groups.

    Args:
        network: `somaseg.models.UNet`, its first groups frozen (`somaseg.models.groups.freeze_all_but_last`).

    Returns:
        (`Trunk`, tail): tail is a `keras.Model` of the trainable groups, the same layers as the network's, from the
        trunk's outputs to the network's output.

    Raises:
        ValueError: no group is frozen, or all are.
    """
    groups = list(layer_groups(network).values())
    count = _frozen_groups(network)
    if not 0 < count < len(groups):
        raise ValueError(f"Of the {len(groups)} groups of a network some must be frozen to cut it, got {count}.")
    borders, inputs, known = [], [], {}

    def in_tail(tensor):
        if id(tensor) not in known:
            borders.append(tensor)
            inputs.append(keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=f"feature_{len(inputs)}"))
            known[id(tensor)] = inputs[-1]
        return known[id(tensor)]

    for layer in (layer for group in groups[count:] for layer in group):
        given = [in_tail(tensor) for tensor in layer.input] if isinstance(layer.input, list) else in_tail(layer.input)
        known[id(layer.output)] = layer(given)
    tail = keras.Model(inputs if len(inputs) > 1 else inputs[0], known[id(network.outputs[0])], name="tail")
    tail.heads = network.heads
    return Trunk(network, borders), tail


class Trunk:
    """The frozen part of a network: images in, features out, one array for each place where the network was cut."""

    def __init__(self, network, borders):
        self._model = keras.Model(network.inputs[0], borders, name="trunk")

    def features(self, images):
        """Features of images (N, H, W, C) in 0..255: dict of "feature_0", ... and float32 (N, h, w, channels).

        Raises:
            ValueError: they would take more than 8 GB of memory.
        """
        whole = None
        for start in range(0, len(images), _IMAGES_AT_ONCE):
            found = self._model(images[start : start + _IMAGES_AT_ONCE], training=False)
            found = [keras.ops.convert_to_numpy(x) for x in keras.tree.flatten(found)]
            if whole is None:
                whole = _allocate(found, len(images))
            for array, part in zip(whole, found):
                array[start : start + len(part)] = part
        return {f"feature_{i}": array for i, array in enumerate(whole)}


class TailTrainer(SegmentationTrainer):
    """`SegmentationTrainer` of the tail that `cut_network` made; its batches have features in the place of "image"."""

    def call(self, inputs, training=None):
        count = len(self.network.inputs)
        features = [inputs[f"feature_{i}"] for i in range(count)]
        rest = {key: value for key, value in inputs.items() if not key.startswith("feature_")}
        return super().call({**rest, "image": features if count > 1 else features[0]}, training=training)


def _allocate(features, count):
    """Empty arrays for the features of `count` images, given those of some."""
    wanted = sum(count * array[0].nbytes for array in features)
    if wanted > _MOST_BYTES:
        raise ValueError(
            f"The features of {count} fixed examples would take {wanted / 2**30:.1f} GB of memory, more than "
            f"{_MOST_BYTES / 2**30:.1f}. Train with fixed_examples off."
        )
    return [np.empty((count, *array.shape[1:]), array.dtype) for array in features]


def _frozen_groups(network):
    """The number of groups, counted from the input, in front of the first that can be trained."""
    groups = layer_groups(network).values()
    frozen = [not any(variable.trainable for layer in group for variable in layer.weights) for group in groups]
    return frozen.index(False) if False in frozen else len(frozen)
