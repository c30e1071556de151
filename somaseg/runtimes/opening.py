"""Open a preset on a runtime; what has to be converted for it is converted once and kept."""

from somaseg.models import presets
from somaseg.runtimes.choosing import RUNTIMES, check_runtime, is_installed
from somaseg.runtimes.converting import kept_model, model_bytes
from somaseg.runtimes.fastest import keep_choice, kept_choice, time_runtimes


def open_runtime(preset, runtime="auto", *, note=None):
    """A preset's network as a function from a batch to its maps.

    What LiteRT, ONNX Runtime and OpenVINO read is converted at the first use and kept (`converting.cache_folder`); from
    there they start without TensorFlow. They use all cores, or OMP_NUM_THREADS where it is set.

    Args:
        preset: name or folder of a preset.
        runtime: "keras", "litert", "onnx", "openvino"; or "auto" for the fastest that is installed. Where several of
            the last three are, they are timed once on this machine and the choice is kept with the converted models.
            Keras, slower than each of them by a factor, is for where there is no other or all others fail.
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
    tell = note or (lambda line: None)
    if runtime != "auto":
        return _OPEN[check_runtime(runtime)](folder, tell)
    presets.check_weights(folder)
    names = _candidates()
    if (kept := kept_choice(folder, names)) and (run := _try_to_open(kept, folder, tell)):
        return run
    runs = [run for name in names if (run := _try_to_open(name, folder, tell))]
    if len(runs) > 1:
        seconds = time_runtimes(runs, tell)
        if seconds:
            tell(f"one image of 512 x 512: {', '.join(f'{name} {s * 1000:.0f} ms' for name, s in seconds.items())}")
        if len(seconds) == len(names):
            keep_choice(folder, names, seconds)
        by_name = {run.name: run for run in runs}
        runs = [by_name[name] for name in seconds]
    return runs[0] if runs else _open_keras(folder, tell)


def needs_framework(preset, runtime):
    """Whether `open_runtime` will import Keras: to run the network, or to convert it for the first time."""
    if runtime == "auto":
        names = _candidates()
        kept = kept_choice(preset, names)
        names = [kept] if kept else names
    else:
        names = [check_runtime(runtime)]
    return not names or any(name == "keras" or kept_model(preset, name) is None for name in names)


def _candidates():
    return [name for name in RUNTIMES if name != "keras" and is_installed(name)]


def _try_to_open(name, folder, tell):
    """A preset on a runtime, or None where that fails, which is told."""
    try:
        return _OPEN[name](folder, tell)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        tell(f"{name} cannot be used: {error}")
        return None


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
