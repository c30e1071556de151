"""A track that goes over to another soma in its last link: a jump that no cell made."""

import numpy as np
import pandas as pd
import pytest

from somaseg.migration.measures import MigrationParameters, measure_migration
from somaseg.migration.unsure_ends import without_unsure_ends
from somaseg.movies import Calibration

NO_CORRECTION = MigrationParameters(correct_interval=False)


def resting(*, cells=12, frames=30, seed=4):
    """Somas that stay, with 0.3 um of noise and links that are sure."""
    rng = np.random.default_rng(seed)
    track, frame = (grid.ravel() for grid in np.mgrid[:cells, :frames])
    y, x = rng.normal(0, 0.3, (2, track.size)) + 40.0 * track
    confidence = np.where(frame > 0, 0.99, np.nan)
    return pd.DataFrame({"track_id": track + 1, "frame": frame, "y_um": y, "x_um": x, "link_confidence": confidence})


def track_of(confidences):
    frames = range(len(confidences))
    return pd.DataFrame({"track_id": 1, "frame": frames, "y_um": 0.0, "x_um": 0.0, "link_confidence": confidences})


def test_a_wrong_last_link_is_no_saltation_and_taken_for_sure_it_is_one():
    tracks = resting(cells=3)  # in more steps one saltation would not count
    last = (tracks["track_id"] == 3) & (tracks["frame"] == 29)
    tracks.loc[last, "x_um"] += 12.0
    unsure = tracks.assign(link_confidence=tracks["link_confidence"].mask(last, 0.6))
    measured = measure_migration(unsure, Calibration(0.65, 15), parameters=NO_CORRECTION)
    assert len(measured.saltations) == 0
    assert measured.summary["unsure_ends"] == 1
    assert len(measured.cells) == 3
    fooled = measure_migration(tracks, Calibration(0.65, 15), parameters=NO_CORRECTION)
    assert fooled.saltations["track_id"].tolist() == [3]
    assert fooled.summary["unsure_ends"] == 0


@pytest.mark.parametrize(
    "confidences, kept",
    [
        ([np.nan, 0.9, 0.5, 0.9], [0, 1, 2, 3]),  # within a track the next frames tell
        ([np.nan, 0.9, 0.9, 0.5], [0, 1, 2]),
        ([np.nan, 0.9, 0.7, 0.5], [0, 1]),
        ([np.nan, 0.5, 0.9, 0.9], [1, 2, 3]),
        ([np.nan, 0.5, 0.9, 0.5], [1, 2]),
        ([np.nan, 0.5, 0.5, 0.5], [0, 1, 2, 3]),  # the ends are no worse than the rest
        ([np.nan, 0.75, 0.9, 0.75], [0, 1, 2, 3]),
        ([np.nan, np.nan, np.nan, np.nan], [0, 1, 2, 3]),  # a linker that tells none
        ([np.nan], [0]),
    ],
)
def test_a_track_lasts_from_its_first_to_its_last_sure_link(confidences, kept):
    found, count = without_unsure_ends(track_of(confidences))
    assert found["frame"].tolist() == kept
    assert count == len(confidences) - len(kept)


def test_every_track_is_cut_by_its_own_links_whatever_the_order_of_rows():
    tracks = pd.concat([track_of([np.nan, 0.9, 0.5]), track_of([np.nan, 0.5, 0.9]).assign(track_id=7)])
    found, count = without_unsure_ends(tracks.sample(frac=1.0, random_state=0))
    assert found[["track_id", "frame"]].to_numpy().tolist() == [[1, 0], [1, 1], [7, 1], [7, 2]]
    assert count == 2


def test_tracks_without_confidence_and_no_tracks_stay_as_they_are():
    tracks = resting().drop(columns="link_confidence")
    found, count = without_unsure_ends(tracks)
    pd.testing.assert_frame_equal(found, tracks)
    assert count == 0
    assert without_unsure_ends(resting().iloc[:0])[1] == 0


@pytest.mark.parametrize("wrong", [97.0, -1.0, np.inf])
def test_a_confidence_is_a_share(wrong):
    with pytest.raises(ValueError, match="link_confidence must be a number from 0 to 1 or empty, got"):
        without_unsure_ends(track_of([np.nan, 0.9, wrong]))


def test_ids_may_be_words_and_even_missing():
    tracks = pd.concat(
        [track_of([np.nan, 0.9, 0.5]).assign(track_id="a"), track_of([np.nan, 0.9]).assign(track_id=None)]
    )
    found, count = without_unsure_ends(tracks)
    assert found["frame"].tolist() == [0, 1, 0, 1]
    assert count == 1
