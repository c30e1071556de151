"""Labelled images brought to one scale: that at which the instances of each image have the same median diameter."""

from dataclasses import replace

import cv2
import numpy as np

from somaseg.data.datasets import median_diameter

MOST_MAGNIFIED = 4.0


def magnifications(samples, diameter_px):
    """The factor that brings each image to the scale at which its instances have this median diameter.

    Args:
        samples: `somaseg.data.datasets.Samples`.
        diameter_px: float, or None to leave images as they are.

    Returns:
        float (n,), from 1 / `MOST_MAGNIFIED` to `MOST_MAGNIFIED`; 1 for an image without instances.
    """
    if diameter_px is None:
        return np.ones(len(samples))
    factors = []
    for instances in samples.instances:
        median = median_diameter(instances) if instances.any() else diameter_px
        factors.append(np.clip(diameter_px / median, 1 / MOST_MAGNIFIED, MOST_MAGNIFIED))
    return np.array(factors)


def bring_to_diameter(samples, diameter_px):
    """The same images and instances at the scale of `magnifications`; labels are those of the nearest pixel.

    Args:
        samples: `somaseg.data.datasets.Samples` without weights.
        diameter_px: float.

    Returns:
        `Samples`, with the contrast limits of the images that it was made from.
    """
    images, instances = [], []
    for image, labels, factor in zip(samples.images, samples.instances, magnifications(samples, diameter_px)):
        size = tuple(max(1, round(side * factor)) for side in labels.shape[::-1])
        images.append(cv2.resize(image, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR))
        instances.append(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST_EXACT))
    return replace(samples, images=images, instances=instances)
