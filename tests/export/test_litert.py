"""LiteRT: each precision at sizes other than the one it was converted or calibrated at."""

import json

import cv2
import numpy as np
import pytest

from somaseg.export import PRECISIONS, export_litert, export_preset
from somaseg.export.calibration import calibration_batches, simulated_images
from somaseg.export.litert_metadata import read_metadata, with_metadata
from somaseg.models.heads import read_maps

interpreter = pytest.importorskip("ai_edge_litert.interpreter")


@pytest.fixture(scope="module")
def files(network, stills, tmp_path_factory):
    """{precision: path}, int8 calibrated on 96 x 96 training images."""
    folder = tmp_path_factory.mktemp("litert")
    images = list(stills[0][:8].astype(np.uint8))
    return {
        precision: export_litert(network, folder / f"{precision}.tflite", precision=precision, representative=images)
        for precision in PRECISIONS
    }


def run(path, images):
    """Through the signature; the runner resizes the input to what it is given."""
    model = interpreter.Interpreter(str(path))
    assert model.get_signature_list() == {"serving_default": {"inputs": ["image"], "outputs": ["probability"]}}
    return model.get_signature_runner("serving_default")(image=np.ascontiguousarray(images))["probability"]


SIZES = ["96 x 96", "three of 64 x 80", "112 x 192, wide", "16 x 16"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("precision, tolerance", [("fp32", 1e-4), ("fp16", 0.02)])
def test_float_models_give_the_probabilities_of_the_network(files, batches, expected, precision, tolerance, size):
    found = run(files[precision], batches[size])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected(batches[size]), rtol=0, atol=tolerance)


@pytest.mark.parametrize("size", SIZES[:3])
def test_int8_gives_the_masks_of_the_network(files, batches, expected, size):
    found, mask = run(files["int8"], batches[size]) > 0.5, expected(batches[size]) > 0.5
    assert mask.mean() > 0.02
    assert np.count_nonzero(found & mask) / np.count_nonzero(found | mask) > 0.85


def test_one_interpreter_takes_one_size_after_another(files, batches, expected):
    for precision in PRECISIONS:
        runner = interpreter.Interpreter(str(files[precision])).get_signature_runner("serving_default")
        for size in (*SIZES, SIZES[0]):
            found = runner(image=np.ascontiguousarray(batches[size]))["probability"]
            assert found.shape == (*batches[size].shape[:3], 1)
            assert np.mean(np.abs(found - expected(batches[size]))) < 0.05, (precision, size)


def test_smaller_numbers_make_smaller_files(files):
    size = {precision: path.stat().st_size for precision, path in files.items()}
    assert size["int8"] < size["fp16"] < size["fp32"]


def test_all_inputs_and_outputs_are_float32(files):
    for path in files.values():
        model = interpreter.Interpreter(str(path))
        assert {detail["dtype"] for detail in model.get_input_details() + model.get_output_details()} == {np.float32}


def test_an_export_that_is_there_is_kept_unless_overwriting_is_asked_for(smallest, tmp_path):
    path = tmp_path / "a.tflite"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match=r"a\.tflite exists"):
        export_litert(smallest, path)
    assert path.read_text() == "mine"
    assert export_litert(smallest, path, overwrite=True) == path
    assert path.stat().st_size > 1_000


@pytest.mark.parametrize(
    "name, options, message",
    [
        ("a.tflite", {"precision": "fp8"}, r"precision must be one of \('fp32', 'fp16', 'int8'\), got 'fp8'"),
        ("a.lite", {}, r"must end in \.tflite, got a\.lite"),
        ("a.tflite", {"size_px": 95}, "size_px must be a multiple of 2 for this network, got 95"),
        ("a.tflite", {"size_px": 0}, "size_px must be a multiple of 2 for this network, got 0"),
        ("a.tflite", {"precision": "int8", "representative": []}, "int8 needs representative images"),
        (
            "a.tflite",
            {"precision": "int8", "representative": [np.zeros((15, 99, 3), np.uint8)]},
            "at least 16 x 16 pixels",
        ),
    ],
)
def test_what_cannot_be_exported_is_refused(smallest, tmp_path, name, options, message):
    with pytest.raises(ValueError, match=message):
        export_litert(smallest, tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_of_an_export_that_fails(smallest, tmp_path, monkeypatch):
    import tensorflow as tf

    def fail(path):
        raise RuntimeError("conversion failed")

    monkeypatch.setattr(tf.lite.TFLiteConverter, "from_saved_model", fail)
    with pytest.raises(RuntimeError, match="conversion failed"):
        export_litert(smallest, tmp_path / "a.tflite")
    assert list(tmp_path.iterdir()) == []


def test_int8_of_a_preset_is_calibrated_on_a_folder_of_images(smallest, stills, tmp_path):
    smallest.save_to_preset(tmp_path / "small")
    (tmp_path / "images").mkdir()
    for i, size in enumerate([(96, 96), (48, 70)]):
        cv2.imwrite(str(tmp_path / "images" / f"{i}.png"), stills[0][i][: size[0], : size[1]])
    written = export_preset(tmp_path / "small", tmp_path, formats=["int8"], representative=tmp_path / "images")
    assert written == [tmp_path / "small_int8.tflite"]
    assert run(written[0], stills[0][:1]).shape == (1, 96, 96, 1)


def test_a_fixed_size_is_the_only_one_that_is_taken(network, batches, expected, tmp_path):
    path = export_litert(network, tmp_path / "fixed.tflite", size_px=96)
    model = interpreter.Interpreter(str(path))
    assert model.get_input_details()[0]["shape_signature"].tolist() == [1, 96, 96, 3]
    np.testing.assert_allclose(run(path, batches["96 x 96"]), expected(batches["96 x 96"]), rtol=0, atol=1e-4)


def test_each_map_has_its_own_output(random_unet, tmp_path):
    network = random_unet(filters=1, depth=2, heads="offsets")
    image = np.random.default_rng(0).uniform(0, 255, (2, 32, 48, 3)).astype(np.float32)
    runner = interpreter.Interpreter(str(export_litert(network, tmp_path / "a.tflite"))).get_signature_runner(
        "serving_default"
    )
    expected = read_maps(network(image, training=False), "offsets")
    found = runner(image=image)
    assert sorted(found) == ["offset_x", "offset_y", "probability"]
    for name, values in found.items():
        wanted = np.asarray(expected["mask" if name == "probability" else name])
        np.testing.assert_allclose(values, wanted, rtol=1e-4, atol=1e-4)


def test_facts_are_kept_in_the_file_and_beside_it(smallest, tmp_path):
    smallest.save_to_preset(tmp_path / "small", preprocessor={"threshold": 0.25, "um_per_px": 0.65})
    (path,) = export_preset(tmp_path / "small", tmp_path, formats=["fp16"], size_px=64)
    assert path.name == "small_fp16_64.tflite"
    facts = read_metadata(path.read_bytes())
    assert facts == json.loads(path.with_suffix(".json").read_text())
    assert (facts["precision"], facts["size_px"], facts["labels"]) == ("fp16", 64, ["background", "soma"])
    assert (facts["preprocessor"]["threshold"], facts["preprocessor"]["um_per_px"]) == (0.25, 0.65)
    assert facts["tiling"] == {"grid_px": 2, "margin_px": 10}
    replaced = with_metadata(path.read_bytes(), {"preset": "other"})
    assert read_metadata(replaced) == {"preset": "other"}
    assert run_bytes(replaced, np.zeros((1, 64, 64, 3), np.float32)).shape == (1, 64, 64, 1)
    with pytest.raises(ValueError, match="holds no SOMASEG metadata"):
        read_metadata(export_litert(smallest, tmp_path / "bare.tflite").read_bytes())


def run_bytes(content, images):
    runner = interpreter.Interpreter(model_content=content).get_signature_runner("serving_default")
    return runner(image=images)["probability"]


def test_without_images_int8_is_calibrated_on_simulated_stills():
    images = simulated_images(3)
    assert [(image.shape, image.dtype) for image in images] == [((256, 256, 3), np.uint8)] * 3
    assert all(image.max() > 200 for image in images)
    np.testing.assert_array_equal(simulated_images(2)[1], images[1])


def test_calibration_images_are_cut_or_mirrored_to_one_size():
    large, small = np.zeros((300, 70, 3), np.uint8), np.full((33, 40, 3), 9, np.uint8)
    assert [batch.shape for batch in calibration_batches([large, small])] == [(1, 32, 32, 3)] * 2
    fixed = list(calibration_batches([large, small], size_px=64))
    assert [(batch.shape, batch.dtype) for batch in fixed] == [((1, 64, 64, 3), np.float32)] * 2
    assert fixed[1].min() == fixed[1].max() == 9
