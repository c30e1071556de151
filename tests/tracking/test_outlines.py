"""Outlines along the edges of pixels: nothing inside is lost, nothing outside is added."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from somaseg.tracking.outlines import outline_polygons, polygon_area


def inside(polygon, shape):
    """Pixels whose centre lies inside the polygon, by the even-odd rule."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    found = np.zeros(shape, bool)
    for (y0, x0), (y1, x1) in zip(polygon, np.roll(polygon, -1, axis=0)):
        if y0 != y1:
            found ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return found


def test_one_pixel_has_four_corners():
    labels = np.zeros((5, 6), np.uint16)
    labels[4, 5] = 9  # in the corner of the image
    [(label, polygon)] = outline_polygons(labels)
    assert label == 9
    assert sorted(polygon.tolist()) == [[4, 5], [4, 6], [5, 5], [5, 6]]


def test_no_soma_no_outline():
    assert outline_polygons(np.zeros((4, 4), np.uint16)) == []


def test_labels_that_touch_keep_their_own_outlines_by_increasing_label():
    labels = np.array([[8, 8, 2], [8, 2, 2]])
    found = dict(outline_polygons(labels))
    assert list(found) == [2, 8]
    for label, polygon in found.items():
        np.testing.assert_array_equal(inside(polygon, labels.shape), labels == label)


def test_huge_labels_give_the_same_outlines():
    labels = np.array([[1, 1, 0], [0, 0, 2]])
    small, huge = outline_polygons(labels), outline_polygons(labels.astype(np.uint32) * 3_000_000)
    assert [label for label, _ in huge] == [3_000_000, 6_000_000]
    for (_, one), (_, other) in zip(small, huge):
        np.testing.assert_array_equal(one, other)


def test_of_several_pieces_the_largest_is_outlined_and_holes_are_filled():
    labels = np.zeros((7, 12), np.uint8)
    labels[1:6, 1:6] = 1
    labels[3, 3] = 0
    labels[2, 9:11] = 1
    [(_, polygon)] = outline_polygons(labels)
    assert polygon_area(polygon) == 25
    assert polygon.max(axis=0).tolist() == [6, 6]


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_any_shape_is_outlined_exactly(mask):
    pieces, _ = ndimage.label(mask, np.ones((3, 3)))
    for label, polygon in outline_polygons(pieces):
        filled = ndimage.binary_fill_holes(pieces == label)
        np.testing.assert_array_equal(inside(polygon, mask.shape), filled)
        assert polygon_area(polygon) == pytest.approx(filled.sum())
