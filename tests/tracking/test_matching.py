"""Which soma is which: frame by frame, over the movie, and which saltation is which."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from somaseg.tracking.matching import covering_pairs, match_identities, match_intervals, one_to_one_pairs, overlap


def pairs_of(table):
    return sorted(zip(table["frame"], table["truth_id"], table["result_id"]))


def row(*values):
    return np.array([[values]], np.uint16)


def test_the_overlap_of_two_somas_is_counted():
    overlaps = overlap(row(7, 7, 7, 0, 8), row(0, 1, 1, 1, 2))
    table = overlaps.pairs.set_index(["truth_id", "result_id"])
    assert table.loc[(1, 7), ["intersection_px", "truth_px", "result_px", "iou"]].tolist() == [2, 3, 3, 0.5]
    assert table.loc[(2, 8), "iou"] == 1
    assert len(table) == 2


def test_a_result_covers_a_soma_with_more_than_half_of_it():
    assert pairs_of(covering_pairs(overlap(row(5, 0), row(1, 1)))) == []
    assert pairs_of(covering_pairs(overlap(row(5, 5, 0), row(1, 1, 1)))) == [(0, 1, 5)]
    assert pairs_of(covering_pairs(overlap(row(5, 5, 5, 5), row(1, 1, 2, 2)))) == [(0, 1, 5), (0, 2, 5)]


def test_a_soma_drawn_too_small_or_too_large_is_still_the_same_one():
    assert pairs_of(one_to_one_pairs(overlap(row(5, 0, 0, 0), row(1, 1, 1, 1)))) == [(0, 1, 5)]
    assert pairs_of(one_to_one_pairs(overlap(row(5, 5, 5, 5), row(0, 1, 0, 0)))) == [(0, 1, 5)]
    assert pairs_of(one_to_one_pairs(overlap(row(5, 5, 0, 0), row(0, 1, 1, 1)))) == []


def test_a_merged_soma_is_the_larger_of_the_two():
    assert pairs_of(one_to_one_pairs(overlap(row(5, 5, 5, 5, 5), row(1, 1, 2, 2, 2)))) == [(0, 2, 5)]


def test_most_pairs_come_before_the_best_pair():
    # 1 and 5 overlap best, yet then 2 and 6 would both be left over.
    truth, result = row(1, 1, 1, 1, 2, 2), row(6, 5, 5, 5, 5, 5)
    assert pairs_of(one_to_one_pairs(overlap(result, truth))) == [(0, 1, 6), (0, 2, 5)]


def test_a_track_is_the_one_with_most_frames_in_common():
    truth = np.array([[[1, 2]]] * 5, np.uint16)
    result = np.array([[[5, 6]]] * 2 + [[[6, 5]]] * 3, np.uint16)
    overlaps = overlap(result, truth)
    table = match_identities(one_to_one_pairs(overlaps), overlaps)
    assert table.to_numpy().tolist() == [[1, 6, 3], [2, 5, 3]]


def test_of_equally_good_identities_the_one_that_is_right_earlier_is_taken():
    truth = np.array([[[1, 2]]] * 4, np.uint16)
    for first, second in ((5, 6), (6, 5)):
        result = np.array([[[first, second]]] * 2 + [[[second, first]]] * 2, np.uint16)
        overlaps = overlap(result, truth)
        table = match_identities(one_to_one_pairs(overlaps), overlaps)
        assert table.to_numpy().tolist() == [[1, first, 2], [2, second, 2]]


def test_the_sum_over_the_movie_comes_before_the_best_single_track():
    truth = np.array([[[1, 2]]] * 5, np.uint16)  # 1 is 5 thrice and 6 twice; 2 is 5 twice and 7 never
    result = np.array([[[5, 7]]] * 3 + [[[6, 5]]] * 2, np.uint16)
    overlaps = overlap(result, truth)
    table = match_identities(one_to_one_pairs(overlaps), overlaps)
    assert table.to_numpy().tolist() == [[1, 5, 3], [2, 7, 3]]


def test_nothing_matches_nothing():
    overlaps = overlap(row(0, 0), row(0, 0))
    assert len(one_to_one_pairs(overlaps)) == len(covering_pairs(overlaps)) == 0
    assert len(match_identities(one_to_one_pairs(overlaps), overlaps)) == 0
    assert match_intervals([], []) == match_intervals([[0, 1]], []) == []


def test_stacks_of_different_movies_are_refused():
    with pytest.raises(ValueError, match="result has 2 frames of 3x4 px, the truth 1 frames of 3x4 px"):
        overlap(np.zeros((2, 3, 4), int), np.zeros((1, 3, 4), int))


def test_intervals_that_only_touch_do_not_match_and_an_instant_does():
    assert match_intervals([[0, 10]], [[10, 20]]) == []
    assert match_intervals([[0, 10]], [[5, 5]]) == [(0, 0)]


def test_intervals_are_matched_so_that_most_find_one():
    # The first overlaps both; only by giving it the shorter overlap do both find one.
    assert match_intervals([[0, 20], [20, 30]], [[0, 5], [5, 28]]) == [(0, 0), (1, 1)]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_numbers_of_cells_do_not_matter(seed):
    random = np.random.default_rng(seed)
    truth, result = random.integers(0, 5, (2, 4, 3, 4))
    new_truth, new_result = (np.r_[0, 1 + random.permutation(9)[:4]] for _ in range(2))
    plain = overlap(result, truth)
    renamed = overlap(new_result[result], new_truth[truth])
    for pairs in (one_to_one_pairs, covering_pairs):
        expected = sorted((f, new_truth[t], new_result[r]) for f, t, r in pairs_of(pairs(plain)))
        assert pairs_of(pairs(renamed)) == expected
    table = match_identities(one_to_one_pairs(plain), plain)
    expected = sorted((new_truth[t], new_result[r], n) for t, r, n in table.to_numpy())
    assert match_identities(one_to_one_pairs(renamed), renamed).to_numpy().tolist() == [list(row) for row in expected]
