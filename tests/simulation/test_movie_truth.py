"""The truth of a simulated movie as tables and files: exact numbers of a hand-made motion, and what a folder holds."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
import tifffile

from somaseg.simulation.motion import STATES, Motion, MotionParameters
from somaseg.simulation.movie_saving import save_movie
from somaseg.simulation.movie_truth import (
    true_cells,
    true_drift,
    true_saltations,
    true_states,
    true_summary,
    true_tracks,
)
from somaseg.simulation.movies import MovieParameters, SimulatedMovie, simulate_movie
from somaseg.tracking.results import read_result

SMALL = MovieParameters(
    height_px=64,
    width_px=64,
    duration_h=0.75,
    motion=MotionParameters(density_per_field=150.0, margin_um=20.0, spacing_um=10.0),
)
FRAMES = 6


@pytest.fixture(scope="module")
def hand_made():
    """Three cells at 15 min and 2 um/px: a jumper seen in frames 1-4, an arrested one always seen, and one never seen.

    The jumper goes right along x by 4 um at 20-30 min, by 6 um at 45-50 min and by 8 um at 58-70 min, after which it is
    out of view; before that, it made one at 5-10 min, unseen.
    """
    p = MovieParameters(height_px=16, width_px=16, um_per_px=2.0, duration_h=1.5, motion=SMALL.motion)
    centre = np.zeros((3, FRAMES, 2))
    centre[0, :, 1] = [0, 2, 6, 6, 13, 20]
    centre[1, :, 0] = [10, 10.1, 10, 10, 10, 10]
    path = centre[:, :, 1] - centre[:, :1, 1]
    columns = ("track_id", "start_min", "duration_min", "length_um", "speed_um_per_h", "heading_deg")
    rows = [(1, 5, 5, 2, 24, 0), (1, 20, 10, 4, 24, 0), (1, 45, 5, 6, 72, 0), (1, 58, 12, 8, 40, 0)]
    state = np.zeros((3, FRAMES), np.uint8)
    state[1] = STATES.index("arrested")
    zeros = np.zeros((3, FRAMES))
    motion = Motion(
        times_min=p.times_min,
        track_ids=np.array([1, 2, 3]),
        behaviour=np.array(["migrating", "arrested", "migrating"]),
        centre_um=centre,
        heading_deg=zeros,
        stretch=zeros + 1.0,
        swelling=zeros,
        swelling_ahead_um=zeros,
        depth_um=zeros,
        state=state,
        path_um=path,
        saltations=pd.DataFrame(rows, columns=columns),
        parameters=p.motion,
        seed=0,
    )
    labels = np.zeros((FRAMES, 16, 16), np.uint16)
    frames = np.full(labels.shape, 7, np.uint16)
    drift = np.zeros((FRAMES, 2))
    drift[2:] = (1.0, -1.0)
    for frame in range(FRAMES):
        labels[frame, 5 + (frame >= 2), 8:10] = 2
        frames[frame, 5 + (frame >= 2), 8:10] = 10 * frame, 10 * frame + 2
        if 1 <= frame <= 4:
            labels[frame, 2, frame] = 1
    visible = np.array([[0, 1, 1, 1, 1, 0], [1] * 6, [0] * 6], bool)
    return SimulatedMovie(frames, labels, motion, drift, visible, (), (), p, 0)


@pytest.fixture(scope="module")
def movie():
    return simulate_movie(dataclasses.replace(SMALL, missing_frames=1), seed=4)


def test_a_cell_is_measured_from_its_first_to_its_last_visible_frame(hand_made):
    cells = true_cells(hand_made).set_index("track_id")
    assert cells.index.tolist() == [1, 2]
    jumper = cells.loc[1]
    # Frames 1-4 are 15-60 min, 2 to 13 um along x; the saltation before is not its own, and the last is cut.
    expected = {
        "first_frame": 1,
        "last_frame": 4,
        "duration_h": 0.75,
        "path_um": 11.0,
        "net_displacement_um": 11.0,
        "mean_speed_um_per_h": 11.0 / 0.75,
        "speed_when_mobile_um_per_h": (24 + 72 + 40) / 3,
        "saltation_count": 3,
        "saltation_frequency_per_h": 4.0,
        "saltation_length_um": 6.0,
        # 30-45 and 50-58 min; that before 20 min began at 10 min, before the cell was seen.
        "pause_median_min": 11.5,
        # 10 + 5 + 2 of 45 min in saltations.
        "pause_fraction": 1 - 17 / 45,
        "straightness": 1.0,
        "outreach": 1.0,
        "direction_deg": 0.0,
    }
    for name, value in expected.items():
        assert jumper[name] == pytest.approx(value), name
    assert not jumper["arrested"] and jumper["behaviour"] == "migrating"


def test_in_a_truth_the_corrected_values_are_the_exact_ones(hand_made):
    cells = true_cells(hand_made)
    assert cells["saltation_frequency_corrected_per_h"].tolist() == [4.0, 0.0]
    np.testing.assert_array_equal(cells["saltation_length_corrected_um"], [6.0, np.nan])
    np.testing.assert_allclose(cells["mean_speed_noise_corrected_um_per_h"], [11.0 / 0.75, 0.0])


def test_an_arrested_cell_has_no_direction_and_pauses_all_the_time(hand_made):
    still = true_cells(hand_made).set_index("track_id").loc[2]
    assert still["arrested"] and still["saltation_count"] == 0 and still["saltation_frequency_per_h"] == 0
    assert still["pause_fraction"] == 1.0 and still["path_um"] == 0.0
    undefined = ["direction_deg", "straightness", "outreach", "saltation_length_um", "speed_when_mobile_um_per_h"]
    assert still[[*undefined, "pause_median_min"]].isna().all()


def test_the_saltations_are_those_that_start_while_the_cell_is_seen(hand_made):
    table = true_saltations(hand_made)
    assert table["track_id"].tolist() == [1, 1, 1]
    assert table["start_min"].tolist() == [20, 45, 58]
    # 20-30, 45-50 and 58-70 min at 15 min; the last would end in frame 5, after the track.
    assert table["start_frame"].tolist() == [1, 3, 3]
    assert table["end_frame"].tolist() == [2, 4, 4]
    assert table["cut_by_track_end"].tolist() == [False, False, True]
    assert table["length_um"].tolist() == [4, 6, 8]


def test_tracks_are_measured_on_the_labels_and_placed_in_the_tissue(hand_made):
    table = true_tracks(hand_made)
    assert len(table) == 10
    row = table[(table["track_id"] == 2) & (table["frame"] == 3)].iloc[0]
    assert (row["y_px"], row["x_px"]) == (6.0, 8.5)
    # Drift of (1, -1) px taken off, at 2 um/px.
    assert (row["y_um"], row["x_um"]) == (10.0, 19.0)
    assert (row["time_min"], row["area_um2"], row["mean_intensity"], row["probability"]) == (45.0, 8.0, 31.0, 1.0)
    assert row["state"] == "arrested" and row["centre_y_um"] == 10.0


def test_the_summary_pools_over_cell_hours(hand_made):
    summary = true_summary(hand_made)
    assert summary["simulated"] is True and summary["tracks"] == 2 and summary["somas"] == 10
    assert summary["observed_h"] == pytest.approx(0.75 + 1.25)
    assert summary["saltation_frequency_per_h"] == pytest.approx(3 / 2)
    assert summary["saltation_frequency_not_arrested_per_h"] == pytest.approx(3 / 0.75)


def test_states_tell_of_every_cell_in_every_frame(movie):
    table = true_states(movie)
    cells, frames = movie.visible.shape
    assert len(table) == cells * frames and not table.duplicated(["track_id", "frame"]).any()
    row = table[(table["track_id"] == 2) & (table["frame"] == 1)].iloc[0]
    assert (row["y_um"], row["x_um"]) == tuple(movie.motion.centre_um[1, 1])
    assert row["visible"] == movie.visible[1, 1] and row["state"] in STATES


def test_tracks_have_one_row_per_mask_with_its_area(movie):
    table = true_tracks(movie).set_index(["frame", "track_id"])
    masks = {
        (frame, int(label)): np.count_nonzero(labels == label)
        for frame, labels in enumerate(movie.labels)
        for label in np.unique(labels)[1:]
    }
    assert len(masks) > 4 and sorted(masks) == sorted(table.index)
    for key, area_px in masks.items():
        assert table.loc[key, "area_um2"] == pytest.approx(area_px * 0.65**2)


def test_a_saved_movie_is_a_result_folder_that_says_it_is_simulated(movie, tmp_path):
    save_movie(movie, tmp_path / "out", rgb=True, avi=True, preset="typical")
    result = read_result(tmp_path / "out")
    np.testing.assert_array_equal(result.labels, movie.labels)
    assert (result.calibration.um_per_px, result.calibration.minutes_per_frame) == (0.65, 15.0)
    assert len(result.cells) == np.count_nonzero(movie.visible.any(axis=1))
    np.testing.assert_allclose(result.drift[["dy_px", "dx_px"]], movie.drift_px, atol=1e-6)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names >= {"movie.tif", "movie_rgb.tif", "movie.avi", "states.csv", "saltations.csv", "ctc", "run.json"}
    with tifffile.TiffFile(tmp_path / "out" / "movie.tif") as tif:
        np.testing.assert_array_equal(tif.asarray(), movie.frames)
        assert tif.imagej_metadata["unit"] == "um" and tif.imagej_metadata["finterval"] == 900.0
    green = tifffile.imread(tmp_path / "out" / "movie_rgb.tif")
    assert green.shape == (*movie.frames.shape, 3) and green[..., 1].max() == 255 and not green[..., [0, 2]].any()
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["simulated"] is True and run["seed"] == 4 and run["preset"] == "typical"
    assert MovieParameters.from_dict(run["parameters"]) == movie.parameters
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["simulated"] is True
    assert len(pd.read_csv(tmp_path / "out" / "states.csv")) == movie.visible.size
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_that_holds_a_result_is_refused_and_kept(movie, tmp_path):
    save_movie(movie, tmp_path / "out")
    before = (tmp_path / "out" / "run.json").read_text()
    other = dataclasses.replace(movie, seed=5)
    with pytest.raises(FileExistsError, match="exists"):
        save_movie(other, tmp_path / "out")
    assert (tmp_path / "out" / "run.json").read_text() == before
    save_movie(other, tmp_path / "out", overwrite=True)
    assert json.loads((tmp_path / "out" / "run.json").read_text())["seed"] == 5


def test_a_movie_without_cells_has_empty_tables_and_can_be_saved(tmp_path):
    empty = simulate_movie(dataclasses.replace(SMALL, motion=MotionParameters(density_per_field=0.0)), seed=0)
    assert len(true_tracks(empty)) == len(true_cells(empty)) == len(true_saltations(empty)) == 0
    assert len(true_drift(empty)) == 3 and true_summary(empty)["tracks"] == 0
    save_movie(empty, tmp_path / "out")
    result = read_result(tmp_path / "out")
    assert not result.labels.any() and len(result.tracks) == len(result.saltations) == 0
