"""Open a preset on a runtime; what has to be converted for it is converted once and kept."""

from somaseg.models import presets
from somaseg.runtimes.choosing import FASTEST_FIRST, choose_runtime, is_installed
from somaseg.runtimes.converting import cached_path, model_bytes


def open_runtime(preset, runtime="auto", *, note=None):
    """A preset's network as a function from a batch to its maps.

    What LiteRT, ONNX Runtime and OpenVINO read is converted at the first use and kept (`converting.cache_folder`); from
    there they start without TensorFlow. They use all cores, or OMP_NUM_THREADS where it is set.

    Args:
        preset: name or folder of a preset.
        runtime: "keras", "litert", "onnx", "openvino"; or "auto" for the fastest that is installed, and the next where
            that one fails.
        note: None, or a function called with one line where something is worth telling.

    Returns:
        A function from float32 (N, H, W, 3) in 0..255, H and W multiples of `2 ** (depth - 1)`, to a dict of float32
        (N, H, W, 1) as `somaseg.models.heads` names them. It has the attributes `name` (the runtime) and `depth`.

    Raises:
        ValueError: no such preset or runtime, weights that are not those of metadata.json, or a preset that cannot be
            converted.
        ImportError: the runtime is not installed.
    """
    folder = presets.find_preset(preset)
    if runtime != "auto":
        return _OPEN[choose_runtime(runtime)](folder, note)
    presets.check_weights(folder)
    for name in FASTEST_FIRST[:-1]:
        if is_installed(name):
            try:
                return _OPEN[name](folder, note)
            except (ImportError, OSError, RuntimeError, ValueError) as error:
                if note is not None:
                    note(f"{name} cannot be used, the next is tried: {error}")
    return _open_keras(folder, note)


def needs_framework(preset, runtime):
    """Whether `open_runtime` will import Keras: to run the network, or to convert it for the first time."""
    name = choose_runtime(runtime)
    return name == "keras" or not cached_path(preset, name).is_file()


def _open_keras(folder, note):
    from somaseg.models.unet import UNet
    from somaseg.runtimes.keras_runtime import KerasRuntime

    return KerasRuntime(UNet.from_preset(folder))


def _open_litert(folder, note):
    from somaseg.runtimes.litert_runtime import LiteRtRuntime

    return LiteRtRuntime(model_bytes(folder, "litert", note=note), depth=_depth(folder))


def _open_onnx(folder, note):
    from somaseg.runtimes.onnx_runtime import OnnxRuntime

    return OnnxRuntime(model_bytes(folder, "onnx", note=note), depth=_depth(folder))


def _open_openvino(folder, note):
    from somaseg.runtimes.openvino_runtime import OpenVinoRuntime

    return OpenVinoRuntime(model_bytes(folder, "openvino", note=note), depth=_depth(folder))


_OPEN = {"keras": _open_keras, "litert": _open_litert, "onnx": _open_onnx, "openvino": _open_openvino}


def _depth(folder):
    return presets.read_config(folder)["network"].get("depth", 5)
