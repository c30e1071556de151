"""ImagingVariation: gamma, gain, stain and noise follow their formula; targets stay."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from somaseg.data.imaging import ImagingVariation

CLEAN = {"gamma": 1.0, "gain": 1.0, "stain": 1.0, "noise": 0.0, "rate": 1.0}


def varied(image, **arguments):
    layer = ImagingVariation(**{**CLEAN, "seed": 1, **arguments})
    return keras.ops.convert_to_numpy(layer(image))


def ramp(count=4, colour=False, dtype=np.float32):
    """(count, 16, 16, 3) of values 1..254, gray or with channels in different order."""
    values = np.linspace(1, 254, 256).reshape(16, 16)
    channels = [values, values.T, values[::-1]] if colour else [values] * 3
    return np.repeat(np.stack(channels, -1)[None], count, axis=0).astype(dtype)


def flat(value, count, side=64):
    return np.full((count, side, side, 3), value, np.float32)


def powers(image, result):
    """The exponent of each sample and channel, (N, 3), checked to be one number for all its pixels."""
    power = np.log(result / 255) / np.log(image / 255)
    # Near white the logarithm of both is near 0 and its ratio is rounding error.
    power = np.where(image < 200, power, np.nan)
    np.testing.assert_allclose(np.nanmax(power, axis=(1, 2)), np.nanmin(power, axis=(1, 2)), rtol=1e-3)
    return np.nanmean(power, axis=(1, 2))


def test_with_every_element_off_nothing_changes():
    np.testing.assert_allclose(varied(ramp(colour=True)), ramp(colour=True), atol=1e-3)


def test_gamma_is_log_uniform_within_its_limits_and_one_for_all_channels_of_a_gray_sample():
    power = powers(ramp(400), varied(ramp(400), gamma=2.0, stain=1.5))
    np.testing.assert_allclose(power, power[:, :1] * np.ones(3), rtol=1e-3)
    log = np.log2(power[:, 0])
    assert log.min() > -1.001 and log.max() < 1.001
    # Uniform in -1..1: mean 0 and variance 1/3, with standard errors of 0.029 and 0.015 at n = 400.
    assert abs(log.mean()) < 4 * 0.029
    assert log.var() == pytest.approx(1 / 3, abs=4 * 0.015)


def test_stain_varies_the_channels_of_a_coloured_sample_only():
    power = powers(ramp(50, colour=True), varied(ramp(50, colour=True), stain=1.3))
    assert power.min() > 1 / 1.301 and power.max() < 1.301
    assert np.abs(power[:, 0] - power[:, 1]).mean() > 0.05
    np.testing.assert_allclose(varied(ramp(), stain=1.3), ramp(), atol=1e-3)


def test_gain_is_uniform_from_its_least_to_one():
    share = varied(flat(200.0, 400, side=1), gain=0.6)[:, 0, 0, 0] / 200
    assert share.min() >= 0.6 and share.max() <= 1.0
    assert share.mean() == pytest.approx(0.8, abs=4 * 0.4 / np.sqrt(12 * 400))


def test_noise_has_the_variance_of_its_formula_and_is_the_same_in_all_channels():
    """E[s^2] of s uniform in 0..noise is noise^2 / 3; its standard error over n samples is 0.3 noise^2 / sqrt(n)."""
    count, noise = 300, 0.06
    result = varied(flat(102.0, count), noise=noise) / 255
    np.testing.assert_array_equal(result[..., 0], result[..., 1])
    variance = result[..., 0].var(axis=(1, 2))
    expected = noise**2 / 3 * (1 + 0.4) / 2
    assert variance.mean() == pytest.approx(expected, abs=4 * 0.3 * noise**2 / np.sqrt(count))
    assert variance.max() <= 1.2 * noise**2 * 0.7


def test_noise_is_white_in_half_of_the_samples_and_correlated_in_the_others():
    field = varied(flat(102.0, 200), noise=0.06)[..., 0]
    field = field - field.mean(axis=(1, 2), keepdims=True)
    correlation = (field[:, :, 1:] * field[:, :, :-1]).mean((1, 2)) / (field**2).mean((1, 2))
    white, correlated = correlation < 0.13, correlation >= 0.13
    # A correlation of 4,032 pairs has a standard error of 0.016, a share of 200 one of 0.035.
    assert abs(white.mean() - 0.5) < 4 * 0.035
    np.testing.assert_allclose(correlation[white], 0, atol=5 * 0.016)
    np.testing.assert_allclose(correlation[correlated], 0.26, atol=5 * 0.016)


def test_black_level_lets_between_half_and_99_percent_of_a_dark_grounds_noise_through():
    passed = (varied(flat(0.0, 100), noise=0.06, gain=1.0)[..., 0] > 0).mean((1, 2))
    assert 0.48 < passed.min() < 0.6
    assert 0.93 < passed.max() < 0.995


def test_targets_stay_and_values_stay_within_the_scale():
    mask = (ramp() > 100).astype(np.int32)
    result = ImagingVariation(rate=1.0, noise=0.5, seed=1)({"image": ramp(colour=True), "mask": mask})
    np.testing.assert_array_equal(result["mask"], mask)
    image = keras.ops.convert_to_numpy(result["image"])
    assert image.min() >= 0 and image.max() <= 255
    assert np.abs(image - ramp(colour=True)).max() > 20


def test_rate_is_the_share_that_is_changed():
    image = ramp(400)
    changed = (varied(image, rate=0.25, noise=0.1) != image).any(axis=(1, 2, 3))
    assert changed.mean() == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 400))
    np.testing.assert_array_equal(varied(image, rate=0.0, noise=0.1), image)


@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32"])
def test_dtype_is_kept_and_unbatched_samples_work(dtype):
    image = ramp(1, dtype=dtype)[0]
    result = varied(image, gamma=2.0)
    assert result.dtype == dtype and result.shape == image.shape
    assert (result != image).any()


@pytest.mark.parametrize("jit_compile", [False, True])
def test_works_in_a_graph_of_unknown_batch_size(jit_compile):
    layer = ImagingVariation(rate=1.0, seed=1)
    call = tf.function(layer, input_signature=[tf.TensorSpec((None, 16, 16, 3))], jit_compile=jit_compile)
    one, other, _ = call(ramp(3)).numpy()
    assert np.abs(one - other).max() > 1


def test_outside_training_nothing_changes():
    image = ramp()
    np.testing.assert_array_equal(ImagingVariation(rate=1.0)(image, training=False), image)


def test_config_round_trip_gives_the_same_draws():
    layer = ImagingVariation(gamma=1.5, gain=0.8, stain=1.1, noise=0.02, rate=0.9, seed=4)
    again = ImagingVariation.from_config(layer.get_config())
    np.testing.assert_array_equal(layer(ramp()), again(ramp()))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"gamma": 0.5}, "gamma and stain must be 1 or more, got 0.5 and 1.3"),
        ({"stain": 0.5}, "gamma and stain must be 1 or more, got 2.0 and 0.5"),
        ({"gain": 1.5}, "gain must be between 0 and 1, got 1.5"),
        ({"noise": -1}, "noise must be 0 or more, got -1"),
        ({"rate": 2}, "rate must be between 0 and 1, got 2"),
    ],
)
def test_a_bad_argument_is_refused_with_its_name_and_value(arguments, message):
    with pytest.raises(ValueError, match=message):
        ImagingVariation(**arguments)
