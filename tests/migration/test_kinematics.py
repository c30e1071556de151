"""Paths, turns and their corrections: against celltrackR's published numbers, against geometry, and against laws.

celltrackR's numbers are those of its own tests (tests/testthat/test1D.R and testBorderCases.R, version 1.2): one track
with x = 8, 9, 7, 7, 6, 5 at steps of 10 s.
"""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from somaseg.migration.displacements import find_displacements
from somaseg.migration.kinematics import PATH_COLUMNS, measure_paths, noise_corrected_path_um
from somaseg.migration.steps import find_steps, position_grid
from somaseg.migration.turning import direction_autocorrelation, turning_angles

TEN_SECONDS = 1 / 6


def track(x, y=None, *, frames=None, track_id=1):
    frames = range(len(x)) if frames is None else frames
    y = np.zeros(len(x)) if y is None else y
    return pd.DataFrame({"track_id": track_id, "frame": frames, "y_um": y, "x_um": np.asarray(x, float)})


REFERENCE = track([8, 9, 7, 7, 6, 5])


def test_paths_are_those_of_celltrackr():
    (row,) = measure_paths(REFERENCE, minutes_per_frame=TEN_SECONDS).itertuples()
    assert row.path_um == 5
    assert row.duration_h * 3600 == pytest.approx(50)
    assert row.mean_speed_um_per_h / 3600 == pytest.approx(0.1)
    assert row.net_displacement_um == 3
    assert row.largest_displacement_um == 3
    assert row.displacement_ratio == 1
    assert row.outreach == pytest.approx(3 / 5)


def test_turns_are_those_of_celltrackr():
    steps = find_steps(REFERENCE, minutes_per_frame=TEN_SECONDS)
    turns = turning_angles(steps)["turning_angle_deg"].abs()
    assert math.radians(turns.mean()) == pytest.approx(math.pi / 2)
    directions = steps["direction_deg"].dropna()
    assert math.radians(abs(directions.iloc[-1] - directions.iloc[0])) == pytest.approx(math.pi)


def test_mean_path_over_subtracks_is_that_of_celltrackr():
    """aggregate(d, trackLength): 1, 2, 8/3, 4, 5 over all subtracks of 1 to 5 steps."""
    means = []
    for steps in range(1, 6):
        parts = [
            track(REFERENCE["x_um"].iloc[first : first + steps + 1], track_id=first + 1) for first in range(6 - steps)
        ]
        paths = measure_paths(pd.concat(parts), minutes_per_frame=TEN_SECONDS)
        means.append(paths["path_um"].mean())
    assert means == pytest.approx([1, 2, 8 / 3, 4, 5])


def test_a_track_seen_once_has_lengths_of_0_and_no_ratios():
    """As celltrackR: speed, displacementRatio and outreachRatio of a track of length one are NaN."""
    (row,) = measure_paths(track([3.0]), minutes_per_frame=15, axis_deg=0).itertuples()
    assert (row.path_um, row.net_displacement_um, row.duration_h) == (0, 0, 0)
    undefined = (row.mean_speed_um_per_h, row.straightness, row.outreach, row.displacement_ratio, row.direction_deg)
    assert np.isnan([*undefined, row.fmi_along]).all()


def test_no_tracks_are_an_empty_table_with_all_columns():
    none = track([]).iloc[:0]
    assert list(measure_paths(none, minutes_per_frame=15)) == list(PATH_COLUMNS)
    assert len(turning_angles(find_steps(none, minutes_per_frame=15))) == 0
    assert len(direction_autocorrelation(find_steps(none, minutes_per_frame=15))) == 0
    assert position_grid(none)[1].shape == (0, 0, 2)


def test_a_gap_is_crossed_in_a_straight_line_and_takes_its_time():
    (row,) = measure_paths(track([0, 3, 3], [0, 0, 4], frames=[2, 3, 6]), minutes_per_frame=30).itertuples()
    assert (row.path_um, row.duration_h, row.frames_seen) == (7, 2, 3)


@pytest.mark.parametrize("dy, dx, direction", [(0, 2, 0), (-2, 0, 90), (0, -2, 180), (2, 0, -90)])
def test_directions_are_as_seen_on_screen(dy, dx, direction):
    (row,) = measure_paths(track([5, 5 + dx], [5, 5 + dy]), minutes_per_frame=1).itertuples()
    assert row.direction_deg == direction


def test_fmi_of_a_detour_up():
    """4 up and 3 right on a path of 7; across is 90 degrees further: to the left."""
    (row,) = measure_paths(track([0, 0, 3], [0, -4, -4]), minutes_per_frame=1, axis_deg=90).itertuples()
    assert (row.fmi_along, row.fmi_across) == pytest.approx((4 / 7, -3 / 7))


coordinates = st.lists(st.tuples(*[st.floats(-1e3, 1e3, allow_nan=False)] * 2), min_size=2, max_size=12)


@settings(max_examples=15, deadline=None)
@given(places=coordinates, turn_deg=st.floats(-180, 180), shift=st.floats(-1e3, 1e3), axis_deg=st.floats(-180, 180))
def test_what_a_cell_did_does_not_depend_on_where_and_which_way(places, turn_deg, shift, axis_deg):
    """Shifted and turned with its axis a track has the same numbers; and the order holds for every track."""
    y, x = np.array(places).T
    c, s = math.cos(math.radians(turn_deg)), math.sin(math.radians(turn_deg))
    turned = track(c * x + s * y + shift, c * y - s * x - shift)  # counter-clockwise on screen, y down
    before = measure_paths(track(x, y), minutes_per_frame=15, axis_deg=axis_deg).iloc[0]
    after = measure_paths(turned, minutes_per_frame=15, axis_deg=axis_deg + turn_deg).iloc[0]
    assert before["net_displacement_um"] <= before["largest_displacement_um"] <= before["path_um"] * (1 + 1e-9)
    if before["path_um"] > 1e-3:
        names = ["path_um", "net_displacement_um", "largest_displacement_um", "straightness", "outreach", "fmi_along"]
        assert after[names].to_numpy(float) == pytest.approx(before[names].to_numpy(float), rel=1e-6, abs=1e-6)
        assert np.hypot(before["fmi_along"], before["fmi_across"]) == pytest.approx(before["straightness"])


def test_turns_within_position_noise_and_over_gaps_are_left_out():
    steps = find_steps(
        track([0, 10, 10.5, 20, 20, 30], [0, 0, 0, 0, 10, 10], frames=[0, 1, 2, 3, 4, 6]), minutes_per_frame=15
    )
    assert turning_angles(steps, minimum_um=1.0)["turning_angle_deg"].tolist() == [-90.0]


def test_direction_autocorrelation_of_a_circle_is_the_cosine_of_its_angle():
    angle = np.deg2rad(30 * np.arange(13))
    curve = direction_autocorrelation(find_steps(track(np.cos(angle), np.sin(angle)), minutes_per_frame=10))
    assert curve["value"].to_numpy() == pytest.approx(np.cos(np.deg2rad(30 * np.arange(12))))
    assert curve["lag_min"].tolist() == [10.0 * lag for lag in range(12)]
    assert curve["n"].tolist() == list(range(12, 0, -1))


def test_noise_makes_a_path_longer_and_the_correction_takes_it_off():
    """40 cells that rest, 40 that jump 15 um every eighth frame; noise of 0.5 um."""
    rng = np.random.default_rng(31)
    frames, jumps = np.arange(41), np.arange(41) // 8 * 15.0
    parts = [track(jumps * (number % 2), frames=frames, track_id=number + 1) for number in range(80)]
    tracks = pd.concat(parts, ignore_index=True)
    tracks[["y_um", "x_um"]] += rng.normal(0, 0.5, (len(tracks), 2))
    steps = find_displacements(tracks)
    steps["moving"] = np.hypot(steps["dy_um"], steps["dx_um"]) > 5
    raw = measure_paths(tracks, minutes_per_frame=15).set_index("track_id")["path_um"]
    corrected = noise_corrected_path_um(steps, noise_um=0.5)
    resting, going = raw.index % 2 == 1, raw.index % 2 == 0
    assert raw[resting].mean() == pytest.approx(40 * 0.5 * math.sqrt(math.pi), rel=0.03)
    assert corrected[resting].mean() < 0.05 * raw[resting].mean()
    assert corrected[going].mean() == pytest.approx(75, rel=0.02)
    assert raw[going].mean() > 1.3 * 75


def test_creeping_below_the_noise_is_not_taken_off_with_it():
    """Normal steps of sd 1 um along each axis hide in noise of 0.5 um: mean length sqrt(pi / 2)."""
    rng = np.random.default_rng(5)
    walk = np.cumsum(rng.normal(0, 1.0, (60, 41, 2)), axis=1) + rng.normal(0, 0.5, (60, 41, 2))
    tracks = pd.concat([track(own[:, 0], own[:, 1], track_id=number + 1) for number, own in enumerate(walk)])
    steps = find_displacements(tracks).assign(moving=False)
    assert noise_corrected_path_um(steps, noise_um=0.5).mean() == pytest.approx(40 * math.sqrt(math.pi / 2), rel=0.03)
