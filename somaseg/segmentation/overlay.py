"""The picture that people look at: the image with the outline of each soma."""

import cv2
import numpy as np

from somaseg.data.intensity import as_rgb, contrast_limits, stretch

SHORT_SIDE_PX = 512
MOST_ENLARGED = 4


def draw_overlay(image, labels):
    """Outlines of label image (H, W), a colour for each, over the contrast-stretched image (H, W[, C]).

    A small image is enlarged by a whole factor, at most 4, towards 512 pixels on its shorter side.

    Returns:
        uint8 (factor * H, factor * W, 3), RGB.
    """
    rgb = as_rgb(image)
    picture = stretch(rgb, contrast_limits(rgb))
    factor = min(MOST_ENLARGED, -(-SHORT_SIDE_PX // min(labels.shape)))
    picture, large = (
        values.repeat(factor, 0).repeat(factor, 1) if factor > 1 else values for values in (picture, labels)
    )
    edge = np.ones(large.shape, bool)  # what the border cuts off is closed along it
    edge[1:-1, 1:-1] = False
    below, beside = large[1:] != large[:-1], large[:, 1:] != large[:, :-1]
    edge[1:] |= below
    edge[:-1] |= below
    edge[:, 1:] |= beside
    edge[:, :-1] |= beside
    edge &= large > 0
    picture[edge] = _colours(int(labels.max(initial=0)))[large[edge]]
    return picture


def png_bytes(picture):
    """A picture, uint8 (H, W, 3) RGB, as the content of a PNG file."""
    coded, content = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not coded:
        raise ValueError(f"a picture of shape {picture.shape} could not be coded as PNG")
    return content.tobytes()


def _colours(count):
    """count + 1 clearly visible colours, uint8 (count + 1, 3); neighbours in number differ most (golden angle)."""
    hue = (np.arange(count + 1) * 0.618034 * 180) % 180
    hsv = np.stack([hue, np.full(count + 1, 170), np.full(count + 1, 255)], axis=-1)
    return cv2.cvtColor(hsv.astype(np.uint8)[None], cv2.COLOR_HSV2RGB)[0]
