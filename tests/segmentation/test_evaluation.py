"""Scores: hand-made cases with the undefined ones named, and agreement with stardist.matching and py-ctcmetrics."""

import json
import time

import numpy as np
import pytest
import tifffile

from somaseg.segmentation.evaluation import THRESHOLDS, detection_scores, score_images, union_iou, write_scores

EMPTY = np.zeros((4, 6), np.uint16)


def labels(*rows):
    return np.array(rows, np.uint16)


def test_union_iou_ignores_which_soma_a_pixel_belongs_to():
    assert union_iou(labels([1, 1, 2, 0]), labels([0, 5, 5, 5])) == 0.5
    assert union_iou(labels([1, 2]), labels([9, 9])) == 1.0


@pytest.mark.parametrize(
    "truth, prediction, expected", [(EMPTY, EMPTY, 1), (EMPTY, EMPTY + 1, 0), (EMPTY + 1, EMPTY, 0)]
)
def test_union_iou_of_empty_masks(truth, prediction, expected):
    assert union_iou(truth, prediction) == expected
    assert score_images([("a", truth, prediction)]).images["iou"].tolist() == [expected]


def test_detection_scores_of_counts():
    scores = detection_scores(tp=6, fp=2, fn=4)
    assert {name: float(value) for name, value in scores.items()} == {
        "precision": 0.75,
        "recall": 0.6,
        "f1": 12 / 18,
        "ap": 0.5,
    }


@pytest.mark.parametrize("tp, fp, fn, expected", [(0, 0, 0, 1), (0, 3, 0, 0), (0, 0, 3, 0), (0, 1, 1, 0), (5, 0, 0, 1)])
def test_detection_scores_where_they_are_undefined_or_extreme(tp, fp, fn, expected):
    assert {float(value) for value in detection_scores(tp, fp, fn).values()} == {expected}


def test_detection_scores_of_arrays():
    np.testing.assert_allclose(detection_scores([1, 0], [1, 0], [2, 0])["ap"], [0.25, 1.0])


def test_the_two_ways_of_pooling():
    """One soma of 2 pixels half found, and nine of 1 pixel found: the mean of images weighs both the same."""
    first = ("a", labels([1, 1, 0, 0]), labels([1, 0, 0, 0]))
    nine = np.arange(1, 10, dtype=np.uint16)[None] * np.ones((1, 1), np.uint16)
    scores = score_images([first, ("b", nine, nine)])
    summary = scores.summary()
    assert summary["images"] == 2
    assert summary["true_somas"] == summary["predicted_somas"] == 10
    assert summary["iou_per_image"] == 0.75
    assert summary["iou_pooled"] == 10 / 11
    assert summary["f1_at_0.50_per_image"] == summary["f1_at_0.50_pooled"] == 1.0
    assert summary["ap_0.75_per_image"] == 0.5
    assert summary["ap_0.75_pooled"] == 9 / 11
    assert summary["ap_0.50_to_0.95_per_image"] == pytest.approx((1 + 9 * 0.5) / 10)
    assert (summary["pq_per_image"], summary["pq_pooled"]) == (0.75, 0.95)
    assert scores.images["image"].tolist() == ["a", "b"]
    at = scores.by_threshold().set_index("threshold").loc[0.55]
    assert (at["tp"], at["fp"], at["fn"], at["recall_per_image"], at["recall_pooled"]) == (9, 1, 1, 0.5, 0.9)


def test_seg_counts_what_is_covered_by_more_than_half_also_below_an_iou_of_half():
    """3 of 5 pixels covered by a prediction of 8: IoU 3/10, no match. 1 of 2 pixels is not more than half."""
    truth = labels([1, 1, 1, 1, 1, 0, 0, 0, 0, 0], [2, 2, 0, 0, 0, 0, 0, 0, 0, 0])
    prediction = labels([0, 0, 7, 7, 7, 7, 7, 7, 7, 7], [8, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    summary = score_images([("a", truth, prediction), ("b", EMPTY, EMPTY)]).summary()
    assert summary["seg"] == pytest.approx(0.3 / 2)
    assert summary["seg_per_image"] == pytest.approx((0.15 + 1) / 2)
    assert summary["mean_iou_of_matches"] == 0.5
    assert summary["pq_pooled"] == 0.5 / 2


def test_merges_and_splits_are_counted_from_both_sides():
    truth = labels([1, 1, 2, 2, 3, 3, 0, 4, 4, 4, 4])
    prediction = labels([9, 9, 9, 9, 9, 9, 0, 5, 5, 6, 6])
    summary = score_images([("a", truth, prediction)]).summary()
    assert (summary["merges"], summary["merged_somas"], summary["merged_share"]) == (1, 3, 0.75)
    assert (summary["splits"], summary["split_pieces"], summary["split_share"]) == (1, 2, 0.25)


def test_empty_images_count_as_right_when_nothing_is_found_in_them():
    nothing, found = score_images([("a", EMPTY, EMPTY)]).summary(), score_images([("a", EMPTY, EMPTY + 1)]).summary()
    names = ["iou_per_image", "iou_pooled", "f1_at_0.50_per_image", "f1_at_0.50_pooled", "ap_0.90_pooled"]
    for name in [*names, "pq_per_image", "pq_pooled", "seg_per_image", "seg"]:
        assert (nothing[name], found[name]) == (1.0, 0.0), name
    assert nothing["merged_share"] == nothing["split_share"] == 0.0


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match=r"cell 7: the truth is \(4, 6\), the prediction \(6, 4\)"):
        score_images([("cell 7", EMPTY, EMPTY.T)])
    with pytest.raises(ValueError, match="a: the prediction must be labels .*float64"):
        score_images([("a", EMPTY, EMPTY / 2)])
    with pytest.raises(ValueError, match="no image"):
        score_images([])


def test_the_files_hold_what_is_printed_and_the_conventions(tmp_path):
    scores = score_images([("a", labels([1, 1, 0]), labels([1, 0, 0])), ("b", labels([0, 0, 0]), labels([0, 0, 0]))])
    write_scores(scores, tmp_path / "new", facts={"preset": "x"})
    content = json.loads((tmp_path / "new" / "scores.json").read_text())
    assert content["preset"] == "x" and content["ap_0.50_pooled"] == 1.0 and content["images"] == 2
    assert [row["threshold"] for row in content["by_threshold"]] == list(THRESHOLDS)
    assert {"ap", "pq", "seg", "merges", "splits", "empty", "match"} <= set(content["conventions"])
    lines = (tmp_path / "new" / "scores.csv").read_text().splitlines()
    assert lines[0].startswith("image,true,predicted,iou,precision,recall,f1,ap_0.50,ap_0.55")
    assert [line.split(",")[:4] for line in lines[1:]] == [["a", "1", "1", "0.5"], ["b", "0", "0", "1"]]
    assert f"{'iou_per_image':28} 0.7500" in str(scores) and "0.95" in str(scores).splitlines()[-1]


@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_stardist(seed):
    matching = pytest.importorskip("stardist.matching").matching
    truth, prediction = random_pair(seed)
    scores = score_images([("a", truth, prediction)])
    expected = {t: matching(truth, prediction, thresh=t) for t in THRESHOLDS}
    assert expected[0.5].tp > expected[0.95].tp
    for threshold, theirs in expected.items():
        tp, fp, fn = (int(counts[0]) for counts in scores.counts(threshold))
        assert (tp, fp, fn) == (theirs.tp, theirs.fp, theirs.fn), threshold
        ours = detection_scores(tp, fp, fn)
        for name, their_name in (("precision",) * 2, ("recall",) * 2, ("f1",) * 2, ("ap", "accuracy")):
            assert float(ours[name]) == pytest.approx(getattr(theirs, their_name)), (threshold, name)
    assert scores.images["pq"][0] == pytest.approx(expected[0.5].panoptic_quality)


def test_agrees_with_stardist_over_a_set_of_images():
    theirs = pytest.importorskip("stardist.matching").matching_dataset
    pairs = [random_pair(seed) for seed in range(4)]
    scores = score_images((str(i), *pair) for i, pair in enumerate(pairs))
    summary, table = scores.summary(), scores.by_threshold().set_index("threshold")
    for threshold in THRESHOLDS:
        for way, by_image in (("per_image", True), ("pooled", False)):
            expected = theirs(*zip(*pairs), thresh=threshold, by_image=by_image, show_progress=False)
            for name, their_name in (("precision",) * 2, ("recall",) * 2, ("f1",) * 2, ("ap", "accuracy")):
                assert table.loc[threshold, f"{name}_{way}"] == pytest.approx(getattr(expected, their_name)), threshold
            if threshold == 0.5:
                assert summary[f"pq_{way}"] == pytest.approx(expected.panoptic_quality)
                pooled = expected
    assert summary["mean_iou_of_matches"] == pytest.approx(pooled.mean_matched_score)


def test_agrees_with_what_stardist_once_said():
    """stardist 0.9.2: [matching(*random_pair(0), thresh=t).tp for t in THRESHOLDS], and panoptic_quality at 0.5."""
    scores = score_images([("a", *random_pair(0))])
    assert [int(scores.counts(t)[0][0]) for t in THRESHOLDS] == [13, 11, 9, 9, 7, 5, 2, 1, 1, 1]
    assert scores.images["pq"][0] == pytest.approx(0.43729110, abs=1e-6)


def test_seg_agrees_with_the_program_of_the_cell_tracking_challenge(tmp_path):
    seg = pytest.importorskip("ctc_metrics.metrics").seg
    match = pytest.importorskip("ctc_metrics.utils.representations").match
    pairs, theirs = [random_pair(seed) for seed in range(3)], []
    for truth, prediction in pairs:
        for name, mask in (("truth", truth), ("prediction", prediction)):
            tifffile.imwrite(tmp_path / f"{name}.tif", mask)
        theirs.append(match(str(tmp_path / "truth.tif"), str(tmp_path / "prediction.tif")))
    summary = score_images((str(i), *pair) for i, pair in enumerate(pairs)).summary()
    assert 0.3 < summary["seg"] < 0.9
    assert summary["seg"] == pytest.approx(seg([found[0] for found in theirs], [found[4] for found in theirs]))


def test_a_large_image_with_300_somas_takes_well_under_50_ms():
    """Processor time, so that other programs on the machine do not count."""
    y, x = np.mgrid[:1024, :1024]
    truth = np.where(np.hypot(y % 56 - 28, x % 58 - 29) < 22, 1 + y // 56 * 18 + x // 58, 0).astype(np.uint16)
    prediction = np.roll(truth, (3, -2), (0, 1))
    seconds = []
    for _ in range(5):
        start = time.process_time()
        scores = score_images([("a", truth, prediction)])
        seconds.append(time.process_time() - start)
    assert scores.images["true"][0] > 300
    assert min(seconds) < 0.05


def random_pair(seed):
    """Overlapping boxes, and the same with each moved a little, some dropped, some added."""
    random = np.random.default_rng(seed)
    truth, prediction = np.zeros((2, 120, 120), np.int32)
    for label, (y, x, h, w) in enumerate(random.integers((0, 0, 6, 6), (100, 100, 20, 20), (25, 4)), start=1):
        truth[y : y + h, x : x + w] = label
        dy, dx = random.integers(0, 3, 2)
        if random.random() < 0.85:
            prediction[y + dy : y + dy + h, x + dx : x + dx + w] = 100 - label
    prediction[110:, :5] = 200
    return truth, prediction
