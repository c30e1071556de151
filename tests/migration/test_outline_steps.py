"""A mask that takes in a second soma and loses it again: its middle moves, the soma does not."""

import numpy as np
import pandas as pd
import pytest

from somaseg.migration.measures import MigrationParameters, measure_migration
from somaseg.migration.outline_steps import without_outline_steps
from somaseg.movies import Calibration

AREA = 70.0
NO_CORRECTION = MigrationParameters(correct_interval=False)


def resting(*, merged_frames=(), merged_by=(0.0, 5.5), cells=12, frames=40, seed=3):
    """Somas that stay, with 0.3 um of noise; the first one's mask holds a second soma in `merged_frames`."""
    rng = np.random.default_rng(seed)
    track, frame = (grid.ravel() for grid in np.mgrid[:cells, :frames])
    y, x = rng.normal(0, 0.3, (2, track.size)) + 40.0 * track
    area = AREA * np.exp(rng.normal(0, 0.06, track.size))
    merged = (track == 0) & np.isin(frame, merged_frames)
    y[merged] += merged_by[0]
    x[merged] += merged_by[1]
    area[merged] *= 2.1
    return pd.DataFrame({"track_id": track + 1, "frame": frame, "y_um": y, "x_um": x, "area_um2": area})


def test_a_soma_in_a_mask_of_two_does_not_saltate_and_without_areas_it_seems_to():
    tracks = resting(merged_frames=[*range(8, 14), *range(20, 23)])
    calibration = Calibration(0.65, 15)
    measured = measure_migration(tracks, calibration, parameters=NO_CORRECTION)
    assert len(measured.saltations) == 0
    assert measured.summary["outline_steps"] == 4
    fooled = measure_migration(tracks.drop(columns="area_um2"), calibration, parameters=NO_CORRECTION)
    assert len(fooled.saltations) == 4
    assert fooled.summary["outline_steps"] == 0


def test_a_track_that_ends_in_the_mask_of_two_stays_where_its_soma_was():
    tracks = resting(merged_frames=range(30, 40))
    kept, steps = without_outline_steps(tracks)
    first = kept[kept["track_id"] == 1]
    assert steps == 1
    assert np.abs(first["x_um"]).max() < 2.5 < tracks.loc[tracks["track_id"] == 1, "x_um"].max()
    rest = tracks[tracks["track_id"] > 1].reset_index(drop=True)
    others = kept[kept["track_id"] > 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, rest[list(others)])


@pytest.mark.parametrize(
    "areas, moved",
    [
        ((70, 75), 12.0),  # the same outline: the soma moved
        ((70, 150), 12.0),  # further than the outline's growth explains
        ((70, 100), 5.0),  # no second soma in it
        ((70, np.nan), 5.0),
        ((0, 0), 5.0),
    ],
)
def test_what_outlines_do_not_explain_is_movement(areas, moved):
    tracks = pd.DataFrame({"track_id": 1, "frame": [0, 1], "y_um": 0.0, "x_um": [0.0, moved], "area_um2": areas})
    kept, steps = without_outline_steps(tracks)
    assert steps == 0
    assert kept["x_um"].tolist() == [0.0, moved]


def test_order_of_rows_gaps_and_empty_tables():
    tracks = resting(merged_frames=range(8, 14))
    tracks = tracks[tracks["frame"] != 9]
    kept, steps = without_outline_steps(tracks.sample(frac=1.0, random_state=1))
    pd.testing.assert_frame_equal(kept, without_outline_steps(tracks)[0])
    assert steps == 2
    assert without_outline_steps(tracks.iloc[:0])[1] == 0


def test_a_mask_that_wanders_while_it_is_wrong_and_comes_back_has_not_moved():
    tracks = resting()
    first = tracks["track_id"] == 1
    wrong = {10: (0.0, -6.0, 2.1), 11: (-7.0, 4.0, 1.0)}  # a second soma taken in, then that one alone
    for frame, (dy, dx, larger) in wrong.items():
        tracks.loc[first & (tracks["frame"] == frame), ["y_um", "x_um"]] += dy, dx
        tracks.loc[first & (tracks["frame"] == frame), "area_um2"] *= larger
    kept, steps = without_outline_steps(tracks)
    assert steps == 3
    own = kept[kept["track_id"] == 1].set_index("frame")
    place = tracks[first].set_index("frame")
    np.testing.assert_allclose(own.loc[[10, 11], "x_um"], place.loc[9, "x_um"])
    np.testing.assert_allclose(own.loc[12:, ["y_um", "x_um"]], place.loc[12:, ["y_um", "x_um"]])
    assert len(measure_migration(tracks, Calibration(0.65, 15), parameters=NO_CORRECTION).saltations) == 0


def test_a_soma_that_goes_on_after_a_step_of_its_outline_has_moved():
    tracks = resting()
    after = (tracks["track_id"] == 1) & (tracks["frame"] >= 10)
    tracks.loc[after, "x_um"] += 5.5
    tracks.loc[after, "area_um2"] *= 2.1
    tracks.loc[after & (tracks["frame"] >= 12), "x_um"] += 20.0
    found = measure_migration(tracks, Calibration(0.65, 15), parameters=NO_CORRECTION).saltations
    assert found[["track_id", "start_frame", "end_frame"]].to_numpy().tolist() == [[1, 11, 12]]
