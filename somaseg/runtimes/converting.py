"""A preset in the form that a runtime reads: converted once, then kept on disk under the hash of its weights.

A kept file is the SHA-256 of the model and the model behind it, so that one that was damaged is noticed and made anew.
"""

import hashlib
import json
import os
import tempfile
from pathlib import Path

from somaseg import __version__
from somaseg.files import replace_when_whole
from somaseg.models import presets

FORMS = {"litert": "tflite", "onnx": "onnx", "openvino": "onnx"}
_DIGEST_BYTES = hashlib.sha256().digest_size


class ConversionError(ValueError):
    """A preset could not be brought into the form that a runtime reads."""


def cache_folder():
    """Where converted models are kept: $SOMASEG_CACHE, or $XDG_CACHE_HOME/somaseg, or ~/.cache/somaseg."""
    if given := os.environ.get("SOMASEG_CACHE"):
        return Path(given).expanduser()
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home).expanduser() if home else Path.home() / ".cache") / "somaseg"


def cached_path(preset, runtime):
    """Where the model of a preset for a runtime is kept, or will be once it is converted.

    Its name holds what the model depends on: the weights, the architecture and the version of somaseg.

    Args:
        preset: name or folder.
        runtime: one of `FORMS`.
    """
    folder = presets.find_preset(preset)
    network = json.dumps(presets.read_config(folder)["network"], sort_keys=True)
    weights = presets.read_metadata(folder)["weights_sha256"]
    key = hashlib.sha256(f"{weights} {network}".encode()).hexdigest()[:20]
    return cache_folder() / f"{key}-{__version__}.{FORMS[runtime]}.kept"


def kept_model(preset, runtime):
    """The model of a preset for a runtime (bytes) as it is kept, or None where it is not, or damaged."""
    try:
        content = cached_path(preset, runtime).read_bytes()
    except OSError:
        return None
    digest, model = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    return model if hashlib.sha256(model).digest() == digest else None


def model_bytes(preset, runtime, *, note=None):
    """The model of a preset as a runtime reads it, from the cache or converted now.

    Where the cache cannot be written the model is converted each time.

    Args:
        preset: name or folder.
        runtime: one of `FORMS`.
        note: None, or a function called with one line where something is worth telling.

    Raises:
        presets.CorruptPresetError: the weights are not those of metadata.json.
        ConversionError: it could not be converted.
    """
    folder, path = presets.find_preset(preset), cached_path(preset, runtime)
    presets.check_weights(folder)
    if kept := kept_model(folder, runtime):
        return kept
    tell = note or (lambda line: None)
    again = "again: the one that was kept is damaged" if path.is_file() else "once"
    tell(f"converting the preset {folder.name} for {runtime}, {again}")
    model = _converted(folder, FORMS[runtime])
    try:
        with replace_when_whole(path) as partial:
            partial.write_bytes(hashlib.sha256(model).digest() + model)
    except OSError as error:
        tell(f"the converted model is not kept: {error}. Set SOMASEG_CACHE to a folder that can be written.")
    return model


def _converted(folder, form):
    from somaseg.models.unet import UNet

    try:
        network = UNet.from_preset(folder)
        with tempfile.TemporaryDirectory() as made:
            path = Path(made) / f"model.{form}"
            if form == "onnx":
                from somaseg.export.onnx import export_onnx

                export_onnx(network, path)
            else:
                from somaseg.export.litert import export_litert

                export_litert(network, path)
            return path.read_bytes()
    except presets.CorruptPresetError:
        raise
    except Exception as error:  # converters raise whatever they like
        raise ConversionError(
            f"The preset {folder.name} could not be converted to {form} ({type(error).__name__}: {error}). "
            "Use --runtime keras."
        ) from error
