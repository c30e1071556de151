"""What happens to a picture between the camera and whoever segments it: resized, denoised, sharpened, its ground
subtracted, its contrast evened out, saved as JPEG. To train on, so that none of it is taken for a soma.
"""

import cv2
import numpy as np

from somaseg.simulation.pictures.optics import compress_jpeg

JPEG_QUALITY = (70, 95)  # `somaseg.simulation.variety.draw_unseen_parameters` goes lower, to test on


def handle_picture(image, *, rng):
    """The picture after one to three things that people and programs do to it, drawn by `rng`; nothing moves.

    Args:
        image: uint8 (H, W, 3), bright somas on a dark ground or the reverse.
        rng: `numpy.random.Generator`.

    Returns:
        uint8 (H, W, 3).
    """
    chosen = rng.permutation(len(_STEPS))[: rng.integers(1, 4)]
    for index in sorted(chosen):  # as one would: the ground first, the compression last
        image = np.clip(np.rint(_STEPS[index](image.astype(np.float32), rng)), 0, 255).astype(np.uint8)
    return image


def _light_unevenly(image, rng):
    """A field of view lit from one side, or with spots: smooth gain of 0.5 to 1."""
    coarse = rng.uniform(0.5, 1.0, (int(rng.integers(2, 5)),) * 2).astype(np.float32)
    height, width = image.shape[:2]
    return image * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).clip(0.4, 1.1)[..., None]


def _stripe(image, rng):
    """Rows that differ in gain and level, as scanners and cameras with an amplifier for each row have them."""
    rows = (len(image), 1, 1)
    return image * rng.normal(1.0, rng.uniform(0.0, 0.05), rows) + rng.normal(0.0, rng.uniform(0.0, 3.0), rows)


def _resize(image, rng):
    """Reduced and brought back to its size."""
    height, width = image.shape[:2]
    share = rng.uniform(0.55, 0.9)
    small = cv2.resize(image, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA)
    way = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST)[rng.integers(3)]
    return cv2.resize(small, (width, height), interpolation=way)


def _denoise(image, rng):
    kind = rng.integers(3)
    if kind == 0:
        return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.3))
    if kind == 1:
        return cv2.medianBlur(image.astype(np.uint8), 3)
    return cv2.bilateralFilter(image, 5, rng.uniform(10, 50), 2.0)


def _subtract_ground(image, rng):
    """Light much wider than a soma taken off, as a rolling ball does; dark somas keep their bright ground."""
    if np.median(image) > 127:
        return image
    side = 2 * int(rng.integers(15, 40)) + 1
    ground = cv2.morphologyEx(cv2.GaussianBlur(image, (0, 0), 2.0), cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    return image - rng.uniform(0.5, 1.0) * cv2.GaussianBlur(ground, (0, 0), side / 4)


def _even_contrast(image, rng):
    """Contrast-limited adaptive histogram equalisation (Zuiderveld 1994) of the brightness, in part."""
    brightness = image.max(axis=2)
    tiles = (int(rng.integers(2, 7)),) * 2
    equalised = cv2.createCLAHE(rng.uniform(1.0, 2.5), tiles).apply(brightness.astype(np.uint8))
    part = rng.uniform(0.2, 0.8)
    return image * (1 - part + part * equalised / np.maximum(brightness, 1.0))[..., None]


def _sharpen(image, rng):
    return image + rng.uniform(0.3, 1.5) * (image - cv2.GaussianBlur(image, (0, 0), rng.uniform(0.8, 2.5)))


def _overexpose(image, rng):
    return image * rng.uniform(1.1, 1.8)


def _compress(image, rng):
    return compress_jpeg(image.astype(np.uint8), int(rng.integers(JPEG_QUALITY[0], JPEG_QUALITY[1] + 1)))


_STEPS = (
    _light_unevenly,
    _stripe,
    _resize,
    _denoise,
    _subtract_ground,
    _even_contrast,
    _sharpen,
    _overexpose,
    _compress,
)
