"""Which runtimes there are, which are installed, and how many threads they use."""

import importlib.metadata
import importlib.util
import math
import os
from pathlib import Path

RUNTIMES = ("keras", "litert", "onnx", "openvino")
_PACKAGES = {"litert": ("ai_edge_litert",), "onnx": ("onnxruntime", "onnx"), "openvino": ("openvino", "onnx")}
_CGROUPS = Path("/sys/fs/cgroup")


def is_installed(runtime):
    """Whether the packages of a runtime, and those that bring a preset into its form, are installed.

    >>> is_installed("keras")
    True
    """
    return all(importlib.util.find_spec(package) is not None for package in _PACKAGES.get(runtime, ()))


def check_runtime(runtime):
    """`runtime` if it can be used.

    Args:
        runtime: one of `RUNTIMES`.

    Returns:
        str, the same.

    Raises:
        ValueError: no runtime of that name.
        ImportError: it is not installed; the message names the extra.

    >>> check_runtime("keras")
    'keras'
    """
    if runtime not in RUNTIMES:
        raise ValueError(f"runtime must be auto, {', '.join(RUNTIMES)}, got {runtime!r}.")
    if not is_installed(runtime):
        raise ImportError(
            f"The runtime {runtime} needs {' and '.join(_PACKAGES[runtime])}. "
            f'Install the extra: pip install "somaseg[{runtime}]"; or use --runtime keras.'
        )
    return runtime


def installed_version(runtime):
    """Version of the package that runs the network.

    >>> installed_version("keras").count(".") >= 1
    True
    """
    return importlib.metadata.version(_PACKAGES.get(runtime, ("keras",))[0].replace("_", "-"))


def thread_count():
    """How many threads a runtime uses: OMP_NUM_THREADS where it is set, else one for each core that is ours.

    A container that is held to a share of the processors sees all of them: its share is what counts.
    """
    given = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if given.isdecimal() and int(given) > 0:
        return int(given)
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, math.ceil(min(cores, _cores_of_container())))


def _cores_of_container():
    """The processor time that this container may take, in cores; infinity where there is no limit."""
    try:
        if (file := _CGROUPS / "cpu.max").exists():  # version 2
            quota, period = file.read_text().split()
        else:
            quota, period = ((_CGROUPS / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return float(quota) / float(period) if float(quota) > 0 else math.inf
    except (OSError, ValueError, ZeroDivisionError):  # "max", or no container
        return math.inf
