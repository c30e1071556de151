"""Where cells begin, and which of them meet."""

import dataclasses

import numpy as np
import pytest

from somaseg.simulation.motion import MotionParameters, simulate_motion

FIELD_UM = (300.0, 300.0)


def test_cells_start_apart_in_field_and_margin(jumping_parameters):
    p = dataclasses.replace(jumping_parameters, spacing_um=16.0, margin_um=100.0, density_per_field=80.0)
    motion = simulate_motion(p, times_min=[0.0], field_um=(200.0, 300.0), seed=0)
    centre = motion.centre_um[:, 0]
    distance = np.hypot(*np.moveaxis(centre[:, None] - centre, -1, 0)) + 1e9 * np.eye(len(centre))
    assert len(centre) == round(80 * 400 * 500 / 300**2)
    assert distance.min() >= 16.0
    assert (centre >= -100).all() and (centre <= [300, 400]).all() and (centre[:, 1] > 310).any()


@pytest.mark.parametrize("arrested", [0.3, 0.0])
def test_one_cell_in_five_touches_another_for_three_frames(arrested):
    p = MotionParameters(arrested_fraction=arrested, exploring_fraction=0.1 if arrested else 0.0)
    motion = simulate_motion(p, times_min=np.arange(0.0, 601.0, 15.0), field_um=FIELD_UM, seed=0)
    centre = motion.centre_um
    distance = np.hypot(*np.moveaxis(centre[:, None] - centre, -1, 0)) + 1e9 * np.eye(len(centre))[:, :, None]
    near = distance < p.soma_length_um
    touches = (near[:, :, 2:] & near[:, :, 1:-1] & near[:, :, :-2]).any(axis=(1, 2))
    # By chance, fewer than half of the cells do.
    assert touches[motion.track_ids % 5 == 0].all()
