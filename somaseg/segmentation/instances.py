"""Instances of one image: connected components of a mask, numbering, and the table of what was found."""

from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd

_ROWS = 1024  # counted at a time


def label_components(probability, *, threshold=0.5, minimum_area_px=0, edge_area_share=1.0):
    """Label image of the 8-connected regions where `probability > threshold`.

    Args:
        probability: float (H, W).
        threshold: float.
        minimum_area_px: int, regions of fewer pixels are dropped.
        edge_area_share: float, see `number_instances`.

    Returns:
        (H, W), 0 background and 1..n in the order of their first pixel; uint16, or uint32 beyond 65,535 regions.

    >>> import numpy as np
    >>> label_components(np.array([[0.9, 0.1, 0.1], [0.1, 0.9, 0.1], [0.1, 0.1, 0.1], [0.1, 0.1, 0.9]])).tolist()
    [[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 2]]
    """
    mask = (np.asarray(probability) > threshold).astype(np.uint8)
    labels = cv2.connectedComponents(mask, connectivity=8, ltype=cv2.CV_32S)[1]
    return number_instances(labels, minimum_area_px=minimum_area_px, edge_area_share=edge_area_share)


def number_instances(labels, *, minimum_area_px=0, edge_area_share=1.0):
    """A label image with its instances numbered 1..n in the order of their first pixel, the small ones dropped.

    Args:
        labels: integer (H, W), 0 background.
        minimum_area_px: int, instances of fewer pixels become background.
        edge_area_share: float in 0..1, of one that the image's edge cuts this share of the least area is enough.

    Returns:
        (H, W); uint16, or uint32 beyond 65,535 instances.

    >>> number_instances(np.array([[7, 7, 0, 3], [7, 0, 5, 3]]), minimum_area_px=2).tolist()
    [[1, 1, 0, 2], [1, 0, 0, 2]]
    """
    labels = np.asarray(labels)
    most = int(labels.max(initial=0)) + 1
    # bincount copies to 64 bits: band by band, so that it need not copy a large image
    bands = (labels[top : top + _ROWS].ravel() for top in range(0, len(labels), _ROWS))
    area = sum((np.bincount(band, minlength=most) for band in bands), np.zeros(most, np.int64))
    flat = labels.ravel()
    begins = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))[::-1]
    first = np.zeros(most, np.int64)
    first[flat[begins]] = begins  # from the last to the first: the first stays
    least = np.full(most, float(minimum_area_px))
    for edge in (labels[:1], labels[-1:], labels[:, :1], labels[:, -1:]):
        least[edge] = edge_area_share * minimum_area_px
    kept = area >= np.maximum(least, 1)
    kept[0] = False
    order = np.argsort(first, kind="stable")
    order = order[kept[order]]
    new = np.zeros(most, np.uint16 if len(order) <= 65_535 else np.uint32)
    new[order] = np.arange(1, len(order) + 1)
    return new[labels]


@dataclass(frozen=True)
class Segmentation:
    """What was found in one image.

    Attributes:
        labels: (H, W) uint16 (uint32 beyond 65,535), 0 background, 1..n the somas.
        probability: float32 (H, W), that a pixel is soma.
        network_seconds, seconds: time in the network, and in all.
        magnification: by how much the image was enlarged for the network, see `somaseg.segmentation.scale`.
    """

    labels: np.ndarray
    probability: np.ndarray
    network_seconds: float
    seconds: float
    magnification: float = 1.0

    def __len__(self):
        return int(self.labels.max(initial=0))

    def objects(self, image):
        """One row per soma: label, y_px, x_px (centroid), area_px, mean_intensity, probability.

        Args:
            image: (H, W) or (H, W, C), the image as it was read; `mean_intensity` is the mean over the soma's pixels
                of its raw values, over the channels of a colour image too (a fourth, opacity, is left out).

        Returns:
            `pandas.DataFrame`; `probability` is the mean over the soma's pixels.
        """
        count, image = len(self), np.asarray(image)
        sums = np.zeros((5, count + 1))
        for top in range(0, len(image), _ROWS):  # bincount copies to 64 bits: of a large image every copy counts
            band = slice(top, top + _ROWS)
            labels, intensity = self.labels[band], image[band]
            if intensity.ndim == 3:
                intensity = intensity[..., :3].mean(axis=-1, dtype=np.float64)
            rows, columns = np.indices(labels.shape, dtype=np.float32)
            for total, values in zip(sums, (None, rows + top, columns, intensity, self.probability[band])):
                weights = None if values is None else values.ravel()
                total += np.bincount(labels.ravel(), weights=weights, minlength=count + 1)
        area = sums[0, 1:].astype(np.int64)
        y, x, intensity, probability = sums[1:, 1:] / area
        return pd.DataFrame(
            {
                "label": np.arange(1, count + 1),
                "y_px": y.round(3),
                "x_px": x.round(3),
                "area_px": area,
                "mean_intensity": intensity.round(4),
                "probability": probability.round(4),
            }
        )
