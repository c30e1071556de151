"""Somas that lie mostly outside the image are found and linked, and are no place of a cell."""

import numpy as np
import pandas as pd
import pytest

from somaseg.analyze import analyze
from somaseg.migration.measures import MigrationParameters, measure_migration
from somaseg.migration.partial_somas import without_partial_somas
from somaseg.migration.track_migration import measure_track_file
from somaseg.movies import Calibration, write_hyperstack
from somaseg.segmentation import Segmenter
from somaseg.tracking import read_result


def track_of(partial, track_id=1):
    return pd.DataFrame(
        {"track_id": track_id, "frame": range(len(partial)), "y_um": 0.0, "x_um": 0.0, "partial": partial}
    )


@pytest.mark.parametrize(
    "partial, kept",
    [
        ([0, 0, 0], [0, 1, 2]),
        ([1, 0, 0, 1], [1, 2]),
        ([0, 1, 1, 0], [0, 3]),
        ([1, 0, 1, 1], []),
        ([1, 1], []),
        ([0], [0]),
        ([np.nan, 1, 0], [0, 2]),
    ],
)
def test_what_stays_of_a_track(partial, kept):
    found, count = without_partial_somas(track_of(partial))
    assert found["frame"].tolist() == kept
    assert count == len(partial) - len(kept)


def test_each_track_by_itself_even_where_ids_are_missing():
    tracks = pd.concat([track_of([1, 0, 0], "a"), track_of([1, 1, 0], "b"), track_of([0, 1, 0], None)])
    found, count = without_partial_somas(tracks)
    assert found["frame"].tolist() == [1, 2, 0, 2]
    assert count == 5


def test_tracks_that_do_not_tell_and_no_tracks_stay_as_they_are():
    tracks = track_of([1, 0, 0]).drop(columns="partial")
    found, count = without_partial_somas(tracks)
    pd.testing.assert_frame_equal(found, tracks)
    assert count == 0
    assert without_partial_somas(track_of([1, 0, 0]).iloc[:0])[1] == 0


@pytest.mark.parametrize("wrong", [2, -1, 0.5, np.inf])
def test_partial_is_yes_or_no(wrong):
    with pytest.raises(ValueError, match="partial must be 0, 1 or empty, got"):
        without_partial_somas(track_of([0, wrong, 0]))


def test_movies_of_cells_that_are_never_seen_whole_have_no_cells():
    parameters = MigrationParameters(correct_interval=False)
    measured = measure_migration(track_of([1, 1, 1]), Calibration(0.65, 15), parameters=parameters)
    assert len(measured.cells) == 0 and measured.summary["partial_somas"] == 3


@pytest.mark.parametrize("um_per_px, magnified", [(0.5, 1), (0.25, 2)])
def test_a_cell_that_leaves_is_followed_to_the_edge_and_measured_before(
    bright_network, no_report, tmp_path, um_per_px, magnified
):
    """A soma of 8 x 8 goes out at 4 px a frame: 64, 64, 64, 64, 64, 48 and 16 px are seen, of which 40 are wanted."""
    stack = np.full((7, 64, 64), 10, np.uint8)
    for t, left in enumerate((18, 14, 10, 6, 2, -2, -6)):
        stack[t, 30:38, max(0, left) : left + 8] = 250
        stack[t, 50:58, 40:48] = 250
    stack = np.kron(stack, np.ones((1, magnified, magnified), np.uint8))
    write_hyperstack(tmp_path / "movie.tif", stack, Calibration(um_per_px, 10.0))
    segmenter = Segmenter(bright_network, minimum_area_px=40, edge_area_share=0.3, um_per_px=0.5)
    analyze(tmp_path / "movie.tif", tmp_path / "out", segmenter)
    result = read_result(tmp_path / "out")
    leaving = result.tracks[result.tracks["y_um"] < 20].sort_values("frame")
    assert leaving["track_id"].nunique() == 1
    assert leaving["partial"].tolist() == [0, 0, 0, 0, 0, 0, 1]
    assert sorted(result.cells["last_frame"]) == [5, 6] and result.summary["partial_somas"] == 1
    again = measure_track_file(tmp_path / "out" / "tracks.csv", tmp_path / "again")
    pd.testing.assert_frame_equal(again.cells, result.cells, check_dtype=False)
