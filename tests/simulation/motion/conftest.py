"""The numbers asked for come out, within four standard errors, and sampling changes nothing.

Tests of laws draw many cells with one seed. Their tolerance follows from the spread between the cells themselves.
"""

import dataclasses

import numpy as np
import pytest

from somaseg.simulation.motion import MotionParameters, simulate_motion

# One kind of cell, placed anywhere, all alike but for chance.
_JUMPING = MotionParameters(
    margin_um=0.0,
    spacing_um=0.0,
    touching_fraction=0.0,
    arrested_fraction=0.0,
    exploring_fraction=0.0,
    rate_cell_cv=0.0,
    length_cell_cv=0.0,
    speed_cell_cv=0.0,
    wobble_um=0.0,
    excursion_fraction=0.0,
)


@pytest.fixture
def jumping_parameters():
    """One kind of cell, placed anywhere, all alike but for chance."""
    return _JUMPING


@pytest.fixture(scope="session")
def jumping():
    return _many(400, 20.0)


@pytest.fixture(scope="session")
def usual():
    """A movie at the defaults, every minute for three hours."""
    parameters = MotionParameters(margin_um=80.0)
    return simulate_motion(parameters, times_min=np.arange(181.0), field_um=(300.0, 300.0), seed=4)


@pytest.fixture
def many():
    """Function: motion of so many cells at the two ends of so many hours."""
    return _many


@pytest.fixture
def started():
    """Function: the saltations of a motion that start in the movie."""
    return _started


@pytest.fixture
def starts_per_cell():
    """Function: how many saltations of each cell start between two times in minutes."""
    return _starts_per_cell


@pytest.fixture
def assert_mean():
    """Function: check that the mean of independent values is as expected, within four standard errors."""
    return _assert_mean


def _many(cells: int, hours: float, parameters: MotionParameters = _JUMPING, seed: int = 0, **changes):
    """Motion of so many cells at the two ends of so many hours."""
    p = dataclasses.replace(parameters, **{"density_per_field": 20.0, "margin_um": 0.0, **changes})
    side = 300.0 * np.sqrt(cells / p.density_per_field)
    return simulate_motion(p, times_min=[0.0, 60.0 * hours], field_um=(side, side), seed=seed)


def _started(motion):
    """The saltations that start in the movie: unlike those under way, no longer ones than usual."""
    table = motion.saltations
    return table[(table.start_min >= motion.times_min[0]) & (table.start_min < motion.times_min[-1])]


def _starts_per_cell(motion, from_min, to_min):
    inside = motion.saltations.start_min.between(from_min, to_min, inclusive="left")
    return np.bincount(motion.saltations.track_id[inside] - 1, minlength=len(motion.track_ids))


def _assert_mean(values, expected):
    """The mean of independent values is as expected, within four standard errors."""
    values = np.asarray(values, float)
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert abs(values.mean() - expected) < 4 * error, (values.mean(), expected, error)
