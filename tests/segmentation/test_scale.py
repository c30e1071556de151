"""Scale: an image of other pixels gives the outlines that it would have given, in its own pixels."""

import numpy as np
import pytest

from somaseg.data.datasets import equivalent_diameters
from somaseg.segmentation import Segmenter
from somaseg.segmentation.scale import (
    MOST_PX,
    OVERSHOOT,
    fitting_factor,
    resampled,
    resampled_maps,
    within_tolerance,
)


def squares(side, pitch, count=3):
    """A dark image with count x count bright squares."""
    image = np.full((pitch * count, pitch * count), 10, np.uint8)
    for i in range(count):
        for j in range(count):
            y, x = pitch * i + pitch // 3, pitch * j + pitch // 3
            image[y : y + side, x : x + side] = 200
    return image


@pytest.fixture(scope="module")
def segmenter(bright_network):
    return Segmenter(bright_network, minimum_area_px=60, um_per_px=0.65, diameter_px=11.3)


def test_a_small_difference_of_scale_is_left_to_the_network():
    assert within_tolerance(1.14) == within_tolerance(0.88) == 1.0
    assert within_tolerance(1.16) == 1.16


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_resampling_multiplies_the_sides(factor):
    image = np.zeros((40, 60, 3), np.uint8)
    assert resampled(image, factor).shape == (40 * factor, 60 * factor, 3)


def test_an_image_that_would_vanish_is_refused():
    with pytest.raises(ValueError, match="An image of 40 x 60 pixels would be 4 x 6 at the scale of this preset"):
        resampled(np.zeros((40, 60, 3), np.uint8), 0.1)


@pytest.mark.parametrize("factor", [1000.0, 16.1, np.inf])
def test_an_image_that_would_burst_is_refused(factor):
    with pytest.raises(ValueError, match=r"would be (\d+|inf) x (\d+|inf) at .*too large. Check the pixel size .in um"):
        resampled(np.zeros((40, 60, 3), np.uint8), factor)


def test_a_large_image_is_enlarged_to_256_megapixels_or_doubled():
    large = np.broadcast_to(np.uint8(0), (9000, 9000, 3))
    assert resampled(large, 1.0) is large
    with pytest.raises(ValueError, match="would be 27000 x 27000 .* too large"):
        resampled(large, 3.0)
    assert resampled(np.zeros((40, 60, 3), np.uint8), 16.0).shape == (640, 960, 3)


def test_a_pixel_size_in_nm_is_one_line(segmenter):
    for scale in ({"um_per_px": 650}, {"diameter_px": 0.01}):
        with pytest.raises(ValueError, match="too large. Check the pixel size .in um, not nm. or the diameter"):
            segmenter(squares(8, 20), **scale)


def test_offsets_are_brought_to_the_pixels_of_the_image():
    maps = {
        "mask": np.full((10, 20), 0.5, np.float32),
        "offset_y": np.full((10, 20), 3, np.float16),
        "offset_x": np.full((10, 20), -4, np.float16),
    }
    large = resampled_maps(maps, (20, 80))
    assert {m.shape for m in large.values()} == {(20, 80)}
    assert [float(m[7, 7]) for m in large.values()] == [0.5, 6.0, -16.0]


@pytest.mark.parametrize("scale", [{"um_per_px": 0.325}, {"diameter_px": 22.6}])
def test_an_image_of_half_the_pixel_size_is_segmented_at_the_known_scale(segmenter, scale):
    fine = squares(side=20, pitch=60)
    found = segmenter(fine, **scale)
    assert found.labels.shape == fine.shape
    assert len(found) == 9
    np.testing.assert_allclose(np.bincount(found.labels.ravel())[1:], 400, rtol=0.1)
    assert (found.labels[fine > 100] > 0).mean() > 0.95


def test_the_smallest_area_is_meant_at_the_scale_of_the_network(segmenter):
    small = squares(side=12, pitch=60)  # 36 pixels at the network's scale, 144 in the image
    assert len(segmenter(small)) == 9
    assert len(segmenter(small, um_per_px=0.325)) == 0


def test_nothing_is_resampled_where_the_scale_is_not_known(bright_network):
    segmenter = Segmenter(bright_network)
    assert segmenter.magnification(um_per_px=0.1) == 1.0
    with pytest.raises(ValueError, match="This preset does not tell the diameter it was trained at"):
        segmenter(squares(8, 20), diameter_px=8.0)


@pytest.mark.parametrize("scale", [{"um_per_px": 0.0}, {"diameter_px": -1.0}, {"um_per_px": float("nan")}])
def test_a_scale_that_is_none_is_refused(segmenter, scale):
    with pytest.raises(ValueError, match=f"{list(scale)[0]} must be positive, got"):
        segmenter(squares(8, 20), **scale)


def test_the_diameter_of_an_image_is_estimated_from_what_is_found(segmenter):
    assert segmenter.estimate_diameter(squares(side=20, pitch=60)) == pytest.approx(22.6, rel=0.1)
    assert segmenter.estimate_diameter(np.full((64, 64), 7, np.uint8)) is None


def test_an_image_whose_scale_is_not_told_is_brought_to_that_of_the_network(bright_network):
    segmenter = Segmenter(bright_network, minimum_area_px=60, diameter_px=11.3, estimates_diameter=True)
    image = squares(side=20, pitch=60)
    found = segmenter(image)
    assert found.magnification == pytest.approx(0.5, rel=0.1)
    np.testing.assert_array_equal(found.labels, segmenter(image, diameter_px=11.3 / found.magnification).labels)
    assert segmenter(image, diameter_px=11.3).magnification == 1.0  # it was told
    assert segmenter(squares(side=10, pitch=30)).magnification == 1.0  # it fits as it is
    assert segmenter(np.full((64, 64), 7, np.uint8)).magnification == 1.0  # nothing to go by


def test_the_first_step_alone_goes_further(bright_network, monkeypatch):
    segmenter = Segmenter(bright_network, minimum_area_px=60, diameter_px=15.0, estimates_diameter=True)
    factors, segment = [], segmenter._segment
    monkeypatch.setattr(
        segmenter, "_segment", lambda ready, factor, *rest: factors.append(factor) or segment(ready, factor, *rest)
    )
    segmenter(squares(side=20, pitch=60))  # 22.6 across
    assert factors == pytest.approx([1.0, (15 / 22.6) ** OVERSHOOT, 15 / 22.6], rel=0.1)


def test_an_estimate_makes_no_image_of_a_speck_or_of_a_hall():
    speck = np.zeros((3000, 3000), int)
    speck[:2, :2] = 1
    assert fitting_factor(24.0, speck) == pytest.approx((MOST_PX / speck.size) ** 0.5)
    pixel = np.eye(32, dtype=int) * (np.arange(32) == 0)
    assert fitting_factor(24.0, pixel) == 16
    assert fitting_factor(1.0, np.ones((32, 40), int)) == 0.5  # 16 pixels are left
    assert fitting_factor(24.0, np.zeros((32, 40), int)) is None


@pytest.mark.parametrize(
    "side, overshoot, factor",
    [
        (10, 1.0, 2.0),  # of a disc of the area of 10 x 10: 22.57 / 11.28
        (10, 1.2, 2.0**1.2),
        (10, 2.0, 2.5),  # 4, held to the most
        (40, 2.0, 1 / 2.5),
        (5, 2.0, 4.0),  # a step beyond the most is taken as it is
        (19, 2.0, 1.0),  # it fits
    ],
)
def test_the_first_step_to_another_scale_goes_further_than_what_was_found_says(side, overshoot, factor):
    labels = np.zeros((100, 100), int)
    labels[10 : 10 + side, 20 : 20 + side] = 1
    assert fitting_factor(22.57, labels, overshoot=overshoot) == pytest.approx(factor, rel=0.01)


def test_a_step_starts_from_the_scale_at_which_was_looked():
    labels = np.zeros((100, 100), int)
    labels[:10, :10] = 1  # 11.28 across in the image, 22.57 where it was enlarged twice
    assert fitting_factor(22.57, labels, 2.0, 2.0) == 2.0
    assert fitting_factor(45.1, labels, 2.0) == pytest.approx(4.0, rel=0.01)
    assert fitting_factor(12.0, labels, 2.0) == 1.0  # 1.06, which is within the tolerance


def test_estimating_needs_the_diameter_that_was_learnt_from(bright_network):
    with pytest.raises(ValueError, match="estimates_diameter needs diameter_px"):
        Segmenter(bright_network, estimates_diameter=True)
    with pytest.raises(ValueError, match="does not tell the diameter it was trained at"):
        Segmenter(bright_network).estimate_diameter(squares(8, 20))


def test_equivalent_diameters_are_those_of_discs_of_the_same_area():
    y, x = np.mgrid[:60, :60]
    disc = (np.hypot(y - 30, x - 30) < 20).astype(int)
    assert equivalent_diameters(disc)[0] == pytest.approx(40, rel=0.01)
    assert len(equivalent_diameters(disc * 0)) == 0
