import dataclasses

import numpy as np
import pandas as pd
import pytest
import scipy.linalg

from somaseg.migration.distances import noise_free_distances
from somaseg.migration.saltations import saltatory_law
from somaseg.migration.saltations.interval_correction import METHOD, NOT_CORRECTED, correct_for_interval
from somaseg.migration.saltations.position_noise import measure_position_noise
from somaseg.migration.saltations.saltation import find_saltations
from somaseg.migration.saltations.saltatory_law import SaltatoryLaw, long_run_stages, step_kernel
from somaseg.migration.saltations.step_likelihood import (
    SaltatoryLikelihood,
    bin_steps,
    log_likelihood_if_wandering,
)
from somaseg.simulation.motion import simulate_motion
from somaseg.simulation.movie_presets import PRESETS

LAW = SaltatoryLaw(pause_min=45.0, refractory_share=0.4, movement_min=15.0, speed_um_per_h=60.0)


def _correct(tracks, minutes, noise_um=0.5):
    found = find_saltations(tracks, minutes_per_frame=minutes, noise_um=noise_um)
    return found, correct_for_interval(tracks, found, minutes_per_frame=minutes, noise_um=noise_um)


def test_a_cell_of_the_law_goes_length_times_frequency_and_starts_as_often():
    shares = long_run_stages(LAW)
    assert shares.sum() == pytest.approx(1.0)
    chance = np.einsum("i,dij->d", shares, step_kernel(LAW, 20.0, substeps=10).chance)
    distance = step_kernel(LAW, 20.0, substeps=10).distance_um
    assert chance.sum() == pytest.approx(1.0)
    assert chance @ distance == pytest.approx(LAW.length_um * LAW.frequency_per_h / 3.0, rel=0.02)
    more = np.einsum("i,dij->", shares, step_kernel(LAW, 20.0, substeps=10, log_starts=1e-4).chance)
    assert (more - chance.sum()) / 1e-4 == pytest.approx(LAW.frequency_per_h / 3.0, rel=0.02)


def test_one_long_step_is_as_likely_as_the_steps_that_it_is_made_of():
    # Chapman-Kolmogorov: two steps of 10 min, whatever was seen between them, are one of 20 min.
    once = step_kernel(LAW, 20.0, substeps=16).chance.sum(axis=0)
    half = step_kernel(LAW, 10.0, substeps=8).chance.sum(axis=0)
    assert np.allclose(half @ half, once, atol=1e-9)


def test_likelihoods_of_all_lengths_of_a_step_sum_to_one():
    lengths = np.linspace(0.005, 70.0, 7000)
    steps = pd.DataFrame({"track_id": range(len(lengths)), "frame": 0, "next_frame": 1, "dy_um": 0.0, "dx_um": lengths})
    binned = bin_steps(steps, minutes_per_frame=15, noise_um=0.5)
    for logs in (SaltatoryLikelihood(binned).log_of_cells(LAW), *log_likelihood_if_wandering(binned)):
        assert np.exp(logs).sum() * 0.01 == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("minutes", [0.5, 1.9, 20.0])
@pytest.mark.parametrize(
    "law",
    [LAW, SaltatoryLaw(6000.0, 0.0, 90.0, 60.0), SaltatoryLaw(3.0, 0.85, 3.0, 60.0)],
    ids=["usual", "slow", "quick"],
)
def test_stages_after_one_substep_are_the_matrix_exponential_of_their_rates(law, minutes):
    kernel = step_kernel(law, minutes, substeps=1).chance.sum(axis=0)
    np.testing.assert_allclose(kernel, scipy.linalg.expm(saltatory_law._rates(law, 0.0) * minutes), atol=1e-10)


def test_what_laws_have_in_common_is_remembered_and_changes_nothing():
    steps = pd.DataFrame({"track_id": [1, 1, 1, 2], "frame": [0, 1, 3, 0], "next_frame": [1, 3, 4, 1]})
    steps = steps.assign(dy_um=0.0, dx_um=[0.4, 9.0, 0.2, 3.0])
    binned = bin_steps(steps, minutes_per_frame=15, noise_um=0.5)
    one_after_the_other = SaltatoryLikelihood(binned)
    for change in ({}, {"pause_min": 50.0}, {"movement_min": 12.0}, {"speed_um_per_h": 66.0}, {}):
        law = dataclasses.replace(LAW, **change)
        expected = SaltatoryLikelihood(binned).log_of_cells(law, log_starts=0.1)
        np.testing.assert_array_equal(one_after_the_other.log_of_cells(law, log_starts=0.1), expected)
    worked_out = one_after_the_other._chances.cache_info().misses
    assert worked_out == 3 * len(binned.intervals) == 6


@pytest.mark.parametrize("pause_law", ["memoryless", "regular"])
def test_at_20_min_the_correction_is_right_whatever_the_law_of_the_pauses(film_jumping_cells, pause_law):
    tracks, truth = film_jumping_cells(minutes=20, pause_law=pause_law, missed=0.03)
    found, corrected = _correct(tracks, 20)
    assert found.frequency_per_h < (0.6 if pause_law == "memoryless" else 0.9) * truth
    assert corrected.frequency_per_h == pytest.approx(truth, rel=0.15)
    assert corrected.length_um == pytest.approx(15.0, rel=0.15)
    assert corrected.frequency_low < truth < corrected.frequency_high
    assert corrected.length_low < corrected.length_um < corrected.length_high
    assert corrected.law.refractory_share < 0.3 if pause_law == "memoryless" else corrected.law.refractory_share > 0.4
    assert corrected.method == METHOD
    assert any("rest on the correction" in warning for warning in corrected.warnings)


def test_missed_frames_are_accounted_for_and_taking_them_for_none_is_wrong(film_jumping_cells):
    tracks, truth = film_jumping_cells(cells=20, resting_cells=5, missed=0.25, pause_law="regular", seed=3)
    as_if_whole = tracks.assign(frame=tracks.groupby("track_id").cumcount())
    assert _correct(tracks, 15)[1].frequency_per_h == pytest.approx(truth, rel=0.15)
    assert _correct(as_if_whole, 15)[1].frequency_per_h > 1.15 * truth


def test_position_noise_is_accounted_for_and_taking_it_for_movement_is_wrong(film_jumping_cells):
    tracks, truth = film_jumping_cells(cells=20, resting_cells=5, noise_um=1.2, seed=4)
    _, corrected = _correct(tracks, 15, noise_um=1.2)
    assert corrected.frequency_per_h == pytest.approx(truth, rel=0.15)
    assert corrected.length_um == pytest.approx(15.0, rel=0.15)
    _, ignoring = _correct(tracks, 15, noise_um=0.3)
    assert ignoring.length_um != pytest.approx(15.0, rel=0.15)


def test_positions_that_are_much_worse_are_accounted_for_and_taking_them_for_movement_is_wrong(film_jumping_cells):
    tracks, truth = film_jumping_cells(cells=15, resting_cells=10, minutes=5, noise_um=0.15, seed=6)
    rng = np.random.default_rng(6)
    worse = rng.random(len(tracks)) < 0.12
    tracks[["y_um", "x_um"]] += worse[:, None] * rng.normal(0.0, 0.6, (len(tracks), 2))
    noise = measure_position_noise(tracks)
    given = {"minutes_per_frame": 5, "noise_um": noise.sigma_um}
    found = find_saltations(tracks, **given)
    corrected = correct_for_interval(tracks, found, **given, tail=noise.tail)
    ignoring = correct_for_interval(tracks, found, **given)
    assert corrected.frequency_per_h == pytest.approx(truth, rel=0.1)
    assert corrected.length_um == pytest.approx(15.0, rel=0.1)
    assert ignoring.frequency_per_h > 1.1 * truth


def test_the_intervals_do_not_follow_ripples_of_the_likelihood():
    # With exact positions the bins of the distances show: a curvature over short steps of the speed was negative here.
    motion = simulate_motion(
        PRESETS["typical"].motion, times_min=np.arange(0, 601, 15.0), field_um=(150, 150), seed=716
    )
    places = motion.centre_um + np.random.default_rng(716).normal(0, 0.12, motion.centre_um.shape)
    cells, frames = places.shape[:2]
    tracks = pd.DataFrame({"track_id": np.repeat(range(cells), frames), "frame": np.tile(range(frames), cells)})
    tracks["y_um"], tracks["x_um"] = places.reshape(-1, 2).T
    _, corrected = _correct(tracks, 15, noise_um=0.12)
    assert corrected.frequency_high / corrected.frequency_low == pytest.approx(1.8, abs=0.3)
    assert corrected.length_high / corrected.length_low == pytest.approx(1.2, abs=0.1)


def test_short_tracks_do_not_bias_the_correction_as_they_do_the_count(film_jumping_cells):
    tracks, truth = film_jumping_cells(cells=24, resting_cells=0, minutes=15, pause_law="regular", seed=5)
    short = tracks.assign(track_id=tracks["track_id"] * 100 + tracks["frame"] // 8)
    found, corrected = _correct(short, 15)
    assert corrected.frequency_per_h == pytest.approx(truth, rel=0.15)
    whole = found.table[~found.table["cut_by_track_end"]]
    hours = (found.steps["next_frame"] - found.steps["frame"]).sum() / 4.0
    assert len(whole) / hours < 0.75 * truth


def test_each_cell_has_its_own_numbers_and_they_add_up(film_jumping_cells):
    tracks, _ = film_jumping_cells(cells=20, resting_cells=10)
    _, corrected = _correct(tracks, 15)
    cells = corrected.cells.set_index("track_id")
    assert cells.index.tolist() == list(range(1, 31))
    assert (cells["p_saltatory"].loc[:20] > 0.9).all() and (cells["p_resting"].loc[21:] > 0.5).all()
    assert cells["saltation_length_corrected_um"].loc[21:].isna().all()
    of_all = cells["saltation_frequency_corrected_per_h"].mean()
    assert of_all == pytest.approx(corrected.frequency_per_h, rel=0.05)


def test_a_random_walk_is_warned_of():
    rng = np.random.default_rng(0)
    velocity = np.zeros((25, 41, 2))
    for frame in range(1, 41):
        velocity[:, frame] = 0.78 * velocity[:, frame - 1] + rng.normal(0.0, 1.7, (25, 2))
    y, x = np.moveaxis(np.cumsum(velocity, axis=1) + rng.normal(0.0, 0.5, velocity.shape), 2, 0)
    tracks = pd.DataFrame({"track_id": np.repeat(range(1, 26), 41), "frame": np.tile(range(41), 25)})
    tracks["y_um"], tracks["x_um"] = y.ravel(), x.ravel()
    found, corrected = _correct(tracks, 15)
    assert len(found.table) > 50
    assert any("wander" in warning for warning in corrected.warnings)
    assert corrected.frequency_per_h < 0.3 * found.frequency_per_h


@pytest.mark.parametrize("cells", [0, 1, 12])
def test_where_nothing_jumps_there_are_no_saltations_and_no_crash(film_jumping_cells, cells):
    tracks = pd.DataFrame({"track_id": [], "frame": [], "y_um": [], "x_um": []})
    if cells:
        tracks, _ = film_jumping_cells(cells=0, resting_cells=cells)
    found, corrected = _correct(tracks, 15)
    assert len(found.table) == 0 and corrected.method == NOT_CORRECTED and len(corrected.cells) == cells
    assert np.isnan(corrected.length_um)
    if cells:
        assert corrected.frequency_per_h == corrected.frequency_low == 0.0
        assert corrected.frequency_high == pytest.approx(3.689 / found.cells["exposure_h"].sum(), rel=1e-3)


def test_few_saltations_stay_as_seen_and_say_so(film_jumping_cells):
    tracks, _ = film_jumping_cells(cells=4, resting_cells=0, hours=3.0)
    found, corrected = _correct(tracks, 15)
    assert corrected.frequency_per_h == found.frequency_per_h
    assert "Too few saltations to correct" in corrected.warnings[0]


def test_another_frame_interval_than_that_of_the_saltations_is_refused(film_jumping_cells):
    tracks, _ = film_jumping_cells(cells=2)
    found = find_saltations(tracks, minutes_per_frame=15, noise_um=0.5)
    with pytest.raises(ValueError, match="minutes_per_frame must be that of the saltations, 15, got 5"):
        correct_for_interval(tracks, found, minutes_per_frame=5, noise_um=0.5)


@pytest.mark.parametrize("minutes", [5, 15])
def test_distances_are_free_of_noise_where_the_path_of_noisy_positions_is_not(film_jumping_cells, minutes):
    tracks, truth = film_jumping_cells(minutes=minutes, resting_cells=0, pause_law="regular")
    found = find_saltations(tracks, minutes_per_frame=minutes, noise_um=0.5)
    gone = noise_free_distances(found.steps, minutes_per_frame=minutes, noise_um=0.5).sum() / 200.0
    noisy = np.hypot(found.steps["dy_um"], found.steps["dx_um"]).sum() / 200.0
    assert gone == pytest.approx(15.0 * truth, rel=0.04)
    assert noisy > 1.1 * 15.0 * truth
