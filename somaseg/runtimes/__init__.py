"""A preset's network on the runtimes that people have: Keras, LiteRT, ONNX Runtime, OpenVINO."""

from somaseg.runtimes.choosing import RUNTIMES
from somaseg.runtimes.opening import open_runtime

__all__ = ["RUNTIMES", "open_runtime"]
