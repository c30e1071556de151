"""A preset as a package of the BioImage Model Zoo (spec 0.5), which deepImageJ, ilastik and BiaPy open.

It holds the network twice, as a TensorFlow SavedModel and as ONNX, with a test input and what the network says of it.
What the zoo's programs do to an image before is written down as their own operations: the percentiles of
`somaseg.normalize_contrast`, without its widening for blank frames and its merging of false colour.
"""

import tempfile
import zipfile
from pathlib import Path

import cv2
import numpy as np

from somaseg.export.calibration import simulated_images
from somaseg.export.description import describe_preset
from somaseg.export.onnx import export_onnx
from somaseg.export.saved_model import save_plain
from somaseg.files import check_new_file, replace_when_whole
from somaseg.runtimes.keras_runtime import KerasRuntime

SIDE_PX = 256
CITED = (
    ("Ronneberger et al. (2015): U-Net, the architecture", "10.1007/978-3-319-24574-4_28"),
    ("Caicedo et al. (2019): the 2018 Data Science Bowl, training images", "10.1038/s41592-019-0612-7"),
)


def export_bioimageio(preset, network, path, *, overwrite=False):
    """Write a .zip, whole or not at all.

    Args:
        preset: name or folder of the preset.
        network: its `somaseg.models.UNet`.
        path: file name ending in .zip.
        overwrite: bool, replace the file if it exists.

    Returns:
        The path.

    Raises:
        FileExistsError: the file exists and `overwrite` is False.
        ImportError: bioimageio.spec is not installed (extra `bioimageio`).
        ValueError: the package does not pass the validation of bioimageio.spec.
    """
    spec = _spec()
    path = check_new_file(path, ".zip", overwrite=overwrite)
    facts = describe_preset(preset)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        _write_tensors(network, facts, folder)
        export_onnx(network, folder / "model.onnx", description=facts)
        _zip_folder(save_plain(network, folder / "saved_model"), folder / "saved_model.zip")
        (folder / "README.md").write_text(_documentation(facts))
        description = _describe(facts, folder)
        with replace_when_whole(path) as partial:
            spec.save_bioimageio_package(description, output_path=partial)
    return path


def _write_tensors(network, facts, folder):
    """test_image.npy, one .npy for each map, and cover.png: the image beside its probability."""
    image = simulated_images(1)[0]
    batch = image[None].astype(np.float32)
    np.save(folder / "test_image.npy", batch)
    maps = KerasRuntime(network)(batch)
    for name in facts["outputs"]:
        np.save(folder / f"test_{name}.npy", maps["mask" if name == "probability" else name])
    gray = np.rint(255 * maps["mask"][0]).astype(np.uint8)
    beside = np.concatenate([image[..., ::-1], np.repeat(gray, 3, axis=-1)], axis=1)
    cv2.imwrite(str(folder / "cover.png"), beside)


def _describe(facts, folder):
    import onnx
    import tensorflow as tf
    from bioimageio.spec.model import v0_5 as zoo

    weights = zoo.WeightsDescr(
        tensorflow_saved_model_bundle=zoo.TensorflowSavedModelBundleWeightsDescr(
            source=folder / "saved_model.zip", tensorflow_version=zoo.Version(tf.__version__)
        ),
        onnx=zoo.OnnxWeightsDescr(
            source=folder / "model.onnx",
            opset_version=onnx.load(folder / "model.onnx", load_external_data=False).opset_import[0].version,
            parent="tensorflow_saved_model_bundle",
        ),
    )
    return zoo.ModelDescr(
        name=f"somaseg {facts['preset']}",
        description=f"Somas or nuclei apart from their background, and from each other: preset {facts['preset']} of "
        "somaseg. Test and cover image are simulated.",
        version=zoo.Version(facts["somaseg"]),
        authors=[zoo.Author(name="The somaseg developers")],
        cite=[zoo.CiteEntry(text=text, doi=zoo.Doi(doi)) for text, doi in CITED],
        license=zoo.LicenseId("Apache-2.0"),
        tags=["segmentation", "instance-segmentation", "fluorescence-light-microscopy", "nuclei", "2d", "unet"],
        documentation=zoo.FileDescr(source=folder / "README.md"),
        covers=[zoo.FileDescr(source=folder / "cover.png")],
        inputs=[_input(zoo, facts, folder)],
        outputs=[_output(zoo, name, facts, folder) for name in facts["outputs"]],
        weights=weights,
        config=zoo.Config(somaseg=facts),
    )


def _input(zoo, facts, folder):
    grid, percentiles = facts["tiling"]["grid_px"], facts["normalisation"]
    least = 2 * facts["tiling"]["margin_px"] + grid  # what a tile's margins leave is at least one step of the grid
    size = zoo.ParameterizedSize(min=least, step=grid)
    return zoo.InputTensorDescr(
        id=zoo.TensorId("image"),
        description="three channels, of a gray image three times the same",
        axes=[
            zoo.BatchAxis(),
            zoo.SpaceInputAxis(id=zoo.AxisId("y"), size=size),
            zoo.SpaceInputAxis(id=zoo.AxisId("x"), size=size),
            zoo.ChannelAxis(channel_names=[zoo.Identifier(name) for name in ("red", "green", "blue")]),
        ],
        data=zoo.IntervalOrRatioDataDescr(type="float32", range=(0, 255)),
        test_tensor=zoo.FileDescr(source=folder / "test_image.npy"),
        preprocessing=[
            zoo.ScaleRangeDescr(
                kwargs=zoo.ScaleRangeKwargs(
                    axes=[zoo.AxisId("y"), zoo.AxisId("x"), zoo.AxisId("channel")],
                    min_percentile=percentiles["low_percentile"],
                    max_percentile=percentiles["high_percentile"],
                )
            ),
            zoo.ClipDescr(kwargs=zoo.ClipKwargs(min=0, max=1)),
            zoo.ScaleLinearDescr(kwargs=zoo.ScaleLinearKwargs(gain=255, offset=0)),
        ],
    )


def _output(zoo, name, facts, folder):
    def along(axis):
        return zoo.SpaceOutputAxisWithHalo(
            id=zoo.AxisId(axis),
            halo=facts["tiling"]["margin_px"],
            size=zoo.SizeReference(tensor_id=zoo.TensorId("image"), axis_id=zoo.AxisId(axis)),
        )

    return zoo.OutputTensorDescr(
        id=zoo.TensorId(name),
        description="that a pixel is soma" if name == "probability" else "pixels from here to the centre of the soma",
        axes=[
            zoo.BatchAxis(),
            along("y"),
            along("x"),
            zoo.ChannelAxis(channel_names=[zoo.Identifier(name)]),
        ],
        data=zoo.IntervalOrRatioDataDescr(type="float32", range=(0, 1) if name == "probability" else (None, None)),
        test_tensor=zoo.FileDescr(source=folder / f"test_{name}.npy"),
    )


def _documentation(facts):
    settings = facts["preprocessor"]
    return f"""# somaseg {facts["preset"]}

A U-Net that finds somas or nuclei in single images, exported from the preset `{facts["preset"]}` of somaseg.

The output `probability` is that a pixel is soma; a pixel counts as soma above {settings["threshold"]}.
Where there are `offset_y` and `offset_x`, each pixel points to the centre of its soma, in pixels: pixels that point to
one place are one soma, which is how somas that touch come apart.

Images are scaled from the {facts["normalisation"]["low_percentile"]}st to the
{facts["normalisation"]["high_percentile"]}th percentile over all channels to 0..255. somaseg itself also merges false
colour into gray and does not stretch the noise of a blank frame.

## Validation

Scores of the presets on the frozen validation images stand in the model card that ships with somaseg. The test
tensors are those that Keras computes from a simulated image, which is also on the cover.
"""


def _zip_folder(folder, path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))


def _spec():
    try:
        import bioimageio.spec
        import bioimageio.spec.model.v0_5
    except ImportError as error:
        raise ImportError(
            'Packages of the BioImage Model Zoo need bioimageio.spec: pip install "somaseg[bioimageio]"'
        ) from error
    return bioimageio.spec
