"""Every runtime finds the somas that Keras finds, whatever the size of the image, and alike tile by tile."""

import numpy as np
import pytest

from somaseg.runtimes import open_runtime
from somaseg.runtimes.choosing import is_installed
from somaseg.runtimes.converting import model_bytes
from somaseg.runtimes.openvino_runtime import OpenVinoRuntime
from somaseg.segmentation import Segmenter
from somaseg.segmentation.evaluation import score_images
from somaseg.simulation import draw_parameters, simulate_still

OTHERS = [
    pytest.param(
        name, marks=pytest.mark.skipif(not is_installed(name), reason=f"needs the extra [{name}]: somaseg[{name}]")
    )
    for name in ("litert", "onnx", "openvino")
]


def in_float32(preset, name):
    """A runtime; OpenVINO in 32 bits on any processor."""
    if name == "openvino":
        return OpenVinoRuntime(model_bytes(preset, name), depth=5, precision="f32")
    return open_runtime(preset, name)


@pytest.fixture(scope="module")
def keras_runtime(offsets_preset):
    return open_runtime(offsets_preset, "keras")


@pytest.mark.parametrize("name", OTHERS)
def test_maps_are_those_of_keras_at_one_size_after_another(offsets_preset, keras_runtime, stills, name):
    run = in_float32(offsets_preset, name)
    assert (run.name, run.depth, run.precision) == (name, 5, "f32")
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
    keras_somas, settings = Segmenter.from_preset(offsets_preset), Segmenter.preset_settings(offsets_preset)
    somas = Segmenter(predict=in_float32(offsets_preset, name), depth=5, **settings)
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
    """In the precision that `--runtime` takes: bfloat16, where the processor has it, changes a few in a thousand."""
    random = np.random.default_rng(0)
    stills = [
        simulate_still(draw_parameters(look, rng=random), seed=940_000 + k)
        for k, look in enumerate(5 * ("gray_fluorescence", "green_on_black", "dim_noisy", "dense_hazy"))
    ]
    keras_somas, somas = Segmenter.from_preset("soma"), Segmenter.from_preset("soma", runtime=name)
    labels = [(str(k), keras_somas(still.image).labels, somas(still.image).labels) for k, still in enumerate(stills)]
    scores = score_images(labels).summary()
    assert scores["true_somas"] >= 100
    assert scores["ap_0.50_pooled"] >= (0.98 if somas.precision == "bf16" else 0.995)
    true = [
        score_images((n, still.instances, found[i]) for (n, *found), still in zip(labels, stills)).summary()
        for i in (0, 1)
    ]
    assert true[1]["ap_0.50_pooled"] >= true[0]["ap_0.50_pooled"] - 0.01
