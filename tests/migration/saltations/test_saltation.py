import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from somaseg.migration.saltations.saltation import SaltationParameters, find_saltations
from somaseg.tracking.tables import check_table


def _track(x_um, frames=None, track_id=1):
    frames = range(len(x_um)) if frames is None else frames
    return pd.DataFrame({"track_id": track_id, "frame": list(frames), "y_um": 0.0, "x_um": np.asarray(x_um, float)})


def _find(tracks, minutes=10, noise_um=0.3, drift=False, **parameters):
    parameters = SaltationParameters(remove_drift_residue=drift, **parameters)
    return find_saltations(tracks, minutes_per_frame=minutes, noise_um=noise_um, parameters=parameters)


def test_a_run_of_moving_steps_is_one_saltation():
    found = _find(_track([0, 0, 6, 14, 14, 14, 7, 0, 0]))
    assert found.table["start_frame"].tolist() == [1, 5]
    assert found.table["end_frame"].tolist() == [3, 7]
    assert found.table["length_um"].tolist() == [14, 14]
    assert found.table["duration_min"].tolist() == [20, 20]
    assert found.table["heading_deg"].tolist() == [0, 180]
    assert found.steps["moving"].tolist() == [False, True, True, False, False, True, True, False]


def test_direction_is_counter_clockwise_on_screen():
    tracks = _track([0] * 5).assign(y_um=[0.0, 0, 9, 9, 9])
    assert _find(tracks).table["heading_deg"].tolist() == [-90]


def test_a_slow_step_goes_on_with_a_saltation_but_starts_none():
    # 2.5 um in 10 min is 15 um/h: above off (10), below on (20).
    found = _find(_track([0, 2.5, 2.5, 5, 12, 14.5, 14.5, 14.5]))
    assert found.table[["start_frame", "end_frame", "length_um"]].values.tolist() == [[2, 5, 12]]


def test_a_saltation_is_at_least_half_a_soma_long():
    tracks = _track([0, 0, 4.5, 4.5, 4.5])
    assert len(_find(tracks).table) == 0
    assert len(_find(tracks, minimum_length_um=4.0).table) == 1


def test_there_and_back_at_once_is_no_saltation():
    assert len(_find(_track([0, 0, 8, 0, 0, 0])).table) == 0


def test_runs_at_the_ends_of_a_track_are_marked():
    table = _find(_track([0, 8, 8, 8, 16, 16, 16, 24])).table
    assert table["cut_by_track_end"].tolist() == [True, False, True]
    assert table["started"].tolist() == [False, True, True]


@pytest.mark.parametrize(
    "places, frames, expected",
    [
        ([0, 8], [0, 1], []),
        ([0, 8, 16], [0, 1, 2], []),
        ([0, 8, 16, 24], [0, 1, 2, 3], [0]),
        ([0, 0, 8], [0, 1, 2], [1]),  # it rests first
        ([0, 0, 0, 0, 40, 48, 56], [0, 1, 2, 3, 20, 21, 22], []),  # after a long gap
    ],
)
def test_a_piece_of_three_positions_that_moves_throughout_shows_no_saltation(places, frames, expected):
    found = _find(_track(places, frames=frames))
    assert found.table["start_frame"].tolist() == expected
    assert found.steps["moving"].sum() == np.sum(np.diff(places) == 8)


def test_noise_alone_makes_no_saltations_and_ignoring_it_does():
    rng = np.random.default_rng(0)
    tracks = pd.concat(
        [_track(rng.normal(0, 1.2, 60), track_id=i).assign(y_um=rng.normal(0, 1.2, 60)) for i in range(1, 21)]
    )
    assert len(_find(tracks, minutes=5, noise_um=1.2, minimum_length_um=2.0).table) <= 1
    assert len(_find(tracks, minutes=5, noise_um=0.0, minimum_length_um=2.0).table) > 20


def test_drift_residue_makes_no_saltations_and_ignoring_it_does():
    rng = np.random.default_rng(0)
    tracks = pd.concat([_track(rng.normal(0, 0.3, 40), track_id=i) for i in range(1, 16)])
    tracks["y_um"] = rng.normal(0, 0.3, len(tracks))
    tracks["x_um"] += 9.0 * (tracks["frame"] >= 20)
    assert len(_find(tracks, drift=True).table) == 0
    assert len(_find(tracks, drift=False).table) == 15


def test_creeping_over_missed_frames_is_no_saltation_and_ignoring_the_gap_makes_one():
    # 1.5 um per 10 min is 9 um/h; over two missed frames it adds up to 4.5 um.
    creeping = _track([0, 1.5, 6, 7.5, 9, 10.5], frames=[0, 1, 4, 5, 6, 7])
    as_if_whole = creeping.assign(frame=range(6))
    assert len(_find(creeping, minimum_length_um=4.0).table) == 0
    assert len(_find(as_if_whole, minimum_length_um=4.0).table) == 1


def test_a_jump_within_a_gap_is_found_although_the_speed_over_the_gap_is_low():
    # 8 um over three intervals of 10 min are 16 um/h, below the 20 that starts one.
    found = _find(_track([0, 0, 8, 8], frames=[0, 1, 4, 5]))
    assert found.steps["speed_um_per_h"].max() == pytest.approx(16.0)
    assert found.table[["start_frame", "end_frame"]].values.tolist() == [[1, 4]]


def test_a_long_gap_cuts_the_track():
    found = _find(_track([0, 0, 30, 30, 38], frames=[0, 1, 9, 10, 11]))
    assert found.steps["frame"].tolist() == [0, 9, 10]
    assert found.table[["start_frame", "cut_by_track_end"]].values.tolist() == [[10, True]]
    assert found.cells["exposure_h"].tolist() == [pytest.approx(10 / 60)]


def test_saltations_under_way_at_a_tracks_begin_are_not_counted_and_counting_them_is_wrong(film_jumping_cells):
    tracks, truth = film_jumping_cells(cells=60, resting_cells=0, minutes=5, pause_law="regular", noise_um=0.1)
    # The same cells, as if a new track began every hour.
    short = tracks.assign(track_id=tracks["track_id"] * 1000 + tracks["frame"] // 12)
    found = _find(short, minutes=5, noise_um=0.1, minimum_length_um=2.0)
    hours = found.steps.pipe(lambda steps: steps["next_frame"] - steps["frame"]).sum() * 5 / 60
    assert len(found.table) / hours > 1.15 * truth
    assert found.frequency_per_h == pytest.approx(truth, rel=0.08)


@pytest.mark.parametrize("pause_law", ["memoryless", "regular"])
def test_at_5_min_frequency_and_length_are_within_10_percent(film_jumping_cells, pause_law):
    tracks, truth = film_jumping_cells(minutes=5, pause_min=85.0, pause_law=pause_law, missed=0.03, cells=30)
    found = find_saltations(tracks, minutes_per_frame=5, noise_um=0.5)
    assert found.frequency_per_h == pytest.approx(truth, rel=0.1)
    assert found.length_um == pytest.approx(15.0, rel=0.1)


def test_at_1_min_jumps_are_found_that_noise_hides_from_one_frame_to_the_next(film_jumping_cells):
    tracks, truth = film_jumping_cells(minutes=1, pause_law="regular", cells=12, resting_cells=4, hours=8.0)
    found = find_saltations(tracks, minutes_per_frame=1, noise_um=0.5)
    assert found.frequency_per_h == pytest.approx(truth, rel=0.1)
    assert found.length_um == pytest.approx(15.0, rel=0.1)
    # A jump of 60 um/h is 1 um per frame; four sd of the noise of a step are 2.8 um.
    assert found.step_noise_um == pytest.approx(0.5 / np.sqrt(5.0))


def test_frames_of_averaged_positions_are_frames_of_the_movie():
    found = _find(_track(np.repeat([0.0, 0, 0, 12, 12, 12], 5)), minutes=1, noise_um=0.0)
    assert found.steps[["frame", "next_frame"]].values.tolist() == [[2, 7], [7, 12], [12, 17], [17, 22], [22, 27]]
    row = found.table.iloc[0]
    assert (row["start_frame"], row["end_frame"], row["start_min"], row["duration_min"]) == (12, 17, 12.0, 5.0)


def test_an_interval_too_long_for_the_frequency_is_warned_of(film_jumping_cells):
    tracks, _ = film_jumping_cells(minutes=20)
    assert (
        "Frame interval 20 min is too long" in find_saltations(tracks, minutes_per_frame=20, noise_um=0.5).warnings[0]
    )
    assert _find(_track([0] * 30 + [9] * 30), minutes=5).warnings == []


def test_no_tracks_give_empty_tables_of_the_right_columns():
    for tracks in (_track([]), _track([3.0])):
        found = find_saltations(tracks, minutes_per_frame=15, noise_um=0.5)
        assert len(check_table(found.table, "saltations.csv")) == len(found.steps) == 0
        assert np.isnan(found.frequency_per_h) and np.isnan(found.length_um) and found.warnings == []


def test_the_table_is_one_of_a_result_folder():
    table = check_table(_find(_track([0, 0, 8, 8, 8])).table, "saltations.csv")
    assert table["start_min"].tolist() == [10.0]


@settings(max_examples=25, deadline=None)
@given(
    turn=st.floats(0, 2 * np.pi),
    x_um=st.lists(st.floats(-40, 40), min_size=2, max_size=15),
    order=st.randoms(use_true_random=False),
)
def test_neither_direction_nor_place_nor_order_of_rows_matters(turn, x_um, order):
    tracks = _track(x_um)
    rows = list(range(len(tracks)))
    order.shuffle(rows)
    turned = tracks.assign(y_um=5 + np.sin(turn) * tracks["x_um"], x_um=9 + np.cos(turn) * tracks["x_um"]).iloc[rows]
    first, second = _find(tracks, noise_um=0.123), _find(turned, noise_um=0.123)
    assert np.allclose(first.table["length_um"], second.table["length_um"])
    assert first.table["start_frame"].tolist() == second.table["start_frame"].tolist()


@settings(max_examples=25, deadline=None)
@given(x_um=st.lists(st.floats(-40, 40), min_size=2, max_size=20), on=st.floats(10, 60))
def test_a_higher_threshold_never_makes_more_steps_move(x_um, on):
    low, high = (_find(_track(x_um), on_speed_um_per_h=speed, minimum_length_um=0.0) for speed in (on, 1.5 * on))
    assert high.steps["moving"].sum() <= low.steps["moving"].sum()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"off_speed_um_per_h": 30.0}, "off_speed_um_per_h must be at most on_speed_um_per_h"),
        ({"minimum_length_um": float("nan")}, "minimum_length_um must be a number from 0"),
        ({"longest_gap_frames": 1.5}, "longest_gap_frames must be a whole number"),
    ],
)
def test_wrong_parameters_are_named(wrong, says):
    with pytest.raises(ValueError, match=says):
        SaltationParameters(**wrong)


@pytest.mark.parametrize(("minutes", "noise_um"), [(0, 0.3), (10, -1.0), (10, float("nan"))])
def test_wrong_numbers_are_refused(minutes, noise_um):
    with pytest.raises(ValueError, match="must be a number"):
        _find(_track([0, 1]), minutes=minutes, noise_um=noise_um)
