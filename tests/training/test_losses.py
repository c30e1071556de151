"""losses: what an error of so many pixels costs in instances of different sizes, by hand."""

import numpy as np
import pytest

from somaseg.data.targets import radius_px
from somaseg.models.heads import OFFSET_UNIT_PX
from somaseg.training.losses import LEAST_RADIUS_PX, offset_loss


def row(*values):
    return np.array(values, np.float32).reshape(1, 1, -1, 1)


def test_an_error_of_one_radius_costs_one_whatever_the_radius():
    for radius in (4.0, 40.0):
        error = row(radius, -radius, 0, 0) / OFFSET_UNIT_PX
        assert float(offset_loss(row(radius, radius, 0, 0), 0 * error, error)) == pytest.approx(1.0)


def test_an_instance_counts_by_its_radius_and_not_by_its_area():
    # a disc of radius 4 that is off by its radius beside one of radius 8 that is right: 50 px and 201 px
    radius = row(*[4.0] * 50, *[8.0] * 201)
    error = row(*[4.0 / OFFSET_UNIT_PX] * 50, *[0.0] * 201)
    assert float(offset_loss(radius, 0 * error, error)) == pytest.approx((50 / 4) / (50 / 4 + 201 / 8))


def test_the_ground_costs_nothing_and_nothing_but_ground_is_no_error():
    assert float(offset_loss(row(0, 5), row(0, 0), row(9, 0))) == 0.0
    assert float(offset_loss(row(0, 0), row(0, 0), row(9, 9))) == 0.0


def test_a_speck_costs_no_more_than_an_instance_of_the_least_radius():
    speck = float(offset_loss(row(0.5), row(0), row(1 / OFFSET_UNIT_PX)))
    assert speck == pytest.approx(1 / LEAST_RADIUS_PX)


def test_radius_is_that_of_the_disc_of_equal_area():
    instances = np.zeros((2, 6, 6, 1), np.int32)
    instances[0, :2, :3], instances[0, 4:, 4:], instances[1, 2:5, 2:5] = 1, 2, 1
    radius = np.asarray(radius_px(instances))
    assert radius.shape == instances.shape
    assert radius[0, 0, 0, 0] == pytest.approx(np.sqrt(6 / np.pi))
    assert radius[0, 5, 5, 0] == pytest.approx(np.sqrt(4 / np.pi))
    assert radius[1, 3, 3, 0] == pytest.approx(np.sqrt(9 / np.pi))
    assert (radius[instances == 0] == 0).all()
