"""Contrast: any microscope's image comes out on the network's scale, blanks included."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from somaseg.data.intensity import (
    as_rgb,
    contrast_limits,
    merge_false_colour,
    noise_level,
    normalize_contrast,
    stretch,
)


def noisy(sigma, mean=100.0, size=128, seed=0):
    rng = np.random.default_rng(seed)
    return (mean + sigma * rng.standard_normal((size, size))).astype(np.float32)


def cell(dtype=np.float32):
    """A disc of 900 on 100, soft at its edge and with noise of 4: at least 16 bits are needed."""
    y, x = np.mgrid[:96, :96]
    distance = np.hypot(y - 40, x - 50)
    return (noisy(4.0, size=96) + 800 / (1 + np.exp(distance - 20))).astype(dtype)


@pytest.mark.parametrize(
    "shape, sources",
    [
        ((4, 5), (0, 0, 0)),
        ((4, 5, 1), (0, 0, 0)),
        ((4, 5, 2), (0, 1, None)),
        ((4, 5, 3), (0, 1, 2)),
        ((4, 5, 4), (0, 1, 2)),
    ],
)
def test_any_image_has_three_channels_afterwards(shape, sources):
    image = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    rgb = as_rgb(image)
    assert rgb.shape == (4, 5, 3)
    assert rgb.dtype == np.uint16
    channels = image.reshape(4, 5, -1)
    for channel, source in enumerate(sources):
        expected = 0 if source is None else channels[..., source]
        np.testing.assert_array_equal(rgb[..., channel], expected)


@pytest.mark.parametrize("shape", [(4,), (4, 5, 5), (4, 5, 0), (2, 4, 5, 3)])
def test_what_is_no_single_plane_is_refused_with_its_shape(shape):
    with pytest.raises(ValueError, match=r"must have shape.*got \(4|got \(2"):
        as_rgb(np.zeros(shape))


def test_stretch_puts_the_limits_at_0_and_255_and_cuts_beyond():
    image = np.array([[-50.0, 100.0, 150.0, 200.0, 9000.0]])
    assert stretch(image, (100.0, 200.0)).tolist() == [[0, 0, 128, 255, 255]]
    assert stretch(image, (100.0, 200.0)).dtype == np.uint8


def test_a_cell_fills_the_scale():
    image = normalize_contrast(cell())
    assert image.dtype == np.uint8
    assert image.shape == (96, 96, 3)
    assert image[0, 0, 0] < 10
    assert image[40, 50, 0] > 245


@pytest.mark.parametrize("sigma", [0.3, 1.0, 3.0, 10.0])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_blank_frame_stays_dark(dtype, sigma):
    """Noise alone takes half of the scale at most, also where it is less than a level."""
    frame = noisy(sigma)
    frame = frame if dtype is np.float32 else np.rint(frame).astype(dtype)
    image = normalize_contrast(frame)
    assert image.mean() < 64
    assert image.max() < 140


@pytest.mark.parametrize("value", [0, 7, 255])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64])
def test_a_constant_image_is_black_and_divides_by_nothing(dtype, value):
    with np.errstate(all="raise"):
        image = normalize_contrast(np.full((20, 30), value, dtype))
    assert (image == 0).all()


def test_an_image_too_narrow_for_a_noise_estimate_works():
    assert noise_level(np.zeros((5, 2))) == 0.0
    assert normalize_contrast(np.array([[0, 9]], np.uint8)).max() == 255


@settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.filter_too_much],
)
@given(
    image=arrays.arrays(np.float32, (12, 11), elements=st.integers(0, 4000).map(float)),
    gain=st.floats(2.0**-10, 2.0**10),
    offset=st.floats(-10, 10),
)
def test_contrast_does_not_depend_on_the_cameras_gain_and_offset(image, gain, offset):
    low, high = contrast_limits(as_rgb(image))
    assume(high - low > 2)  # else float32 itself does not hold the offset image
    other = (gain * (image.astype(np.float64) + offset)).astype(np.float32)
    difference = normalize_contrast(other).astype(int) - normalize_contrast(image)
    assert np.abs(difference).max() <= 1


def test_contrast_of_a_speck_on_black_does_not_depend_on_gain():
    """A speck smaller than the upper percentile leaves low == high; it must not decide by units."""
    image = np.zeros((50, 50), np.float32)
    image[20, 20] = 1000.0
    assert normalize_contrast(image)[20, 20, 0] == 255
    np.testing.assert_array_equal(normalize_contrast(image), normalize_contrast(image * 1e-4))


def test_dtypes_agree_where_they_hold_the_same_values():
    image = np.rint(cell() / 4)
    expected = normalize_contrast(image.astype(np.uint8))
    for dtype in (np.uint16, np.int32, np.float32, np.float64):
        np.testing.assert_array_equal(normalize_contrast(image.astype(dtype)), expected)
    scaled = normalize_contrast(image.astype(np.uint16) * 200).astype(int)
    assert np.abs(scaled - expected).max() <= 1


def two_markers():
    """A green cell at (40, 50) and a red one of 0.7 times its light in the mirrored place."""
    green, red = cell(), 0.7 * cell()[::-1, ::-1]
    return np.stack([red, green, np.zeros_like(red)], axis=-1)


def test_colours_of_two_markers_are_kept_and_stretched_as_one():
    rgb = normalize_contrast(two_markers()).astype(int)
    assert rgb[40, 50, 1] > 245
    assert rgb[55, 45, 0] == pytest.approx(0.7 * 255, abs=10)
    assert rgb[5, 5].max() < 60
    assert (rgb[..., 2] == 0).all()


@pytest.mark.parametrize("colour", [(0, 1, 0), (0.1, 1, 0.3), (1, 0, 1), (0, 1, 1)])
def test_one_signal_in_a_false_colour_is_gray(colour):
    image = cell()[..., None] * np.array(colour, np.float32)
    merged = merge_false_colour(image)
    assert merged.dtype == np.float32
    np.testing.assert_array_equal(merged, as_rgb(cell()))
    np.testing.assert_array_equal(normalize_contrast(image), normalize_contrast(cell()))


def test_stained_tissue_and_gray_are_left_as_they_are():
    """No channel of theirs is faint."""
    for image in (as_rgb(cell()), cell()[..., None] * np.array([0.9, 0.6, 0.8], np.float32)):
        np.testing.assert_array_equal(merge_false_colour(image), image)
    np.testing.assert_array_equal(merge_false_colour(two_markers()), two_markers())


@pytest.mark.parametrize("sigma", [0.5, 5.0, 50.0])
def test_noise_level_recovers_a_known_deviation(sigma):
    assert noise_level(noisy(sigma)) == pytest.approx(sigma, rel=0.1)


def test_noise_level_does_not_take_content_for_noise():
    """A ramp has no second difference, and a cell's edge is too short to count."""
    ramp = np.arange(128, dtype=np.float32)[None] * 20
    assert noise_level(np.repeat(ramp, 64, axis=0)) == 0.0
    assert noise_level(noisy(5.0) + ramp) == pytest.approx(5.0, rel=0.1)
    assert noise_level(cell()) == pytest.approx(4.0, rel=0.15)


def test_noise_level_of_colour_is_that_of_its_brightest_channel():
    image = np.stack([noisy(9.0, mean=50), noisy(5.0, mean=200), noisy(1.0, mean=0)], axis=-1)
    assert noise_level(image) == pytest.approx(5.0, rel=0.1)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("levels", [2, 7, 256])
@pytest.mark.parametrize("shape", [(1, 1), (3, 17), (64, 41)])
def test_counted_whole_numbers_give_the_limits_of_sorted_ones_to_the_bit(dtype, levels, shape):
    gray = np.random.default_rng(levels).integers(0, levels, (*shape, 1)).astype(dtype)
    as_sorted = gray.astype(np.float64)
    assert noise_level(gray) == noise_level(as_sorted)
    assert contrast_limits(gray)[0] == np.percentile(as_sorted, 1.0)
    noise = max(noise_level(gray), 12**-0.5)
    expected = max(np.percentile(as_sorted, 99.8), np.percentile(as_sorted, 1.0) + 16.0 * noise)
    assert contrast_limits(gray)[1] == expected
