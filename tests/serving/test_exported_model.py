"""The exported model as a stock server sees it: tags, signatures, tensors and warm-up records, through a session."""

import importlib
import json

import cv2
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from somaseg import Segmenter
from somaseg.data.intensity import normalize_contrast
from somaseg.export import serving_warmup


@pytest.fixture(scope="module")
def run(servables):
    """Function from a model, a signature and its input to the outputs by name."""

    def run(model, signature, values):
        (servable,) = servables[model].values()
        request = predict_pb2.PredictRequest()
        request.model_spec.signature_name = signature
        (name,) = servable.meta_graph.signature_def[signature].inputs
        request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
        return servable.run(request)

    return run


def png(image):
    return cv2.imencode(".png", image[..., ::-1] if image.ndim == 3 else image)[1].tobytes()


def noise(*shape, top=256, dtype=np.uint8, seed=0):
    return np.random.default_rng(seed).integers(0, top, shape).astype(dtype)


def test_signatures_and_tensors_have_the_documented_names_types_and_shapes(servables):
    def told(tensors):
        return {
            name: (tf.as_dtype(info.dtype).name, [dim.size for dim in info.tensor_shape.dim])
            for name, info in tensors.items()
        }

    definitions = servables["offsets"][7].meta_graph.signature_def
    names = ["probability", "offset_y", "offset_x"]
    maps = {name: ("float32", [-1, -1, -1, 1]) for name in names}
    files = {"image_bytes": ("string", [-1])}
    expected = {
        "serving_default": ({"image": ("float32", [-1, -1, -1, 3])}, maps),
        "uint8": ({"image": ("uint8", [-1, -1, -1, 3])}, maps),
        "encoded": (files, maps),
        "packed": (files, {f"{name}_bytes": ("string", [-1]) for name in names}),
        "describe": ({"question": ("string", [-1])}, {"description": ("string", [-1])}),
    }
    assert {name: (told(x.inputs), told(x.outputs)) for name, x in definitions.items() if name[0] != "_"} == expected
    assert {x.method_name for name, x in definitions.items() if name[0] != "_"} == {"tensorflow/serving/predict"}


def test_any_size_from_16_gives_the_maps_of_the_local_run(run, offsets_network):
    local = Segmenter(offsets_network)
    for height, width in [(16, 16), (48, 64), (17, 63), (51, 30)]:
        image = noise(height, width, 3, seed=height)
        prepared = normalize_contrast(image)[None]
        expected = local(image).probability
        for signature, values in [("serving_default", prepared.astype(np.float32)), ("uint8", prepared)]:
            found = run("offsets", signature, values)
            assert found["offset_y"].shape == (1, height, width, 1)
            np.testing.assert_allclose(found["probability"][0, ..., 0], expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "image",
    [
        noise(40, 30, 3),
        noise(40, 30, 3, top=4000, dtype=np.uint16),
        noise(40, 30, top=90),
        noise(33, 47, top=65536, dtype=np.uint16),
        noise(40, 30, 3, top=200) * np.array([0, 1, 0], np.uint8),
    ],
    ids=["colour", "16 bits", "gray", "gray 16 bits", "false colour"],
)
def test_a_file_is_prepared_as_at_home(run, image):
    local = run("offsets", "uint8", normalize_contrast(image)[None])
    found = run("offsets", "encoded", [png(image)])
    for name, values in local.items():
        np.testing.assert_array_equal(found[name], values)


@pytest.mark.parametrize("shape", [(64, 64, 3), (50, 61)])
def test_a_jpeg_is_prepared_as_at_home(run, shape):
    smooth = cv2.GaussianBlur(noise(*shape), (0, 0), 3)
    content = cv2.imencode(".jpg", smooth)[1]
    decoded = cv2.imdecode(content, cv2.IMREAD_COLOR)[..., ::-1]
    local = run("offsets", "uint8", normalize_contrast(decoded)[None])
    np.testing.assert_array_equal(run("offsets", "encoded", [content.tobytes()])["probability"], local["probability"])


def test_several_files_of_one_size_are_one_batch(run):
    def values(content):
        return np.frombuffer(content[-20 * 24 * 4 :], "<f4")

    images = noise(3, 20, 24, 3)
    together = run("offsets", "packed", [png(image) for image in images])["probability_bytes"]
    alone = [run("offsets", "packed", [png(image)])["probability_bytes"][0] for image in images]
    for k in range(3):
        np.testing.assert_allclose(values(together[k]), values(alone[k]), rtol=1e-5)


def test_what_cannot_be_run_is_told_in_plain_words(run, model_server):
    with pytest.raises(model_server.Failure, match="All images of one request must have one size"):
        run("offsets", "encoded", [png(noise(20, 20)), png(noise(20, 21))])
    with pytest.raises(model_server.Failure, match="An image must be at least 16 x 16 pixels"):
        run("offsets", "uint8", noise(1, 15, 40, 3))
    with pytest.raises(model_server.Failure, match="Unknown image file format"):
        run("offsets", "encoded", [b"GARBAGE"])


def test_the_model_tells_what_it_is(run, served):
    (text,) = run("bright", "describe", [b""])["description"]
    told = json.loads(text)
    extra = served / "bright" / "1" / "assets.extra"
    assert told == json.loads((extra / "somaseg.json").read_text())
    assert told["preprocessor"] == json.loads((extra / "preprocessor.json").read_text())
    assert (told["preset"], told["depth"], told["heads"]) == ("bright", 2, "mask")
    assert told["packed"] == {"probability": "float32"}
    assert len(run("bright", "describe", [b"", b""])["description"]) == 2


def test_each_variable_is_stored_once(served, offsets_network):
    variables = served / "offsets" / "7" / "variables"
    listed = tf.train.list_variables(str(variables / "variables"))
    assert len([name for name, _ in listed if name != "_CHECKPOINTABLE_OBJECT_GRAPH"]) == len(offsets_network.variables)
    weights = 4 * offsets_network.count_params()
    assert weights < (variables / "variables.data-00000-of-00001").stat().st_size < 1.25 * weights


def test_warm_up_records_run(servables, served):
    path = served / "bright" / "1" / "assets.extra" / "tf_serving_warmup_requests"
    sizes = []
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        assert request.model_spec.name == "bright"
        outputs = servables["bright"][1].run(request)
        if "probability" in outputs:
            sizes.append((request.model_spec.signature_name, outputs["probability"].shape[1]))
        elif "probability_bytes" in outputs:
            sizes.append((request.model_spec.signature_name, len(outputs["probability_bytes"][0]) // 4))
        else:
            sizes.append((request.model_spec.signature_name, json.loads(outputs["description"][0])["depth"]))
    assert [name for name, _ in sizes] == ["describe", "serving_default", "uint8", "encoded", "packed", "packed"]
    assert [size for _, size in sizes[:4]] == [2, 256, 256, 256]
    assert sizes[4][1] - 256**2 < 20 and sizes[5][1] - 1024**2 < 20
    assert path.stat().st_size < 2_000_000


def test_without_the_extra_there_are_no_warm_up_records(tmp_path, monkeypatch):
    absent = lambda name: None if name == "tensorflow_serving" else object()  # noqa: E731
    monkeypatch.setattr(importlib.util, "find_spec", absent)
    assert not serving_warmup.can_write_warmup()
    assert serving_warmup.write_warmup(tmp_path, "any") == 0
    assert list(tmp_path.iterdir()) == []
