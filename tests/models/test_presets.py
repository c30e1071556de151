"""Presets: what is saved comes back, from anywhere, and what is damaged is refused by name."""

import json

import keras
import numpy as np
import pytest

from somaseg.models import CorruptPresetError, UNet, list_presets
from somaseg.models.presets import WEIGHTS, file_hash, find_preset, read_metadata, read_preprocessor


@pytest.fixture(scope="module")
def network(random_unet):
    return random_unet(filters=2, depth=2)


@pytest.fixture
def preset(network, tmp_path):
    folder = tmp_path / "tiny"
    network.save_to_preset(folder, preprocessor={"threshold": 0.4}, metadata={"description": "a test"})
    return folder


def pixels():
    return np.random.default_rng(0).uniform(0, 255, (1, 16, 16, 3)).astype(np.float32)


def test_a_saved_preset_gives_equal_outputs_from_another_working_directory(network, preset, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    loaded = UNet.from_preset(str(preset))
    assert (loaded.filters, loaded.depth) == (2, 2)
    np.testing.assert_array_equal(loaded(pixels()), network(pixels()))


def test_a_relative_path_is_found(network, preset, monkeypatch):
    monkeypatch.chdir(preset.parent)
    np.testing.assert_array_equal(UNet.from_preset("tiny")(pixels()), network(pixels()))


@pytest.mark.parametrize("spelling", ["~/tiny", "~/tiny/", "{folder}/", "{folder}/../tiny"])
def test_a_path_may_be_spelled_in_many_ways(spelling, preset, monkeypatch):
    monkeypatch.setenv("HOME", str(preset.parent))
    assert UNet.from_preset(spelling.format(folder=preset)).filters == 2


def test_weights_that_do_not_fit_are_refused_with_what_they_fit(preset):
    with pytest.raises(ValueError, match=r"network of \{'filters': 2\} and do not fit \{'filters': 3\}"):
        UNet.from_preset(preset, filters=3)
    assert UNet.from_preset(preset, filters=3, load_weights=False).filters == 3


def test_preprocessor_and_metadata_are_kept(preset):
    assert read_preprocessor(preset) == {"threshold": 0.4}
    metadata = read_metadata(preset)
    assert metadata["description"] == "a test"
    assert metadata["keras_version"] == keras.__version__
    assert metadata["parameters"] == UNet(filters=2, depth=2).count_params()
    assert metadata["weights_sha256"] == file_hash(preset / WEIGHTS)


def test_a_preset_is_these_four_files(preset):
    expected = {"config.json", "preprocessor.json", "metadata.json", "model.weights.h5"}
    assert {path.name for path in preset.iterdir()} == expected


def test_a_preset_without_preprocessor_has_no_settings(preset):
    (preset / "preprocessor.json").unlink()
    assert read_preprocessor(preset) == {}


def test_saving_again_replaces_the_preset(preset, random_unet):
    other = random_unet(seed=1, filters=1, depth=3)
    other.save_to_preset(preset)
    np.testing.assert_array_equal(UNet.from_preset(preset)(pixels()), other(pixels()))
    assert read_preprocessor(preset) == {}


def test_without_its_weights_a_preset_gives_the_architecture(network, preset):
    (preset / WEIGHTS).unlink()
    fresh = UNet.from_preset(preset, load_weights=False)
    assert fresh.get_config() == network.get_config()
    assert np.any(fresh(pixels()) != network(pixels()))


def test_sigmoid_can_be_asked_for(network, preset):
    probability = UNet.from_preset(preset, activation="sigmoid")(pixels())
    np.testing.assert_allclose(probability, keras.ops.sigmoid(network(pixels())), atol=1e-6)


def test_an_unknown_preset_is_refused_with_those_there_are(tmp_path, monkeypatch):
    home = tmp_path / "saved_models"
    for name in ("beta", "alpha"):
        (home / name).mkdir(parents=True)
        (home / name / "config.json").write_text("{}")
    (home / "no preset").mkdir()
    monkeypatch.setattr("somaseg.models.presets._HOMES", (home, tmp_path / "missing"))
    assert list_presets() == ["alpha", "beta"]
    with pytest.raises(ValueError, match="No preset named 'gamma'. There are alpha, beta; or give the path"):
        UNet.from_preset("gamma")


def test_a_name_is_a_shipped_preset_even_where_a_folder_has_that_name(preset, tmp_path, monkeypatch):
    home = tmp_path / "saved_models"
    (home / "tiny").mkdir(parents=True)
    (home / "tiny" / "config.json").write_text("{}")
    monkeypatch.setattr("somaseg.models.presets._HOMES", (home,))
    monkeypatch.chdir(preset.parent)
    assert find_preset("tiny") == home / "tiny"
    assert find_preset("./tiny/").resolve() == home.parent / "tiny"


@pytest.mark.parametrize("position", [0, 1000, -1])
def test_a_flipped_byte_in_the_weights_is_refused(preset, position):
    content = bytearray((preset / WEIGHTS).read_bytes())
    content[position] ^= 1
    (preset / WEIGHTS).write_bytes(content)
    with pytest.raises(CorruptPresetError, match=r"model\.weights\.h5 is damaged: its SHA-256 is"):
        UNet.from_preset(preset)


def test_missing_weights_are_refused(preset):
    (preset / WEIGHTS).unlink()
    with pytest.raises(CorruptPresetError, match=r"model\.weights\.h5 is missing"):
        UNet.from_preset(preset)


@pytest.mark.parametrize(
    "name, content",
    [
        ("config.json", '{"class_name": "UN'),
        ("config.json", ""),
        ("config.json", '{"class_name": "UNet"}'),
        ("config.json", "[]"),
        ("metadata.json", '{"weights_sha'),
        ("metadata.json", "{}"),
    ],
)
def test_a_damaged_document_is_refused_by_name(preset, name, content):
    (preset / name).write_text(content)
    with pytest.raises(CorruptPresetError, match=f"tiny/{name} "):
        UNet.from_preset(preset)


def test_a_preset_without_its_metadata_is_refused(preset):
    (preset / "metadata.json").unlink()
    with pytest.raises(CorruptPresetError, match=r"metadata\.json cannot be read"):
        UNet.from_preset(preset)


def test_nothing_half_written_is_left_of_a_save_that_fails(network, preset, monkeypatch):
    def fail(path):
        path.write_bytes(b"half")
        raise OSError("disk full")

    before = (preset / WEIGHTS).read_bytes()
    monkeypatch.setattr(network, "save_weights", fail)
    with pytest.raises(OSError, match="disk full"):
        network.save_to_preset(preset)
    assert len(list(preset.iterdir())) == 4
    assert (preset / WEIGHTS).read_bytes() == before


@pytest.mark.parametrize("name", list_presets() or [pytest.param(None, marks=pytest.mark.skip("no preset is there"))])
def test_every_shipped_preset_loads_and_its_hash_holds(name):
    network = UNet.from_preset(name)
    folder = find_preset(name)
    assert read_metadata(folder)["weights_sha256"] == file_hash(folder / WEIGHTS)
    assert read_metadata(folder)["parameters"] == network.count_params()
    assert json.loads((folder / "config.json").read_text())["class_name"] == "UNet"
