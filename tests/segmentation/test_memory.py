"""What a large image takes: so many bytes per pixel that one of 10,000 x 10,000 stays below 3 GB."""

import tracemalloc

import cv2
import numpy as np
import pytest

from somaseg.segmentation import Segmenter
from somaseg.segmentation.overlay import draw_overlay, png_bytes

SIDE = 3072
MOST_BYTES_PER_PIXEL = 24  # of which 4 are bands of 1,024 rows, a third of this image and a tenth of a large one


def by_brightness(batch):
    mask = batch[0, :, :, 0] / 255
    _, labels, _, centres = cv2.connectedComponentsWithStats((mask > 0.5).astype(np.uint8))
    y, x = np.indices(mask.shape, np.float32)
    maps = {"mask": mask, "offset_y": centres[labels, 1] - y, "offset_x": centres[labels, 0] - x}
    return {name: values[None, :, :, None].astype(np.float32) for name, values in maps.items()}


@pytest.fixture(scope="module")
def image():
    image = np.random.default_rng(0).integers(0, 30, (SIDE, SIDE), np.uint8)
    for y in range(20, SIDE - 20, 100):
        for x in range(20, SIDE - 20, 100):
            image[y : y + 9, x : x + 9] = 250
    return image


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_bytes_per_pixel_of_a_large_image(image, dtype):
    image = image.astype(dtype)
    segmenter = Segmenter(predict=by_brightness, depth=3, minimum_area_px=1, vote_spread_px=1.0)
    tracemalloc.start()
    try:
        found = segmenter(image)
        objects = found.objects(image)
        png_bytes(draw_overlay(image, found.labels))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(objects) == len(range(20, SIDE - 20, 100)) ** 2
    assert most / image.size < MOST_BYTES_PER_PIXEL
