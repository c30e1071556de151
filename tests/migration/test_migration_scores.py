"""Scores of migration: perfect against itself, and planted errors come out as what was planted.

The truth: 3 cells of 1 h each, 4 saltations, so 4/3 per hour; path 60 um in 3 h; 60 um of jumps in 1 h; cell 2 is
arrested.
"""

import numpy as np
import pandas as pd
import pytest

from somaseg.migration.scores import QUANTITIES, score_migration


def value(scores, truth_id, column):
    return scores.cells.set_index("truth_id").loc[truth_id, column]


def test_the_truth_against_itself_is_perfect(make_truth):
    scores = score_migration(make_truth(), make_truth())
    pooled = scores.pooled
    assert [pooled[f"cells_{name}"] for name in ("true", "result", "matched", "missed", "spurious")] == [3, 3, 3, 0, 0]
    assert [pooled[f"saltation_{name}"] for name in ("precision", "recall", "f1")] == [1, 1, 1]
    assert pooled["arrested_called_right_share"] == 1
    assert {pooled[f"cell_{name}_mean_error"] for name in QUANTITIES} == {0.0}
    assert [value for name, value in pooled.items() if name.endswith(("_bias", "_relative_error"))] == [0.0] * 15
    assert list(scores.cells["status"]) == ["matched"] * 3
    assert list(scores.cells["shared_frames"]) == [6, 6, 6]


def test_the_values_of_the_movie_are_those_computed_by_hand(make_truth):
    pooled = score_migration(make_truth(), make_truth()).pooled
    expected = {
        "observed_hours_h": 3,
        "saltation_frequency_per_h": 4 / 3,
        "saltation_length_um": 15,
        "speed_when_mobile_um_per_h": 60,
        "mean_speed_um_per_h": 20,
        "pause_fraction": 1.9 / 3,
        "direction_deg": 160,
        "arrested_share": 1 / 3,
    }
    for name, expected_value in expected.items():
        assert pooled[f"{name}_true"] == pooled[f"{name}_result"] == pytest.approx(expected_value), name


def test_other_numbers_of_the_same_cells_change_nothing(make_truth, renumber):
    one, other = (
        score_migration(result, make_truth()) for result in (make_truth(), renumber(make_truth(), {1: 30, 2: 7, 3: 1}))
    )
    assert one.pooled == other.pooled
    pd.testing.assert_frame_equal(one.cells.drop(columns="result_id"), other.cells.drop(columns="result_id"))
    assert list(other.cells["result_id"]) == [30, 7, 1]


def test_a_missed_jump(make_truth):
    result = make_truth()
    result.saltations = result.saltations.iloc[1:]
    result.cells.loc[0, ["saltation_count", "saltation_frequency_per_h"]] = [1, 1.0]
    scores = score_migration(result, make_truth())
    pooled = scores.pooled
    assert (pooled["saltation_precision"], pooled["saltation_recall"]) == (1, 0.75)
    assert pooled["saltation_f1"] == pytest.approx(6 / 7)
    assert pooled["saltation_frequency_per_h_bias"] == pytest.approx(-1 / 3)
    assert pooled["saltation_frequency_per_h_relative_error"] == pytest.approx(-0.25)
    assert pooled["cell_saltation_frequency_per_h_mean_error"] == pytest.approx(-1 / 3)
    assert pooled["cell_saltation_frequency_per_h_median_absolute_error"] == 0
    assert value(scores, 1, "saltation_frequency_per_h_error") == -1
    assert list(scores.cells["saltations_matched"]) == [1, 0, 2]


def test_two_jumps_that_were_merged_into_one(make_truth):
    result = make_truth()
    result.saltations = result.saltations.drop(index=1).assign(duration_min=lambda t: [40.0, 20.0, 20.0])
    pooled = score_migration(result, make_truth()).pooled
    assert (pooled["saltation_precision"], pooled["saltation_recall"]) == (1, 0.75)


def test_a_jump_at_the_wrong_time_is_both_missed_and_spurious(make_truth):
    result = make_truth()
    result.saltations.loc[0, "start_min"] = 15.0
    pooled = score_migration(result, make_truth()).pooled
    assert (pooled["saltation_precision"], pooled["saltation_recall"]) == (0.75, 0.75)


def test_jumps_of_one_cell_do_not_answer_for_another(make_truth):
    result = make_truth()
    result.saltations["track_id"] = [2, 2, 3, 3]
    pooled = score_migration(result, make_truth()).pooled
    assert (pooled["saltation_precision"], pooled["saltation_recall"]) == (0.5, 0.5)


def test_a_missed_cell_is_counted_and_its_jumps_apart(make_truth, drop_cell):
    scores = score_migration(drop_cell(make_truth(), 3), make_truth())
    pooled = scores.pooled
    assert (pooled["cells_matched"], pooled["cells_missed"], pooled["cells_spurious"]) == (2, 1, 0)
    assert pooled["saltations_of_missed_cells"] == 2
    assert (pooled["saltation_precision"], pooled["saltation_recall"]) == (1, 0.5)
    assert pooled["saltation_recall_of_matched_cells"] == 1
    assert pooled["saltation_frequency_per_h_bias"] == pytest.approx(2 / 2 - 4 / 3)
    assert pooled["arrested_share_bias"] == pytest.approx(1 / 2 - 1 / 3)
    assert value(scores, 3, "status") == "missed"
    assert pd.isna(value(scores, 3, "result_id")) and np.isnan(value(scores, 3, "pause_fraction_error"))


def test_a_spurious_cell_is_counted_and_its_jumps_apart(make_truth, drop_cell):
    scores = score_migration(make_truth(), drop_cell(make_truth(), 1))
    assert (scores.pooled["cells_missed"], scores.pooled["cells_spurious"]) == (0, 1)
    assert scores.pooled["saltations_of_spurious_cells"] == 2
    assert (scores.pooled["saltation_precision"], scores.pooled["saltation_recall"]) == (0.5, 1)
    assert scores.pooled["saltation_precision_of_matched_cells"] == 1
    last = scores.cells.iloc[-1]
    assert (last["status"], last["result_id"], last["result_frames"], last["shared_frames"]) == ("spurious", 1, 6, 0)


def test_a_direction_errs_the_shorter_way_round(make_truth):
    result = make_truth()
    result.cells["direction_deg"] = [-170.0, np.nan, -170.0]
    scores = score_migration(result, make_truth())
    assert value(scores, 1, "direction_deg_error") == 20
    assert value(scores, 3, "direction_deg_error") == 40
    assert scores.pooled["cell_direction_deg_n"] == 2
    assert scores.pooled["direction_deg_bias"] == pytest.approx(30)
    assert "direction_deg_relative_error" not in scores.pooled


def test_arrested_cells_called_wrong_either_way(make_truth):
    result = make_truth()
    result.cells["arrested"] = pd.array([True, False, None], dtype="boolean")
    pooled = score_migration(result, make_truth()).pooled
    assert pooled["arrested_called_right_share"] == 0
    assert (pooled["arrested_called_moving"], pooled["moving_called_arrested"], pooled["arrested_n"]) == (1, 1, 2)


def test_a_value_undefined_in_the_result_has_no_error_and_is_counted(make_truth):
    result = make_truth()
    result.cells.loc[0, "saltation_length_um"] = np.nan
    scores = score_migration(result, make_truth())
    assert scores.pooled["cell_saltation_length_um_n"] == 1
    assert scores.pooled["cell_saltation_length_um_mean_error"] == 0


def test_a_fragmented_track_is_one_match_and_one_spurious_cell(make_truth):
    result = make_truth()
    result.labels[4:][result.labels[4:] == 2] = 9
    result.tracks.loc[(result.tracks["track_id"] == 2) & (result.tracks["frame"] >= 4), "track_id"] = 9
    result.cells = pd.concat([result.cells, result.cells.iloc[[1]].assign(track_id=9)], ignore_index=True)
    scores = score_migration(result, make_truth())
    assert (scores.pooled["cells_matched"], scores.pooled["cells_spurious"]) == (3, 1)
    assert value(scores, 2, "shared_frames") == 4
    assert value(scores, 2, "truth_frames") == 6


def test_an_empty_result_and_an_empty_truth_have_defined_scores(make_truth, drop_cell):
    def empty():
        return drop_cell(drop_cell(drop_cell(make_truth(), 1), 2), 3)

    missed = score_migration(empty(), make_truth()).pooled
    assert (missed["cells_missed"], missed["saltations_of_missed_cells"], missed["saltation_recall"]) == (3, 4, 0)
    assert np.isnan(missed["saltation_frequency_per_h_result"])
    assert np.isnan(missed["saltation_recall_of_matched_cells"])
    spurious = score_migration(make_truth(), empty()).pooled
    assert (spurious["cells_spurious"], spurious["saltations_of_spurious_cells"]) == (3, 4)
    nothing = score_migration(empty(), empty())
    assert nothing.pooled["saltation_f1"] == 1
    assert len(nothing.cells) == 0


def test_without_saltations_the_movie_s_values_come_from_the_cells(make_truth):
    result = make_truth()
    result.saltations = None
    scores = score_migration(result, make_truth())
    assert "saltation_precision" not in scores.pooled
    assert "saltations_matched" not in scores.cells
    assert scores.pooled["saltation_length_um_result"] == pytest.approx(15)
    assert scores.pooled["speed_when_mobile_um_per_h_result"] == pytest.approx(60)


def test_without_cells_it_is_refused(make_truth):
    result = make_truth()
    result.cells = None
    with pytest.raises(ValueError, match="The result has no cells.csv"):
        score_migration(result, make_truth())
