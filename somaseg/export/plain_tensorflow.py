"""A network as a TensorFlow function of few, plain operations, so that LiteRT's fast kernels take all of it.

A 2 x 2 transposed convolution with stride 2 is written as a 1 x 1 convolution to four times the channels and a
rearrangement of them: the converter's own form computes the shape of its output in the graph, which in a model of free
size keeps the slower kernels. Each map has a head of its own, because an 8-bit tensor has one scale: sharing that of
logits between -30 and 15, the offsets would have steps of 3 pixels.
"""

import numpy as np

from somaseg.export.folding import INPUT, folded_steps
from somaseg.models.heads import HEADS, OFFSET_UNIT_PX


def plain_function(network, *, size_px=None):
    """The maps of a network as a `tf.function` with a fixed signature.

    "image", float32 (N, H, W, 3), to a dict of "probability" and the other maps, float32 (N, H, W, 1).

    Args:
        network: `somaseg.models.UNet` that gives logits.
        size_px: None for free N, H and W, or the side of the one square image that it takes.
    """
    import tensorflow as tf

    steps = folded_steps(network)
    names = HEADS[network.heads]

    def maps(image):
        values = {INPUT: image}
        for step in steps[:-1]:
            values[step.name] = _run(tf, step, [values[name] for name in step.inputs])
        head = steps[-1]
        features, result = values[head.inputs[0]], {}
        for i, name in enumerate(names):
            unit = np.float32(OFFSET_UNIT_PX if name.startswith("offset") else 1.0)
            channel = _convolution(tf, features, unit * head.kernel[..., i : i + 1], unit * head.bias[i : i + 1])
            result["probability" if name == "mask" else name] = (
                channel if name.startswith("offset") else tf.sigmoid(channel)
            )
        return result

    shape = (None, None, None, 3) if size_px is None else (1, size_px, size_px, 3)
    signature = [tf.TensorSpec(shape, tf.float32, name="image")]
    return tf.function(maps, input_signature=signature, autograph=False)  # it has no Python control flow to convert


def _run(tf, step, inputs):
    match step.operator:
        case "convolution":
            return _convolution(tf, inputs[0], step.kernel, step.bias)
        case "transposed_convolution":
            into, channels = step.kernel.shape[2:]
            kernel = step.kernel.transpose(3, 0, 1, 2).reshape(1, 1, channels, 4 * into)
            return tf.nn.depth_to_space(_convolution(tf, inputs[0], kernel, np.tile(step.bias, 4)), 2)
        case "relu":
            return tf.nn.relu(inputs[0])
        case "pool":
            return tf.nn.max_pool2d(inputs[0], 2, 2, "VALID")
        case "concatenate":
            return tf.concat(inputs, axis=-1)


def _convolution(tf, values, kernel, bias):
    return tf.nn.bias_add(tf.nn.conv2d(values, kernel, 1, "SAME"), bias)
