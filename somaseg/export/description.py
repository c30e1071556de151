"""What a program that runs an exported model has to know beside the model: how to prepare images and read the maps."""

from somaseg import __version__
from somaseg.data import intensity
from somaseg.models import presets
from somaseg.models.heads import HEADS
from somaseg.segmentation.tiling import receptive_field_radius


def describe_preset(preset):
    """Facts of a preset for a program that runs its exported model, as a dict that JSON can hold.

    preset, weights_sha256 and somaseg say what it is; labels, what the classes of a pixel are; outputs, the maps;
    normalisation, the numbers of `somaseg.normalize_contrast`; tiling, that of `somaseg.segmentation.tiling`;
    preprocessor, the settings of `somaseg.Segmenter` (thresholds, and the scale that was learnt from).

    Args:
        preset: name or folder.
    """
    from somaseg.segmentation.segmenter import Segmenter

    folder = presets.find_preset(preset)
    network = presets.read_config(folder)["network"]
    depth, heads = network.get("depth", 5), network.get("heads", "mask")
    grid = 2 ** (depth - 1)
    return {
        "somaseg": __version__,
        "preset": folder.resolve().name,
        "weights_sha256": presets.read_metadata(folder)["weights_sha256"],
        "labels": ["background", "soma"],
        "input": {"name": "image", "axes": "NHWC", "channels": 3, "range": [0, 255]},
        "outputs": ["probability" if name == "mask" else name for name in HEADS[heads]],
        "normalisation": {
            "low_percentile": intensity.LOW_PERCENTILE,
            "high_percentile": intensity.HIGH_PERCENTILE,
            "noise_range": intensity.NOISE_RANGE,
            "faint": intensity.FAINT,
            "same_signal": intensity.SAME_SIGNAL,
        },
        "tiling": {"grid_px": grid, "margin_px": -(-receptive_field_radius(depth) // grid) * grid},
        "preprocessor": Segmenter.preset_settings(folder),
    }
