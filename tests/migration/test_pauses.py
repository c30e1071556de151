"""Pauses: Kaplan-Meier against its textbook example, and how wrong other ways to count cut pauses are."""

import numpy as np
import pandas as pd
import pytest

from somaseg.migration.pauses import find_pauses, pause_survival

# Remission of leukaemia under 6-MP, weeks, + where the study ended first: Freireich et al. 1963, Blood 21:699.
ENDED = [6, 6, 6, 7, 10, 13, 16, 22, 23]
CUT = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]


def pauses(ended, cut=(), begun_before=()):
    durations = np.concatenate([ended, cut, begun_before]).astype(float)
    counts = [len(ended), len(cut), len(begun_before)]
    return pd.DataFrame(
        {
            "duration_min": durations,
            "begin_seen": np.repeat([True, True, False], counts),
            "end_seen": np.repeat([True, False, True], counts),
        }
    )


def test_survival_of_the_textbook_example():
    """Kleinbaum & Klein, Survival Analysis, table 2.1: .857 .807 .753 .690 .627 .538 .448, median 23 weeks."""
    found = pause_survival(pauses(ENDED, CUT))
    curve = found.curve.set_index("pause_min")["survival"]
    assert curve[[6, 7, 10, 13, 16, 22, 23]].round(3).tolist() == [0.857, 0.807, 0.753, 0.69, 0.627, 0.538, 0.448]
    assert curve[0] == 1
    assert found.median_min == 23
    assert (found.seen_whole, found.cut_by_track_end) == (9, 12)
    # R's survfit(conf.type = "log-log") gives 13 and no upper limit.
    assert found.median_low == 13 and np.isnan(found.median_high)


def test_pauses_are_what_lies_between_saltations_and_ends():
    steps = pd.DataFrame({"track_id": [1] * 6 + [2] * 2 + [3], "frame": [0, 1, 2, 3, 4, 7, 0, 1, 5]})
    steps["next_frame"] = [1, 2, 3, 4, 7, 8, 1, 2, 6]
    steps["moving"] = [False, True, False, False, True, False, False, False, True]
    found = find_pauses(steps, minutes_per_frame=10)
    assert found["track_id"].tolist() == [1, 1, 1, 2]
    assert found["duration_min"].tolist() == [10, 20, 10, 20]
    assert found["begin_seen"].tolist() == [False, True, True, False]
    assert found["end_seen"].tolist() == [True, True, False, False]


def test_a_piece_of_a_track_that_is_not_judged_bounds_a_pause_without_a_saltation():
    steps = pd.DataFrame({"track_id": 1, "frame": [0, 1, 9], "next_frame": [1, 2, 10], "moving": [True, False, False]})
    found = find_pauses(steps, minutes_per_frame=10)
    assert found[["start_frame", "end_frame"]].values.tolist() == [[1, 2], [9, 10]]
    assert found["end_seen"].tolist() == [False, False]


def observed(rng, law, hours=6.0, cells=500):
    """Pauses as cells show them that have been pausing and jumping long before they are watched."""
    ends = np.cumsum(law(rng, (cells, 60)), axis=1) - 20 * 60  # jumps take no time here; the watch is from 0 on
    starts, stops = ends[:, :-1], ends[:, 1:]
    seen = (stops > 0) & (starts < hours * 60)
    starts, stops = starts[seen], stops[seen]
    return pd.DataFrame(
        {
            "duration_min": np.minimum(stops, hours * 60) - np.maximum(starts, 0),
            "begin_seen": starts >= 0,
            "end_seen": stops <= hours * 60,
        }
    )


@pytest.mark.parametrize("shape, too_long", [(1.0, 1.1), (6.0, 1.02)], ids=["memoryless", "regular"])
def test_track_ends_do_not_bend_the_median_and_every_other_count_does(shape, too_long):
    """Pauses of 90 min in the mean, watched for 6 h."""
    table = observed(np.random.default_rng(8), lambda rng, n: 90 / shape * rng.standard_gamma(shape, n))
    true = np.median(90 / shape * np.random.default_rng(9).standard_gamma(shape, 200_000))
    assert pause_survival(table).median_min == pytest.approx(true, rel=0.04)
    only_whole = table.loc[table["begin_seen"] & table["end_seen"], "duration_min"].median()
    assert only_whole < 0.96 * true
    first_as_cut = table.assign(end_seen=table["end_seen"] & table["begin_seen"], begin_seen=True)
    assert pause_survival(first_as_cut).median_min > too_long * true


def test_without_an_end_there_is_no_median():
    empty = pause_survival(pauses([]))
    assert np.isnan(empty.median_min) and len(empty.curve) == 0
    cut = pause_survival(pauses([], [30, 40], [50]))
    assert np.isnan(cut.median_min)
    assert (cut.seen_whole, cut.cut_by_track_end, cut.cut_by_track_start) == (0, 2, 1)
    assert cut.curve["survival"].tolist() == [1.0]
