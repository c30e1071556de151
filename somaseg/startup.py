"""What a command does before it uses a framework; only `cli.py` and the launch scripts call it."""

import os
import sys

from somaseg.native_messages import native_messages_dropped


def prepare_framework():
    """Import the framework without its start-up messages, with its oneDNN kernels on; what the user has set stays.

    Where TensorFlow is imported already, it has read its settings, and nothing is set: only processes that this one
    starts would heed it, and their kernels round otherwise than those of this one.

    TensorFlow turns oneDNN on by itself only on processors with AVX-512. On one with AVX2 alone a training step of the
    16-filter network took 8.9 s with it and 16.0 s without, one after the other on a busy machine.
    """
    if "tensorflow" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
        with native_messages_dropped():  # those printed before TensorFlow's logging heeds the level above
            import tensorflow as tf

            tf.config.list_physical_devices()
