"""Bring an image to the scale that a network learnt from, and its maps back to the pixels of the image."""

import cv2
import numpy as np

from somaseg.data.datasets import equivalent_diameters

TOLERANCE = 1.15
OVERSHOOT = 1.75  # chosen with the preset `nuclei` on its validation images
MOST_OVERSHOT = 2.5
LEAST_PX = 16
MOST_PX = 16e6
MOST_FACTOR = 16.0
MOST_MAGNIFIED_PX = 256e6


def within_tolerance(factor):
    """`factor`, or 1.0 where it differs from that by less than `TOLERANCE`: training varied the scale by more.

    >>> within_tolerance(1.1), within_tolerance(0.5)
    (1.0, 0.5)
    """
    return 1.0 if 1 / TOLERANCE < factor < TOLERANCE else float(factor)


def fitting_factor(diameter_px, labels, factor=1.0, overshoot=1.0):
    """The factor by which an image has to be enlarged so that its instances have a median diameter of `diameter_px`.

    A network sees what it learnt: of instances at another scale it joins the small ones and breaks the large ones, so
    that what it finds is nearer to its own diameter than what is there. So the step from the image's own scale is to
    be raised to the power `overshoot`, `OVERSHOOT`; steps beyond `MOST_OVERSHOT` are large enough as they are.

    The factor is at most 16, leaves the image at least 16 pixels to a side and makes no more than 16 megapixels of a
    smaller one, which would take hours: then it is as near as that allows.

    Args:
        diameter_px: float.
        labels: (H, W), the label image of the image, in its own pixels.
        factor: float, by which the image was enlarged when they were found.
        overshoot: float >= 1.

    Returns:
        float: `factor` where the instances fit already, 1.0 where that is within the tolerance; None where there is no
        instance.

    >>> fitting_factor(36.0, np.ones((48, 48), int)).__round__(2)
    0.66
    >>> fitting_factor(36.0, np.ones((48, 48), int), overshoot=2.0).__round__(2)
    0.44
    """
    found = equivalent_diameters(labels)
    if len(found) == 0:
        return None
    step = diameter_px / (factor * float(np.median(found)))
    if within_tolerance(step) == 1.0:
        return factor
    size = max(step, 1 / step)
    size = max(size, min(size**overshoot, MOST_OVERSHOT))
    most = min(MOST_FACTOR, max(1.0, (MOST_PX / labels.size) ** 0.5))
    least = LEAST_PX / min(labels.shape)
    return within_tolerance(min(max(factor * (size if step > 1 else 1 / size), least), most))


def resampled(image, factor):
    """uint8 (H, W, 3) with its sides multiplied by `factor`; reduced by area, enlarged bilinearly.

    Any image may be doubled. Beyond that the result is held to 256 megapixels, and the factor to 16: a soma that is to
    be enlarged further has a pixel or two, so the factor is a mistake, such as a pixel size in nm.

    Raises:
        ValueError: the result would be smaller than 16 pixels, or larger than said above.
    """
    if factor == 1.0:
        return image
    height, width = (max(1.0, side * factor) for side in image.shape[:2])
    told = (
        f"An image of {image.shape[0]} x {image.shape[1]} pixels would be {height:.0f} x {width:.0f} at the scale of "
        "this preset, which is too"
    )
    if min(height, width) < LEAST_PX - 0.5:
        raise ValueError(f"{told} small. Check the pixel size or the diameter.")
    if factor > MOST_FACTOR or (factor > 2 and height * width > MOST_MAGNIFIED_PX):
        raise ValueError(f"{told} large. Check the pixel size (in um, not nm) or the diameter (in pixels).")
    size = round(width), round(height)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)


def resampled_maps(maps, shape):
    """The maps of `somaseg.models.heads.read_maps` brought to `shape` (H, W), offsets in its pixels."""
    resized = {}
    for name, values in maps.items():
        if values.shape == tuple(shape):
            resized[name] = values
            continue
        resized[name] = cv2.resize(values.astype(np.float32), shape[::-1], interpolation=cv2.INTER_LINEAR)
        if name.startswith("offset"):
            resized[name] *= shape[0] / values.shape[0] if name == "offset_y" else shape[1] / values.shape[1]
    return resized


def check_scale(name, value):
    """`value`, if it is None or a positive finite number.

    Raises:
        ValueError: any other.
    """
    if value is not None and not (np.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be positive, got {value!r}.")
    return value
