"""A network as a TensorFlow SavedModel with named tensors, in the versioned folder that TF Serving watches."""

from pathlib import Path

import keras

from somaseg.folders import whole_folder
from somaseg.models.heads import read_maps


def export_saved_model(network, folder, *, version=1, overwrite=False):
    """Write `folder/<version>/`, whole or not at all.

    The signature `serving_default` takes "image", float32 (N, H, W, C) in 0..255, H and W multiples of 16, and
    returns "probability", float32 (N, H, W, 1), and with it the network's other maps by name, each of the same shape
    (`somaseg.models.heads.read_maps` says what they are).

    Args:
        network: `somaseg.models.UNet` that gives logits.
        folder: its last part is the model's name in TF Serving.
        version: int >= 1.
        overwrite: bool, replace this version if it exists.

    Returns:
        The path of the version's folder.

    Raises:
        FileExistsError: this version exists and `overwrite` is False.
        OSError: it cannot be written (such as on a full disk).
    """
    import tensorflow as tf

    if version < 1:
        raise ValueError(f"version must be 1 or more, got {version}.")
    target = Path(folder) / str(version)
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} exists. Give another folder or version, or --overwrite.")
    archive = keras.export.ExportArchive()
    archive.track(network)

    def probability(image):
        maps = read_maps(network(image, training=False), network.heads)
        return {"probability": maps.pop("mask"), **maps}

    archive.add_endpoint(
        "serving_default",
        probability,
        input_signature=[tf.TensorSpec((None, None, None, network.input_channels), tf.float32, name="image")],
    )
    try:
        with whole_folder(target, ours=["*"], overwrite=overwrite) as partial:
            archive.write_out(str(partial), verbose=False)
    except tf.errors.OpError as error:
        raise OSError(f"{target} could not be written: {error.message}") from error
    return target
