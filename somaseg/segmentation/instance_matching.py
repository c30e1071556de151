"""From overlaps to what became of each soma: found, missed, merged or split; and of each prediction: right or false.

Two rules are in use, and kept apart. Matching is one to one, by IoU. Merges and splits are told by covering more than
half, as in the Cell Tracking Challenge: the outline may be poor and still it is clear which soma was meant.
"""

from enum import IntEnum

import numpy as np


class Outcome(IntEnum):
    """What became of an instance. Of several the highest is told: a soma that is found and merged is merged."""

    FOUND = 0
    UNMATCHED = 1
    SPLIT = 2
    MERGED = 3


def match_instances(overlaps, threshold=0.5):
    """Which pairs are a match: IoU at least `threshold`, each instance in one pair at most, as many pairs as possible.

    Above one half no instance can be in two such pairs. At exactly one half it can, where it is cut into two halves:
    then one of the two is taken. So these are the pairs that the assignment of stardist.matching finds.

    Args:
        overlaps: `InstanceOverlaps`.
        threshold: float from 0.5 to 1.

    Returns:
        bool (k,), true for the pairs of `overlaps` that are a match.

    Raises:
        ValueError: the threshold is outside 0.5 to 1.
    """
    if not 0.5 <= threshold <= 1:
        raise ValueError(f"threshold must be from 0.5 to 1, got {threshold!r}: below, a match is not unique.")
    good = np.flatnonzero(overlaps.iou >= threshold)
    for side in (overlaps.true, overlaps.predicted):
        good = good[np.unique(side[good], return_index=True)[1]]
    matched = np.zeros(len(overlaps.iou), bool)
    matched[good] = True
    return matched


def find_merges(overlaps):
    """Which pairs are parts of a merge, which of a split.

    A merge: one prediction covers more than half of each of two or more true somas. A split: one true soma covers more
    than half of each of two or more predictions.

    Returns:
        (merged, split): bool (k,), over the pairs of `overlaps`. A true soma is in at most one pair of a merge, a
        prediction in at most one of a split.
    """
    return (
        _shared(overlaps.predicted, 2 * overlaps.shared_px > overlaps.true_px[overlaps.true]),
        _shared(overlaps.true, 2 * overlaps.shared_px > overlaps.predicted_px[overlaps.predicted]),
    )


def tell_outcomes(overlaps, threshold=0.5):
    """What became of each true soma, and what each prediction is.

    Returns:
        (of_truth, of_prediction): `Outcome` values, int (n,) and (m,), in the order of the labels. UNMATCHED is a true
        soma that was missed, or a prediction that is false.
    """
    matched, (merged, split) = match_instances(overlaps, threshold), find_merges(overlaps)
    outcomes = []
    for labels, side in ((overlaps.true_labels, overlaps.true), (overlaps.predicted_labels, overlaps.predicted)):
        outcome = np.full(len(labels), Outcome.UNMATCHED)
        outcome[side[matched]] = Outcome.FOUND
        outcome[side[split]] = Outcome.SPLIT
        outcome[side[merged]] = Outcome.MERGED
        outcomes.append(outcome)
    return tuple(outcomes)


def _shared(side, pairs):
    """Those of `pairs` (bool) whose instance on this side is in two or more of them."""
    times = np.bincount(side[pairs], minlength=side.max(initial=-1) + 1)
    return pairs & (times[side] > 1)
