"""The network run by LiteRT with its XNNPACK kernels, from a .tflite file as `somaseg.export.litert` writes it."""

import numpy as np

from somaseg.runtimes.choosing import thread_count
from somaseg.runtimes.naming import maps_by_name


class LiteRtRuntime:
    """A model as a function from a batch to its maps.

    Args:
        model: bytes, content of a .tflite file.
        depth: int, the network's number of encoder stages.
        threads: None for all cores (or OMP_NUM_THREADS), or how many.
    """

    name = "litert"
    precision = "f32"

    def __init__(self, model, *, depth, threads=None):
        from ai_edge_litert.interpreter import Interpreter

        self.depth = depth
        self._interpreter = Interpreter(model_content=model, num_threads=threads or thread_count())
        self._run = self._interpreter.get_signature_runner("serving_default")

    def __call__(self, batch):
        """The maps of float32 (N, H, W, 3): dict of float32 (N, H, W, 1)."""
        return maps_by_name(self._run(image=np.ascontiguousarray(batch, np.float32)))
