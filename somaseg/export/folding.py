"""A network as a list of plain steps, the way other runtimes want it: what can be folded into a convolution is.

Batch norms and the division by 255 become part of the kernels, which leaves convolutions, ReLU, pooling and joining.
Zero padding stays right, because the only thing that is folded before a convolution is a factor.
"""

from dataclasses import dataclass

import numpy as np

INPUT = "image"


@dataclass(frozen=True, eq=False)
class Step:
    """One operation on the outputs of earlier steps.

    Attributes:
        operator: "convolution" (odd side, zero-padded to the same size), "transposed_convolution" (2 x 2, stride 2),
            "relu", "pool" (maximum of 2 x 2) or "concatenate" (of channels).
        name: str, the Keras layer's.
        inputs: tuple of str, names of steps, or `INPUT`.
        kernel: None, or float32 (y, x, in, out), of a transposed convolution (y, x, out, in) as in Keras.
        bias: None, or float32 (out,).
    """

    operator: str
    name: str
    inputs: tuple
    kernel: np.ndarray | None = None
    bias: np.ndarray | None = None


def folded_steps(network):
    """The steps of a `somaseg.models.UNet` that gives logits, in order; the last one is its head.

    Raises:
        ValueError: it has a layer that is not known here.
    """
    from keras import layers

    names, factors, steps = {id(network.inputs[0]): INPUT}, {}, []
    norms = {id(layer.input): layer for layer in network.layers if isinstance(layer, layers.BatchNormalization)}
    for layer in network.layers:
        given = layer.input if isinstance(layer.input, list) else [layer.input]
        inputs, name = tuple(names.get(id(tensor)) for tensor in given), layer.name
        match layer:
            case layers.InputLayer():
                continue
            case layers.Rescaling(scale=factor, offset=0.0):
                (name,) = inputs
                factors[name] = factor
            case layers.BatchNormalization():
                (name,) = inputs
            case layers.Conv2DTranspose(kernel_size=(2, 2), strides=(2, 2)):
                kernel, bias = _folded(layer, norms.get(id(layer.output)), 1.0, to_axis=2)
                steps.append(Step("transposed_convolution", name, inputs, kernel, bias))
            case layers.Conv2D(strides=(1, 1)):
                factor = factors.get(inputs[0], 1.0)
                kernel, bias = _folded(layer, norms.get(id(layer.output)), factor, to_axis=3)
                steps.append(Step("convolution", name, inputs, kernel, bias))
            case layers.ReLU():
                steps.append(Step("relu", name, inputs))
            case layers.MaxPooling2D(pool_size=(2, 2)):
                steps.append(Step("pool", name, inputs))
            case layers.Concatenate():
                steps.append(Step("concatenate", name, inputs))
            case _:
                raise ValueError(f"The layer {name} ({type(layer).__name__}) cannot be exported.")
        names[id(layer.output)] = name
    return steps


def _folded(layer, norm, factor, *, to_axis):
    """(kernel, bias) of a convolution with the factor before it and the batch norm after it."""
    kernel, *bias = (values.astype(np.float64) for values in layer.get_weights())
    kernel = kernel * factor
    bias = bias[0] if bias else np.zeros(layer.filters)
    if norm is not None:
        gamma, beta, mean, variance = (values.astype(np.float64) for values in norm.get_weights())
        scale = gamma / np.sqrt(variance + norm.epsilon)
        kernel = kernel * np.expand_dims(scale, tuple(i for i in range(4) if i != to_axis))
        bias = (bias - mean) * scale + beta
    return kernel.astype(np.float32), bias.astype(np.float32)
