"""Scores of tracks: perfect against itself, and planted errors cost what can be computed by hand.

The truth is 3 cells in 6 frames: 18 somas and 15 links, so A0 is 180 for DET, 22.5 for LNK and 202.5 for TRA.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from somaseg.tracking.formats.ctc import join_gaps, read_ctc, write_ctc
from somaseg.tracking.scores import score_tracking

pytest.importorskip("ctc_metrics")
DATA = Path(__file__).parents[3] / "shared/data/tracking"


@pytest.fixture
def score(labels, tracks_of):
    """Function from the labels of a result to its scores as a dict; the truth is `labels`."""

    def score(result, truth=labels):
        return score_tracking(result, tracks_of(result), truth, tracks_of(truth)).summary()

    return score


def approximately(**expected):
    return {name: pytest.approx(value) for name, value in expected.items()}


def among(scores, expected):
    return {name: scores[name] for name in expected}


PERFECT = dict.fromkeys(
    ["seg", "det", "lnk", "tra", "hota", "idf1", "id_precision", "id_recall", "iou_pooled"]
    + ["ap_0.50_pooled", "ap_0.50_to_0.95_pooled", "f1_at_0.50_pooled"],
    1.0,
)
ERRORS = ("missed_somas", "spurious_somas", "merges", "missed_links", "spurious_links", "links_of_wrong_kind")


def test_the_truth_against_itself_is_perfect(score, labels):
    scores = score(labels)
    assert among(scores, PERFECT) == PERFECT
    assert [scores[name] for name in ERRORS] == [0] * 6
    assert scores["position_error_median_px"] == 0
    assert (scores["true_somas"], scores["true_links"], scores["true_tracks"], scores["frames"]) == (18, 15, 3, 6)


def test_the_truth_against_itself_is_perfect_through_gaps(score, labels):
    labels[2:4][labels[2:4] == 1] = 0
    scores = score(labels, labels)
    assert among(scores, PERFECT) == PERFECT
    assert scores["true_links"] == 13  # the link over the gap is one of them


def test_other_numbers_of_the_same_cells_change_nothing(score, labels):
    scores = score(np.array([0, 900, 7, 30], np.uint16)[labels])
    assert scores == score(labels)


def test_a_dropped_detection(score, labels):
    labels_without = labels.copy()
    labels_without[3][labels[3] == 2] = 0
    scores = score(labels_without)
    # 1 missed soma; 2 links to it missing, and one over the gap that is not true
    expected = {"det": 1 - 10 / 180, "lnk": 1 - 4 / 22.5, "tra": 1 - 14 / 202.5, "idf1": 34 / 35, "id_recall": 17 / 18}
    expected |= {"seg": 17 / 18, "ap_0.50_to_0.95_pooled": 17 / 18, "hota": np.sqrt((6 + 6 + 5 * 5 / 6) / 18)}
    assert among(scores, expected) == approximately(**expected)
    assert [scores[name] for name in ERRORS] == [1, 0, 0, 2, 1, 0]


def test_a_spurious_detection(score, labels):
    labels_with = labels.copy()
    labels_with[4, 0, 20:24] = 9
    scores = score(labels_with)
    expected = {"det": 1 - 1 / 180, "lnk": 1.0, "idf1": 36 / 37, "seg": 1.0, "id_precision": 18 / 19}
    expected |= {"ap_0.50_pooled": 18 / 19, "hota": np.sqrt(18 / 19)}
    assert among(scores, expected) == approximately(**expected)


def test_two_identities_swapped_half_way(score, labels):
    swapped = labels.copy()
    swapped[3:] = np.array([0, 2, 1, 3])[labels[3:]]
    scores = score(swapped)
    expected = {"det": 1.0, "seg": 1.0, "lnk": 1 - (2 * 1.5 + 2) / 22.5, "idf1": 2 / 3, "hota": np.sqrt(10 / 18)}
    assert among(scores, expected) == approximately(**expected)


def test_identity_switches_are_counted_over_gaps_and_told_per_100_cell_hours(labels):
    swapped = labels.copy()
    swapped[3:] = np.array([0, 2, 1, 3])[labels[3:]]
    swapped[3][labels[3] == 3] = 0  # cell 3 is lost for a frame, which is no switch
    swapped[2:4][labels[2:4] == 1] = 0  # and cell 1 for two, and comes back as another
    scores = score_tracking(swapped, None, labels, None, minutes_per_frame=10).tracking
    assert scores["identity_switches"] == 2
    assert scores["identity_switches_per_100_cell_h"] == pytest.approx(100 * 2 / (3 * 50 / 60))
    counted = score_tracking(labels, None, labels, None).tracking
    assert counted["identity_switches"] == 0 and "identity_switches_per_100_cell_h" not in counted


def test_two_cells_merged_in_one_frame(score, labels):
    merged = labels.copy()
    merged[3][labels[3] == 2] = 1
    scores = score(merged)
    # Both somas are covered by one: one split to do. All 4 links there are missing, and 2 jumps over frame 3.
    expected = {"det": 1 - 5 / 180, "lnk": 1 - (4 * 1.5 + 1) / 22.5, "seg": (16 + 2 * 0.5) / 18}
    assert among(scores, expected) == approximately(**expected)
    assert [scores[name] for name in ERRORS] == [0, 0, 1, 4, 1, 0]
    assert scores["ap_0.50_pooled"] == pytest.approx(17 / 18)


def test_masks_drawn_too_small_are_missed_by_the_challenge_and_still_the_same_cells(labels, tracks_of):
    small = np.zeros_like(labels)
    for frame in range(6):
        small[frame, [2, 8, 14], 3 + frame] = [1, 2, 3]  # one pixel of 16
    scores = score_tracking(small, tracks_of(small), labels, tracks_of(labels))
    assert scores.tracking["det"] == pytest.approx(1 - (18 * 10) / 180)
    assert scores.identities.to_numpy().tolist() == [[1, 1, 6], [2, 2, 6], [3, 3, 6]]
    assert scores.tracking["position_error_median_px"] == pytest.approx(1.5 * np.sqrt(2))


def test_an_empty_result_scores_nothing(score, labels):
    scores = score(np.zeros_like(labels))
    assert all(scores[name] == 0 for name in PERFECT)
    assert [scores[name] for name in ERRORS] == [18, 0, 0, 15, 0, 0]
    assert np.isnan(scores["position_error_median_px"])


def test_an_empty_truth_makes_every_soma_spurious(score, labels):
    scores = score(labels, np.zeros_like(labels))
    assert all(scores[name] == 0 for name in PERFECT)
    assert [scores[name] for name in ERRORS] == [0, 18, 0, 0, 0, 0]


def test_nothing_against_nothing_is_perfect(score, labels):
    empty = np.zeros_like(labels)
    assert among(score(empty, empty), PERFECT) == PERFECT


def test_one_frame_has_no_links(score, labels):
    scores = score(labels[:1], labels[:1])
    assert among(scores, PERFECT) == PERFECT
    assert scores["true_links"] == 0


def test_ids_are_not_bound_to_16_bits(score, labels):
    large = np.array([0, 4_000_000_000, 70_000, 1], np.uint32)[labels]
    assert among(score(large), PERFECT) == PERFECT


def test_movies_of_another_length_or_size_are_refused(score, labels):
    for other in (labels[:5], labels[:, :, :-1]):
        with pytest.raises(ValueError, match="not of the same movie"):
            score(other)


def test_the_package_that_is_missing_is_named_with_its_extra(score, labels, monkeypatch):
    monkeypatch.setitem(sys.modules, "ctc_metrics", None)
    monkeypatch.setitem(sys.modules, "ctc_metrics.metrics", None)
    with pytest.raises(ImportError, match=r"pip install 'somaseg\[score\]'"):
        score(labels)


@pytest.mark.skipif(not DATA.exists(), reason="shared/data/tracking is not here")
def test_on_real_nuclei_the_whole_package_says_the_same_from_files(tmp_path):
    """py-ctcmetrics reads two folders that we wrote; we score the arrays."""
    from ctc_metrics import evaluate_sequence

    truth = tifffile.imread(DATA / "nuclei_6frames/example_label.tif")
    random, result = np.random.default_rng(0), truth.copy()
    for frame in result:
        for label in random.choice(np.unique(frame[frame > 0]), 8, replace=False):
            frame[frame == label] = random.choice([0, 0, label + 1, label + 600])
    write_ctc(tmp_path / "01_GT/TRA", truth, layout="truth")
    with pytest.warns(UserWarning, match="piece"):
        write_ctc(tmp_path / "01_RES", result)
    result = join_gaps(*read_ctc(tmp_path / "01_RES"))  # what is left of it in the format
    names = ["DET", "LNK", "TRA", "HOTA", "IDF1"]
    theirs = evaluate_sequence(str(tmp_path / "01_RES"), str(tmp_path / "01_GT"), names, threads=1)
    ours = score_tracking(result, None, truth, None).tracking
    for name in names:
        assert ours[name.lower()] == pytest.approx(theirs[name]), name
    assert 0.3 < ours["tra"] < 0.98


def test_a_frame_without_true_somas_is_scored_like_any_other(score, labels):
    truth = labels.copy()
    truth[2] = 0
    assert score(truth, truth)["idf1"] == 1.0
    assert score(labels, truth)["spurious_somas"] == 3
    assert score(truth, labels)["missed_somas"] == 3
