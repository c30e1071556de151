"""label_components and Segmentation.objects, on images that can be checked by eye."""

import numpy as np
import pytest

from somaseg.segmentation import Segmentation, label_components


def probability(rows):
    return np.array([[0.9 if x == "#" else 0.1 for x in row] for row in rows])


def segmentation(labels, probability=None):
    labels = np.asarray(labels, np.uint16)
    if probability is None:
        probability = (labels > 0).astype(np.float32)
    return Segmentation(labels, np.asarray(probability, np.float32), 0.0, 0.0)


def test_pixels_that_touch_at_a_corner_are_one_object():
    labels = label_components(probability(["#..", ".#.", "..#"]))
    assert labels.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_objects_are_numbered_from_the_top_down():
    labels = label_components(probability(["##..#", "##...", ".....", ".....", "...##"]))
    expected = [[1, 1, 0, 0, 2], [1, 1, 0, 0, 0], [0] * 5, [0] * 5, [0, 0, 0, 3, 3]]
    assert labels.tolist() == expected
    assert labels.dtype == np.uint16


def test_numbers_go_by_the_first_pixel_wherever_it_lies():
    labels = label_components(probability([".....", ".#...", ".....", "#...#", "#....", "..#.."]))
    blobs = np.random.default_rng(0).random((60, 70)) < 0.2
    first = np.unique(label_components(blobs.astype(float)), return_index=True)[1][1:]
    assert labels[[1, 3, 3, 5], [1, 0, 4, 2]].tolist() == [1, 2, 3, 4]
    assert (np.diff(first) > 0).all()


def test_smaller_objects_are_dropped_and_the_others_numbered_without_a_gap():
    rows = ["#.##.", "..#..", "....#", ".....", "##..."]
    expected = [[0, 0, 1, 1, 0], [0, 0, 1, 0, 0], [0] * 5, [0] * 5, [0] * 5]
    assert label_components(probability(rows), minimum_area_px=3).tolist() == expected
    assert label_components(probability(rows), minimum_area_px=2).max() == 2
    assert label_components(probability(rows), minimum_area_px=0).max() == 4


@pytest.mark.parametrize("turns", range(4))
def test_of_what_the_edge_cuts_a_share_is_enough(turns):
    rows = ["##...#.", "#......", "...##..", "...#...", ".......", "......."]
    turned = np.rot90(probability(rows), turns)
    found = np.rot90(label_components(turned, minimum_area_px=6, edge_area_share=0.5), -turns)
    assert (found > 0).tolist() == [[True] * 2 + [False] * 5, [True] + [False] * 6, *[[False] * 7] * 4]
    assert label_components(turned, minimum_area_px=6).max() == 0
    assert label_components(turned, minimum_area_px=3, edge_area_share=0.0).max() == 3


def test_a_pixel_at_the_threshold_is_background():
    assert label_components(np.array([[0.25, 0.5, 0.75]]), threshold=0.5).tolist() == [[0, 0, 1]]


@pytest.mark.parametrize("value, expected", [(0.0, 0), (1.0, 1)])
def test_empty_and_full_images(value, expected):
    assert label_components(np.full((4, 5), value)).tolist() == [[expected] * 5] * 4


@pytest.mark.parametrize("count, dtype", [(65_535, np.uint16), (65_536, np.uint32)])
def test_more_than_65535_objects_need_32_bits(count, dtype):
    dots = np.zeros((512, 514))
    places = np.flatnonzero(np.add.outer(np.arange(512) % 2, np.arange(514) % 2) == 0)[:count]
    dots.ravel()[places] = 1
    labels = label_components(dots)
    assert labels.dtype == dtype
    assert labels.max() == count
    assert np.array_equal(np.unique(labels), np.arange(count + 1))


def test_objects_have_the_areas_centroids_and_intensities_of_their_pixels():
    found = segmentation([[1, 1, 0], [1, 1, 0], [0, 0, 2]], [[0.6, 0.8, 0.1], [0.6, 0.8, 0], [0, 0, 0.9]])
    image = np.array([[10, 20, 0], [30, 40, 0], [0, 0, 65_535]], np.uint16)
    table = found.objects(image)
    assert len(found) == 2
    assert list(table.columns) == ["label", "y_px", "x_px", "area_px", "mean_intensity", "probability"]
    assert table.label.tolist() == [1, 2]
    assert table.y_px.tolist() == [0.5, 2.0]
    assert table.x_px.tolist() == [0.5, 2.0]
    assert table.area_px.tolist() == [4, 1]
    assert table.mean_intensity.tolist() == [25.0, 65_535.0]
    assert table.probability.tolist() == [0.7, 0.9]


def test_the_intensity_of_a_colour_image_is_the_mean_of_its_channels_without_opacity():
    found = segmentation([[1, 0]])
    rgba = np.array([[[30, 60, 90, 255], [0, 0, 0, 255]]], np.uint8)
    for image in (rgba, rgba[..., :3]):
        assert found.objects(image).mean_intensity.tolist() == [60.0]


def test_no_object_gives_an_empty_table_with_all_columns():
    table = segmentation(np.zeros((3, 3))).objects(np.zeros((3, 3)))
    assert len(table) == 0
    assert "mean_intensity" in table


def test_objects_of_a_32_bit_label_image():
    labels = np.array([[0, 1, 2]], np.uint32)
    table = Segmentation(labels, labels.astype(np.float32), 0.0, 0.0).objects(labels)
    assert table.x_px.tolist() == [1.0, 2.0]
