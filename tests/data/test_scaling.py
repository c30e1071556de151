"""scaling: images of several magnifications come to one, and what belongs to an image stays with it."""

import numpy as np
import pytest

from somaseg.data.datasets import Samples, median_diameter
from somaseg.data.scaling import MOST_MAGNIFIED, bring_to_diameter, magnifications


def disc(radius, side=160):
    y, x = np.mgrid[:side, :side] - side // 2
    return (y**2 + x**2 <= radius**2).astype(np.uint16)


@pytest.fixture
def samples():
    pairs = [(f"{radius}", 60 + 100 * disc(radius), 3 * disc(radius)) for radius in (8, 16, 32)]
    return Samples.from_arrays([*pairs, ("none", disc(8), np.zeros((160, 160), int))])


def test_somas_of_every_image_come_to_one_diameter(samples):
    scaled = bring_to_diameter(samples, 32.0)
    for labels, factor in zip(scaled.instances[:3], (2.0, 1.0, 0.5)):
        assert median_diameter(labels) == pytest.approx(32.0, rel=0.05)
        assert labels.shape == pytest.approx((160 * factor, 160 * factor), rel=0.05)
        assert set(np.unique(labels)) == {0, 3}
    assert scaled.ids == samples.ids
    np.testing.assert_array_equal(scaled.limits, samples.limits)


def test_image_and_instances_stay_upon_one_another(samples):
    scaled = bring_to_diameter(samples, 22.0)
    for image, labels in zip(scaled.images[:3], scaled.instances):
        assert image.shape == (*labels.shape, 3)
        assert (image[..., 0] > 110)[labels > 0].mean() > 0.9 and (image[..., 0] < 110)[labels == 0].mean() > 0.97


def test_an_image_without_somas_stays_as_it_is(samples):
    scaled = bring_to_diameter(samples, 30.0)
    np.testing.assert_array_equal(scaled.images[3], samples.images[3])


def test_a_factor_has_its_limits_and_none_is_no_scale(samples):
    assert magnifications(samples, 1000.0)[:3].tolist() == [MOST_MAGNIFIED] * 3
    assert magnifications(samples, 0.1)[:3].tolist() == [1 / MOST_MAGNIFIED] * 3
    assert magnifications(samples, None).tolist() == [1.0] * 4
