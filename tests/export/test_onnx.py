"""ONNX and OpenVINO: the network's maps at sizes and batches other than any it was written for, and named tensors."""

import json

import keras
import numpy as np
import pytest

from somaseg.export import export_preset
from somaseg.export.folding import Step, folded_steps
from somaseg.models.heads import HEADS, read_maps

onnx = pytest.importorskip("onnx", reason="needs the extra [onnx]: somaseg[onnx]")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra [onnx]: somaseg[onnx]")

SIZES = ["96 x 96", "three of 64 x 80", "112 x 192, wide", "16 x 16"]


@pytest.fixture(scope="module")
def file(network, tmp_path_factory):
    from somaseg.export.onnx import export_onnx

    return export_onnx(network, tmp_path_factory.mktemp("onnx") / "a.onnx", description={"preset": "a"})


@pytest.mark.parametrize("size", SIZES)
def test_probabilities_are_those_of_the_network(file, batches, expected, size):
    session = onnxruntime.InferenceSession(file)
    (found,) = session.run(["probability"], {"image": np.ascontiguousarray(batches[size])})
    assert found.shape == (*batches[size].shape[:3], 1)
    np.testing.assert_allclose(found, expected(batches[size]), rtol=0, atol=1e-5)


@pytest.mark.parametrize("heads", sorted(HEADS))
def test_all_maps_of_all_heads_have_their_names_and_values(random_unet, tmp_path, heads):
    from somaseg.export.onnx import export_onnx

    network = random_unet(filters=2, depth=3, heads=heads)
    image = np.random.default_rng(0).uniform(0, 255, (2, 20, 32, 3)).astype(np.float32)
    expected = read_maps(network(image, training=False), heads)
    session = onnxruntime.InferenceSession(export_onnx(network, tmp_path / "a.onnx"))
    names = [output.name for output in session.get_outputs()]
    assert names == ["probability", *HEADS[heads][1:]]
    for name, found in zip(names, session.run(names, {"image": image})):
        values = keras.ops.convert_to_numpy(expected["mask" if name == "probability" else name])
        assert np.ptp(values) > 0.01
        np.testing.assert_allclose(found, values, rtol=1e-4, atol=1e-4)


def test_tensors_have_free_sizes_and_the_file_tells_what_it_is(file):
    model = onnx.load(file)
    (image,) = model.graph.input
    sizes = [size.dim_param or size.dim_value for size in image.type.tensor_type.shape.dim]
    assert (image.name, sizes) == ("image", ["N", "H", "W", 3])
    assert json.loads({entry.key: entry.value for entry in model.metadata_props}["somaseg"]) == {"preset": "a"}
    assert {node.op_type for node in model.graph.node} <= {
        *("Transpose", "Conv", "ConvTranspose", "Relu", "MaxPool", "Concat", "Sigmoid", "Mul", "Split")
    }


def test_openvino_files_are_reloaded_and_give_the_probabilities_of_the_network(network, batches, expected, tmp_path):
    openvino = pytest.importorskip("openvino", reason="needs the extra [openvino]: somaseg[openvino]")
    from somaseg.export.openvino import export_openvino

    path = export_openvino(network, tmp_path, name="a", description={"preset": "a"})
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.bin", "a.xml"]
    compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for size in SIZES:
        found = compiled({"image": np.ascontiguousarray(batches[size])})["probability"]
        np.testing.assert_allclose(found, expected(batches[size]), rtol=0, atol=1e-4)
    with pytest.raises(FileExistsError, match=r"a\.bin exists|a\.xml exists"):
        export_openvino(network, tmp_path, name="a")


def test_an_export_that_is_there_is_kept_and_another_suffix_is_refused(smallest, tmp_path):
    smallest.save_to_preset(tmp_path / "small")
    (tmp_path / "small.onnx").write_text("mine")
    with pytest.raises(FileExistsError, match=r"small\.onnx exists"):
        export_preset(tmp_path / "small", tmp_path, formats=["onnx"])
    assert (tmp_path / "small.onnx").read_text() == "mine"
    assert export_preset(tmp_path / "small", tmp_path, formats=["onnx"], overwrite=True) == [tmp_path / "small.onnx"]
    onnx.checker.check_model(onnx.load(tmp_path / "small.onnx"))
    from somaseg.export.onnx import export_onnx

    with pytest.raises(ValueError, match=r"must end in \.onnx, got a\.pb"):
        export_onnx(smallest, tmp_path / "a.pb")


def test_batch_norms_and_the_input_scaling_are_folded_into_the_convolutions(random_unet):
    steps = folded_steps(random_unet(filters=2, depth=2))
    assert all(isinstance(step, Step) for step in steps)
    operators = [step.operator for step in steps]
    assert operators.count("convolution") == 7 and operators.count("transposed_convolution") == 1
    assert operators.count("relu") == 7 and operators.count("pool") == operators.count("concatenate") == 1
    assert steps[0].inputs == ("image",)
