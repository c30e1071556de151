"""How good a segmentation is: union IoU, matched somas, AP, PQ and SEG, merges and splits, each with its convention.

`CONVENTIONS` states what each number means; scores.json carries it along.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from somaseg.files import replace_when_whole
from somaseg.json_files import write_json
from somaseg.segmentation.instance_matching import find_merges, match_instances
from somaseg.segmentation.instance_overlaps import overlap_instances

THRESHOLDS = tuple(float(t) for t in np.round(np.arange(0.5, 1.0, 0.05), 2))
CONVENTIONS = {
    "iou": "union masks, any soma against background; 1 where both are empty, 0 where only one of them is",
    "match": "IoU at least the threshold, one to one, as many pairs as possible (as in stardist.matching)",
    "precision, recall, f1": "TP / (TP + FP), TP / (TP + FN), 2 TP / (2 TP + FP + FN)",
    "ap": "TP / (TP + FP + FN) at one threshold: the Data Science Bowl's, not COCO's; 0.50_to_0.95 is the mean of 10",
    "pq": "sum of the IoU of the matches at 0.5 / (TP + FP / 2 + FN / 2) (Kirillov et al. 2019)",
    "seg": "mean over all true somas of the IoU with the prediction that covers more than half of it, 0 where none "
    "does (Cell Tracking Challenge)",
    "merges": "predictions that cover more than half of each of two or more true somas; merged_somas are those somas, "
    "merged_share their share of all true somas",
    "splits": "true somas that cover more than half of each of two or more predictions; split_pieces are those "
    "predictions, split_share is splits / true somas",
    "empty": "precision is 0 where nothing is predicted, recall is 0 where nothing is there; where neither is there "
    "precision, recall, f1, ap, pq and seg are 1",
    "per_image, pooled": "computed in each image and averaged over images; or counts, IoU and pixels summed first",
}


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of a set of images. `print(scores)` gives all that is pooled as a table.

    Attributes:
        images: `pandas.DataFrame`, one row per image: image, true and predicted (numbers of somas), iou, precision,
            recall and f1 at 0.5, ap_0.50 ... ap_0.95 and their mean ap_0.50_to_0.95, pq, seg, merges, merged_somas,
            splits, split_pieces; then what is pooled: the pixels intersection and union, tp_0.50 ... tp_0.95,
            matched_iou and covered_iou (sums of the IoU that PQ and SEG are made of).
    """

    images: pd.DataFrame

    def counts(self, threshold):
        """(tp, fp, fn), arrays over the images."""
        tp = self.images[f"tp_{threshold:.2f}"].to_numpy()
        return tp, self.images["predicted"].to_numpy() - tp, self.images["true"].to_numpy() - tp

    def summary(self):
        """All scores as a flat dict; the names say which way of pooling. `CONVENTIONS` says what each is."""
        table, pooled = self.images, self.by_threshold().set_index("threshold")
        true, union = int(table["true"].sum()), table["union"].sum()
        result = {
            "images": len(table),
            "true_somas": true,
            "predicted_somas": int(table["predicted"].sum()),
            "iou_per_image": float(table["iou"].mean()),
            "iou_pooled": float(table["intersection"].sum() / union) if union else 1.0,
        }
        for name in ("precision", "recall", "f1"):
            result[f"{name}_at_0.50_per_image"] = float(table[name].mean())
            result[f"{name}_at_0.50_pooled"] = float(pooled.loc[0.5, f"{name}_pooled"])
        for t in (0.5, 0.75, 0.9):
            result[f"ap_{t:.2f}_per_image"] = float(pooled.loc[t, "ap_per_image"])
            result[f"ap_{t:.2f}_pooled"] = float(pooled.loc[t, "ap_pooled"])
        result["ap_0.50_to_0.95_per_image"] = float(pooled["ap_per_image"].mean())
        result["ap_0.50_to_0.95_pooled"] = float(pooled["ap_pooled"].mean())
        tp, fp, fn = (int(x.sum()) for x in self.counts(0.5))
        result["pq_per_image"] = float(table["pq"].mean())
        result["pq_pooled"] = float(_panoptic_quality(table["matched_iou"].sum(), tp, fp, fn))
        result["seg_per_image"] = float(table["seg"].mean())
        result["seg"] = float(_seg(table["covered_iou"].sum(), true, result["predicted_somas"]))
        result["mean_iou_of_matches"] = float(table["matched_iou"].sum() / tp) if tp else 0.0
        for name in ("merges", "merged_somas", "splits", "split_pieces"):
            result[name] = int(table[name].sum())
        result["merged_share"] = result["merged_somas"] / true if true else 0.0
        result["split_share"] = result["splits"] / true if true else 0.0
        return result

    def by_threshold(self):
        """Scores at each threshold: `pandas.DataFrame` threshold, tp, fp, fn, and ap, precision, recall and f1 twice:
        _per_image and _pooled."""
        rows = []
        for t in THRESHOLDS:
            counts = self.counts(t)
            sums = [int(x.sum()) for x in counts]
            row = {"threshold": t, **dict(zip(("tp", "fp", "fn"), sums))}
            per_image, pooled = detection_scores(*counts), detection_scores(*sums)
            for name in ("ap", "precision", "recall", "f1"):
                row[f"{name}_per_image"] = float(per_image[name].mean())
                row[f"{name}_pooled"] = float(pooled[name])
            rows.append(row)
        return pd.DataFrame(rows)

    def __str__(self):
        shown = [
            f"{name:28} {value:.4f}" if isinstance(value, float) else f"{name:28} {value}"
            for name, value in self.summary().items()
        ]
        table = self.by_threshold()
        table.columns = [name.replace("_per_image", "/image").replace("_pooled", "/pooled") for name in table]
        formats = {"threshold": "{:.2f}".format}
        return "\n".join([*shown, "", table.to_string(index=False, formatters=formats, float_format="{:.4f}".format)])


def score_images(pairs):
    """Score predictions against truths.

    Args:
        pairs: iterable of (image name, true labels (H, W), predicted labels (H, W)).

    Returns:
        `Scores`.

    Raises:
        ValueError: no pair, or one (named) whose two label images differ in shape or are no labels.

    >>> one = np.array([[1, 1, 0, 2, 2]])
    >>> score_images([("a", one, one), ("b", one, 0 * one)]).summary()["ap_0.50_pooled"]
    0.5
    """
    rows = []
    for name, truth, prediction in pairs:
        try:
            overlaps = overlap_instances(truth, prediction)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        rows.append({"image": name, **_score(overlaps)})
    if not rows:
        raise ValueError("There is no image to score.")
    return Scores(pd.DataFrame(rows))


def write_scores(scores, folder, *, table="scores.csv", facts=None):
    """Write the table of images (CSV) and scores.json: `facts`, all pooled numbers, those by threshold, conventions.

    Args:
        scores: `Scores`.
        folder: path, made if need be.
        table: str, name of the CSV.
        facts: dict that JSON can hold, put first: what was scored.
    """
    folder = Path(folder)
    content = {
        **(facts or {}),
        **scores.summary(),
        "by_threshold": scores.by_threshold().to_dict("records"),
        "conventions": CONVENTIONS,
    }
    with replace_when_whole(folder / table) as partial:
        scores.images.to_csv(partial, index=False, float_format="%.9g", lineterminator="\n")
    with replace_when_whole(folder / "scores.json") as partial:
        write_json(partial, content)


def union_iou(truth, prediction):
    """IoU of the union masks of two label images (H, W); 1.0 where both are empty."""
    true, predicted = np.asarray(truth) > 0, np.asarray(prediction) > 0
    union = np.count_nonzero(true | predicted)
    return np.count_nonzero(true & predicted) / union if union else 1.0


def detection_scores(tp, fp, fn):
    """precision, recall, f1 and ap of counts (numbers or arrays of one shape), as a dict."""
    tp, fp, fn = (np.asarray(x, float) for x in (tp, fp, fn))
    nothing = tp + fp + fn == 0

    def ratio(numerator, denominator):
        return np.where(nothing, 1.0, numerator / np.maximum(denominator, 1e-300))

    return {
        "precision": ratio(tp, tp + fp),
        "recall": ratio(tp, tp + fn),
        "f1": ratio(2 * tp, 2 * tp + fp + fn),
        "ap": ratio(tp, tp + fp + fn),
    }


def _score(overlaps):
    """The row of one image, without its name."""
    n_true, n_predicted, iou = len(overlaps.true_labels), len(overlaps.predicted_labels), overlaps.iou
    matches = {t: match_instances(overlaps, t) for t in THRESHOLDS}
    tp = np.array([np.count_nonzero(matches[t]) for t in THRESHOLDS])
    by_threshold = detection_scores(tp, n_predicted - tp, n_true - tp)
    matched_iou = float(iou[matches[0.5]].sum())
    covered_iou = float(iou[2 * overlaps.shared_px > overlaps.true_px[overlaps.true]].sum())
    merged, split = find_merges(overlaps)
    return {
        "true": n_true,
        "predicted": n_predicted,
        "iou": overlaps.intersection_px / overlaps.union_px if overlaps.union_px else 1.0,
        **{name: float(by_threshold[name][0]) for name in ("precision", "recall", "f1")},
        **{f"ap_{t:.2f}": float(ap) for t, ap in zip(THRESHOLDS, by_threshold["ap"])},
        "ap_0.50_to_0.95": float(by_threshold["ap"].mean()),
        "pq": float(_panoptic_quality(matched_iou, tp[0], n_predicted - tp[0], n_true - tp[0])),
        "seg": float(_seg(covered_iou, n_true, n_predicted)),
        "merges": len(np.unique(overlaps.predicted[merged])),
        "merged_somas": int(np.count_nonzero(merged)),
        "splits": len(np.unique(overlaps.true[split])),
        "split_pieces": int(np.count_nonzero(split)),
        "intersection": overlaps.intersection_px,
        "union": overlaps.union_px,
        **{f"tp_{t:.2f}": int(count) for t, count in zip(THRESHOLDS, tp)},
        "matched_iou": matched_iou,
        "covered_iou": covered_iou,
    }


def _panoptic_quality(matched_iou, tp, fp, fn):
    weight = tp + fp / 2 + fn / 2
    return matched_iou / weight if weight else 1.0


def _seg(covered_iou, n_true, n_predicted):
    return covered_iou / n_true if n_true else float(n_predicted == 0)
