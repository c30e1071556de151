"""UNet: its published size, its names, its arguments, and that it is an ordinary Keras model."""

import importlib.util
import os
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest

from somaseg.models import UNet
from somaseg.models.groups import group_names


@pytest.fixture(scope="module")
def tiny():
    keras.utils.set_random_seed(0)
    return UNet(filters=2, depth=3)


def image_batch(height=16, width=16, channels=3, count=2):
    shape = (count, height, width, channels)
    return np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)


@pytest.mark.parametrize("filters, parameters", [(16, 1_946_481), (64, 31_053_249)])
def test_parameter_count_is_the_published_one(filters, parameters):
    assert UNet(filters=filters).count_params() == parameters


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_every_layer_but_the_input_is_named_by_its_group_in_order(depth):
    names = group_names(depth)
    first, *others = UNet(filters=1, depth=depth, activation="sigmoid").layers
    assert isinstance(first, keras.layers.InputLayer)
    groups = [max((g for g in names if x.name.startswith(g + "_")), key=len) for x in others]
    assert groups == sorted(groups, key=names.index)
    assert set(groups) == set(names)


def test_depth_5_has_the_groups_of_the_paper():
    assert group_names(5) == [
        *("encoder_1", "encoder_2", "encoder_3", "encoder_4", "encoder_5"),
        *("up_6", "decoder_6", "up_7", "decoder_7", "up_8", "decoder_8", "up_9", "decoder_9"),
        "head",
    ]


@pytest.mark.parametrize("height, width", [(16, 16), (16, 48), (64, 32)])
def test_height_and_width_are_free_multiples_of_16(height, width):
    network = UNet(filters=1, depth=5)
    assert network.input_shape == (None, None, None, 3)
    assert network(image_batch(height, width)).shape == (2, height, width, 1)


def test_input_channels_are_a_choice():
    network = UNet(filters=1, depth=2, input_channels=1)
    assert network(image_batch(channels=1)).shape == (2, 16, 16, 1)


def test_sigmoid_output_is_the_probability_of_the_logits(tiny):
    probabilities = UNet(filters=2, depth=3, activation="sigmoid")
    probabilities.set_weights(tiny.get_weights())
    logits = keras.ops.convert_to_numpy(tiny(image_batch()))
    expected = 1 / (1 + np.exp(-logits))
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(probabilities(image_batch()), expected, atol=1e-6)


def test_intensities_are_scaled_inside_the_model(tiny):
    """255 enters the first convolution as 1: a network without the scaling sees the same."""
    after = keras.Model(tiny.input, tiny.get_layer("encoder_1_rescale").output)
    np.testing.assert_allclose(after(np.full((1, 16, 16, 3), 255.0)), 1.0, rtol=1e-6)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"filters": 0}, "filters must be a whole number of at least 1, got 0"),
        ({"filters": 16.0}, "filters must be a whole number of at least 1, got 16.0"),
        ({"filters": True}, "filters must be a whole number of at least 1, got True"),
        ({"depth": 1}, "depth must be a whole number of at least 2, got 1"),
        ({"input_channels": "3"}, "input_channels must be a whole number of at least 1, got '3'"),
        ({"heads": "flows"}, r"heads must be one of \[.*'mask', 'offsets'\], got 'flows'"),
    ],
)
def test_a_bad_argument_is_refused_with_its_name_and_value(arguments, message):
    with pytest.raises(ValueError, match=message):
        UNet(**arguments)


def test_saved_model_reloads_in_safe_mode_as_a_unet_with_equal_outputs(tiny, tmp_path):
    tiny.save(tmp_path / "tiny.keras")
    reloaded = keras.saving.load_model(tmp_path / "tiny.keras", safe_mode=True)
    assert type(reloaded) is UNet
    assert reloaded.get_config() == tiny.get_config()
    np.testing.assert_array_equal(reloaded(image_batch()), tiny(image_batch()))


def test_config_round_trip_keeps_every_argument():
    network = UNet(filters=1, depth=2, input_channels=2, activation="sigmoid", name="other")
    network.trainable = False
    copy = UNet.from_config(network.get_config())
    assert copy.get_config() == network.get_config()
    assert copy.name == "other"
    assert copy.trainable_variables == []


def test_a_dtype_policy_is_that_of_every_layer_before_the_head(tmp_path):
    network = UNet(filters=1, depth=2, dtype="mixed_bfloat16")
    *before, head = [layer for layer in network.layers if not isinstance(layer, keras.layers.InputLayer)]
    assert {layer.compute_dtype for layer in before} == {"bfloat16"}
    assert {weight.dtype for weight in network.weights} == {"float32"}
    assert head.compute_dtype == "float32"
    assert keras.backend.standardize_dtype(network(image_batch()).dtype) == "float32"
    network.save(tmp_path / "bf16.keras")
    reloaded = keras.saving.load_model(tmp_path / "bf16.keras")
    assert [layer.compute_dtype for layer in reloaded.layers] == [layer.compute_dtype for layer in network.layers]


def test_a_preset_takes_a_dtype_policy_and_never_keeps_it(tiny, tmp_path):
    tiny.save_to_preset(tmp_path / "tiny")
    network = UNet.from_preset(tmp_path / "tiny", dtype="mixed_bfloat16")
    assert network.get_layer("encoder_1_convolution_1").compute_dtype == "bfloat16"
    np.testing.assert_allclose(network(image_batch()), tiny(image_batch()), atol=0.05)
    network.save_to_preset(tmp_path / "again")
    again = UNet.from_preset(tmp_path / "again")
    np.testing.assert_array_equal(again(image_batch()), tiny(image_batch()))


def test_trains_with_plain_keras_compile_and_fit():
    keras.utils.set_random_seed(1)
    network = UNet(filters=2, depth=2)
    image = np.repeat(image_batch(channels=1), 3, axis=-1)
    mask = (image[..., :1] > 128).astype(np.float32)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(0.03), loss=loss, jit_compile=False)
    losses = network.fit(image, mask, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0]


JAX_SCRIPT = """
    import pathlib, sys

    import keras
    import numpy as np

    from somaseg.data.datasets import Samples
    from somaseg.data.pipeline import CropBatches
    from somaseg.models import UNet
    from somaseg.training import runs
    from somaseg.training.recipes import Recipe

    folder = pathlib.Path(sys.argv[1])
    assert keras.backend.backend() == "jax"

    y, x = np.mgrid[:32, :32]
    disc = ((y - 16) ** 2 + (x - 12) ** 2 < 36).astype(np.uint16)
    samples = Samples.from_arrays((str(i), 20 + 200 * disc, disc) for i in range(4))

    asked = []
    batch = CropBatches.batch
    def record(self, epoch, index):
        if self.seed is not None:
            asked.append((epoch, index))
        return batch(self, epoch, index)
    CropBatches.batch = record

    # SegmentationTrainer on CropBatches, with flips and elastic deformation inside.
    network = UNet(filters=1, depth=2)
    recipe = Recipe(epochs=2, batch_size=1, crop_size=16)
    before = network.get_weights()
    history = runs.train(network, recipe, samples, samples, folder / "run", verbose=0)
    assert [row["epoch"] for row in history] == [1, 2]
    order = list(dict.fromkeys(asked))
    assert order == [(epoch, index) for epoch in (0, 1) for index in range(4)], order
    assert any((a != b).any() for a, b in zip(network.get_weights(), before))

    # Keras itself imports TensorFlow to save, where it is installed; without it that works too.
    assert "tensorflow" not in sys.modules
    class NotInstalled:
        def find_spec(self, name, path=None, target=None):
            if name == "tensorflow":
                raise ImportError(name)
    sys.meta_path.insert(0, NotInstalled())
    network.save(folder / "network.keras")
    reloaded = keras.saving.load_model(folder / "network.keras", safe_mode=True)
    assert type(reloaded) is UNet
    pixels = samples.images[0][None].astype("float32")
    np.testing.assert_array_equal(reloaded(pixels), network(pixels))
    print("all good")
"""


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="jax is not installed")
def test_trains_saves_and_reloads_on_jax_without_tensorflow(tmp_path):
    settings = {
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_backend_optimization_level=0",  # compiles in half the time
    }
    finished = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(JAX_SCRIPT), str(tmp_path)],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert finished.stdout.endswith("all good\n"), finished.stderr[-3000:]
