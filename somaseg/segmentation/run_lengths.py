"""From a label image to the runs of each instance down the columns, which Kaggle's and COCO's codes are made of."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class InstanceRuns:
    """The runs of all instances of a label image (H, W), ordered by label and then by start.

    Attributes:
        labels: (n,), the instances in increasing order.
        starts: int64 (k,), first pixel of each run; pixels are counted from 0 at the upper left, down the first column,
            then down the second.
        lengths: int64 (k,), pixels of each run; it may go on from the foot of a column to the head of the next.
        bounds: int64 (n + 1,), the runs of instance i are those from bounds[i] up to bounds[i + 1].
    """

    labels: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    bounds: np.ndarray

    def __iter__(self):
        """(starts, lengths) of each instance."""
        for first, last in zip(self.bounds[:-1], self.bounds[1:]):
            yield self.starts[first:last], self.lengths[first:last]


def instance_runs(labels):
    """The runs of all instances of an integer label image (H, W), 0 = background.

    Raises:
        ValueError: `labels` is not (H, W) or no whole numbers.

    >>> [(starts.tolist(), lengths.tolist()) for starts, lengths in instance_runs(np.array([[1, 1], [0, 1]]))]
    [([0, 2], [1, 2])]
    """
    labels = np.asarray(labels)
    if labels.ndim != 2 or labels.dtype.kind not in "uib":
        raise ValueError(f"labels must be integer (H, W), got {labels.dtype} {labels.shape}.")
    pixels = labels.ravel(order="F")
    starts = np.concatenate([np.zeros(min(pixels.size, 1), np.int64), np.flatnonzero(pixels[1:] != pixels[:-1]) + 1])
    lengths = np.diff(starts, append=pixels.size)
    starts, lengths = starts[pixels[starts] > 0], lengths[pixels[starts] > 0]
    order = np.argsort(pixels[starts], kind="stable")
    starts, lengths = starts[order], lengths[order]
    found, first = np.unique(pixels[starts], return_index=True)
    return InstanceRuns(found, starts, lengths, np.append(first, len(starts)))
