"""SavedModel: named tensors, free sizes, the same numbers as in Keras, and whole or not at all."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from somaseg.export import export_preset, export_saved_model


@pytest.fixture(scope="module")
def version(network, tmp_path_factory):
    return export_saved_model(network, tmp_path_factory.mktemp("served") / "tiny", version=3)


@pytest.fixture(scope="module")
def serve(version):
    loaded = tf.saved_model.load(str(version))
    signature = loaded.signatures["serving_default"]
    signature.keep_alive = loaded
    return signature


def test_it_lies_where_tensorflow_serving_looks(version):
    assert version.parts[-2:] == ("tiny", "3")
    assert (version / "saved_model.pb").is_file()
    assert [path.name for path in version.parent.iterdir()] == ["3"]


def test_tensors_have_names_and_free_sizes(serve):
    assert {name: (spec.shape.as_list(), spec.dtype) for name, spec in serve.structured_input_signature[1].items()} == {
        "image": ([None, None, None, 3], tf.float32)
    }
    assert list(serve.structured_outputs) == ["probability"]
    assert serve.structured_outputs["probability"].dtype == tf.float32


@pytest.mark.parametrize("name", ["96 x 96", "three of 64 x 80", "112 x 192, wide", "16 x 16"])
def test_probabilities_are_those_of_the_network(serve, expected, batches, name):
    images = batches[name]
    found = serve(image=tf.constant(images))["probability"].numpy()
    assert found.shape == (*images.shape[:3], 1)
    np.testing.assert_allclose(found, expected(images), rtol=0, atol=1e-5)
    assert name == "16 x 16" or np.ptp(found) > 0.5


def test_an_export_that_is_there_is_kept_unless_overwriting_is_asked_for(smallest, tmp_path):
    (tmp_path / "tiny" / "1").mkdir(parents=True)
    (tmp_path / "tiny" / "1" / "mine").write_text("")
    with pytest.raises(FileExistsError, match=r"tiny/1 exists\. .*--overwrite"):
        export_saved_model(smallest, tmp_path / "tiny")
    assert (tmp_path / "tiny" / "1" / "mine").exists()
    export_saved_model(smallest, tmp_path / "tiny", overwrite=True)
    assert (tmp_path / "tiny" / "1" / "saved_model.pb").is_file()
    assert not (tmp_path / "tiny" / "1" / "mine").exists()


@pytest.mark.parametrize("version", [0, -1])
def test_versions_begin_at_1(smallest, tmp_path, version):
    with pytest.raises(ValueError, match=f"version must be 1 or more, got {version}"):
        export_saved_model(smallest, tmp_path / "tiny", version=version)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "raised, seen",
    [
        (tf.errors.ResourceExhaustedError(None, None, "No space left"), OSError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_nothing_is_left_of_an_export_that_fails(smallest, tmp_path, monkeypatch, raised, seen):
    halves = []

    def fail(_, folder, **__):
        halves.append(Path(folder))
        halves[0].mkdir(exist_ok=True)
        (halves[0] / "saved_model.pb").write_text("half")
        raise raised

    monkeypatch.setattr(tf.saved_model, "save", fail)
    with pytest.raises(seen):
        export_saved_model(smallest, tmp_path / "tiny")
    assert [half.parent.parent for half in halves] == [tmp_path / "tiny"]
    assert list((tmp_path / "tiny").iterdir()) == []


def test_a_preset_is_exported_under_its_name(smallest, tmp_path, monkeypatch):
    smallest.save_to_preset(tmp_path / "small")
    monkeypatch.chdir(tmp_path / "small")
    written = export_preset(".", tmp_path / "served", formats=["saved_model", "fp32"], version=2)
    assert written == [tmp_path / "served" / "small" / "2", tmp_path / "served" / "small_fp32.tflite"]
    assert all(path.exists() for path in written)


def test_an_export_of_which_one_file_is_there_writes_none(smallest, tmp_path):
    smallest.save_to_preset(tmp_path / "small")
    export_preset(tmp_path / "small", tmp_path / "served", formats=["fp32"])
    with pytest.raises(FileExistsError, match="small_fp32.tflite exists.*--formats"):
        export_preset(tmp_path / "small", tmp_path / "served", formats=["saved_model", "fp32"], version=2)
    assert [path.suffix for path in (tmp_path / "served").iterdir() if path.suffix != ".json"] == [".tflite"]


def test_unknown_formats_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"Unknown formats \['fp8'\]; there are"):
        export_preset("any", tmp_path / "served", formats=["fp8"])
    assert not (tmp_path / "served").exists()
