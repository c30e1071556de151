"""Headlines: numbers are called what they are, shares in percent of those that could be judged."""

from somaseg.migration.saltations.interval_correction import METHOD, NOT_CORRECTED
from somaseg.report.headlines import headlines

SALTATIONS = {"saltation_frequency_per_h": 0.1, "saltation_frequency_corrected_per_h": 0.1, "saltation_length_um": 9.0}


def by_label(**summary):
    return {shown.label: shown for shown in headlines(summary)}


def test_what_was_not_corrected_is_not_called_corrected():
    fitted = by_label(**SALTATIONS, saltation_correction_method=METHOD)
    assert "Saltation frequency, corrected for the frame interval" in fitted
    as_seen = by_label(**SALTATIONS, saltation_correction_method=NOT_CORRECTED)
    assert "Saltation frequency, as found" in as_seen and not any("corrected" in label for label in as_seen)


def test_a_share_is_told_in_percent_and_of_which_cells():
    numbers = {"arrested_share": 0.0909, "arrested_share_low": 0.031, "arrested_share_high": 0.24}
    shown = by_label(**numbers, cells=37, cells_watched_too_briefly_to_tell=4)["Share of arrested cells"]
    assert (shown.value, shown.unit, shown.interval) == ("9.09", "%", "95 %: 3.1 to 24")
    assert shown.note == "37 cells, 4 of them seen too briefly to tell and left out"


def test_a_mean_direction_says_whether_cells_have_one_in_common():
    numbers = {"mean_direction_deg": -112.0, "cells_with_direction": 3, "resultant_length": 0.5}
    for p, told in ((None, "too few to tell"), (0.4, "no more in common than by chance"), (0.01, "Rayleigh p = 0.01")):
        assert told in by_label(**numbers, rayleigh_p=p)["Mean direction"].note


def test_persistence_of_cells_that_do_not_walk_by_the_law_is_told_to_be_a_description():
    for p, refuted in ((0.2, False), (1e-6, True)):
        note = by_label(fuerth_persistence_min=60.0, fuerth_law_p=p, fuerth_cells=9)["Persistence (Fuerth)"].note
        assert ("do not walk by this law" in note) == refuted
