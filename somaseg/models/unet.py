"""The network: a functional Keras U-Net whose layers are named by the group they belong to.

Raw intensities (0..255) go in and mask logits come out; the division by 255 is a layer of the model, so that every
exported form takes the same pixels.
"""

import keras
from keras import layers

from somaseg.models import presets
from somaseg.models.batch_norm import BatchNormalization
from somaseg.models.groups import group_names
from somaseg.models.heads import HEADS

# A bias in front of a batch norm is redundant, the norm shifts too. The two finest stages carry one all the same: with
# that, the published size of the network (1,946,481) and of its last three groups (9,121 trainable) both hold.
BIASED_STAGES = (0, 1)


@keras.saving.register_keras_serializable(package="somaseg")
class UNet(keras.Model):
    """U-Net (Ronneberger et al. 2015) with batch normalisation, as SomaNet (Schaepe & Agrawal) trained it.

    A stage is (3x3 convolution, batch norm, ReLU) twice; stages are joined by 2x2 max pooling on the way down and by a
    2x2 transposed convolution, batch norm, ReLU and a concatenation on the way up; the head is a 1x1 convolution.

    Args:
        filters: int, channels of the first stage; they double at each stage. 16 is the network the paper trained
            (1,946,481 parameters), 64 the one it drew (31,053,249).
        depth: int, number of encoder stages, at least 2.
        heads: str, what the network predicts, one channel for each map of `somaseg.models.heads.HEADS`. `"mask"`, the
            paper's: soma against background. `"offsets"`: the mask and the way from each pixel to the centroid of its
            instance, which separates instances that touch.
        input_channels: int, channels of the input image.
        activation: None for logits, or the name of a Keras activation for the output, such as `"sigmoid"`; only with
            `heads="mask"`, see `somaseg.models.heads.read_maps` for the others.
        dtype: None for Keras' global policy, or the policy of every layer before the head, such as `"mixed_bfloat16"`;
            the head is computed in float32.

    Input: float (N, H, W, input_channels), intensities 0..255; H and W multiples of `2 ** (depth - 1)`.
    Output: float32 (N, H, W, number of maps), the mask first.

    Example:

    >>> from somaseg.models import UNet
    >>> network = UNet(filters=16)
    >>> network.count_params()
    1946481
    """

    def __init__(
        self,
        filters=16,
        depth=5,
        heads="mask",
        input_channels=3,
        activation=None,
        dtype=None,
        name="unet",
        **kwargs,
    ):
        _check_whole("filters", filters, at_least=1)
        _check_whole("depth", depth, at_least=2)
        _check_whole("input_channels", input_channels, at_least=1)
        if heads not in HEADS:
            raise ValueError(f"heads must be one of {sorted(HEADS)}, got {heads!r}.")
        if activation is not None and heads != "mask":
            raise ValueError(f'activation must be None with heads={heads!r}, got {activation!r}: use "read_maps".')

        # === The layers and the functional graph ===
        policy = keras.dtype_policies.get(dtype)
        image = keras.Input((None, None, input_channels), name="image")
        groups = group_names(depth)
        encoders, ups, head = groups[:depth], groups[depth:-1], groups[-1]
        x = layers.Rescaling(1 / 255, dtype=policy, name=f"{encoders[0]}_rescale")(image)
        skips = []
        for stage, group in enumerate(encoders):
            if stage:
                skips.append(x)
                x = layers.MaxPooling2D(2, dtype=policy, name=f"{group}_pool")(x)
            x = _double_convolution(x, filters, stage, group, policy)
        for stage, (up, decoder) in zip(reversed(range(depth - 1)), zip(ups[::2], ups[1::2])):
            x = layers.Conv2DTranspose(
                filters * 2**stage,
                2,
                strides=2,
                use_bias=stage in BIASED_STAGES,
                kernel_initializer=_kaiming_normal(),
                dtype=policy,
                name=f"{up}_convolution",
            )(x)
            x = _batch_norm(f"{up}_norm", policy)(x)
            x = layers.ReLU(dtype=policy, name=f"{up}_relu")(x)
            x = layers.Concatenate(dtype=policy, name=f"{decoder}_concatenate")([skips[stage], x])
            x = _double_convolution(x, filters, stage, decoder, policy)
        x = layers.Conv2D(len(HEADS[heads]), 1, dtype="float32", name=f"{head}_convolution")(x)
        if activation is not None:
            x = layers.Activation(activation, dtype="float32", name=f"{head}_activation")(x)
        super().__init__(inputs=image, outputs=x, name=name, **kwargs)

        # === The config it was made from ===
        self.dtype_policy = policy
        self.filters = filters
        self.depth = depth
        self.heads = heads
        self.input_channels = input_channels
        self.activation = activation

    def get_config(self):
        return {
            "filters": self.filters,
            "depth": self.depth,
            "heads": self.heads,
            "input_channels": self.input_channels,
            "activation": self.activation,
            "dtype": self.dtype_policy.name,
            "name": self.name,
            "trainable": self.trainable,
            "frozen_layers": [layer.name for layer in self.layers if not layer.trainable],
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        trainable, frozen = config.pop("trainable", True), config.pop("frozen_layers", ())
        network = cls(**config)
        network.trainable = trainable
        for name in frozen:
            network.get_layer(name).trainable = False
        return network

    @classmethod
    def from_preset(cls, preset, load_weights=True, **kwargs):
        """A network with the weights of a shipped preset (by name) or of a preset folder (by path).

        Args:
            preset: str, a name such as `"soma"`, or the path of a folder that `save_to_preset` wrote.
            load_weights: bool, False gives the preset's architecture with fresh weights.
            **kwargs: constructor arguments that replace the preset's, such as `activation="sigmoid"`. With other
                `heads` the maps that both have keep their weights, and the others start fresh.

        Raises:
            ValueError: no such preset (the message lists those there are), or weights that do not fit `kwargs`.
            presets.CorruptPresetError: the weights do not match the hash in metadata.json.
        """
        folder = presets.find_preset(preset)
        config = presets.read_config(folder)["network"]
        if unknown := sorted(set(config) - {"filters", "depth", "heads", "input_channels", "activation"}):
            raise presets.CorruptPresetError(
                f"{folder / 'config.json'} has {unknown}, which this version of somaseg does not know."
            )
        other = {
            name: kwargs[name]
            for name in ("filters", "depth", "input_channels")
            if name in kwargs and kwargs[name] != config[name]
        }
        if load_weights and other:
            own = {name: config[name] for name in other}
            raise ValueError(
                f"The weights of {preset} are those of a network of {own} and do not fit {other}. "
                "load_weights=False gives such a network with fresh weights."
            )
        network = cls(**{**config, **kwargs})
        if load_weights and network.heads == config["heads"]:
            presets.load_weights(network, folder)
        elif load_weights:
            donor = cls(**{**config, **kwargs, "heads": config["heads"]})
            presets.load_weights(donor, folder)
            network._adopt(donor)
        return network

    def _adopt(self, donor):
        """Take the weights of a network that differs in its heads alone."""
        for layer, given in zip(self.layers, donor.layers):
            if not layer.name.startswith("head_"):
                layer.set_weights(given.get_weights())
            elif layer.weights:
                own, theirs = layer.get_weights(), given.get_weights()
                for name in set(HEADS[self.heads]) & set(HEADS[donor.heads]):
                    to, of = HEADS[self.heads].index(name), HEADS[donor.heads].index(name)
                    for new, old in zip(own, theirs):
                        new[..., to] = old[..., of]
                layer.set_weights(own)

    def save_to_preset(self, folder, preprocessor=None, metadata=None):
        """Write this network as a preset folder: config.json, preprocessor.json, metadata.json, model.weights.h5."""
        of_object = ("dtype", "name", "trainable", "frozen_layers")
        config = {key: value for key, value in self.get_config().items() if key not in of_object}
        presets.write_preset(self, folder, config=config, preprocessor=preprocessor, metadata=metadata)


def _double_convolution(x, filters, stage, group, policy):
    for i in (1, 2):
        x = layers.Conv2D(
            filters * 2**stage,
            3,
            padding="same",
            use_bias=stage in BIASED_STAGES,
            kernel_initializer=_kaiming_normal(),
            dtype=policy,
            name=f"{group}_convolution_{i}",
        )(x)
        x = _batch_norm(f"{group}_norm_{i}", policy)(x)
        x = layers.ReLU(dtype=policy, name=f"{group}_relu_{i}")(x)
    return x


def _batch_norm(name, policy):
    """Batch norm with running statistics over about 100 batches.

    Batches of crops are unlike one another, and over 10 batches (momentum 0.9, PyTorch's default) the statistics are
    those of the moment. A training with 0.9 had a validation IoU of 0.698 after epoch 34, and of 0.723 after epoch 36
    with the statistics averaged over 30 batches: a hint rather than proof, as the two are not the same weights.
    """
    return BatchNormalization(momentum=0.99, epsilon=1e-5, dtype=policy, name=name)


def _kaiming_normal():
    """He et al. 2015 over the fan-out, as the paper's code initialised its convolutions."""
    return keras.initializers.VarianceScaling(2.0, mode="fan_out", distribution="untruncated_normal")


def _check_whole(name, value, *, at_least):
    if not isinstance(value, int) or isinstance(value, bool) or value < at_least:
        raise ValueError(f"{name} must be a whole number of at least {at_least}, got {value!r}.")
