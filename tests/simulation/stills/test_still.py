"""Simulated stills: what a seed means, and the type, range and size of the picture."""

import dataclasses

import numpy as np
import pytest

from somaseg.simulation import LOOKS, simulate_still


def test_same_parameters_and_seed_give_the_same_still():
    one, other = simulate_still(seed=5), simulate_still(seed=5)
    np.testing.assert_array_equal(one.image, other.image)
    np.testing.assert_array_equal(one.instances, other.instances)


def test_another_seed_gives_another_still():
    one, other = simulate_still(seed=5), simulate_still(seed=6)
    assert np.any(one.instances != other.instances)
    assert np.any(one.image != other.image)


@pytest.mark.parametrize("bit_depth, dtype", [(8, np.uint8), (12, np.uint16), (16, np.uint16)])
def test_image_has_the_type_and_range_of_its_bit_depth(bit_depth, dtype, quiet):
    # A white level far below the soma peak saturates, so the largest value is the type's limit.
    still = simulate_still(quiet(bit_depth=bit_depth, white_at_soma_peaks=0.1), seed=1)
    assert still.image.shape == (128, 128, 3) and still.image.dtype == dtype
    assert still.instances.shape == (128, 128) and still.instances.dtype == np.uint16
    assert still.image.max() == 2**bit_depth - 1


@pytest.mark.parametrize("height, width", [(16, 16), (17, 300), (250, 33)])
def test_any_size_from_16_pixels_can_be_drawn(height, width):
    for look in ("green_on_black", "histology_brown", "phase_contrast"):
        parameters = dataclasses.replace(LOOKS[look], height_px=height, width_px=width)
        still = simulate_still(parameters, seed=2)
        assert still.image.shape == (height, width, 3)
        assert still.instances.shape == (height, width)
