"""Positions at which the image's edge cuts the soma are no place of a cell."""

import numpy as np
import pandas as pd
import pytest

from somaseg.migration.cut_outlines import without_cut_outlines
from somaseg.migration.measures import MigrationParameters, measure_migration
from somaseg.movies.calibration import Calibration

_MOVIE = {"calibration": Calibration(0.65, 15), "parameters": MigrationParameters(correct_interval=False)}


def track_of(at_edge, track_id=1):
    return pd.DataFrame(
        {"track_id": track_id, "frame": range(len(at_edge)), "y_um": 0.0, "x_um": 0.0, "at_edge": at_edge}
    )


def test_a_cell_that_leaves_the_field_is_measured_while_it_is_whole():
    """A disc of 6 um radius goes out at 8 um per frame; what is left of it seems to go slower."""
    centre = np.array([60.0, 60, 60, 60, 52, 44, 36, 28, 20, 12, 4, -3])
    seen = np.where(centre < 6, np.maximum(0, (centre + 6) / 2), centre)
    tracks = track_of((centre < 6).astype(int)).assign(x_um=seen)
    measured = measure_migration(tracks, **_MOVIE)
    assert measured.summary["cut_outlines"] == 2
    assert measured.cells["path_um"].item() == pytest.approx(48)
    assert measured.cells["last_frame"].item() == 9
    believed = measure_migration(tracks.drop(columns="at_edge"), **_MOVIE)
    assert believed.summary["cut_outlines"] == 0
    assert believed.cells["path_um"].item() > 57


@pytest.mark.parametrize(
    "at_edge, kept",
    [
        ([0, 0, 0], [0, 1, 2]),
        ([1, 0, 0, 1], [1, 2]),
        ([0, 1, 1, 0], [0, 3]),
        ([1, 0, 1, 1], [0, 1, 2, 3]),
        ([1, 1], [0, 1]),
        ([np.nan, 1, 0], [0, 2]),
    ],
)
def test_cut_positions_go_where_two_others_stay(at_edge, kept):
    found, count = without_cut_outlines(track_of(at_edge))
    assert found["frame"].tolist() == kept
    assert count == len(at_edge) - len(kept)


def test_each_track_by_itself_even_where_ids_are_missing():
    tracks = pd.concat([track_of([1, 0, 0], "a"), track_of([1, 1, 0], "b"), track_of([0, 1, 0], None)])
    found, count = without_cut_outlines(tracks)
    assert found["frame"].tolist() == [1, 2, 0, 1, 2, 0, 2]
    assert count == 2


def test_tracks_that_do_not_tell_and_no_tracks_stay_as_they_are():
    tracks = track_of([1, 0, 0]).drop(columns="at_edge")
    found, count = without_cut_outlines(tracks)
    pd.testing.assert_frame_equal(found, tracks)
    assert count == 0
    assert without_cut_outlines(track_of([1, 0, 0]).iloc[:0])[1] == 0


@pytest.mark.parametrize("wrong", [2, -1, 0.5, np.inf])
def test_at_edge_is_yes_or_no(wrong):
    with pytest.raises(ValueError, match="at_edge must be 0, 1 or empty, got"):
        without_cut_outlines(track_of([0, wrong, 0]))
