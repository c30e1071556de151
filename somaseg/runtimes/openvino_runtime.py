"""The network run by OpenVINO, from a .onnx file as `somaseg.export.onnx` writes it."""

import numpy as np

from somaseg.runtimes.choosing import thread_count
from somaseg.runtimes.naming import maps_by_name


class OpenVinoRuntime:
    """A model as a function from a batch to its maps.

    Args:
        model: bytes, content of a .onnx file.
        depth: int, the network's number of encoder stages.
        threads: None for all cores (or OMP_NUM_THREADS), or how many.
        precision: "f32", or "bf16" where the processor has it.
    """

    name = "openvino"

    def __init__(self, model, *, depth, threads=None, precision="f32"):
        import openvino

        core = openvino.Core()
        settings = {
            "INFERENCE_NUM_THREADS": threads or thread_count(),
            "INFERENCE_PRECISION_HINT": precision,
            "PERFORMANCE_HINT": "LATENCY",
        }
        compiled = core.compile_model(core.read_model(model), "CPU", settings)
        self.depth = depth
        self._outputs = [output.get_any_name() for output in compiled.outputs]
        self._request = compiled.create_infer_request()

    def __call__(self, batch):
        """The maps of float32 (N, H, W, 3): dict of float32 (N, H, W, 1)."""
        values = self._request.infer([np.ascontiguousarray(batch, np.float32)], share_inputs=True)
        return maps_by_name({name: values[i] for i, name in enumerate(self._outputs)})
