"""Target maps against answers by hand and against SciPy: touching, nested, one-pixel and border-cut instances."""

import numpy as np
import pytest
from keras import ops
from scipy import ndimage

from somaseg.data import targets

SQUARE, CROSS = np.ones((3, 3), bool), ndimage.generate_binary_structure(2, 1)


def batch(*rows):
    """(1, H, W, 1) of rows of digits, '.' for background."""
    return np.array([[0 if c == "." else int(c) for c in row] for row in rows], np.int32)[None, ..., None]


def of(function, instances):
    return np.asarray(ops.convert_to_numpy(function(instances)))[0, ..., 0]


def random_instances(seed, size=40):
    """Overlapping discs and rings: touching, nested, cut by the edge, and of one pixel."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    labels = np.zeros((size, size), np.int32)
    for label in range(1, 12):
        centre, radius = rng.uniform(-2, size + 2, 2), rng.uniform(0.5, 11)
        labels[np.hypot(y - centre[0], x - centre[1]) < radius] = label
    return labels


def test_the_mask_is_where_any_instance_is():
    np.testing.assert_array_equal(of(targets.mask, batch("1.2", "..3")), [[1, 0, 1], [0, 0, 1]])


def test_border_is_where_two_instances_touch_two_pixels_deep():
    instances = batch(*["..11112222.."] * 3)
    np.testing.assert_array_equal(of(targets.border, instances)[1], [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0])


def test_border_bridges_a_gap_of_up_to_three_pixels_of_ground_and_no_more():
    assert of(targets.border, batch("11...2222")).tolist() == [[0, 0, 0, 1, 0, 0, 0, 0, 0]]
    assert not of(targets.border, batch("11....2222")).any()


def test_an_instance_alone_has_no_border_even_at_the_edge_of_the_image():
    assert not of(targets.border, batch("111.", "111.", "....")).any()


def test_the_outline_of_a_nested_instance_is_border():
    instances = batch("1111111", "1111111", "1111111", "1112111", "1111111", "1111111", "1111111")
    expected = np.zeros((7, 7))
    expected[1:6, 1:6] = 1
    np.testing.assert_array_equal(of(targets.border, instances), expected)


def test_distance_of_two_touching_squares_by_hand():
    instances = batch(
        "........",
        ".111222.",
        ".111222.",
        ".111222.",
        "........",
    )
    expected = np.zeros((5, 8))
    expected[1:4, 1:7] = 0.5
    expected[2, 2] = expected[2, 5] = 1.0
    np.testing.assert_allclose(of(targets.distance, instances), expected)


def test_the_edge_of_the_image_is_no_outline():
    """Half a disc at the edge is deepest at the edge, as the whole disc is in its middle."""
    half = of(targets.distance, batch("11111", "11111", "11111", "....."))
    np.testing.assert_allclose(half[:, 2], [1.0, 2 / 3, 1 / 3, 0])


def test_an_instance_of_one_pixel_is_as_deep_as_any():
    expected = [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    np.testing.assert_array_equal(of(targets.distance, batch("...", ".1.", "...")), expected)


def test_a_batch_without_instances_has_empty_maps():
    empty = np.zeros((2, 16, 16, 1), np.int32)
    assert not np.asarray(targets.target_maps(empty, list(targets._MAPS))).any()


@pytest.mark.parametrize("seed", range(6))
def test_depth_is_the_number_of_erosions_by_cross_and_square_in_turn(seed):
    """SciPy erodes each instance on its own, on an image that goes on mirrored beyond its edge."""
    labels = random_instances(seed)
    expected = np.zeros(labels.shape)
    for label in np.unique(labels[labels > 0]):
        left = np.pad(labels == label, 40, mode="symmetric")
        inner, depth, turn = slice(40, -40), np.zeros(left.shape), 0
        while left.any() and turn < 80:
            depth += left
            left = ndimage.binary_erosion(left, SQUARE if turn % 2 == 0 else CROSS, border_value=1)
            turn += 1
        depth = depth[inner, inner] * (labels == label)
        expected += depth / depth.max()
    found = of(targets.distance, labels[None, ..., None])
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_offsets_point_at_the_centroid_of_what_is_seen(seed):
    labels = random_instances(seed)
    found = [of(targets.offset_y, labels[None, ..., None]), of(targets.offset_x, labels[None, ..., None])]
    y, x = np.indices(labels.shape)
    for label in np.unique(labels[labels > 0]):
        inside = labels == label
        pointed = [(at + 16 * offset)[inside] for at, offset in zip((y, x), found)]
        for axis, centre in enumerate(ndimage.center_of_mass(inside)):
            np.testing.assert_allclose(pointed[axis], centre, atol=1e-3)
    assert not found[0][labels == 0].any()


def test_images_of_a_batch_do_not_mix():
    labels = np.stack([random_instances(1), random_instances(2)])[..., None]
    names = list(targets._MAPS)
    together = np.asarray(targets.target_maps(labels, names))
    for i in range(2):
        np.testing.assert_allclose(together[i], np.asarray(targets.target_maps(labels[i : i + 1], names))[0], atol=1e-6)


def test_maps_stand_in_the_order_asked_for_and_an_unknown_one_is_refused():
    labels = random_instances(3)[None, ..., None]
    maps = np.asarray(targets.target_maps(labels, ("distance", "mask")))
    np.testing.assert_array_equal(maps[..., 1:], np.asarray(targets.mask(labels)))
    with pytest.raises(ValueError, match=r"maps must be among .*'border'.*, got \['flows'\]"):
        targets.target_maps(labels, ("mask", "flows"))


def test_maps_are_the_same_inside_a_compiled_step():
    tf = pytest.importorskip("tensorflow")
    labels = random_instances(4)[None, ..., None]
    names = tuple(targets._MAPS)
    compiled = tf.function(lambda x: targets.target_maps(x, names))(labels)
    np.testing.assert_allclose(compiled, np.asarray(targets.target_maps(labels, names)), atol=1e-6)
