"""The network run by ONNX Runtime, from a .onnx file as `somaseg.export.onnx` writes it."""

import numpy as np

from somaseg.runtimes.choosing import thread_count
from somaseg.runtimes.naming import maps_by_name


class OnnxRuntime:
    """A model as a function from a batch to its maps.

    Args:
        model: bytes, content of a .onnx file.
        depth: int, the network's number of encoder stages.
        threads: None for all cores (or OMP_NUM_THREADS), or how many.
    """

    name = "onnx"
    precision = "f32"

    def __init__(self, model, *, depth, threads=None):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or thread_count()
        options.log_severity_level = 3  # errors only
        self.depth = depth
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._outputs = [output.name for output in self._session.get_outputs()]

    def __call__(self, batch):
        """The maps of float32 (N, H, W, 3): dict of float32 (N, H, W, 1)."""
        values = self._session.run(self._outputs, {"image": np.ascontiguousarray(batch, np.float32)})
        return maps_by_name(dict(zip(self._outputs, values)))
