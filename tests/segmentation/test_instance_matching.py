"""What lies on what, which pairs match, and what is merged or split: label images that a reader can check by eye."""

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from somaseg.segmentation.instance_matching import Outcome, find_merges, match_instances, tell_outcomes
from somaseg.segmentation.instance_overlaps import overlap_instances

FOUND, UNMATCHED, SPLIT, MERGED = Outcome
SMALL_LABELS = hnp.arrays(np.uint8, (2, 5, 6), elements=st.integers(0, 4))


def overlap(truth, prediction):
    return overlap_instances(np.array([truth]), np.array([prediction]))


def test_overlaps_are_in_the_order_of_the_labels():
    overlaps = overlap([0, 3, 3, 3, 8, 8], [1, 1, 4, 4, 4, 4])
    assert overlaps.true_labels.tolist() == [3, 8] and overlaps.true_px.tolist() == [3, 2]
    assert overlaps.predicted_labels.tolist() == [1, 4] and overlaps.predicted_px.tolist() == [2, 4]
    assert list(zip(overlaps.true, overlaps.predicted)) == [(0, 0), (0, 1), (1, 1)]
    assert overlaps.iou.tolist() == [1 / 4, 2 / 5, 2 / 4]
    assert (overlaps.intersection_px, overlaps.union_px) == (5, 6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64, bool])
def test_images_without_background_and_labels_of_any_dtype(dtype):
    overlaps = overlap_instances(np.ones((2, 2), dtype), np.array([[1, 1], [0, 0]], dtype))
    assert (overlaps.true_px.tolist(), overlaps.predicted_px.tolist(), overlaps.iou.tolist()) == ([4], [2], [0.5])


def test_large_labels_cost_no_memory():
    assert overlap([0, 2**40], [2**62, 2**62]).iou.tolist() == [0.5]


@given(SMALL_LABELS)
@settings(max_examples=60, deadline=None)
def test_overlaps_are_what_counting_pixels_gives(pair):
    truth, prediction = pair
    overlaps = overlap_instances(truth, prediction)
    shared = {
        (overlaps.true_labels[i], overlaps.predicted_labels[j]): n
        for i, j, n in zip(overlaps.true, overlaps.predicted, overlaps.shared_px)
    }
    for t in range(1, 5):
        for p in range(1, 5):
            assert shared.get((t, p), 0) == np.sum((truth == t) & (prediction == p))
    assert overlaps.true_px.tolist() == [np.sum(truth == t) for t in overlaps.true_labels]
    assert overlaps.union_px == np.sum((truth > 0) | (prediction > 0))


@pytest.mark.parametrize("truth, prediction", [([0, 0], [0, 0]), ([0, 0], [1, 2]), ([1, 2], [0, 0]), ([], [])])
def test_without_somas_on_one_side_nothing_matches(truth, prediction):
    overlaps = overlap_instances(np.array([truth], np.uint8), np.array([prediction], np.uint8))
    assert not match_instances(overlaps).any() and not np.any(find_merges(overlaps))
    assert [len(outcome) for outcome in tell_outcomes(overlaps)] == [len(set(truth) - {0}), len(set(prediction) - {0})]


def test_an_iou_equal_to_the_threshold_matches():
    overlaps = overlap([1, 1], [5, 0])
    assert match_instances(overlaps, 0.5).tolist() == [True]
    assert match_instances(overlaps, 0.51).tolist() == [False]


@pytest.mark.parametrize("truth, prediction", [([1, 1, 2], [6, 7, 8]), ([6, 7, 8], [1, 1, 2])])
def test_of_two_halves_one_matches(truth, prediction):
    overlaps = overlap(truth, prediction)
    assert overlaps.iou.tolist() == [0.5, 0.5, 1.0]
    assert match_instances(overlaps, 0.5).tolist() in ([True, False, True], [False, True, True])


@given(SMALL_LABELS, st.sampled_from([0.5, 0.55, 0.75, 1.0]))
@settings(max_examples=60, deadline=None)
def test_the_matching_is_the_best_assignment_of_the_whole_table(pair, threshold):
    overlaps = overlap_instances(*pair)
    table = np.zeros((len(overlaps.true_labels), len(overlaps.predicted_labels)))
    table[overlaps.true, overlaps.predicted] = overlaps.iou
    rows, columns = linear_sum_assignment((table >= threshold) + table / 100, maximize=True)
    best = table[rows, columns][table[rows, columns] >= threshold]
    matched = match_instances(overlaps, threshold)
    assert matched.sum() == len(best)
    assert overlaps.iou[matched].sum() == pytest.approx(best.sum())
    assert len(set(overlaps.true[matched])) == len(set(overlaps.predicted[matched])) == matched.sum()


def test_a_merge_covers_more_than_half_of_two_somas():
    truth = [1, 1, 1, 2, 2, 2, 3, 3, 3, 3]
    prediction = [0, 9, 9, 9, 9, 0, 0, 0, 9, 9]
    merged, split = find_merges(overlap(truth, prediction))
    assert merged.tolist() == [True, True, False] and not split.any()
    assert [outcome.tolist() for outcome in tell_outcomes(overlap(truth, prediction))] == [
        [MERGED, MERGED, UNMATCHED],
        [MERGED],
    ]


def test_a_split_is_a_merge_seen_from_the_other_side():
    truth, prediction = [1, 1, 1, 1, 0, 2, 2, 2], [4, 4, 4, 5, 5, 6, 6, 7]
    overlaps = overlap(truth, prediction)
    merged, split = find_merges(overlaps)
    assert [overlaps.predicted_labels[i] for i in overlaps.predicted[split]] == [6, 7] and not merged.any()
    there, back = find_merges(overlap(prediction, truth))
    assert there.sum() == split.sum() and back.sum() == merged.sum()


def test_outcomes_of_somas_and_predictions():
    """1 found, 2 missed, 3 split into 7 and 8 (of which 7 also matches), 9 false."""
    truth = [1, 1, 2, 2, 3, 3, 3, 3, 3, 0, 0]
    prediction = [5, 5, 0, 0, 7, 7, 7, 7, 8, 0, 9]
    of_truth, of_prediction = tell_outcomes(overlap(truth, prediction))
    assert of_truth.tolist() == [FOUND, UNMATCHED, SPLIT]
    assert of_prediction.tolist() == [FOUND, SPLIT, SPLIT, UNMATCHED]


@pytest.mark.parametrize("threshold", [0.49, 1.01, -1])
def test_a_threshold_below_one_half_is_refused(threshold):
    with pytest.raises(ValueError, match=f"threshold must be from 0.5 to 1, got {threshold}"):
        match_instances(overlap([1], [1]), threshold)


@pytest.mark.parametrize(
    "truth, message", [([[0.5]], "truth must be labels.*float64"), ([[-1]], "truth must not be negative, got -1")]
)
def test_values_that_are_no_labels_are_refused(truth, message):
    with pytest.raises(ValueError, match=message):
        overlap_instances(np.array(truth), np.ones((1, 1), int))
