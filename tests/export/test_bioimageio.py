"""The package for the BioImage Model Zoo passes its own validation, and its weights give its test outputs."""

import zipfile

import numpy as np
import pytest

from somaseg.export import export_preset

spec = pytest.importorskip("bioimageio.spec", reason="needs the extra [bioimageio]: somaseg[bioimageio]")


@pytest.fixture(scope="module")
def package(random_unet, tmp_path_factory):
    folder = tmp_path_factory.mktemp("zoo")
    network = random_unet(filters=2, depth=5, heads="offsets")
    head = network.get_layer("head_convolution")
    head.set_weights([head.get_weights()[0], np.ones(3)])  # the zoo wants test outputs that reach above 0.1
    network.save_to_preset(folder / "small")
    (path,) = export_preset(folder / "small", folder, formats=["bioimageio"])
    assert path == folder / "small_bioimageio.zip"
    return path


def test_it_passes_the_validation_of_the_zoo(package):
    summary = spec.load_description_and_validate_format_only(package)
    assert summary.status == "valid-format", summary.format()


def test_it_says_what_programs_need(package):
    model = spec.load_model_description(package)
    assert [axis.id for axis in model.inputs[0].axes] == ["batch", "y", "x", "channel"]
    assert [tensor.id for tensor in model.outputs] == ["probability", "offset_y", "offset_x"]
    assert [step.id for step in model.inputs[0].preprocessing] == [
        "ensure_dtype",
        "scale_range",
        "clip",
        "scale_linear",
        "ensure_dtype",
    ]
    assert model.weights.onnx.parent == "tensorflow_saved_model_bundle"
    assert model.config.somaseg["preprocessor"]["threshold"] == 0.5


def test_both_weights_give_the_test_outputs(package, tmp_path):
    import tensorflow as tf

    with zipfile.ZipFile(package) as archive:
        archive.extractall(tmp_path)
    with zipfile.ZipFile(tmp_path / "saved_model.zip") as archive:
        archive.extractall(tmp_path / "bundle")
    image = np.load(tmp_path / "test_image.npy")
    loaded = tf.saved_model.load(tmp_path / "bundle")
    found = {"bundle": loaded.signatures["serving_default"](image=tf.constant(image))}
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra [onnx]: somaseg[onnx]")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    names = ["probability", "offset_y", "offset_x"]
    found["onnx"] = dict(zip(names, session.run(names, {"image": image})))
    for maps in found.values():
        for name in names:
            expected = np.load(tmp_path / f"test_{name}.npy")
            np.testing.assert_allclose(np.asarray(maps[name]), expected, rtol=1e-3, atol=1e-3)
