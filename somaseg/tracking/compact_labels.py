"""The labels of an image without the numbers that are not there: what tables by label need, in one pass over pixels."""

import numpy as np

_MOST_LISTED = 1 << 20  # up to here a table with a row for every number is quicker than sorting all pixels


def compact_labels(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The labels that are in an image, and the image with their positions among them in their place.

    Args:
        labels: integer, any shape; 0 = background.

    Returns:
        (ids, positions): the labels that are there, increasing, without 0; and int32 of the shape of `labels`, 0 where
        it is 0 and 1..n elsewhere, so that `ids[positions - 1]` is `labels` again.

    >>> ids, positions = compact_labels(np.array([[0, 70_000], [5, 5]]))
    >>> ids.tolist(), positions.tolist()
    ([5, 70000], [[0, 2], [1, 1]])
    """
    labels = np.asarray(labels)
    labels = labels.astype(np.uint8) if labels.dtype == bool else labels
    if labels.dtype.kind in "ui" and labels.min(initial=0) >= 0 and labels.max(initial=0) <= _MOST_LISTED:
        there = np.zeros(int(labels.max(initial=0)) + 1, bool)
        there[labels] = True
        there[0] = False
        ids = np.flatnonzero(there).astype(labels.dtype)
        position_of = np.zeros(len(there), np.int32)
        position_of[ids] = np.arange(1, len(ids) + 1)
        return ids, position_of[labels]
    values, member = np.unique(labels, return_inverse=True)
    real = values != 0
    return values[real], (np.cumsum(real) * real).astype(np.int32)[member].reshape(labels.shape)
