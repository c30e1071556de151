"""The network run by OpenVINO, from a .onnx file as `somaseg.export.onnx` writes it.

Where the processor has bfloat16 (AVX-512 with BF16, AMX), that is computed in: the somas are those of 32 bits but for a
few in a thousand, as many of them are right, and it is 3 to 4 times as fast (docs/runtimes.md).
"""

import numpy as np

from somaseg.runtimes.choosing import thread_count
from somaseg.runtimes.naming import maps_by_name


class OpenVinoRuntime:
    """A model as a function from a batch to its maps.

    Args:
        model: bytes, content of a .onnx file.
        depth: int, the network's number of encoder stages.
        threads: None for all cores (or OMP_NUM_THREADS), or how many.
        precision: "f32", "bf16", or None for bf16 where the processor has it and else f32.

    Attributes:
        precision: str, the one taken.
    """

    name = "openvino"

    def __init__(self, model, *, depth, threads=None, precision=None):
        import openvino

        core = openvino.Core()
        fast = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self.precision = precision or ("bf16" if fast else "f32")
        settings = {
            "INFERENCE_NUM_THREADS": threads or thread_count(),
            "INFERENCE_PRECISION_HINT": self.precision,
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
