"""Batch norms of frozen layers that use and update the statistics of the batch, as the paper's code left them.

Keras runs a frozen batch norm in inference mode; PyTorch freezes its scale and shift alone. This is the latter.
"""

import keras


def let_statistics_move(network):
    """Let every frozen batch norm of `network` see the batch while training; its scale and shift stay frozen.

    Call it after the groups are frozen and before the model is compiled; `hold_statistics` undoes it.
    """
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization) and not layer.trainable:
            layer.trainable = True
            layer.gamma.trainable = layer.beta.trainable = False


def hold_statistics(network):
    """Freeze those batch norms as a whole again that `let_statistics_move` let move.

    Setting `trainable` of a layer to what it is already does nothing on TensorFlow, so freezing anew would not do.
    """
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable and not layer.gamma.trainable:
            layer.trainable = False
