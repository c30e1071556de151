"""Which soma of a result is which soma of the truth: frame by frame, and over the whole movie."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Where a result and a truth lie on each other.

    Attributes:
        pairs: `pandas.DataFrame`, one row per pair of somas that share a pixel: frame, truth_id, result_id,
            intersection_px, iou, and truth_px and result_px, the areas.
        truth: `pandas.DataFrame`, one row per true soma: frame, track_id, area_px, first_px (its first pixel, counted
            row by row); ordered by frame and first_px, so that nothing depends on which number a cell has.
        result: the same of the result.
        frame_count: int.
    """

    pairs: pd.DataFrame
    truth: pd.DataFrame
    result: pd.DataFrame
    frame_count: int


def overlap(result_labels, truth_labels):
    """Overlaps of two label stacks.

    Args:
        result_labels: integer (T, Y, X).
        truth_labels: integer (T, Y, X).

    Returns:
        `Overlaps`.

    Raises:
        ValueError: the two differ in frames or size.
    """
    if result_labels.shape != truth_labels.shape:
        result, truth = ("{} frames of {}x{} px".format(*labels.shape) for labels in (result_labels, truth_labels))
        raise ValueError(f"The result has {result}, the truth {truth}: they are not of the same movie.")
    pairs, truths, results = [], [], []
    for frame, (result, truth) in enumerate(zip(result_labels, truth_labels)):
        somas_r, index_r = _somas(result, frame)
        somas_t, index_t = _somas(truth, frame)
        both = (index_t >= 0) & (index_r >= 0)
        codes, counts = np.unique(index_t[both] * max(len(somas_r), 1) + index_r[both], return_counts=True)
        t, r = np.divmod(codes, max(len(somas_r), 1))
        truth_px, result_px = somas_t["area_px"].to_numpy()[t], somas_r["area_px"].to_numpy()[r]
        pair = {"truth_id": somas_t["track_id"].to_numpy()[t], "result_id": somas_r["track_id"].to_numpy()[r]}
        pair |= {"intersection_px": counts, "iou": counts / (truth_px + result_px - counts)}
        pairs.append(pd.DataFrame({"frame": frame, **pair, "truth_px": truth_px, "result_px": result_px}))
        truths.append(somas_t)
        results.append(somas_r)
    tables = (pd.concat(tables, ignore_index=True) for tables in (pairs, truths, results))
    return Overlaps(*tables, len(truth_labels))


def covering_pairs(overlaps):
    """The pairs in which the result covers more than half of the true soma: the Cell Tracking Challenge's rule.

    A true soma is in one pair at most; a result that is several somas merged may be in several.
    """
    pairs = overlaps.pairs
    return pairs[2 * pairs["intersection_px"] > pairs["truth_px"]].reset_index(drop=True)


def one_to_one_pairs(overlaps):
    """The pairs of a one-to-one matching in every frame, of somas that share more than half of the smaller one.

    This is what identities are told by: a mask may be drawn too small or too large and is still the same soma. Of the
    matchings with the most pairs it is the one with the highest total IoU.
    """
    pairs = overlaps.pairs
    near = pairs[2 * pairs["intersection_px"] > np.minimum(pairs["truth_px"], pairs["result_px"])]
    chosen = [
        _best_matching(group, "truth_id", "result_id", 1 + group["iou"] / (2 * len(group)))
        for _, group in near.groupby("frame")
    ]
    return pd.concat([near.iloc[:0], *chosen]).reset_index(drop=True)


def match_identities(pairs, overlaps):
    """Which track of the result is which of the truth: one to one, with the most frames in common (as in IDF1).

    Where two assignments have equally many frames in common, the one that is right earlier is taken.

    Args:
        pairs: `pandas.DataFrame` frame, truth_id, result_id, such as `one_to_one_pairs` gives.
        overlaps: `Overlaps`, which those came from.

    Returns:
        `pandas.DataFrame` truth_id, result_id, shared_frames, sorted by truth_id.

    Source: Ristani et al. 2016, Performance measures and a data set for multi-target, multi-camera tracking.
    """
    early = (overlaps.frame_count - pairs["frame"]) / overlaps.frame_count
    gain = 1 + early / (2 * (len(pairs) + 1))
    table = pairs.assign(gain=gain, shared_frames=1).groupby(["truth_id", "result_id"], as_index=False, sort=False)
    table = table[["gain", "shared_frames"]].sum()
    order = {key: somas["track_id"].drop_duplicates() for key, somas in (("t", overlaps.truth), ("r", overlaps.result))}
    rank = {key: dict(zip(ids, range(len(ids)))) for key, ids in order.items()}
    table = table.assign(t=table["truth_id"].map(rank["t"]), r=table["result_id"].map(rank["r"]))
    chosen = _best_matching(table.sort_values(["t", "r"]), "truth_id", "result_id", table["gain"])
    columns = ["truth_id", "result_id", "shared_frames"]
    return chosen[columns].sort_values("truth_id").reset_index(drop=True).astype(np.int64)


def match_intervals(truth, result):
    """One-to-one matching of intervals that overlap: the most pairs, of those the longest overlap.

    Args:
        truth: float (N, 2), starts and ends.
        result: float (M, 2).

    Returns:
        list of (row of truth, row of result).

    Example:

    >>> match_intervals([[0, 10], [50, 60]], [[8, 20], [20, 30], [55, 70]])
    [(0, 0), (1, 2)]
    """
    truth, result = np.reshape(truth, (-1, 2)).astype(float), np.reshape(result, (-1, 2)).astype(float)
    start = np.maximum(truth[:, None, 0], result[None, :, 0])
    end = np.minimum(truth[:, None, 1], result[None, :, 1])
    instant = (np.diff(truth)[:, None, 0] == 0) | (np.diff(result)[None, :, 0] == 0)
    possible = (end > start) | ((end == start) & instant)
    if not possible.any():
        return []
    shared = np.where(possible, end - start, 0)
    gain = possible + shared / (2 * max(shared.max(), 1e-300) * min(possible.shape))
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return [(int(t), int(r)) for t, r in zip(rows, columns) if possible[t, r]]


def _somas(labels, frame):
    """(table of the somas of one frame by first pixel, row in that table of every pixel or -1)."""
    ids, first, index, area = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first)
    order = order[ids[order] > 0]
    row = np.full(len(ids), -1)
    row[order] = np.arange(len(order))
    table = {"track_id": ids[order].astype(np.int64), "area_px": area[order], "first_px": first[order]}
    return pd.DataFrame({"frame": np.full(len(order), frame), **table}), row[index.ravel()]


def _best_matching(candidates, row_key, column_key, gain):
    """The rows of `candidates` in the one-to-one matching with the highest total gain (a positive Series)."""
    rows, row_ids = pd.factorize(candidates[row_key])
    columns, column_ids = pd.factorize(candidates[column_key])
    table = np.zeros((len(row_ids), len(column_ids)))
    table[rows, columns] = gain.loc[candidates.index]
    chosen = np.zeros(table.shape, bool)
    chosen[linear_sum_assignment(table, maximize=True)] = True
    return candidates[chosen[rows, columns]]
