"""How right a segmentation and its tracks are, against a known truth, in the field's own measures.

Conventions, stated once:
- AP, precision, recall, F1 and union IoU as in `somaseg.segmentation.evaluation`, pooled over the frames.
- SEG, DET, LNK, TRA, HOTA and IDF1 as in the Cell Tracking Challenge and py-ctcmetrics: a true soma is found when a
  result covers more than half of it, so that HOTA is at that one threshold. For DET, LNK and TRA a track ends at a gap
  and goes on as its own child; for HOTA and IDF1 it is one track through the gap.
- DET = 1 - min(A, A0) / A0 with A = 10 FN + FP + 5 merges and A0 = 10 per true soma; LNK the same with A = 1.5 missed
  links + spurious links + wrong ones and A0 = 1.5 per true link; TRA is of the two sums.
- An identity switch is a change of the result's track from one frame in which a true cell is found to the next such
  frame, however long it was away; found: by `one_to_one_pairs`. Cell hours are those from the first to the last frame
  of each true cell.
- Where neither result nor truth has a soma (for LNK: a link), scores are 1. Where only one of them has, they are 0.

Sources: Matula et al. 2015 (DET, LNK, TRA); Luiten et al. 2020 (HOTA); Ristani et al. 2016 (IDF1).
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from somaseg.tracking.formats.ctc import split_at_gaps
from somaseg.tracking.label_stacks import check_labels
from somaseg.tracking.matching import covering_pairs, match_identities, one_to_one_pairs, overlap

_OPERATIONS = {
    "FN": "missed_somas",
    "FP": "spurious_somas",
    "NS": "merges",
    "EA": "missed_links",
    "ED": "spurious_links",
    "EC": "links_of_wrong_kind",  # a division that is none, or the other way round: 0 without divisions
}


@dataclass(frozen=True, eq=False)
class TrackingScores:
    """Scores of one movie's segmentation and tracks.

    Attributes:
        segmentation: dict of flat numbers: SEG, AP, precision, recall, F1, IoU, and numbers of somas.
        tracking: dict of flat numbers: DET, LNK, TRA, HOTA, IDF1, and what was counted for them.
        identities: `pandas.DataFrame` truth_id, result_id, shared_frames: which track is which, by
            `somaseg.tracking.matching.match_identities` on `one_to_one_pairs`.
    """

    segmentation: dict
    tracking: dict
    identities: pd.DataFrame

    def summary(self):
        """All numbers as a flat dict, units in the names."""
        return {**self.segmentation, **self.tracking}


def score_tracking(result_labels, result_tracks, truth_labels, truth_tracks, *, minutes_per_frame=None):
    """Score the outlines and tracks of a result against the truth.

    Args:
        result_labels: integer (T, Y, X), value = track id, 0 = background.
        result_tracks: `pandas.DataFrame` with track_id, frame, y_px, x_px, or None: then positions are not scored.
        truth_labels: integer, of the same shape.
        truth_tracks: as `result_tracks`.
        minutes_per_frame: float, or None: then identity switches are counted and not related to cell hours.

    Returns:
        `TrackingScores`.

    Raises:
        ValueError: one is no label stack, or the two differ in frames or size.
        ImportError: py-ctcmetrics is not installed (extra `score`).
    """
    from somaseg.segmentation.evaluation import score_images

    result_labels, truth_labels = check_labels(result_labels), check_labels(truth_labels)
    overlaps = overlap(result_labels, truth_labels)
    covering, one_to_one = covering_pairs(overlaps), one_to_one_pairs(overlaps)
    identities = match_identities(one_to_one, overlaps)
    frames = ((str(frame), truth_labels[frame], result_labels[frame]) for frame in range(len(truth_labels)))
    images = score_images(frames).summary()
    n_true = len(overlaps.truth)
    segmentation = {
        "frames": images["images"],
        "true_somas": images["true_somas"],
        "result_somas": images["predicted_somas"],
        "seg": float(covering["iou"].sum() / n_true) if n_true else float(len(overlaps.result) == 0),
        **{name: value for name, value in images.items() if name.endswith("_pooled")},
    }
    tracking = {
        "true_tracks": overlaps.truth["track_id"].nunique(),
        "result_tracks": overlaps.result["track_id"].nunique(),
        **_graph_scores(overlaps, covering),
        **_association_scores(overlaps, covering),
        **_identity_switches(one_to_one, overlaps.truth, minutes_per_frame),
        "position_error_median_px": _position_error_px(one_to_one, result_tracks, truth_tracks),
    }
    return TrackingScores(segmentation, tracking, identities)


def _graph_scores(overlaps, covering):
    """DET, LNK and TRA of tracks without gaps, and the counts that they are made of."""
    counts = _count_corrections(overlaps, covering)
    n_true, n_links = counts["num_vertices"], counts["num_edges"]
    somas = 10 * counts["FN"] + counts["FP"] + 5 * counts["NS"]
    links = 1.5 * counts["EA"] + counts["ED"] + counts["EC"]
    return {
        "det": _share_saved(somas, 10 * n_true),
        "lnk": _share_saved(links if n_links else counts["result_links"], 1.5 * n_links),
        "tra": _share_saved(somas + links, 10 * n_true + 1.5 * n_links),
        "true_links": int(n_links),
        **{name: int(counts[key]) for key, name in _OPERATIONS.items()},
    }


def _share_saved(cost, cost_of_nothing):
    if cost_of_nothing == 0:
        return float(cost == 0)
    return float(1 - min(cost, cost_of_nothing) / cost_of_nothing)


def _count_corrections(overlaps, covering):
    count = _ctc_metrics().utils.representations.count_acyclic_graph_correction_operations
    truth, result = _Graph(overlaps.truth), _Graph(overlaps.result)
    if not len(overlaps.truth) or not len(overlaps.result):
        return {
            "num_vertices": len(overlaps.truth),
            "num_edges": truth.link_count,
            "FN": len(overlaps.truth),
            "FP": len(overlaps.result),
            "EA": truth.link_count,
            **dict.fromkeys(("NS", "ED", "EC"), 0),
            "result_links": result.link_count,
        }
    frames = range(overlaps.frame_count + 1)  # one empty frame more: the package wants two at least
    found = covering.assign(
        truth=truth.labels_of(covering["frame"], covering["truth_id"]),
        result=result.labels_of(covering["frame"], covering["result_id"]),
    )
    counts = count(
        truth.segments,
        result.segments,
        truth.labels_by_frame(frames),
        result.labels_by_frame(frames),
        _by_frame(found["frame"], found["truth"], frames),
        _by_frame(found["frame"], found["result"], frames),
    )
    return {**counts, "result_links": result.link_count}


class _Graph:
    """Tracks without gaps, as the package wants them."""

    def __init__(self, somas):
        runs = split_at_gaps(somas)
        self.segments = runs[["label", "begin", "end", "parent"]].to_numpy()
        lengths = runs["end"] - runs["begin"] + 1
        self.link_count = int((lengths - 1).sum() + (runs["parent"] > 0).sum())
        track = np.repeat(runs["track_id"].to_numpy(), lengths)
        frame = np.concatenate([*map(np.arange, runs["begin"], runs["end"] + 1), np.zeros(0, np.int64)])
        self._label = pd.Series(np.repeat(runs["label"].to_numpy(), lengths), pd.MultiIndex.from_arrays([frame, track]))

    def labels_of(self, frame, track_id):
        return self._label.reindex(pd.MultiIndex.from_arrays([frame, track_id])).to_numpy()

    def labels_by_frame(self, frames):
        return _by_frame(self._label.index.get_level_values(0), self._label.to_numpy(), frames, sort=True)


def _by_frame(frame, labels, frames, *, sort=False):
    found = pd.Series(np.asarray(labels)).groupby(np.asarray(frame)).agg(list)
    lists = [found.get(number, []) for number in frames]
    return [sorted(labels) for labels in lists] if sort else lists


def _association_scores(overlaps, covering):
    """HOTA and IDF1 of tracks that go on through their gaps."""
    if not len(overlaps.truth) or not len(overlaps.result):
        score = float(len(overlaps.truth) == len(overlaps.result))
        return dict.fromkeys(("hota", "idf1", "id_precision", "id_recall"), score)
    metrics, frames = _ctc_metrics().metrics, range(overlaps.frame_count)
    number = {}
    for key, somas in (("truth_id", overlaps.truth), ("result_id", overlaps.result)):
        ids = somas["track_id"].unique()
        number[key] = pd.Series(np.arange(1, len(ids) + 1), index=ids)
    lists = [
        *(
            _by_frame(somas["frame"], number[key].loc[somas["track_id"]], frames)
            for key, somas in (("truth_id", overlaps.truth), ("result_id", overlaps.result))
        ),
        *(_by_frame(covering["frame"], number[key].loc[covering[key]], frames) for key in ("truth_id", "result_id")),
    ]
    # As arrays: of an empty list the package makes floats, and cannot count by them.
    lists = [[np.asarray(labels, np.int64) for labels in frames_] for frames_ in lists]
    identity = metrics.idf1(*lists)
    return {
        "hota": float(metrics.hota(*lists)["HOTA"]),
        "idf1": float(identity["IDF1"]),
        "id_precision": float(identity["IDP"]),
        "id_recall": float(identity["IDR"]),
    }


def _identity_switches(pairs, truth, minutes_per_frame):
    found = pairs.sort_values(["truth_id", "frame"])
    cell, track = found["truth_id"].to_numpy(), found["result_id"].to_numpy()
    count = int(np.sum((np.diff(cell) == 0) & (np.diff(track) != 0)))
    if minutes_per_frame is None:
        return {"identity_switches": count}
    lifetimes = truth.groupby("track_id")["frame"].agg(np.ptp)
    hours = float(lifetimes.sum()) * minutes_per_frame / 60
    return {"identity_switches": count, "identity_switches_per_100_cell_h": 100 * count / hours if hours else math.nan}


def _position_error_px(pairs, result_tracks, truth_tracks):
    """Median distance of the positions in tracks.csv, over the somas that are matched one to one; NaN without any."""
    if result_tracks is None or truth_tracks is None:
        return float("nan")
    for side, tracks in (("truth", truth_tracks), ("result", result_tracks)):
        positions = tracks[["frame", "track_id", "y_px", "x_px"]]
        pairs = pairs.merge(
            positions.rename(columns={"track_id": f"{side}_id", "y_px": f"{side}_y", "x_px": f"{side}_x"}),
            on=["frame", f"{side}_id"],
        )
    return float(np.hypot(pairs["truth_y"] - pairs["result_y"], pairs["truth_x"] - pairs["result_x"]).median())


def _ctc_metrics():
    try:
        import ctc_metrics.metrics
        import ctc_metrics.utils.representations
    except ImportError as error:
        raise ImportError("Scores of tracks need py-ctcmetrics: pip install 'somaseg[score]'.") from error
    return ctc_metrics
