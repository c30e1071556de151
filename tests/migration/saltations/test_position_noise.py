import numpy as np
import pandas as pd
import pytest

from somaseg.migration.displacements import find_displacements
from somaseg.migration.saltations.position_noise import (
    ASSUMED_SIGMA_UM,
    USUAL_TAIL,
    NoiseTail,
    measure_position_noise,
    remove_drift_residue,
)


def _resting(cells=20, frames=40, sigma=0.4, seed=0):
    rng = np.random.default_rng(seed)
    tracks = pd.DataFrame(
        {"track_id": np.repeat(np.arange(1, cells + 1), frames), "frame": np.tile(range(frames), cells)}
    )
    tracks["y_um"], tracks["x_um"] = rng.normal(0.0, sigma, (2, len(tracks)))
    return tracks


def _shift(tracks, frames, dy_um, dx_um):
    later = tracks["frame"].isin(frames)
    return tracks.assign(y_um=tracks["y_um"] + dy_um * later, x_um=tracks["x_um"] + dx_um * later)


@pytest.mark.parametrize("sigma", [0.1, 0.5, 2.0])
def test_noise_of_resting_somas_is_their_spread(sigma):
    noise = measure_position_noise(_resting(sigma=sigma))
    assert noise.sigma_um == pytest.approx(sigma, rel=0.05)
    assert noise.source == "resting somas" and noise.n_steps > 500 and noise.warnings == []


def test_positions_that_are_much_worse_than_the_others_are_counted_and_leave_the_noise_as_it_is():
    tracks, rng = _resting(sigma=0.2, cells=30), np.random.default_rng(2)
    worse = rng.random(len(tracks)) < 0.1
    tracks[["y_um", "x_um"]] += worse[:, None] * rng.normal(0.0, 1.0, (len(tracks), 2))
    noise = measure_position_noise(tracks)
    assert noise.sigma_um == pytest.approx(0.2, rel=0.15)
    # A step is worse where one of its two positions is: mostly one, so that it has half of the variance.
    assert noise.tail.share == pytest.approx(1 - 0.9**2, abs=0.05)
    assert noise.tail.variance == pytest.approx(1 + 1.0**2 / (2 * 0.2**2), rel=0.25)


def test_a_lighter_tail_than_the_usual_one_is_not_believed():
    assert measure_position_noise(_resting()).tail == USUAL_TAIL
    assert measure_position_noise(_resting(cells=2)).tail == USUAL_TAIL


def test_of_averaged_positions_more_are_worse_and_less_so():
    assert NoiseTail(0.1, 9.0).averaged(1) == NoiseTail(pytest.approx(0.1), 9.0)
    assert NoiseTail(0.1, 9.0).averaged(2) == NoiseTail(pytest.approx(0.19), 5.0)


@pytest.mark.parametrize("pause_law", ["memoryless", "regular"])
def test_moving_cells_do_not_count_as_noise(film_jumping_cells, pause_law):
    tracks, _ = film_jumping_cells(noise_um=0.4, pause_law=pause_law)
    steps = find_displacements(tracks)
    spread_of_all = np.sqrt((steps[["dy_um", "dx_um"]].to_numpy() ** 2).mean() / 2.0)
    assert spread_of_all > 1.5
    assert measure_position_noise(tracks).sigma_um == pytest.approx(0.4, rel=0.12)


def test_what_all_somas_do_together_is_drift_and_not_noise():
    tracks, rng = _resting(sigma=0.3), np.random.default_rng(1)
    place = dict(enumerate(rng.normal(0.0, 1.0, (40, 2))))
    for axis, name in enumerate(("y_um", "x_um")):
        tracks[name] += tracks["frame"].map(lambda frame, axis=axis: place[frame][axis])
    steps = find_displacements(tracks)
    noise = measure_position_noise(tracks)
    assert np.sqrt((steps[["dy_um", "dx_um"]].to_numpy() ** 2).mean() / 2.0) > 0.9
    assert noise.sigma_um == pytest.approx(0.3, rel=0.08)
    assert noise.drift_um == pytest.approx(np.sqrt(2.0), rel=0.3)


def test_a_stage_jump_that_registration_missed_is_found_and_taken_off():
    tracks = _shift(_resting(sigma=0.3), range(20, 40), 6.0, -3.0)
    noise = measure_position_noise(tracks)
    jump = noise.drift.set_index("frame").loc[19]
    assert (jump["dy_um"], jump["dx_um"]) == (pytest.approx(6.0, abs=0.3), pytest.approx(-3.0, abs=0.3))
    left = find_displacements(remove_drift_residue(tracks, noise.drift))
    assert np.hypot(left["dy_um"], left["dx_um"]).max() < 3.0


def test_drift_is_taken_off_steps_over_gaps_too():
    tracks = _shift(_resting(sigma=0.3), range(20, 40), 6.0, 0.0)
    tracks = tracks[(tracks["track_id"] > 3) | ~tracks["frame"].isin([19, 20, 21])]
    steps = find_displacements(remove_drift_residue(tracks, measure_position_noise(tracks).drift))
    over_gap = steps[steps["next_frame"] - steps["frame"] == 4]
    assert len(over_gap) == 3
    assert np.hypot(over_gap["dy_um"], over_gap["dx_um"]).max() < 3.0


def test_cells_that_jump_the_same_way_are_not_drift():
    tracks = _resting(cells=20, sigma=0.3)
    together = tracks["track_id"] <= 8
    tracks["x_um"] += 12.0 * (together & (tracks["frame"] >= 20))
    noise = measure_position_noise(tracks)
    assert noise.drift_um < 0.1
    assert noise.sigma_um == pytest.approx(0.3, rel=0.08)


def test_where_nothing_is_drifting_hardly_any_drift_is_found():
    assert measure_position_noise(_resting(cells=12, sigma=0.5)).drift_um < 0.12


def test_cells_that_never_rest_give_no_noise_and_a_warning():
    rng = np.random.default_rng(0)
    heading = np.cumsum(rng.normal(0.0, 0.4, (30, 40)), axis=1)
    tracks = _resting(cells=30, sigma=0.2)
    tracks["y_um"] += np.cumsum(3.0 * np.sin(heading), axis=1).ravel()
    tracks["x_um"] += np.cumsum(3.0 * np.cos(heading), axis=1).ravel()
    noise = measure_position_noise(tracks)
    assert (noise.sigma_um, noise.source) == (ASSUMED_SIGMA_UM, "assumed")
    assert "not measured" in noise.warnings[0]


@pytest.mark.parametrize("rows", [0, 1, 20])
def test_too_few_steps_give_the_assumed_noise_and_say_so(rows):
    noise = measure_position_noise(_resting().head(rows))
    assert noise.source == "assumed" and "too few" in noise.warnings[0]


def test_positions_that_never_change_give_the_assumed_noise_and_say_so():
    noise = measure_position_noise(_resting(sigma=0.0))
    assert noise.source == "assumed" and "rounded" in noise.warnings[0]


def test_a_track_twice_in_a_frame_is_refused():
    tracks = _resting()
    with pytest.raises(ValueError, match="track 1 is twice in frame 0"):
        measure_position_noise(pd.concat([tracks, tracks.head(1)]))


def test_a_position_that_is_no_number_is_refused():
    tracks = _resting()
    tracks.loc[7, "x_um"] = np.nan
    with pytest.raises(ValueError, match="x_um must be a finite number"):
        measure_position_noise(tracks)


def test_where_most_cells_wander_those_that_stay_tell_the_noise():
    rng = np.random.default_rng(0)
    tracks = _resting(cells=30, sigma=0.3)
    walk = np.cumsum(np.cumsum(rng.normal(0.0, 0.15, (2, 30, 40)), axis=2) + rng.normal(0.0, 0.5, (2, 30, 40)), axis=2)
    walk[:, :8] = 0.0
    tracks["y_um"] += walk[0].ravel()
    tracks["x_um"] += walk[1].ravel()
    noise = measure_position_noise(tracks)
    assert noise.source == "somas that stay"
    assert noise.sigma_um == pytest.approx(0.3, rel=0.1)


def test_somas_that_sway_slowly_where_they_are_still_tell_the_noise():
    rng = np.random.default_rng(1)
    tracks = _resting(cells=30, sigma=0.2)
    moved = np.cumsum(rng.normal(0.0, 0.5, (2, 30, 40)) + 1.0, axis=2)
    sway = rng.normal(0.0, 0.5, (2, 8, 40))
    for frame in range(1, 40):
        sway[:, :, frame] = 0.75 * sway[:, :, frame - 1] + np.sqrt(1 - 0.75**2) * sway[:, :, frame]
    moved[:, :8] = sway
    tracks["y_um"] += moved[0].ravel()
    tracks["x_um"] += moved[1].ravel()
    noise = measure_position_noise(tracks)
    assert noise.source == "somas that stay"
    # One step of the sway is 2 (1 - 0.75) of its variance, one of the noise 2: half of both is what a position errs by.
    assert noise.sigma_um == pytest.approx(np.sqrt(0.2**2 + 0.25 * 0.5**2), rel=0.15)
