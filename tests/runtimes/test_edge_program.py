"""The program for small computers gives the labels of the full one, from the model file alone."""

import ast
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from somaseg.data.intensity import normalize_contrast
from somaseg.export import export_preset
from somaseg.segmentation import Segmenter

pytest.importorskip("ai_edge_litert", reason="needs the extra [litert]: somaseg[litert]")

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "edge" / "segment.py"


@pytest.fixture(scope="module")
def edge():
    spec = importlib.util.spec_from_file_location("edge_segment", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def exported(offsets_preset, tmp_path_factory):
    """{"free", "256"}: fp32 files of free and of fixed size."""
    folder = tmp_path_factory.mktemp("edge")
    sizes = {"free": None, "256": 256}
    return {
        name: export_preset(offsets_preset, folder, formats=["fp32"], size_px=size)[0] for name, size in sizes.items()
    }


@pytest.fixture(scope="module")
def local(offsets_preset):
    return Segmenter.from_preset(offsets_preset, runtime="litert", tile_px=256)


def images(stills):
    green = np.zeros((*stills[0].instances.shape, 3), np.uint8)
    green[..., 1] = stills[6].image.max(axis=-1)
    return {
        "in colour": stills[7].image,
        "green": green,
        "gray of 16 bits": 40 * stills[6].image[..., 1].astype(np.uint16) + 300,
        "blank": np.full((64, 64), 7, np.uint8),
    }


@pytest.mark.parametrize("name", ["in colour", "green", "gray of 16 bits", "blank"])
def test_contrast_and_labels_are_those_of_the_full_program(edge, exported, local, stills, name):
    image, model = images(stills)[name], edge.Model(exported["free"], threads=1)
    np.testing.assert_array_equal(edge.prepare(image, model.facts["normalisation"]), normalize_contrast(image))
    labels = edge.segment(model, image)
    np.testing.assert_array_equal(labels, local(image).labels)
    assert name == "blank" or labels.max() > 0


def test_images_of_floats_are_prepared_as_in_the_full_program(edge, exported, stills):
    rule = edge.Model(exported["free"], threads=1).facts["normalisation"]
    smoothed = [cv2.GaussianBlur(still.image.astype(np.float32), (0, 0), 0.5) for still in stills]
    for image in smoothed:
        np.testing.assert_array_equal(edge.prepare(image, rule), normalize_contrast(image))


@pytest.mark.parametrize("size", ["free", "256"])
def test_large_frames_are_tiled_without_seams(edge, exported, local, stills, size):
    image = np.tile(stills[7].image, (3, 3, 1))[:281, :300]
    model = edge.Model(exported[size], threads=1)
    model.facts["preprocessor"]["tile_px"] = 256
    labels = edge.segment(model, image)
    assert labels.max() > 4
    np.testing.assert_array_equal(labels, local(image).labels)


def test_mask_only_models_are_read_by_touching_pixels(edge):
    probability = np.zeros((20, 20), np.float32)
    probability[2:6, 2:6] = probability[10:16, 3:9] = probability[18, 18] = 0.9
    settings = {"threshold": 0.5, "vote_spread_px": 3.0, "minimum_area_px": 4, "edge_area_share": 0.5}
    labels = edge.decode({"probability": probability}, settings)
    assert np.unique(labels, return_counts=True)[1].tolist() == [400 - 16 - 36, 16, 36]


def test_the_program_runs_by_itself_and_tells_its_facts(exported, stills, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), stills[7].image[..., ::-1])
    command = [sys.executable, str(PROGRAM), str(exported["free"]), str(tmp_path / "a.png"), "-o", str(tmp_path / "o")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    labels = cv2.imread(str(tmp_path / "o" / "a_labels.png"), cv2.IMREAD_UNCHANGED)
    assert labels.dtype == np.uint16 and labels.max() > 0
    assert f"a.png: {labels.max()} somas" in done.stdout
    facts = json.loads(exported["free"].with_suffix(".json").read_text())
    assert facts["labels"] == ["background", "soma"] and facts["precision"] == "fp32"


def test_it_is_short_and_needs_three_packages():
    text = PROGRAM.read_text()
    assert len(text.splitlines()) <= 150
    found = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert found - set(sys.stdlib_module_names) == {"cv2", "numpy", "ai_edge_litert"}
