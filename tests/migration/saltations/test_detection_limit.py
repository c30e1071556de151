"""Saltations that are as few as errors make where no cell moves."""

import numpy as np
import pandas as pd
import pytest

from somaseg.migration.measures import MigrationParameters, measure_migration
from somaseg.migration.saltations.detection_limit import above_errors
from somaseg.migration.saltations.saltation import find_saltations
from somaseg.movies import Calibration


def cells_that_rest(jumps, *, cells=20, frames=50, confidence=0.99, seed=2):
    """Resting cells with 0.3 um of noise, of which the first `jumps` jump once, by 14 um."""
    rng = np.random.default_rng(seed)
    track, frame = (grid.ravel() for grid in np.mgrid[:cells, :frames])
    y, x = rng.normal(0, 0.3, (2, track.size)) + 40.0 * track
    x = x + 14.0 * ((track < jumps) & (frame >= 25))
    tracks = pd.DataFrame({"track_id": track + 1, "frame": frame, "y_um": y, "x_um": x})
    return tracks if confidence is None else tracks.assign(link_confidence=confidence)


def measure(tracks):
    return measure_migration(tracks, Calibration(0.65, 15), parameters=MigrationParameters(correct_interval=True))


def test_two_in_a_thousand_steps_are_not_counted_and_are_named():
    measured = measure(cells_that_rest(2))
    assert len(measured.saltations) == 0
    assert measured.summary["saltation_frequency_per_h"] == 0
    assert measured.summary["saltation_frequency_corrected_per_h"] == 0
    assert measured.summary["saltation_frequency_corrected_high_per_h"] > 2 / measured.summary["hours"]
    assert measured.cells["saltation_count"].sum() == 0
    [warning] = [text for text in measured.summary["warnings"] if "not counted" in text]
    assert "cell 1 in frames 24 to 25, cell 2 in frames 24 to 25." in warning
    assert "980" in warning


@pytest.mark.parametrize(
    ("jumps", "confidence", "counted"),
    [(3, 0.99, 3), (3, np.nan, 3), (2, None, 2), (0, 0.99, 0)],
)
def test_more_of_them_or_links_that_no_program_made_are_counted(jumps, confidence, counted):
    measured = measure(cells_that_rest(jumps, confidence=confidence))
    assert len(measured.saltations) == counted
    assert not any("not counted" in text for text in measured.summary["warnings"])


def test_few_steps_make_few_errors_so_that_one_saltation_counts():
    tracks = cells_that_rest(1, cells=2)
    assert len(measure(tracks).saltations) == 1


def test_what_is_not_counted_moves_nowhere_and_not_more_than_five_are_named():
    tracks = cells_that_rest(7, cells=200)
    found = find_saltations(tracks, minutes_per_frame=15, noise_um=0.3)
    none, [warning] = above_errors(found, by_a_program=True)
    assert (len(found.table), len(none.table)) == (7, 0)
    assert found.steps["moving"].sum() == 7 and not none.steps["moving"].any()
    assert none.cells["started"].sum() == 0 and none.frequency_per_h == 0
    assert warning.count("in frames") == 5 and warning.endswith("and 2 more.")


@pytest.mark.parametrize("name", [lambda number: f"c{number}", lambda number: number + 12_345_678])
def test_cells_are_named_as_they_are_called(name):
    tracks = cells_that_rest(1)
    tracks["track_id"] = tracks["track_id"].map(name)
    [warning] = [text for text in measure(tracks).summary["warnings"] if "not counted" in text]
    assert f"Look at cell {name(1)} in frames 24 to 25." in warning


def test_links_without_confidence_are_a_programs_too():
    assert len(measure(cells_that_rest(2, confidence=np.nan)).saltations) == 0


def test_the_curve_over_thresholds_agrees_with_the_summary():
    measured = measure(cells_that_rest(2))
    curve = measured.curves["threshold_sensitivity"].set_index("on_speed_um_per_h")
    assert curve.loc[20.0, "saltations"] == 0
