"""From a mask and offsets to instances: every pixel votes for the centroid of its instance, and the votes are counted.

Pixels that vote for the same place are one instance, whether or not they touch those of another. No region is grown
and no seed is chosen by hand: a few passes over the image, whatever the number of instances.
"""

import cv2
import numpy as np

_ROWS = 1024  # votes are counted for this many rows of pixels at a time


def label_by_votes(mask, offset_y, offset_x, *, threshold=0.5, spread_px=3.0, minimum_votes=8.0):
    """Label image of the pixels where `mask > threshold`, grouped by the peak that each votes for.

    Args:
        mask: float (H, W), probability.
        offset_y, offset_x: float (H, W), pixels from here to the centroid of the instance.
        threshold: float.
        spread_px: float > 0, standard deviation of the Gaussian that is run over the counted votes. Peaks closer than
            about two of it become one.
        minimum_votes: float, a peak counts when it is as high as that of so many votes for one place.

    Returns:
        int32 (H, W), 0 background, 1..n.

    >>> import numpy as np
    >>> x = np.array([[0., 1., 0., -1., 0., -1.]])
    >>> label_by_votes(np.ones((1, 6)), 0 * x, x, spread_px=0.5, minimum_votes=0.5).tolist()
    [[1, 2, 2, 2, 3, 3]]
    """
    votes = _count_votes(mask, offset_y, offset_x, threshold)
    cv2.GaussianBlur(votes, (0, 0), spread_px, dst=votes, borderType=cv2.BORDER_CONSTANT)
    reach = 2 * max(1, round(spread_px)) + 1
    below = (votes != cv2.dilate(votes, np.ones((reach, reach), np.uint8))).view(np.uint8)
    below |= votes < minimum_votes / (2 * np.pi * spread_px**2)
    del votes
    if below.all():
        return np.zeros(mask.shape, np.int32)
    nearest = cv2.distanceTransformWithLabels(below, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_CCOMP)[1]
    labels = np.zeros(mask.shape, np.int32)
    for top in range(0, len(mask), _ROWS):
        rows, columns, y, x = _voted(mask, offset_y, offset_x, threshold, top)
        labels[rows, columns] = nearest[y, x]
    return labels


def _count_votes(mask, offset_y, offset_x, threshold):
    votes = np.zeros(mask.shape, np.float32)
    for top in range(0, len(mask), _ROWS):
        _, _, y, x = _voted(mask, offset_y, offset_x, threshold, top)
        if len(y):
            first, width = y.min(), mask.shape[1]
            counted = np.bincount((y - first) * width + x)
            votes.reshape(-1)[first * width : first * width + len(counted)] += counted
    return votes


def _voted(mask, offset_y, offset_x, threshold, top):
    """(rows, columns, voted rows, voted columns) of the pixels of the mask in `_ROWS` rows from `top` on."""
    rows, columns = np.nonzero(mask[top : top + _ROWS] > threshold)
    rows += top
    y = np.rint(rows + offset_y[rows, columns].astype(np.float32)).astype(np.intp)
    x = np.rint(columns + offset_x[rows, columns].astype(np.float32)).astype(np.intp)
    return rows, columns, np.clip(y, 0, mask.shape[0] - 1, out=y), np.clip(x, 0, mask.shape[1] - 1, out=x)
