"""Augmentation: laws of the random field, agreement with scipy, targets that move along."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from somaseg.data.augmentation import (
    ElasticDeformation,
    RandomFlip,
    ThreefoldAugmentation,
    smooth,
    warp,
)

LAYERS = [ElasticDeformation, RandomFlip]


def array(tensor):
    return keras.ops.convert_to_numpy(tensor)


def coordinates(height=24, width=20, count=1):
    """float32 (count, height, width, 2): every pixel holds its own (y, x)."""
    grid = np.stack(np.mgrid[:height, :width], axis=-1).astype(np.float32)
    return np.repeat(grid[None], count, axis=0)


def gray(height=24, width=20, count=2):
    return np.random.default_rng(0).uniform(0, 255, (count, height, width, 3)).astype(np.float32)


def random_field(shape, amplitude, seed=0):
    field = np.random.default_rng(seed).uniform(-amplitude, amplitude, (*shape, 2))
    return field.astype(np.float32)


@pytest.fixture(scope="module")
def fields():
    """200 fields of alpha 34, sigma 2, cut where the full kernel of 8 pixels fits."""
    drawn = array(ElasticDeformation(alpha=34.0, sigma=2.0, seed=5).draw_field(200, 48, 48))
    return drawn[:, 8:-8, 8:-8]


# --- The field ---


def test_field_has_the_spread_that_its_formula_gives(fields):
    """A uniform draw has variance 1/3, a Gaussian kernel the sum of squares 1/(4 pi sigma^2)."""
    expected = 34.0 / (2.0 * np.sqrt(12 * np.pi))
    # 8,000 independent patches of 2 pi sigma^2 pixels: a standard error of 1 %.
    assert fields[..., 0].std() == pytest.approx(expected, rel=0.05)
    assert fields[..., 1].std() == pytest.approx(expected, rel=0.05)


def test_field_is_unbiased(fields):
    """The mean over n draws of the noise deviates by alpha / sqrt(3 n); five such are allowed."""
    bound = 5 * 34.0 / np.sqrt(3 * fields[..., 0].size)
    assert abs(fields[..., 0].mean()) < bound
    assert abs(fields[..., 1].mean()) < bound


def test_displacements_in_y_and_x_are_independent(fields):
    """Patches of 4 pi sigma^2 = 50 pixels are independent, their correlation 0 +- 1/sqrt(n)."""
    patches = fields[..., 0].size / (4 * np.pi * 2.0**2)
    correlation = np.corrcoef(fields[..., 0].ravel(), fields[..., 1].ravel())[0, 1]
    assert abs(correlation) < 5 / np.sqrt(patches)


def test_samples_of_a_batch_get_different_fields(fields):
    correlation = np.corrcoef(fields[..., 0].reshape(len(fields), -1))
    assert np.abs(correlation - np.eye(len(fields))).max() < 0.8


def test_samples_get_different_fields_where_the_batch_size_is_unknown():
    layer = ElasticDeformation(seed=1)

    @tf.function(input_signature=[tf.TensorSpec((None, 24, 20, 2))])
    def deform(x):
        return layer(x)

    one, other = deform(coordinates(count=2)).numpy()
    assert np.abs(one - other).max() > 0.5


@pytest.mark.parametrize("shape, sigma", [((20, 33), 2.0), ((9, 7), 4.0), ((12, 12), 0.7)])
def test_smoothing_is_scipys_with_zeros_beyond_the_border(shape, sigma):
    noise = np.random.default_rng(0).uniform(-1, 1, (3, *shape)).astype(np.float32)
    expected = [ndimage.gaussian_filter(x, sigma, mode="constant", truncate=4.0) for x in noise]
    np.testing.assert_allclose(smooth(noise, sigma), expected, atol=1e-5)


# --- The warp ---


@pytest.mark.parametrize("amplitude", [1.5, 60.0])
@pytest.mark.parametrize("order", [0, 1])
def test_warp_is_scipys_map_coordinates_mirrored_at_the_border(order, amplitude):
    """An amplitude of 60 on 24 x 20 pixels is mirrored several times over."""
    image = gray()
    field = random_field(image.shape[:3], amplitude)
    warped = array(warp(image, field, order=order))
    for i in range(len(image)):
        position = np.moveaxis(coordinates()[0] + field[i], -1, 0)
        for channel in range(3):
            expected = ndimage.map_coordinates(image[i, ..., channel], position, order=order, mode="reflect")
            np.testing.assert_allclose(warped[i, ..., channel], expected, atol=0.02)


def test_warp_by_whole_pixels_is_a_shift():
    image = np.arange(12, dtype=np.int32).reshape(1, 3, 4, 1)
    field = np.zeros((1, 3, 4, 2), np.float32)
    field[..., 0], field[..., 1] = 1, -2  # from below, from the left
    expected = [[5, 4, 4, 5], [9, 8, 8, 9], [9, 8, 8, 9]]
    for order in (0, 1):
        np.testing.assert_array_equal(warp(image, field, order=order)[0, ..., 0], expected)


def test_bilinear_values_of_an_integer_image_are_rounded():
    image = np.array([0, 255], np.uint8).reshape(1, 1, 2, 1)
    field = np.zeros((1, 1, 2, 2), np.float32)
    field[0, 0, :, 1] = 0.999, -0.25
    assert array(warp(image, field, order=1)).ravel().tolist() == [255, 191]


def test_one_field_moves_image_and_mask():
    """Image and target hold their coordinates; the target's is the image's to the nearest pixel."""
    inside = slice(4, -4)
    where = coordinates(40, 40, count=3)
    moved = ElasticDeformation(alpha=20.0, seed=3)({"image": where, "mask": where})
    image, mask = array(moved["image"])[:, inside, inside], array(moved["mask"])[:, inside, inside]
    assert np.abs(image - where[:, inside, inside]).max() > 1
    assert np.abs(image - mask).max() <= 0.5 + 1e-4


def test_labels_stay_those_that_went_in():
    labels = np.zeros((2, 32, 32, 1), np.uint16)
    labels[:, 4:14, 4:14], labels[:, 14:24, 10:24] = 7, 60_000
    image = np.zeros((2, 32, 32, 3), np.uint8)
    moved = ElasticDeformation(seed=1)({"image": image, "instances": labels})["instances"]
    assert array(moved).dtype == np.uint16
    assert set(np.unique(array(moved))) == {0, 7, 60_000}
    assert (array(moved) != labels).any()


def test_alpha_0_is_the_identity():
    image = gray()
    np.testing.assert_array_equal(ElasticDeformation(alpha=0.0)(image), image)


def test_rate_is_the_share_that_is_deformed():
    """400 draws at 0.3: a standard deviation of 0.023, five of them allowed."""
    field = array(ElasticDeformation(alpha=10.0, sigma=1.0, rate=0.3, seed=2).draw_field(400, 8, 8))
    deformed = np.abs(field).max(axis=(1, 2, 3)) > 0
    assert deformed.mean() == pytest.approx(0.3, abs=0.115)


# --- Flips ---


def flip_states(rate, count=400):
    """For each sample the state (up-down, left-right) in which it came out."""
    image = np.broadcast_to(coordinates(2, 2), (count, 2, 2, 2))
    flipped = array(RandomFlip(rate=rate, seed=4)(image))
    assert (np.sort(flipped.reshape(count, 4, 2), axis=1) == [[0, 0], [0, 0], [1, 1], [1, 1]]).all()
    return flipped[:, 0, 0].astype(int)


@pytest.mark.parametrize("rate", [0.5, 0.25])
def test_flips_of_the_two_axes_are_independent(rate):
    """Each of the four states occurs as often as the product of its rates, within 5 deviations."""
    states = flip_states(rate)
    for up_down in (0, 1):
        for left_right in (0, 1):
            share = (states == (up_down, left_right)).all(axis=1).mean()
            expected = (rate if up_down else 1 - rate) * (rate if left_right else 1 - rate)
            bound = 5 * np.sqrt(expected * (1 - expected) / 400)
            assert share == pytest.approx(expected, abs=bound)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_flip_rates_of_0_and_1_are_never_and_always(rate):
    assert (flip_states(rate, count=50) == int(rate)).all()


@pytest.mark.parametrize("horizontal, vertical", [(True, False), (False, True), (False, False)])
def test_an_axis_that_is_switched_off_is_never_flipped(horizontal, vertical):
    image = np.broadcast_to(coordinates(2, 2), (50, 2, 2, 2))
    flipped = array(RandomFlip(horizontal, vertical, rate=1.0)(image))
    assert (flipped[:, 0, 0] == (vertical, horizontal)).all()


def test_flip_moves_image_and_mask_together():
    where = coordinates(5, 4, count=40)
    moved = RandomFlip(seed=1)({"image": where, "mask": where.astype(np.uint8)})
    np.testing.assert_array_equal(moved["image"], array(moved["mask"]).astype(np.float32))
    assert len(np.unique(array(moved["image"])[:, 0, 0], axis=0)) == 4


# --- All of them, as layers ---


@pytest.mark.parametrize("layer_class", LAYERS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float16", "float32", "float64"], ids=str)
def test_dtypes_are_kept(layer_class, dtype):
    image = gray().astype(dtype)
    moved = layer_class(seed=1)({"image": image, "mask": image[..., :1]})
    assert array(moved["image"]).dtype == array(moved["mask"]).dtype == dtype


@pytest.mark.parametrize("layer_class", LAYERS)
def test_an_unbatched_sample_goes_in_and_comes_out(layer_class):
    image = gray(count=1)[0]
    moved = layer_class(seed=1)({"image": image, "mask": image[..., :1]})
    assert moved["image"].shape == (24, 20, 3)
    assert moved["mask"].shape == (24, 20, 1)
    batched = layer_class(seed=1)(image[None])[0]
    np.testing.assert_array_equal(moved["image"], batched)


@pytest.mark.parametrize("layer_class", LAYERS)
@pytest.mark.parametrize("count", [1, 3])
def test_any_batch_size_works(layer_class, count):
    assert layer_class()(gray(count=count)).shape == (count, 24, 20, 3)


@pytest.mark.parametrize("layer_class", LAYERS)
def test_what_is_no_image_passes_through(layer_class):
    inputs = {"image": gray(), "variant": np.array([1, 2])}
    np.testing.assert_array_equal(layer_class()(inputs)["variant"], [1, 2])


@pytest.mark.parametrize("layer_class", LAYERS)
def test_a_dict_without_an_image_is_refused(layer_class):
    with pytest.raises(ValueError, match=r'"image", got \[\'mask\'\]'):
        layer_class()({"mask": gray()})


@pytest.mark.parametrize("layer_class", LAYERS)
def test_a_seed_reproduces_and_draws_go_on(layer_class):
    image = coordinates(count=8)
    one, same, other = layer_class(seed=1), layer_class(seed=1), layer_class(seed=2)
    first, second = array(one(image)), array(one(image))
    np.testing.assert_array_equal(same(image), first)
    np.testing.assert_array_equal(same(image), second)
    assert (first != second).any()
    assert (array(other(image)) != first).any()


@pytest.mark.parametrize("layer_class", [*LAYERS, ThreefoldAugmentation])
def test_outside_training_nothing_is_moved(layer_class):
    inputs = {"image": gray(), "mask": gray()[..., :1], "variant": np.array([1, 2])}
    outputs = layer_class()(inputs, training=False)
    for key, value in inputs.items():
        np.testing.assert_array_equal(outputs[key], value)


@pytest.mark.parametrize(
    "layer",
    [
        ElasticDeformation(alpha=3.0, sigma=2.0, rate=0.25, seed=9, name="a"),
        RandomFlip(horizontal=False, rate=0.75, seed=9, name="b"),
        ThreefoldAugmentation(alpha=3.0, sigma=2.0, seed=9, name="c"),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_config_round_trip_gives_a_layer_with_the_same_draws(layer):
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(copy) is type(layer)
    assert copy.get_config() == layer.get_config()
    inputs = {"image": gray(count=3), "variant": np.array([0, 1, 2])}
    np.testing.assert_array_equal(copy(inputs)["image"], layer(inputs)["image"])


@pytest.mark.parametrize(
    "layer_class, arguments, message",
    [
        (ElasticDeformation, {"alpha": -1}, "alpha must be 0 or more pixels, got -1"),
        (ElasticDeformation, {"sigma": 0}, "sigma must be more than 0 pixels, got 0"),
        (ElasticDeformation, {"rate": 1.5}, "rate must be between 0 and 1, got 1.5"),
        (RandomFlip, {"rate": -0.5}, "rate must be between 0 and 1, got -0.5"),
    ],
)
def test_a_bad_argument_is_refused_with_its_name_and_value(layer_class, arguments, message):
    with pytest.raises(ValueError, match=message):
        layer_class(**arguments)


# --- In graphs ---


def test_warp_and_smoothing_are_the_same_with_and_without_xla():
    image = gray()
    noise = random_field(image.shape[:3], 34.0)

    def deform(x, noise):
        field = keras.ops.moveaxis(smooth(keras.ops.moveaxis(noise, -1, 0), 4.0), 0, -1)
        return warp(x, field, order=1), warp(x, field, order=0)

    expected = [array(x) for x in deform(image, noise)]
    assert np.abs(expected[0] - image).max() > 10
    for jit_compile in (False, True):
        linear, nearest = tf.function(deform, jit_compile=jit_compile)(image, noise)
        np.testing.assert_allclose(linear, expected[0], atol=0.05)
        np.testing.assert_array_equal(nearest, expected[1])


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("layer_class", LAYERS)
def test_image_and_target_move_together_in_a_graph(layer_class, jit_compile):
    """XLA draws other numbers from a seed than TensorFlow's kernels, but one field for both."""
    where = coordinates(40, 40, count=6)
    call = tf.function(layer_class(seed=1), jit_compile=jit_compile)
    moved = call({"image": where, "mask": where})
    image, mask = (array(moved[key])[:, 8:-8, 8:-8] for key in ("image", "mask"))
    assert np.abs(mask - where[:, 8:-8, 8:-8]).max() >= 1
    assert np.abs(image - mask).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("batch_size", [None, 2])
@pytest.mark.parametrize("layer_class", LAYERS)
def test_works_in_a_tf_dataset(layer_class, batch_size):
    """Batches of 2 from 5 samples: tf.data does not know the size, and the last is 1."""
    layer = layer_class(seed=1)
    where = coordinates(count=5)
    dataset = tf.data.Dataset.from_tensor_slices({"image": where, "mask": where.astype(np.int32)})
    dataset = dataset.batch(batch_size) if batch_size else dataset
    dataset = dataset.map(lambda sample: layer(sample))
    assert dataset.element_spec["image"].shape[-3:] == (24, 20, 2)
    samples = list(dataset.as_numpy_iterator())
    join = np.concatenate if batch_size else np.stack
    image, mask = join([s["image"] for s in samples]), join([s["mask"] for s in samples])
    assert image.shape == mask.shape == where.shape
    assert mask.dtype == np.int32
    assert (mask[:, 4:-4, 4:-4] != where[:, 4:-4, 4:-4]).any()
    assert np.abs(image - mask)[:, 4:-4, 4:-4].max() <= 0.5 + 1e-4


# --- Inside other Keras models ---


@pytest.mark.parametrize("place", ["first", "last"])
@pytest.mark.parametrize("make", LAYERS)
def test_it_acts_inside_a_sequential_model_and_after_reload(make, place, tmp_path):
    layer, other = make(rate=1.0, seed=3), keras.layers.Rescaling(1.0)
    model = keras.Sequential([keras.Input((24, 20, 3)), *((layer, other) if place == "first" else (other, layer))])
    model.save(tmp_path / "model.keras")
    image = gray()
    for own in (model, keras.models.load_model(tmp_path / "model.keras")):
        assert (np.abs(array(own(image, training=True)) - image).max(axis=(1, 2, 3)) > 10).all()
        np.testing.assert_array_equal(own.predict(image, verbose=0), image)


def test_it_moves_image_and_mask_together_inside_a_functional_model():
    inputs = {
        "image": keras.Input((24, 20, 2), name="image"),
        "mask": keras.Input((24, 20, 2), dtype="int32", name="mask"),
    }
    model = keras.Model(inputs, ElasticDeformation(seed=3)(inputs))
    where = coordinates(count=2)
    moved = model({"image": where, "mask": where.astype(np.int32)}, training=True)
    image, mask = array(moved["image"]), array(moved["mask"])
    assert mask.dtype == np.int32
    assert (mask[:, 4:-4, 4:-4] != where[:, 4:-4, 4:-4]).any()
    assert np.abs(image - mask)[:, 4:-4, 4:-4].max() <= 0.5 + 1e-4


# --- Threefold ---


def test_threefold_gives_original_mirrored_and_deformed_by_variant():
    image = gray(count=1)
    inputs = {
        "image": np.repeat(image, 3, axis=0),
        "mask": np.repeat(image[..., :1], 3, axis=0),
        "variant": np.array([2, 0, 1], np.int32),
    }
    outputs = {key: array(value) for key, value in ThreefoldAugmentation(seed=1)(inputs).items()}
    for key in ("image", "mask"):
        np.testing.assert_array_equal(outputs[key][1], inputs[key][1])
        np.testing.assert_array_equal(outputs[key][2], inputs[key][2][:, ::-1])
        deformed = ElasticDeformation(seed=1)({k: inputs[k] for k in ("image", "mask")})[key]
        np.testing.assert_array_equal(outputs[key][0], deformed[0])
    assert np.abs(outputs["image"][0] - inputs["image"][0]).max() > 10
