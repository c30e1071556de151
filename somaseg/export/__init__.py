"""Models for other machines: a preset in the forms that servers, small computers and other programs read."""

from pathlib import Path

from somaseg.export.description import describe_preset
from somaseg.export.litert import PRECISIONS, export_litert
from somaseg.export.saved_model import export_saved_model
from somaseg.export.serving_config import write_serving_config

FORMATS = ("saved_model", *PRECISIONS, "onnx", "openvino", "bioimageio")


def export_preset(
    preset, folder, *, formats=FORMATS[:3], version=1, size_px=None, representative=None, overwrite=False
):
    """Write a preset in several formats.

    saved_model: `folder/<preset>/<version>/`. fp32, fp16, int8: `folder/<preset>_<precision>.tflite`, with `_<size>`
    behind the precision where the size is fixed, and its facts as .json beside it. onnx: `folder/<preset>.onnx`.
    openvino: `folder/<preset>.xml` and .bin. bioimageio: `folder/<preset>_bioimageio.zip`.

    Args:
        preset: name or folder of a preset.
        folder: where they go.
        formats: some of `FORMATS`.
        version: int, of the SavedModel.
        size_px: None for .tflite files of free size, or the side of the one square image that they take.
        representative: for int8, a folder of images like those to be segmented; None for simulated stills.
        overwrite: bool.

    Returns:
        The list of paths written.

    Raises:
        FileExistsError: one of them exists and `overwrite` is False; then none is written.
    """
    from somaseg.data.intensity import normalize_contrast
    from somaseg.models.presets import find_preset
    from somaseg.models.unet import UNet
    from somaseg.segmentation.batch import find_images
    from somaseg.segmentation.reading import read_image

    unknown = sorted(set(formats) - set(FORMATS))
    if unknown:
        raise ValueError(f"Unknown formats {unknown}; there are {FORMATS}.")
    name = find_preset(preset).resolve().name
    if not overwrite:
        _check_new(Path(folder), name, formats, version, size_px)
    images = None
    if "int8" in formats and representative is not None:
        images = [normalize_contrast(read_image(path)) for path in find_images([representative])]
    network, written = UNet.from_preset(preset), []
    for kind in formats:
        if kind == "saved_model":
            path = export_saved_model(
                network, Path(folder) / name, version=version, description=describe_preset(preset), overwrite=overwrite
            )
            write_serving_config(folder)
        elif kind in PRECISIONS:
            path = export_litert(
                network,
                Path(folder) / _file_name(name, kind, size_px),
                precision=kind,
                size_px=size_px,
                representative=images,
                description=describe_preset(preset),
                overwrite=overwrite,
            )
        else:
            path = _export_exchanged(preset, network, name, Path(folder), kind, overwrite)
        written.append(path)
    return written


def _file_name(name, kind, size_px):
    endings = {"onnx": ".onnx", "openvino": ".xml", "bioimageio": "_bioimageio.zip"}
    return name + endings.get(kind, f"_{kind}{f'_{size_px}' if size_px else ''}.tflite")


def _check_new(folder, name, formats, version, size_px):
    for kind in formats:
        saved_model = kind == "saved_model"
        path = folder / name / str(version) if saved_model else folder / _file_name(name, kind, size_px)
        if path.exists():
            other = "folder, version or --formats" if saved_model else "folder or --formats"
            raise FileExistsError(f"{path} exists. Give another {other}, or --overwrite.")


def _export_exchanged(preset, network, name, folder, kind, overwrite):
    path = folder / _file_name(name, kind, None)
    if kind == "onnx":
        from somaseg.export.onnx import export_onnx

        return export_onnx(network, path, description=describe_preset(preset), overwrite=overwrite)
    if kind == "openvino":
        from somaseg.export.openvino import export_openvino

        return export_openvino(network, folder, name=name, description=describe_preset(preset), overwrite=overwrite)
    from somaseg.export.bioimageio import export_bioimageio

    return export_bioimageio(preset, network, path, overwrite=overwrite)
