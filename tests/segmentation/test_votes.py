"""label_by_votes and decode: exact maps give back the instances they were made from, touching or not."""

import numpy as np
import pytest
from scipy import ndimage

from somaseg.segmentation.decoding import decode
from somaseg.segmentation.instances import number_instances
from somaseg.segmentation.votes import label_by_votes

SETTINGS = {"threshold": 0.5, "minimum_area_px": 0, "vote_spread_px": 2.0}


def exact_maps(labels, noise=0.0):
    """What a network without error would say of a label image, its offsets off by `noise` pixels."""
    maps = {"mask": np.where(labels > 0, 0.9, 0.1).astype(np.float32)}
    rng, ids = np.random.default_rng(0), np.unique(labels[labels > 0])
    centroids = np.array(ndimage.center_of_mass(labels > 0, labels, ids)).reshape(-1, 2)
    for axis, name in enumerate(("offset_y", "offset_x")):
        centre = np.zeros(labels.max(initial=0) + 1)
        centre[ids] = centroids[:, axis]
        offset = centre[labels] - np.indices(labels.shape)[axis] + rng.normal(0, noise, labels.shape)
        maps[name] = np.where(labels > 0, offset, 30.0).astype(np.float16)
    return maps


def touching_discs(pitch=16, radius=9, count=5):
    """Overlapping discs on a grid, each pixel with the nearest centre: all touch, none is a component of its own."""
    size = pitch * (count + 1)
    y, x = np.mgrid[:size, :size]
    centres = np.array([(pitch * (i + 1), pitch * (j + 1)) for i in range(count) for j in range(count)])
    distance = np.hypot(y[None] - centres[:, 0, None, None], x[None] - centres[:, 1, None, None])
    return np.where(distance.min(0) < radius, distance.argmin(0) + 1, 0)


@pytest.mark.parametrize("noise", [0.0, 1.5])
def test_touching_instances_come_apart(noise):
    labels = touching_discs()
    assert ndimage.label(labels)[1] == 1
    found = decode(exact_maps(labels, noise), **SETTINGS)
    np.testing.assert_array_equal(found, number_instances(labels))
    assert found.max() == 25
    assert found.dtype == np.uint16


def test_without_offsets_what_touches_is_one_instance():
    labels = touching_discs()
    assert decode({"mask": exact_maps(labels)["mask"]}, **SETTINGS).max() == 1


def test_an_image_without_instances_and_one_full_of_one():
    empty = np.zeros((20, 30), int)
    assert not decode(exact_maps(empty), **SETTINGS).any()
    assert (decode(exact_maps(empty + 1), **SETTINGS) == 1).all()


def test_a_few_stray_votes_make_no_instance():
    maps = exact_maps(touching_discs(count=1))
    strays = (slice(2, 4), slice(2, 4))
    maps["mask"][strays], maps["offset_y"][strays], maps["offset_x"][strays] = 0.9, 0, 0
    votes = {"spread_px": 2.0, "threshold": 0.5}
    assert label_by_votes(*maps.values(), minimum_votes=8.0, **votes)[strays].max() == 1  # to the one that is there
    assert label_by_votes(*maps.values(), minimum_votes=2.0, **votes).max() == 2


def test_instances_smaller_than_asked_are_dropped():
    labels = np.zeros((40, 40), int)
    labels[4:14, 4:14], labels[25:30, 25:30] = 1, 2
    assert decode(exact_maps(labels), **{**SETTINGS, "minimum_area_px": 26}).max() == 1
    assert decode(exact_maps(labels), **{**SETTINGS, "minimum_area_px": 25}).max() == 2


def test_votes_that_leave_the_image_count_at_its_edge():
    labels = np.zeros((30, 30), int)
    labels[0:8, 10:20] = 1
    maps = exact_maps(labels)
    maps["offset_y"] -= 12  # the centre of the whole instance lies outside
    np.testing.assert_array_equal(decode(maps, **SETTINGS), labels)


def test_bands_of_rows_change_nothing(monkeypatch):
    maps = exact_maps(touching_discs(), noise=1.0)
    whole = decode(maps, **SETTINGS)
    monkeypatch.setattr("somaseg.segmentation.votes._ROWS", 7)
    np.testing.assert_array_equal(decode(maps, **SETTINGS), whole)


def test_instances_are_numbered_by_their_first_pixel():
    labels = np.array([[0, 9, 0, 4], [2, 9, 0, 4], [2, 0, 0, 0]])
    assert number_instances(labels).tolist() == [[0, 1, 0, 2], [3, 1, 0, 2], [3, 0, 0, 0]]
    assert number_instances(np.zeros((3, 3), int)).tolist() == [[0] * 3] * 3


@pytest.mark.parametrize("count, dtype", [(65_535, np.uint16), (65_536, np.uint32)])
def test_more_than_65535_instances_need_32_bits(count, dtype):
    labels = np.zeros(66_000, np.int64)
    labels[:count] = np.arange(count, 0, -1)
    found = number_instances(labels.reshape(66, 1000))
    assert found.dtype == dtype
    np.testing.assert_array_equal(found.ravel()[:count], np.arange(1, count + 1))
