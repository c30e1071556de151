"""Every runtime finds the somas that Keras finds, whatever the size of the image, and alike tile by tile."""

import numpy as np
import pytest

from somaseg.runtimes import open_runtime
from somaseg.runtimes.choosing import is_installed
from somaseg.segmentation import Segmenter
from somaseg.segmentation.evaluation import score_images
from somaseg.simulation import draw_parameters, simulate_still

OTHERS = [
    pytest.param(
        name, marks=pytest.mark.skipif(not is_installed(name), reason=f"needs the extra [{name}]: somaseg[{name}]")
    )
    for name in ("litert", "onnx", "openvino")
]


@pytest.fixture(scope="module")
def keras_runtime(offsets_preset):
    return open_runtime(offsets_preset, "keras")


@pytest.mark.parametrize("name", OTHERS)
def test_maps_are_those_of_keras_at_one_size_after_another(offsets_preset, keras_runtime, stills, name):
    run = open_runtime(offsets_preset, name)
    assert (run.name, run.depth) == (name, 5)
    image = stills[7].image.astype(np.float32)
    for batch in (image[None], image[None, :16, :48], np.stack([image[:64, :64], image[32:, 48:]])):
        found, expected = run(batch), keras_runtime(batch)
        assert list(found) == ["mask", "offset_y", "offset_x"] or set(found) == set(expected)
        for key, values in expected.items():
            assert found[key].shape == (*batch.shape[:3], 1)
            assert found[key].dtype == np.float32
            np.testing.assert_allclose(found[key], values, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("name", OTHERS)
def test_somas_are_those_of_keras(offsets_preset, stills, name):
    keras_somas = Segmenter.from_preset(offsets_preset)
    somas = Segmenter.from_preset(offsets_preset, runtime=name)
    assert somas.runtime == name and keras_somas.runtime == "keras"
    pairs = [(str(i), keras_somas(still.image).labels, somas(still.image).labels) for i, still in enumerate(stills)]
    scores = score_images(pairs).summary()
    assert scores["true_somas"] >= 8
    assert scores["ap_0.50_pooled"] >= 0.995
    assert scores["ap_0.90_pooled"] >= 0.995


@pytest.mark.parametrize("name", OTHERS)
def test_tiles_change_nothing(offsets_preset, stills, name):
    image = np.tile(stills[7].image, (4, 3, 1))
    whole = Segmenter.from_preset(offsets_preset, runtime=name)
    tiled = Segmenter.from_preset(offsets_preset, runtime=name, tile_px=256)
    assert len(whole(image)) > 4
    pairs = [("tiled", whole(image).labels, tiled(image).labels)]
    assert score_images(pairs).summary()["ap_0.90_pooled"] == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_somas_of_a_shipped_preset_are_those_of_keras(name):
    drawn = draw_parameters("gray_fluorescence", rng=np.random.default_rng(0))
    images = [simulate_still(drawn, seed=seed).image for seed in range(940_000, 940_006)]
    keras_somas, somas = Segmenter.from_preset("nuclei"), Segmenter.from_preset("nuclei", runtime=name)
    pairs = [(str(i), keras_somas(image).labels, somas(image).labels) for i, image in enumerate(images)]
    scores = score_images(pairs).summary()
    assert scores["true_somas"] >= 20
    assert scores["ap_0.50_pooled"] >= 0.995
