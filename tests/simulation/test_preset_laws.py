"""The truth of every movie preset obeys the parameters of that preset: rates, lengths, shares and headings."""

import functools

import numpy as np
import pytest

from somaseg.simulation.motion import simulate_motion
from somaseg.simulation.movie_presets import PRESETS

HOURS = 10.0
# A square of the same number of cells, 180, at every density; 900 um at the usual one.
CELLS_IN_FIELD = 180


@pytest.fixture(scope="module", params=sorted(PRESETS))
def world(request):
    """(side of the field, behaviour parameters, motion) of a preset in a field large enough for statistics."""
    parameters = PRESETS[request.param]
    return simulated(parameters.motion, parameters.minutes_per_frame)


@functools.cache  # some presets differ in their pictures alone
def simulated(motion, minutes_per_frame):
    side_um = 300.0 * np.sqrt(CELLS_IN_FIELD / motion.density_per_field) if motion.density_per_field else 900.0
    times = np.arange(0, 60 * HOURS + 1e-9, minutes_per_frame)
    return side_um, motion, simulate_motion(motion, times_min=times, field_um=(side_um, side_um), seed=11)


def migrating(motion):
    return motion.track_ids[motion.behaviour == "migrating"]


def test_number_of_cells_is_the_density_times_the_area(world):
    side_um, p, motion = world
    area = (side_um + 2 * p.margin_um) ** 2
    assert len(motion.track_ids) == round(p.density_per_field * area / 300.0**2)


def test_shares_of_behaviours_are_those_asked_for(world):
    _, p, motion = world
    moving = 1.0 - p.arrested_fraction - p.exploring_fraction
    wanted = {
        "arrested": p.arrested_fraction,
        "exploring": p.exploring_fraction,
        "random_walk": moving * p.random_walk_fraction,
        "migrating": moving * (1.0 - p.random_walk_fraction),
    }
    count = len(motion.behaviour)
    for name, share in wanted.items():
        error = 4 * np.sqrt(share * (1 - share) / max(count, 1)) + 1e-12
        assert count == 0 or abs(np.mean(motion.behaviour == name) - share) <= error


def test_saltations_come_at_the_rate_asked_for(world):
    """The cells' rates spread by rate_cell_cv, and counts of a renewal process by less than Poisson's."""
    _, p, motion = world
    cells = migrating(motion)
    starts = motion.saltations[motion.saltations["start_min"] >= 0]
    assert set(starts["track_id"]) <= set(cells)
    if len(cells):
        rate = len(starts) / (len(cells) * HOURS)
        variance = (p.rate_cell_cv * p.saltation_rate_per_h) ** 2 + p.saltation_rate_per_h / HOURS
        assert rate == pytest.approx(p.saltation_rate_per_h, abs=4 * np.sqrt(variance / len(cells)))


def test_jumps_have_the_length_and_speed_asked_for(world):
    _, p, motion = world
    cells = migrating(motion)
    if len(cells):
        of_cells = motion.saltations.groupby("track_id")
        length = of_cells["length_um"].mean()
        assert length.mean() == pytest.approx(p.jump_length_um, abs=4 * length.std() / np.sqrt(len(length)))
        speed = of_cells["jump_speed_um_per_h"].mean()
        middle = np.mean(p.jump_speed_um_per_h)
        assert speed.mean() == pytest.approx(middle, abs=4 * speed.std() / np.sqrt(len(speed)) + 0.01 * middle)


def test_headings_gather_about_the_axis_as_asked_for(world):
    _, p, motion = world
    cells = migrating(motion)
    if len(cells):
        away = np.exp(1j * np.radians(motion.saltations["heading_deg"] - p.axis_deg))
        of_cells = away.groupby(motion.saltations["track_id"]).mean()
        error = 4 * np.std(of_cells) / np.sqrt(len(of_cells))
        assert abs(of_cells.mean() - p.heading_concentration) < error


def test_arrested_cells_stay_and_explorers_stay_near(world):
    _, p, motion = world
    moved = np.hypot(*np.moveaxis(motion.centre_um - motion.centre_um[:, :1], -1, 0))
    arrested, exploring = motion.behaviour == "arrested", motion.behaviour == "exploring"
    assert not motion.path_um[arrested].any()
    assert moved[arrested].max(initial=0.0) < 12 * p.wobble_um + 1e-9
    assert moved[exploring].max(initial=0.0) <= 2 * p.exploring_radius_um


def test_walkers_spread_by_fuerths_law(world):
    _, p, motion = world
    walkers = motion.behaviour == "random_walk"
    if walkers.any():
        lag_h, persistence_h = 2.0, p.walk_persistence_min / 60
        step = round(60 * lag_h / np.diff(motion.times_min)[0])
        squared = np.sum((motion.centre_um[walkers, step] - motion.centre_um[walkers, 0]) ** 2, axis=1)
        growth = lag_h - persistence_h * (1 - np.exp(-lag_h / persistence_h))
        expected = 2 * p.walk_speed_um_per_h**2 * persistence_h * growth
        assert squared.mean() == pytest.approx(expected, abs=4 * squared.std() / np.sqrt(walkers.sum()))


def test_the_presets_differ_from_typical_in_what_their_names_say():
    typical = PRESETS["typical"]
    assert PRESETS["control"] == typical
    assert PRESETS["fast_sampling"] == typical.changed({"minutes_per_frame": 5.0})
    assert PRESETS["slow_sampling"] == typical.changed({"minutes_per_frame": 20.0})
    changed = PRESETS["ts_like"].motion
    assert changed.saltation_rate_per_h == pytest.approx(1.5 * typical.motion.saltation_rate_per_h)
    assert changed.jump_length_um == pytest.approx(0.6 * typical.motion.jump_length_um)
    assert PRESETS["dense"].motion.density_per_field > 2 * typical.motion.density_per_field
    assert PRESETS["dim"].photons_at_soma_peak < 0.5 * typical.photons_at_soma_peak
    assert PRESETS["blank"].motion.density_per_field == 0
