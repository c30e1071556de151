"""Contrast in a TensorFlow graph: to the bit what the program does at home, whatever whole numbers an image holds."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from somaseg.data import intensity
from somaseg.export import serving_contrast

IN_GRAPH = tf.function(
    serving_contrast.normalize_contrast, input_signature=[tf.TensorSpec((None, None, 3), tf.int32, name="image")]
)


def agree(image):
    found = IN_GRAPH(image.astype(np.int32)).numpy()
    np.testing.assert_array_equal(found, intensity.normalize_contrast(image))
    return found


@settings(max_examples=30, deadline=None)
@example(41, 43, True, "colour", 0.03125, 0.203125, 0)  # a percentile of 32 bits was another one
@given(
    height=st.integers(16, 70),
    width=st.integers(16, 70),
    deep=st.booleans(),
    channels=st.sampled_from(["gray", "colour", "green", "magenta", "two"]),
    brightness=st.floats(0.001, 1.5),
    skewness=st.floats(0.2, 3),
    seed=st.integers(0, 1000),
)
def test_any_image_is_stretched_as_at_home(height, width, deep, channels, brightness, skewness, seed):
    random = np.random.default_rng(seed)
    top, dtype = (65535, np.uint16) if deep else (255, np.uint8)
    image = random.gamma(skewness, brightness * top / skewness, (height, width, 3))
    if channels == "gray":
        image[...] = image[..., :1]
    elif channels == "green":
        image *= (0.1, 1, 0.3)
    elif channels == "magenta":
        image[..., 2] = image[..., 0] * 0.9
        image[..., 1] *= 0.05
    elif channels == "two":
        image[..., 2] = 0
    agree(np.clip(image, 0, top).astype(dtype))


@pytest.mark.parametrize("value", [0, 7, 255])
def test_a_constant_image_stays_dark(value):
    assert (agree(np.full((20, 20, 3), value, np.uint8)) == 0).all()


def test_a_single_bright_pixel_is_seen():
    image = np.zeros((64, 64, 3), np.uint8)
    image[3, 5] = 255
    agree(image)


def test_a_large_image_is_thinned_as_at_home():
    random = np.random.default_rng(0)
    agree(np.clip(random.gamma(2, 300, (2048, 1100, 1)), 0, 65535).astype(np.uint16).repeat(3, axis=2))
