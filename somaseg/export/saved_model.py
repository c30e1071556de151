"""A network as a TensorFlow SavedModel with named tensors, in the versioned folder that TF Serving watches.

Written from a plain `tf.Module`: Keras' own `ExportArchive` keeps the variables in two lists and stores each twice.
"""

import json
from pathlib import Path

import keras

from somaseg.folders import whole_folder
from somaseg.models.heads import HEADS


def export_saved_model(network, folder, *, version=1, description=None, overwrite=False):
    """Write `folder/<version>/`, whole or not at all.

    Each signature takes N images of one size, H and W at least 16, and pads them to the network's grid as
    `somaseg.Segmenter` does. Each but the last two returns "probability", float32 (N, H, W, 1), and with it the
    network's other maps by name, each of the same shape (`somaseg.models.heads.read_maps` says what they are).

    - `serving_default`: "image", float32 (N, H, W, C) in 0..255, prepared as `somaseg.normalize_contrast` does.
    - `uint8`: the same, uint8.
    - `encoded`: "image_bytes", N files (PNG of 8 or 16 bits, or JPEG) as they come from the microscope; the graph
      decodes them and stretches their contrast with the numbers of `somaseg.normalize_contrast`.
    - `packed`: "image_bytes", N files that are prepared already, such as the tiles of one image. Each map comes as N
      strings, "probability_bytes" and so on, serialised TensorProtos whose last items are the H * W values, row by row:
      float32, offsets float16. A fourth of what the same maps weigh as JSON. `somaseg.serving.Client` uses this.
    - `describe`: "question", N strings of any content, gets N times the description as JSON.

    Beside the graph, in `assets.extra/`: somaseg.json (the description), preprocessor.json (the segmenter's settings in
    it), and with the extra `serving` tf_serving_warmup_requests, which a server runs before it says that it is ready.

    Args:
        network: `somaseg.models.UNet` that gives logits.
        folder: its last part is the model's name in TF Serving.
        version: int >= 1.
        description: None, or what else a client should know: dict for JSON; "preset", "weights_sha256" and
            "preprocessor" (the settings of `somaseg.Segmenter`) are used by `somaseg.serving.Client`.
        overwrite: bool, replace this version if it exists.

    Returns:
        The path of the version's folder.

    Raises:
        FileExistsError: this version exists and `overwrite` is False.
        ValueError: the version is below 1, or Keras runs on another backend than TensorFlow.
        OSError: it cannot be written (such as on a full disk).
    """
    if version < 1:
        raise ValueError(f"version must be 1 or more, got {version}.")
    _check_backend()
    target = Path(folder) / str(version)
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} exists. Give another folder or version, or --overwrite.")
    from somaseg.export.serving_graph import PACKED_DTYPES, ServedNetwork
    from somaseg.export.serving_warmup import write_warmup

    names = ["probability" if name == "mask" else name for name in HEADS[network.heads]]
    facts = {
        "depth": network.depth,
        "heads": network.heads,
        "packed": {name: PACKED_DTYPES[name].name if name in PACKED_DTYPES else "float32" for name in names},
        **(description or {}),
    }
    served = ServedNetwork(network, facts)

    def write(partial):
        _save(served, partial, served.signatures())
        extra = partial / "assets.extra"
        extra.mkdir()
        (extra / "somaseg.json").write_text(json.dumps(facts, indent=2) + "\n")
        (extra / "preprocessor.json").write_text(json.dumps(facts.get("preprocessor", {}), indent=2) + "\n")
        write_warmup(extra, target.parent.name, channels=network.input_channels)

    _whole(target, write, overwrite=overwrite)
    return target


def save_plain(network, folder):
    """Write the network alone into an empty or absent folder, for converters: one signature, nothing but the network.

    `serving_default` is as `export_saved_model` says, but H and W must be multiples of `2 ** (depth - 1)`.

    Returns:
        The folder's path.
    """
    import tensorflow as tf

    from somaseg.export.serving_graph import named_maps

    _check_backend()
    module = tf.Module()
    module.weights = [variable.value for variable in network.variables]
    spec = tf.TensorSpec((None, None, None, network.input_channels), tf.float32, name="image")
    maps = tf.function(lambda image: named_maps(network, image), input_signature=[spec], autograph=False)
    _whole(Path(folder), lambda partial: _save(module, partial, {"serving_default": maps.get_concrete_function()}))
    return Path(folder)


def _save(module, folder, signatures):
    import tensorflow as tf

    tf.saved_model.save(module, str(folder), signatures=signatures)


def _whole(target, write, *, overwrite=False):
    import tensorflow as tf

    try:
        with whole_folder(target, ours=["*"], overwrite=overwrite) as partial:
            write(partial)
    except tf.errors.OpError as error:
        raise OSError(f"{target} could not be written: {error.message}") from error


def _check_backend():
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"A SavedModel is written on Keras' TensorFlow backend only, got {keras.backend.backend()!r}. "
            "Run the export with KERAS_BACKEND=tensorflow."
        )
