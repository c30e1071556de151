"""Which runtime runs the network: the one asked for, or the fastest that is installed."""

import importlib.util
import os

RUNTIMES = ("keras", "litert", "onnx", "openvino")
FASTEST_FIRST = ("openvino", "onnx", "litert", "keras")
_PACKAGES = {"litert": ("ai_edge_litert",), "onnx": ("onnxruntime", "onnx"), "openvino": ("openvino", "onnx")}


def is_installed(runtime):
    """Whether the packages of a runtime, and those that bring a preset into its form, are installed.

    >>> is_installed("keras")
    True
    """
    return all(importlib.util.find_spec(package) is not None for package in _PACKAGES.get(runtime, ()))


def choose_runtime(wanted="auto"):
    """The runtime to use.

    Args:
        wanted: one of `RUNTIMES`, or "auto" for the fastest that is installed. The order was measured with
            benchmarks/runtimes.py.

    Returns:
        str, one of `RUNTIMES`.

    Raises:
        ValueError: no runtime of that name.
        ImportError: it is not installed; the message names the extra.

    >>> choose_runtime("keras")
    'keras'
    """
    if wanted == "auto":
        return next(runtime for runtime in FASTEST_FIRST if is_installed(runtime))
    if wanted not in RUNTIMES:
        raise ValueError(f"runtime must be auto, {', '.join(RUNTIMES)}, got {wanted!r}.")
    if not is_installed(wanted):
        raise ImportError(
            f"The runtime {wanted} needs {' and '.join(_PACKAGES[wanted])}. "
            f'Install the extra: pip install "somaseg[{wanted}]"; or use --runtime keras.'
        )
    return wanted


def thread_count():
    """How many threads a runtime uses: OMP_NUM_THREADS where it is set, else one for each core that is ours."""
    given = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if given.isdecimal() and int(given) > 0:
        return int(given)
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
