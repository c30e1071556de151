"""From two label images to a list of what lies on what: the pairs of a true and a predicted instance that share pixels.

All scores of instances are computed from this list. It is sparse, because an instance touches few others: a table of
all pairs would not fit in memory for an image with tens of thousands of somas.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array


@dataclass(frozen=True, eq=False)
class InstanceOverlaps:
    """Where the instances of two label images lie on each other. Labels are in increasing order.

    Attributes:
        true_labels: (n,), the labels of the true instances, of the dtype of the image.
        predicted_labels: (m,), those of the predicted ones.
        true_px: int64 (n,), their areas.
        predicted_px: int64 (m,), their areas.
        true: int (k,), of each pair that shares a pixel the position of the true instance in `true_labels`.
        predicted: int (k,), of the same pair the position in `predicted_labels`.
        shared_px: int64 (k,), the pixels that the two share.
    """

    true_labels: np.ndarray
    predicted_labels: np.ndarray
    true_px: np.ndarray
    predicted_px: np.ndarray
    true: np.ndarray
    predicted: np.ndarray
    shared_px: np.ndarray

    @property
    def iou(self):
        """Intersection over union of each pair, float (k,)."""
        return self.shared_px / (self.true_px[self.true] + self.predicted_px[self.predicted] - self.shared_px)

    @property
    def intersection_px(self):
        """Pixels that belong to any true and to any predicted instance."""
        return int(self.shared_px.sum())

    @property
    def union_px(self):
        """Pixels that belong to an instance of either."""
        return int(self.true_px.sum() + self.predicted_px.sum()) - self.intersection_px


def overlap_instances(truth, prediction):
    """List what lies on what in two label images.

    Args:
        truth: non-negative integer or bool array of any shape, usually (H, W); 0 is background.
        prediction: the same, of the same shape.

    Returns:
        `InstanceOverlaps`.

    Raises:
        ValueError: the shapes differ, the values are no whole numbers, or one is negative.

    >>> overlaps = overlap_instances(np.array([[1, 1, 0, 2]]), np.array([[7, 0, 0, 0]]))
    >>> overlaps.true_labels.tolist(), overlaps.predicted_labels.tolist(), overlaps.iou.tolist()
    ([1, 2], [7], [0.5])
    """
    truth, prediction = _checked("truth", truth), _checked("prediction", prediction)
    if truth.shape != prediction.shape:
        raise ValueError(f"the truth is {truth.shape}, the prediction {prediction.shape}.")
    truth, prediction, lengths = _runs(truth.ravel(), prediction.ravel())
    true_labels, true = _numbered(truth)
    predicted_labels, predicted = _numbered(prediction)
    shape = (len(true_labels), len(predicted_labels))
    table = coo_array((lengths, (true, predicted)), shape=shape).tocsr()  # adds up what is in the same place
    table = table.tocoo()
    true, predicted = table.coords
    both = (true > 0) & (predicted > 0)
    return InstanceOverlaps(
        true_labels=true_labels[1:],
        predicted_labels=predicted_labels[1:],
        true_px=table.sum(axis=1)[1:],
        predicted_px=table.sum(axis=0)[1:],
        true=true[both] - 1,
        predicted=predicted[both] - 1,
        shared_px=table.data[both],
    )


def _checked(name, labels):
    labels = np.asarray(labels)
    if labels.dtype.kind not in "uib":
        raise ValueError(f"the {name} must be labels (whole numbers), got {labels.dtype}.")
    if labels.dtype.kind == "i" and labels.min(initial=0) < 0:
        raise ValueError(f"the labels of the {name} must not be negative, got {labels.min()}.")
    return labels


def _runs(truth, prediction):
    """Stretches of pixels with the same pair of labels: their two labels and their lengths. Many fewer than pixels."""
    change = (truth[1:] != truth[:-1]) | (prediction[1:] != prediction[:-1])
    starts = np.concatenate([np.zeros(min(len(truth), 1), np.int64), np.flatnonzero(change) + 1])
    return truth[starts], prediction[starts], np.diff(starts, append=len(truth))


def _numbered(labels):
    """The different labels in increasing order, 0 always among them and so the first, and the position of each."""
    different, positions = np.unique(np.append(labels, labels.dtype.type(0)), return_inverse=True)
    return different, positions[:-1]
