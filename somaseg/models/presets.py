"""Presets: trained networks as folders of config.json, preprocessor.json, metadata.json and model.weights.h5.

The shipped ones live in `saved_models/` of the checkout, and in the package once it is installed.
"""

import hashlib
import json
from pathlib import Path

from somaseg.folders import whole_folder

WEIGHTS = "model.weights.h5"
_FILES = (WEIGHTS, "config.json", "preprocessor.json", "metadata.json")
_PACKAGE = Path(__file__).resolve().parent.parent
_HOMES = (_PACKAGE / "saved_models", _PACKAGE.parent / "saved_models")


class CorruptPresetError(ValueError):
    """The weights of a preset are not those that were saved."""


def list_presets():
    """Names of the shipped presets, sorted."""
    folders = [path for home in _HOMES if home.is_dir() for path in home.iterdir()]
    return sorted({path.name for path in folders if (path / "config.json").is_file()})


def find_preset(preset):
    """The folder of a preset, given its name or its path.

    Raises:
        ValueError: there is none; the message lists the shipped ones.
    """
    candidates = [home / str(preset) for home in _HOMES] if Path(preset).name == str(preset) else []
    for folder in [*candidates, Path(preset).expanduser()]:
        if (folder / "config.json").is_file():
            return folder
    raise ValueError(
        f"No preset named {str(preset)!r}. There are {', '.join(list_presets()) or 'none'}; "
        "or give the path of a folder with config.json and model.weights.h5."
    )


def read_config(folder):
    """config.json of a preset folder: {"class_name": ..., "network": constructor arguments}."""
    return _read_json(Path(folder) / "config.json", "network")


def read_preprocessor(folder):
    """preprocessor.json of a preset folder: the settings of `somaseg.Segmenter`; {} where there is none."""
    path = Path(folder) / "preprocessor.json"
    return _read_json(path) if path.exists() else {}


def read_metadata(folder):
    """metadata.json of a preset folder: versions, the hash of the weights, and how they were trained."""
    return _read_json(Path(folder) / "metadata.json", "weights_sha256")


def load_weights(network, folder):
    """Load a preset's weights into a network of its architecture, after checking their SHA-256.

    Raises:
        CorruptPresetError: the file is missing or is not the one that metadata.json describes.
    """
    check_weights(folder)
    network.load_weights(Path(folder) / WEIGHTS)


def check_weights(folder):
    """Check the SHA-256 of a preset's weights.

    Raises:
        CorruptPresetError: the file is missing or is not the one that metadata.json describes.
    """
    path = Path(folder) / WEIGHTS
    advice = "Install or copy the preset again."
    if not path.is_file():
        raise CorruptPresetError(f"{path} is missing. {advice}")
    expected, found = read_metadata(folder)["weights_sha256"], file_hash(path)
    if found != expected:
        raise CorruptPresetError(
            f"{path} is damaged: its SHA-256 is {found[:12]}..., metadata.json says {expected[:12]}.... {advice}"
        )


def write_preset(network, folder, *, config, preprocessor=None, metadata=None):
    """Write a preset folder, whole or not at all; other files that are in it stay."""
    import keras

    with whole_folder(Path(folder).expanduser(), ours=_FILES, overwrite=True) as partial:
        network.save_weights(partial / WEIGHTS)
        facts = {
            "keras_version": keras.__version__,
            "parameters": network.count_params(),
            "weights_sha256": file_hash(partial / WEIGHTS),
            **(metadata or {}),
        }
        documents = {
            "config.json": {"class_name": type(network).__name__, "network": config},
            "preprocessor.json": preprocessor or {},
            "metadata.json": facts,
        }
        for name, content in documents.items():
            (partial / name).write_text(json.dumps(content, indent=2) + "\n")


def file_hash(path):
    """SHA-256 of a file, as hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_json(path, *wanted):
    try:
        document = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise CorruptPresetError(f"{path} cannot be read: {error}") from error
    missing = set(wanted) - set(document if isinstance(document, dict) else ())
    if missing:
        raise CorruptPresetError(f"{path} is no part of a preset: {', '.join(missing)} is missing.")
    return document
