"""A network as a LiteRT (.tflite) file, in 32 or 16 bit floats or 8 bit integers."""

import tempfile

from somaseg.export.calibration import calibration_batches, simulated_images
from somaseg.export.litert_metadata import with_metadata
from somaseg.export.plain_tensorflow import plain_function
from somaseg.files import check_new_file, replace_when_whole
from somaseg.json_files import write_json

PRECISIONS = ("fp32", "fp16", "int8")


def export_litert(
    network, path, *, precision="fp32", size_px=None, representative=None, description=None, overwrite=False
):
    """Write a .tflite file, whole or not at all.

    Its signature `serving_default` takes "image", float32 (N, H, W, 3) in 0..255, H and W multiples of
    `2 ** (depth - 1)`, and gives "probability" and the network's other maps, float32 (N, H, W, 1). Of a model of free
    size a signature runner sets the size to that of its input. Inputs and outputs are float32 in every precision; fp16
    stores the weights in 16 bits, int8 computes in 8 bits.

    Args:
        network: `somaseg.models.UNet` that gives logits, with 3 input channels.
        path: file name ending in .tflite.
        precision: "fp32", "fp16" or "int8".
        size_px: None for free size, or the side of the one square image that it takes.
        representative: for int8, images uint8 (H, W, 3), contrast-stretched, like those to be segmented; None for
            simulated stills.
        description: None, or a dict kept in the file (`somaseg.export.litert_metadata`), and beside it as JSON.
        overwrite: bool, replace the file if it exists.

    Returns:
        The path.

    Raises:
        FileExistsError: the file exists and `overwrite` is False.
        ValueError: unknown precision, a size that the network does not take, or unfit representative images.
    """
    import tensorflow as tf

    path = check_new_file(path, ".tflite", overwrite=overwrite)
    _check(network, precision, size_px)
    batches = []
    if precision == "int8":
        images = simulated_images() if representative is None else representative
        batches = list(calibration_batches(images, size_px=size_px))
    function = plain_function(network, size_px=size_px)
    module = tf.Module()
    module.maps = function
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={"serving_default": function.get_concrete_function()})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if precision != "fp32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "fp16":
            converter.target_spec.supported_types = [tf.float16]
        if precision == "int8":
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.representative_dataset = lambda: ({"image": batch} for batch in batches)
        content = converter.convert()
    if description is not None:
        description = {**description, "precision": precision, "size_px": size_px}
        content = with_metadata(content, description)
        with replace_when_whole(path.with_suffix(".json")) as partial:
            write_json(partial, description)
    with replace_when_whole(path) as partial:
        partial.write_bytes(content)
    return path


def _check(network, precision, size_px):
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {PRECISIONS}, got {precision!r}.")
    grid = 2 ** (network.depth - 1)
    if size_px is not None and (size_px < grid or size_px % grid):
        raise ValueError(f"size_px must be a multiple of {grid} for this network, got {size_px!r}.")
