"""Saltations: rate, length, speed, pauses, swelling and stretch are as asked for."""

import numpy as np
import pytest
from scipy import stats

from somaseg.simulation.motion import STATES, timothy_like
from somaseg.simulation.motion.saltatory import draw_saltatory_path


@pytest.mark.parametrize("shape", [1.0, 2.0, 10.0])
def test_saltations_come_at_the_asked_rate_in_the_first_hour_as_in_the_last(many, assert_mean, starts_per_cell, shape):
    motion = many(400, 12.0, pause_shape=shape)
    assert_mean(starts_per_cell(motion, 0, 720) / 12.0, 1.0)
    assert_mean(starts_per_cell(motion, 0, 60), 1.0)
    assert_mean(starts_per_cell(motion, 0, 15) * 4, 1.0)
    assert_mean(starts_per_cell(motion, 660, 720), 1.0)


def test_rate_and_speed_hold_when_cells_differ(many, assert_mean, starts_per_cell):
    motion = many(400, 10.0, rate_cell_cv=0.3, length_cell_cv=0.2, speed_cell_cv=0.1, saltation_rate_per_h=0.8)
    counts = starts_per_cell(motion, 0, 600)
    assert_mean(counts / 10.0, 0.8)
    alike = starts_per_cell(many(400, 10.0, saltation_rate_per_h=0.8), 0, 600)
    assert counts.var() > 1.5 * alike.var()
    assert_mean(motion.path_um[:, -1] / 10.0, 0.8 * 15.0)


def test_mean_speed_is_rate_times_length(assert_mean, jumping):
    assert_mean(jumping.path_um[:, -1] / 20.0, 15.0)


def test_lengths_are_lognormal_and_speeds_uniform(started, jumping):
    table, spread = started(jumping), np.sqrt(np.log(1 + 0.4**2))
    lengths = stats.lognorm(spread, scale=15.0 * np.exp(-(spread**2) / 2))
    assert stats.kstest(table.length_um, lengths.cdf).pvalue > 1e-4
    assert stats.kstest(table.jump_speed_um_per_h, stats.uniform(60, 60).cdf).pvalue > 1e-4
    assert np.allclose(table.jump_speed_um_per_h * table.jump_min / 60, table.length_um)
    assert np.allclose(table.speed_um_per_h * (table.jump_min + table.rear_min) / 60, table.length_um)
    assert abs(np.corrcoef(table.length_um, table.jump_speed_um_per_h)[0, 1]) < 4 / np.sqrt(len(table))


@pytest.mark.parametrize("shape", [1.0, 4.0])
def test_pauses_are_gamma_beyond_the_refractory_time(many, started, jumping_parameters, shape):
    table = started(many(300, 10.0, pause_shape=shape))
    mean_wait = 60.0 - 10.0 - jumping_parameters.mean_saltation_min()
    law = stats.gamma(shape, loc=10.0, scale=mean_wait / shape)
    assert table.pause_before_min.min() >= 10.0 - 1e-6
    assert stats.kstest(table.pause_before_min, law.cdf).pvalue > 1e-4


def test_time_of_a_saltation_is_as_computed(started, assert_mean, jumping_parameters, jumping):
    durations = started(jumping).duration_min
    assert_mean(durations, jumping_parameters.mean_saltation_min())


def test_every_jump_follows_a_swelling(jumping_parameters):
    path = draw_saltatory_path(jumping_parameters, seed=2, cell=0, until_min=6000.0)
    real = (path.start_min > 0) & (path.start_min < 6000)
    start, lead = path.start_min[real], path.swelling_lead_min[real]
    just_before, begun, not_yet = path.at(start - 1e-3), path.at(start - lead * 0.999), path.at(start - lead - 1e-3)
    assert len(start) > 60
    assert (just_before["state"] == STATES.index("swelling")).all() and (just_before["swelling"] > 0.99).all()
    assert ((just_before["swelling_ahead_um"] >= 2) & (just_before["swelling_ahead_um"] <= 8)).all()
    assert (begun["swelling"] < 0.01).all() and (begun["state"] == STATES.index("swelling")).all()
    assert (not_yet["state"] != STATES.index("swelling")).all()
    # 10-20 min, but not longer than the pause, which is 10 min at least.
    assert lead.min() >= 10 - 1e-6 and lead.max() <= 20 and np.ptp(lead) > 5


def test_soma_stretches_jumps_along_its_heading_and_comes_to_rest(jumping_parameters):
    path = draw_saltatory_path(jumping_parameters, seed=3, cell=0, until_min=1200.0)
    for jump in np.flatnonzero((path.start_min > 0) & (path.end_min < 1200)):
        begin, end = path.start_min[jump], path.end_min[jump]
        during = path.at(np.linspace(begin, end, 400))
        way = during["centre_um"] - during["centre_um"][0]
        angle = np.radians(path.heading_deg[jump])
        along = way @ [-np.sin(angle), np.cos(angle)]
        front = along + (during["stretch"] - 1) * 12.0 / 2
        rear = along - (during["stretch"] - 1) * 12.0 / 2
        assert np.hypot(*way[-1]) == pytest.approx(path.length_um[jump])
        assert along[-1] == pytest.approx(path.length_um[jump])
        assert min(np.diff(front).min(), np.diff(rear).min()) > -1e-9
        jumping_share = path.jump_min[jump] / (end - begin)
        assert front[int(400 * jumping_share) :].min() == pytest.approx(path.length_um[jump], rel=0.01)
        assert during["stretch"].max() == pytest.approx(path.peak_stretch[jump], abs=0.01)
        assert during["stretch"][[0, -1]] == pytest.approx([1, 1])
        assert (1.3 <= path.peak_stretch[jump] <= 1.6) or path.extension_um[jump] == path.length_um[jump]
        assert np.abs(np.diff(during["heading_deg"])).max() < 1e-9


def test_nothing_moves_between_saltations(usual):
    resting = np.isin(usual.state, [STATES.index("pause"), STATES.index("swelling")])
    steps = np.diff(usual.path_um, axis=1)
    still = resting[:, 1:] & resting[:, :-1]
    migrating = usual.behaviour == "migrating"
    assert still[migrating].any() and np.abs(steps[migrating][still[migrating]]).max() < 1e-9
    assert (usual.stretch[resting] == 1).all()
    assert steps[migrating][~still[migrating]].min() > -1e-9


def test_no_saltations_at_rate_zero(many):
    motion = many(20, 10.0, saltation_rate_per_h=0.0)
    assert set(motion.behaviour) == {"migrating"} and not len(motion.saltations)
    assert motion.path_um.max() == 0 and list(motion.saltations.columns[:2]) == ["track_id", "start_min"]
    assert np.isfinite(motion.heading_deg).all() and not motion.swelling.any()


def test_timothy_like_cells_jump_more_often_less_far_and_slower(
    many, started, assert_mean, starts_per_cell, jumping_parameters
):
    changed = timothy_like(jumping_parameters)
    motion, usual = many(300, 10.0, changed), many(300, 10.0)
    assert_mean(starts_per_cell(motion, 0, 600) / 10.0, 1.5)
    assert_mean(started(motion).length_um, 9.0)
    # The same random numbers, so the ratio of whole saltations is exact.
    assert changed.mean_saltation_min() == pytest.approx(jumping_parameters.mean_saltation_min() * 0.6 / 0.7)
    one, other = (draw_saltatory_path(p, seed=0, cell=0, until_min=60.0) for p in (changed, jumping_parameters))
    speeds = [path.length_um[1:8] / (path.jump_min + path.rear_min)[1:8] for path in (one, other)]
    assert speeds[0] == pytest.approx(0.7 * speeds[1])
    assert len(usual.saltations) < len(motion.saltations)
