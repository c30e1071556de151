"""Simulated migration of interneurons: where every cell is, its shape and what it is doing, at the times of the frames.

Behaviour only, nothing is drawn. The truth of a simulated movie, whatever the frame interval: events happen at
exact times and random movement runs on a clock of 15 s, so that the same seed sampled every 5 or every 20 min gives
the same positions at common times (frame times between two steps of that clock are interpolated, by less than the
movement of 15 s).
"""

import math
import numbers
from dataclasses import dataclass

import numpy as np
import pandas as pd

from somaseg.simulation.motion.excursions import cell_depths_um
from somaseg.simulation.motion.headings import wrapped_cauchy_deg
from somaseg.simulation.motion.movers import StillMover, creeping_movers, still_at, wobble_um
from somaseg.simulation.motion.parameters import MotionParameters
from somaseg.simulation.motion.placement import Course, place_cells
from somaseg.simulation.motion.saltatory import NO_SALTATIONS, SaltatoryPath, draw_saltatory_path
from somaseg.simulation.motion.streams import cell_stream

_DENSITY_FIELD_UM = 300.0
# What a cell is: uniform numbers in 0..1, drawn together. The order is part of what a seed means: append, never insert.
_TRAITS = ("behaviour", "walks", "rate", "length", "speed", "leaves_focus", "heading")


@dataclass(frozen=True, eq=False)
class Motion:
    """Simulated motion of N cells at T times; exact truth, in um of the tissue.

    times_min: (T,). track_ids: (N,) int, 1..N.
    behaviour: (N,) str, "migrating", "arrested", "exploring" or "random_walk".
    centre_um: (N, T, 2) centre of the soma, halfway between its front and rear, as (y, x) from the top left of the
        field. Cells also lie outside the field.
    heading_deg: (N, T), in -180..180, direction of the leading process. Of a migrating cell: the heading of its
        jump, turning to the next one's in the pause before the swelling (a reversal comes at once). Of an explorer
        or a walker: of its velocity, followed slowly.
    stretch: (N, T) soma length relative to rest: 1 at rest.
    swelling: (N, T) 0..1, size of the swelling in the leading process, taken in by the soma as it jumps.
    swelling_ahead_um: (N, T) from the soma's front to the swelling's middle; 0 without one.
    depth_um: (N, T) signed distance from focus, excursions included.
    state: (N, T) uint8, index into `STATES`. "swelling" is the part of a pause with a swelling.
    path_um: (N, T) path of the centre since times_min[0], without the wobble of a pausing soma; exact for migrating
        cells, on the 15 s clock for others.
    saltations: one row per saltation that is under way at some time from times_min[0] to times_min[-1], with track_id,
        start_min, duration_min, length_um, speed_um_per_h, heading_deg. A saltation is the whole movement of the
        centre: from the start of the soma's jump until its rear has arrived. length_um is net, without wobble;
        speed is length / duration. Further columns: jump_min and jump_speed_um_per_h (of the soma's front, whose
        mean is as drawn: length / jump_min), rear_min, pause_before_min, swelling_min, peak_stretch, reversal
        (whether it goes back).
    """

    times_min: np.ndarray
    track_ids: np.ndarray
    behaviour: np.ndarray
    centre_um: np.ndarray
    heading_deg: np.ndarray
    stretch: np.ndarray
    swelling: np.ndarray
    swelling_ahead_um: np.ndarray
    depth_um: np.ndarray
    state: np.ndarray
    path_um: np.ndarray
    saltations: pd.DataFrame
    parameters: MotionParameters
    seed: int


def simulate_motion(
    parameters: MotionParameters = MotionParameters(), *, times_min, field_um: tuple[float, float], seed: int
) -> Motion:
    """Simulate the cells in and about a field; the same parameters, field and seed give the same cells.

    Args:
        times_min: (T,) times of the frames, rising, 0 or later. Time 0 is when cells are placed; migrating cells
            have been going for long by then, so that the first hour is like any other.
        field_um: (height, width) of the seen field. The number of cells is `density_per_field` times the area of
            the field and the margin about it.

    Raises:
        ValueError: times that do not rise, a field without area, or a seed that is no whole number from 0.

    >>> motion = simulate_motion(times_min=[0, 15, 30], field_um=(300, 300), seed=0)
    >>> motion.centre_um.shape
    (109, 3, 2)
    """
    p = parameters
    times, field_um = _checked(times_min, field_um, seed)
    area = np.prod(np.add(field_um, 2 * p.margin_um))
    count = round(p.density_per_field * area / _DENSITY_FIELD_UM**2)
    uniform = np.array([cell_stream(seed, cell, "traits").random(len(_TRAITS)) for cell in range(count)])
    traits = dict(zip(_TRAITS, uniform.reshape(count, -1).T if count else np.empty((len(_TRAITS), 0))))
    behaviour = _behaviours(traits, p)

    meeting_min = 60.0 * p.touching_within_h
    until_min = max(times[-1], meeting_min if p.touching_fraction else 0.0)
    movers = {}
    for cell in np.flatnonzero(behaviour == "migrating"):
        factors = tuple(traits[name][cell] for name in ("rate", "length", "speed"))
        movers[cell] = draw_saltatory_path(p, seed=seed, cell=int(cell), until_min=until_min, factors_at=factors)
    headings = wrapped_cauchy_deg(traits["heading"], p.axis_deg, p.heading_concentration)
    for cell in np.flatnonzero(behaviour == "arrested"):
        movers[cell] = StillMover(headings[cell])
    movers |= creeping_movers(behaviour, until_min, p, seed)

    courses = [_course(movers[cell], meeting_min) for cell in range(count)]
    start_um = place_cells(p, courses, field_um=field_um, seed=seed)
    sampled = [movers[cell].at(times) for cell in range(count)]
    fields = {name: _stacked(sampled, name, len(times)) for name in still_at(times, 0.0)}
    fields["centre_um"] = fields["centre_um"] + start_um[:, None] + wobble_um(behaviour, times, p, seed)
    fields["path_um"] = fields["path_um"] - fields["path_um"][:, :1]
    return Motion(
        times_min=times,
        track_ids=np.arange(1, count + 1),
        behaviour=behaviour,
        **fields,
        depth_um=cell_depths_um(traits["leaves_focus"], times, p, seed),
        saltations=_saltation_table(movers, times),
        parameters=p,
        seed=seed,
    )


def _checked(times_min, field_um, seed):
    times = np.asarray(times_min, float)
    if (
        times.ndim != 1
        or not len(times)
        or not np.all(np.isfinite(times))
        or times[0] < 0
        or np.any(np.diff(times) <= 0)
    ):
        raise ValueError(f"times_min must be one row of rising times from 0 on, got {times_min!r}.")
    field = tuple(float(side) for side in np.ravel(field_um))
    if len(field) != 2 or not all(math.isfinite(side) and side > 0 for side in field):
        raise ValueError(f"field_um must be a (height, width), both positive, got {field_um!r}.")
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or seed < 0:
        raise ValueError(f"seed must be a whole number from 0, got {seed!r}.")
    return times, field


def _behaviours(traits, p):
    # Arrested from one end and explorers from the other: switching one off leaves the other's cells as they were.
    behaviour = np.where(traits["walks"] < p.random_walk_fraction, "random_walk", "migrating")
    behaviour = np.where(traits["behaviour"] >= 1.0 - p.exploring_fraction, "exploring", behaviour)
    return np.where(traits["behaviour"] < p.arrested_fraction, "arrested", behaviour)


def _course(mover, meeting_min):
    return Course(
        displacement=lambda time: mover.at(np.array([time]))["centre_um"][0],
        heading=lambda time: mover.at(np.array([time]))["heading_deg"][0],
        rests_min=mover.rests_min(meeting_min),
    )


def _saltation_table(movers, times):
    ids, tables = [], [NO_SALTATIONS]
    for cell, path in sorted(movers.items()):
        if isinstance(path, SaltatoryPath):
            tables.append(path.table(times[0], times[-1]))
            ids += [int(cell) + 1] * len(tables[-1]["start_min"])
    columns = {name: np.concatenate([table[name] for table in tables]) for name in NO_SALTATIONS}
    return pd.DataFrame({"track_id": np.array(ids, int), **columns})


def _stacked(sampled, name, frames):
    if sampled:
        return np.stack([cell[name] for cell in sampled])
    alike = still_at(np.zeros(frames), 0.0)[name]
    return np.empty((0, *alike.shape), alike.dtype)
