"""All measures together: tables that hold the contract, pooled numbers with n, and no kind of movie that crashes."""

import json

import numpy as np
import pandas as pd
import pytest

from somaseg.migration.arrest import find_arrested
from somaseg.migration.measures import MigrationParameters, measure_migration
from somaseg.migration.pooled import pooled_ratio, share_of_cells
from somaseg.migration.track_migration import MIGRATION_FILES, measure_track_file
from somaseg.movies import Calibration
from somaseg.report.migration_plots import save_plots
from somaseg.simulation.motion import simulate_motion
from somaseg.simulation.movie_presets import PRESETS
from somaseg.tracking.results import Result
from somaseg.tracking.tables import check_table, read_table

CALIBRATION = Calibration(0.65, 15)
CURVES = {"msd", "direction_autocorrelation", "pause_survival", "threshold_sensitivity", "directions"}
QUICK = MigrationParameters(axis_deg=0, correct_interval=False)


def simulated(preset, seed, *, field=250.0, noise_um=0.4, miss=0.03):
    """Tracks of the cells in a field, 10 h, with noise and missed frames; and what each cell is."""
    p = PRESETS[preset]
    times = np.arange(0, 600 + 1e-9, p.minutes_per_frame)
    motion = simulate_motion(p.motion, times_min=times, field_um=(field, field), seed=seed)
    rng = np.random.default_rng(seed)
    inside = ((motion.centre_um >= 0) & (motion.centre_um <= field)).all(axis=2)
    cell, frame = np.nonzero(inside & (rng.random(inside.shape) >= miss))
    y, x = (motion.centre_um[cell, frame] + rng.normal(0, noise_um, (len(cell), 2))).T
    tracks = pd.DataFrame({"track_id": motion.track_ids[cell], "frame": frame, "y_um": y, "x_um": x})
    return tracks, pd.Series(motion.behaviour, index=motion.track_ids), motion


def check(migration):
    check_table(migration.cells, "cells.csv")
    check_table(migration.saltations, "saltations.csv")
    assert set(migration.curves) == CURVES
    assert all(isinstance(warning, str) for warning in migration.summary["warnings"])
    return migration


@pytest.fixture(scope="module")
def typical():
    tracks, behaviour, motion = simulated("typical", 611)
    return (
        tracks,
        behaviour,
        motion,
        check(measure_migration(tracks, CALIBRATION, parameters=MigrationParameters(axis_deg=0))),
    )


def test_every_cell_has_a_row_and_n_is_told_at_each_level(typical):
    tracks, _, _, migration = typical
    summary, cells = migration.summary, migration.cells
    assert cells["track_id"].tolist() == sorted(tracks["track_id"].unique())
    assert summary["cells"] == len(cells) and summary["hours"] == pytest.approx(cells["duration_h"].sum())
    assert summary["saltations"] == len(migration.saltations) > 20
    assert summary["saltations_seen_to_start"] == cells["saltation_count"].sum()
    whole, cut = summary["pauses_seen_whole"], summary["pauses_cut_by_track_end"]
    assert (
        whole + cut + summary["pauses_cut_by_track_start_left_out"]
        == cells[["pauses_seen_whole", "pauses_cut"]].sum().sum()
    )
    assert summary["cells_with_direction"] == len(migration.curves["directions"])


def test_the_frame_interval_stands_beside_the_saltations_and_a_long_one_is_warned_of(typical):
    summary = typical[3].summary
    assert summary["saltation_frame_interval_min"] == 15
    assert any("15 min is too long" in warning for warning in summary["warnings"])


def test_pooled_numbers_are_sums_over_sums_within_their_limits(typical):
    summary, cells = typical[3].summary, typical[3].cells
    assert summary["mean_speed_um_per_h"] == pytest.approx(cells["path_um"].sum() / cells["duration_h"].sum())
    frequency = cells["saltation_count"].sum() / cells["saltation_exposure_h"].sum()
    assert summary["saltation_frequency_per_h"] == pytest.approx(frequency)
    for name, unit in (("mean_speed", "_um_per_h"), ("saltation_frequency", "_per_h"), ("saltation_length", "_um")):
        low, value, high = (summary[f"{name}{limit}{unit}"] for limit in ("_low", "", "_high"))
        assert low < value < high, name


def test_what_is_seen_is_told_before_the_interval_correction_and_draws_the_same_plots(typical, tmp_path):
    tracks, _, _, migration = typical
    told = []
    again = measure_migration(
        tracks,
        CALIBRATION,
        parameters=MigrationParameters(axis_deg=0),
        progress=lambda stage, done, total: told.append(stage),
        as_seen=told.append,
    )
    seen = next(each for each in told if not isinstance(each, str))
    assert told.index(seen) < told.index("interval correction")
    pd.testing.assert_frame_equal(again.cells, migration.cells)
    assert seen.summary["saltation_frequency_per_h"] == migration.summary["saltation_frequency_per_h"]
    assert "saltation_frequency_corrected_per_h" in migration.summary
    assert seen.cells["saltation_frequency_corrected_per_h"].isna().all()
    result = Result(CALIBRATION, np.zeros((41, 4, 4), np.uint16), tracks.assign(time_min=15.0 * tracks["frame"]))
    for name, each in (("seen", seen), ("corrected", migration)):
        save_plots(tmp_path / name, each, result)
    files = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("seen", "corrected")]
    assert files[0] == files[1] and len(files[0]) == 26


def test_noise_makes_the_mean_speed_too_high_and_the_corrected_one_is_right(typical):
    """Against the same sampled positions without noise, gaps and wobble of the resting: path_um of the simulation."""
    tracks, _, motion, migration = typical
    spans = tracks.groupby("track_id")["frame"].agg(["min", "max"])
    index = spans.index.to_numpy() - 1
    true = float((motion.path_um[index, spans["max"]] - motion.path_um[index, spans["min"]]).sum())
    true /= migration.summary["hours"]
    assert migration.summary["mean_speed_um_per_h"] > 1.1 * true
    assert migration.summary["mean_speed_noise_corrected_um_per_h"] == pytest.approx(true, rel=0.06)


def test_arrested_cells_are_told_from_those_that_wander_or_jump(typical):
    _, behaviour, _, migration = typical
    called = migration.cells.set_index("track_id")["arrested"]
    known = called.notna()
    assert known.mean() > 0.8
    assert ((behaviour[called.index] == "arrested") == called)[known].all()


def test_the_axis_of_migration_is_found(typical):
    summary = typical[3].summary
    assert abs(summary["mean_direction_deg"]) < 45
    assert max(summary["rayleigh_p"], summary["v_test_p"]) < 0.01
    assert summary["fmi_along"] > 0.1 and abs(summary["fmi_across"]) < summary["fmi_along"]


@pytest.mark.parametrize("preset", ["arrested", "random_walk"])
def test_without_jumps_there_are_none_and_nothing_crashes(preset):
    tracks, _, _ = simulated(preset, 612, field=150.0)
    migration = check(measure_migration(tracks, CALIBRATION, parameters=QUICK))
    if preset == "arrested":
        assert migration.summary["saltations"] == 0
        assert migration.summary["saltation_frequency_per_h"] == migration.summary["saltation_frequency_low_per_h"] == 0
        assert 0 < migration.summary["saltation_frequency_high_per_h"] < 0.1
        assert migration.summary["arrested_share"] == 1
        assert migration.cells["direction_deg"].isna().all()
    else:
        assert not migration.cells["arrested"].fillna(False).any()


NOTHING = pd.DataFrame({"track_id": [], "frame": [], "y_um": [], "x_um": []})


@pytest.mark.parametrize("parameters", [MigrationParameters(), QUICK], ids=["corrected", "not corrected"])
@pytest.mark.parametrize(
    "tracks",
    [
        NOTHING,
        pd.DataFrame({"track_id": [5], "frame": [3], "y_um": [1.0], "x_um": [2.0]}),
        pd.DataFrame({"track_id": [1, 1, 2], "frame": [0, 9, 4], "y_um": [0.0, 0, 7], "x_um": [0.0, 30, 7]}),
        pd.DataFrame({"track_id": np.repeat([1, 2], 20), "frame": np.tile(np.arange(20), 2), "y_um": 0.0, "x_um": 1.0}),
    ],
    ids=["none", "one frame", "a long gap", "all at rest without noise"],
)
def test_poor_movies_give_whole_tables_and_say_so(tracks, parameters, tmp_path):
    migration = check(measure_migration(tracks, CALIBRATION, parameters=parameters))
    assert len(migration.cells) == tracks["track_id"].nunique()
    assert migration.summary["warnings"]
    assert len(migration.saltations) == 0 or migration.cells["saltation_count"].sum() == 0


def test_no_cells_are_told_in_one_warning():
    migration = measure_migration(NOTHING, CALIBRATION, frames=40)
    assert migration.summary["warnings"] == ["There are no cells: nothing was measured."]
    assert migration.summary["frames"] == 40


def test_a_short_rest_is_no_arrest_and_slow_drift_no_movement():
    frames = np.arange(41)
    cells = {1: 0 * frames, 2: 0.4 * frames, 3: 12 * np.sin(frames / 3), 4: np.where(frames < 6, 0, np.nan)}
    tracks = pd.concat(
        [pd.DataFrame({"track_id": key, "frame": frames, "y_um": 0.0, "x_um": x}) for key, x in cells.items()]
    ).dropna()
    none = pd.DataFrame({"track_id": []})
    found = find_arrested(tracks, none, minutes_per_frame=15, noise_um=0.5)
    assert found[[1, 2, 3]].tolist() == [True, True, False]
    assert found.isna()[4]


def test_a_cell_that_jumped_is_not_arrested():
    tracks = pd.DataFrame({"track_id": 1, "frame": np.arange(41), "y_um": 0.0, "x_um": 0.0})
    jumped = pd.DataFrame({"track_id": [1]})
    assert find_arrested(tracks, jumped, minutes_per_frame=15, noise_um=0.5).tolist() == [False]


def test_limits_of_a_pooled_rate_hold_the_truth_as_often_as_they_say():
    """300 movies of 12 cells whose own rates differ, watched for different times: nominal 95 %."""
    rng = np.random.default_rng(77)
    hours = rng.uniform(3, 10, (300, 12))
    counts = rng.poisson(hours * rng.gamma(4, 0.25, (300, 12)))
    found = [pooled_ratio(count, hour) for count, hour in zip(counts, hours)]
    assert 0.91 <= np.mean([estimate.low < 1.0 < estimate.high for estimate in found]) <= 0.98


def test_shares_leave_out_what_is_not_known():
    found = share_of_cells([True, None, False, True, pd.NA])
    assert (found.n, round(found.value, 3)) == (3, 0.667)
    assert share_of_cells([]).n == 0


def test_files_appear_whole_or_not_at_all(tmp_path):
    tracks, _, _ = simulated("typical", 613, field=120.0)
    tracks.assign(time_min=15.0 * tracks["frame"]).to_csv(tmp_path / "tracks.csv", index=False)
    out = tmp_path / "out"
    measure_track_file(tmp_path / "tracks.csv", out, parameters=QUICK)
    assert sorted(path.name for path in out.iterdir()) == sorted(MIGRATION_FILES)
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["tracks_by"], summary["um_per_px"], summary["minutes_per_frame"]) == ("somaseg", None, 15)
    assert summary["parameters"]["axis_deg"] == 0
    assert len(read_table(out / "cells.csv", "cells.csv")) == summary["cells"]
    assert len(read_table(out / "saltations.csv", "saltations.csv")) == summary["saltations"]
    with pytest.raises(FileExistsError, match="--overwrite"):
        measure_track_file(tmp_path / "tracks.csv", out, parameters=QUICK)
    (tmp_path / "tracks.csv").write_text("track_id,frame,y_um,x_um\n1,0,1,x\n")
    with pytest.raises(ValueError, match="x_um"):
        measure_track_file(tmp_path / "tracks.csv", out, parameters=QUICK, minutes_per_frame=15, overwrite=True)
    assert len(read_table(out / "cells.csv", "cells.csv")) == summary["cells"]
