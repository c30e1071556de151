"""A network as an ONNX file, written layer by layer from its weights: batch norms folded into the convolutions.

No converter lies between: the graph has the few operators that the network has, and ONNX Runtime, OpenVINO and the
programs of the BioImage Model Zoo read the same file.
"""

import json

import numpy as np

from somaseg.export.folding import INPUT, folded_steps
from somaseg.files import check_new_file, replace_when_whole
from somaseg.models.heads import HEADS, OFFSET_UNIT_PX

OPSET = 17
_IR_VERSION = 8  # the one that came with opset 17: older programs refuse newer


def export_onnx(network, path, *, description=None, overwrite=False):
    """Write a .onnx file, whole or not at all; its names are those of the SavedModel (`export_saved_model`).

    "image" is float32 (N, H, W, 3) in 0..255, N free, H and W multiples of `2 ** (depth - 1)` (the caller pads).
    "probability" is float32 (N, H, W, 1), and so are the network's other maps, by name.

    Args:
        network: `somaseg.models.UNet` that gives logits.
        path: file name ending in .onnx.
        description: None, or a dict that is kept in the file as JSON under "somaseg", such as that of
            `somaseg.export.description.describe_preset`.
        overwrite: bool, replace the file if it exists.

    Returns:
        The path.

    Raises:
        FileExistsError: the file exists and `overwrite` is False.
        ImportError: onnx is not installed (extra `onnx`).
        ValueError: another suffix, or a network with a layer that this writer does not know.
    """
    onnx = _onnx()
    path = check_new_file(path, ".onnx", overwrite=overwrite)
    graph = _Graph(onnx)
    logits = graph.add_steps(folded_steps(network))
    outputs = graph.add_maps(logits, network.heads)
    model = onnx.helper.make_model(
        graph.finish(network, outputs),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=_IR_VERSION,
        producer_name="somaseg",
    )
    if description is not None:
        onnx.helper.set_model_props(model, {"somaseg": json.dumps(description)})
    onnx.checker.check_model(model, full_check=True)
    with replace_when_whole(path) as partial:
        partial.write_bytes(model.SerializeToString())
    return path


class _Graph:
    """Nodes and weights of the graph as they are added; the output of a node has its name."""

    def __init__(self, onnx):
        self.onnx, self.nodes, self.weights = onnx, [], []

    def add(self, operator, inputs, output, **attributes):
        self.nodes.append(self.onnx.helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name, values):
        self.weights.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add_steps(self, steps):
        """All steps in order, channels first; returns the name of the last output."""
        names = {INPUT: self.add("Transpose", ["image"], "channels_first", perm=[0, 3, 1, 2])}
        for step in steps:
            names[step.name] = self._add_step(step, [names[name] for name in step.inputs])
        return names[steps[-1].name]

    def _add_step(self, step, inputs):
        match step.operator:
            case "convolution":
                side = step.kernel.shape[0]
                weights = self._weights(step)
                shape = {"kernel_shape": [side, side], "strides": [1, 1], "pads": [side // 2] * 4}
                return self.add("Conv", inputs + weights, step.name, **shape)
            case "transposed_convolution":
                return self.add(
                    "ConvTranspose", inputs + self._weights(step), step.name, kernel_shape=[2, 2], strides=[2, 2]
                )
            case "relu":
                return self.add("Relu", inputs, step.name)
            case "pool":
                return self.add("MaxPool", inputs, step.name, kernel_shape=[2, 2], strides=[2, 2])
            case "concatenate":
                return self.add("Concat", inputs, step.name, axis=1)

    def _weights(self, step):
        """Keras' (y, x, in, out) as (out, in, y, x); of a transposed one (y, x, out, in) as (in, out, y, x)."""
        kernel = self.constant(f"{step.name}_kernel", step.kernel.transpose(3, 2, 0, 1))
        return [kernel, self.constant(f"{step.name}_bias", step.bias)]

    def add_maps(self, logits, heads):
        """What `somaseg.models.heads.read_maps` does; returns the names of the outputs."""
        names = ["probability" if name == "mask" else name for name in HEADS[heads]]
        channels = [f"{name}_logit" for name in names]
        if len(names) == 1:
            channels = [logits]
        else:
            ones = self.constant("one_channel_each", np.ones(len(names), np.int64))
            self.nodes.append(self.onnx.helper.make_node("Split", [logits, ones], channels, name="split", axis=1))
        unit = self.constant("offset_unit_px", np.float32(OFFSET_UNIT_PX))
        for name, channel in zip(names, channels):
            if name.startswith("offset"):
                first = self.add("Mul", [channel, unit], f"{name}_channels_first")
            else:
                first = self.add("Sigmoid", [channel], f"{name}_channels_first")
            self.add("Transpose", [first], name, perm=[0, 2, 3, 1])
        return names

    def finish(self, network, outputs):
        helper, kind = self.onnx.helper, self.onnx.TensorProto.FLOAT
        image = helper.make_tensor_value_info("image", kind, ["N", "H", "W", network.input_channels])
        maps = [helper.make_tensor_value_info(name, kind, ["N", "H", "W", 1]) for name in outputs]
        return helper.make_graph(self.nodes, "somaseg", [image], maps, self.weights)


def _onnx():
    try:
        import onnx
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise ImportError('ONNX files need the package onnx: pip install "somaseg[onnx]"') from error
    return onnx
