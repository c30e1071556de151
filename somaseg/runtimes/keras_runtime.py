"""The network run by Keras, as it was trained: what the other runtimes are compared with."""

import numpy as np


class KerasRuntime:
    """A network as a function from a batch to its maps.

    Args:
        network: `somaseg.models.UNet` that gives logits, with 3 input channels.
    """

    name = "keras"
    precision = "f32"

    def __init__(self, network):
        import keras

        from somaseg.models.heads import read_maps

        if getattr(network, "activation", None) is not None:
            raise ValueError("The network must give logits: make it with activation=None.")
        if network.input_shape[-1] != 3:
            raise ValueError(f"The network must have 3 input channels, got {network.input_shape[-1]}.")
        self.network = network
        self.depth = network.depth
        self._model = keras.Model(network.inputs, read_maps(network.outputs[0], network.heads))
        self._model.compile(jit_compile=keras.backend.backend() == "jax")

    def __call__(self, batch):
        """The maps of float32 (N, H, W, 3): dict of float32 (N, H, W, 1)."""
        return {name: np.asarray(values) for name, values in self._model.predict_on_batch(batch).items()}
