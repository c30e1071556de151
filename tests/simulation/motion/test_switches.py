"""Every element of the motion can be switched off alone: its random numbers are its own."""

import dataclasses

import numpy as np
import pytest

from somaseg.simulation.motion import simulate_motion
from somaseg.simulation.motion.saltatory import draw_saltatory_path

FIELD_UM = (300.0, 300.0)


EVENTS = ("start_min", "jump_min", "length_um", "heading_deg", "rear_min", "swelling_min", "peak_stretch")


SWITCHES = {
    "wobble": ({"wobble_um": 0.0}, EVENTS, ("path_um", "heading_deg", "depth_um", "state")),
    "excursions": ({"excursion_fraction": 0.0}, EVENTS, ("centre_um", "state", "stretch")),
    "depth": ({"depth_sd_um": 0.0}, EVENTS, ("centre_um", "state", "stretch")),
    "swelling": (
        {"swelling_lead_min": (0.0, 0.0)},
        [e for e in EVENTS if e != "swelling_min"],
        ("path_um", "stretch"),
    ),
    "stretch": ({"stretch": (1.0, 1.0)}, ("jump_min", "length_um", "heading_deg"), ()),
    "rear": ({"rear_delay_min": (0.0, 0.0)}, ("jump_min", "length_um", "heading_deg"), ()),
    "refractory": ({"refractory_min": 0.0}, ("jump_min", "length_um", "heading_deg", "rear_min"), ()),
    "turns": ({"turn_sd_deg": 0.0}, [e for e in EVENTS if e != "heading_deg"], ("path_um", "stretch", "state")),
    "reversals": ({"reversal_probability": 0.0}, [e for e in EVENTS if e != "heading_deg"], ("path_um", "state")),
    "axis": ({"heading_concentration": 0.0}, [e for e in EVENTS if e != "heading_deg"], ("path_um", "state")),
    "touching": ({"touching_fraction": 0.0}, EVENTS, ("path_um", "heading_deg", "stretch", "depth_um")),
    "spacing": ({"spacing_um": 0.0}, EVENTS, ("path_um", "heading_deg", "stretch", "depth_um")),
    "length spread": ({"jump_length_cv": 0.0}, ("heading_deg", "rear_min"), ()),
}


@pytest.mark.parametrize("switch", SWITCHES)
def test_switching_one_element_off_leaves_the_others_alone(usual, switch):
    change, columns, arrays = SWITCHES[switch]
    p = dataclasses.replace(usual.parameters, **change)
    changed = simulate_motion(p, times_min=usual.times_min, field_um=FIELD_UM, seed=4)
    assert np.array_equal(changed.behaviour, usual.behaviour)
    for name in arrays:
        assert np.allclose(getattr(changed, name), getattr(usual, name), atol=1e-9), name
    name = next(iter(change))
    assert getattr(p, name) != getattr(usual.parameters, name)
    cell = int(np.flatnonzero(usual.behaviour == "migrating")[0])
    one, other = (draw_saltatory_path(q, seed=4, cell=cell, until_min=900.0) for q in (p, usual.parameters))
    for column in set(columns) - {"start_min", "swelling_min"}:
        # Event for event from the first one drawn; the cell may come further in one than in the other.
        both = min(len(one.start_min), len(other.start_min))
        assert np.allclose(getattr(one, column)[:both], getattr(other, column)[:both]), column
    if "start_min" in columns:
        assert np.allclose(changed.saltations.start_min, usual.saltations.start_min)
    if "swelling_min" in columns:
        assert np.allclose(changed.saltations.swelling_min, usual.saltations.swelling_min)


def test_switching_arrested_cells_off_leaves_explorers_and_migrating_cells(usual):
    changed = simulate_motion(
        dataclasses.replace(usual.parameters, arrested_fraction=0.0),
        times_min=usual.times_min,
        field_um=FIELD_UM,
        seed=4,
    )
    others = usual.behaviour != "arrested"
    assert np.array_equal(changed.behaviour[others], usual.behaviour[others])
    assert (changed.behaviour[~others] == "migrating").all()
    assert np.allclose(changed.path_um[others], usual.path_um[others])
