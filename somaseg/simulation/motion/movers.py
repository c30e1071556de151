"""Simulated cells that do not jump: arrested, exploring, walking at random; and the wobble of those that stand still.

Like a `SaltatoryPath`, each mover tells `at(times_min)` where it is relative to time 0 and how it looks, and
`rests_min`, when it stands still. Random movement runs on a clock of 15 s, whatever the times asked for; between
two of its steps it is linear.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from somaseg.simulation.motion.headings import wrap_deg
from somaseg.simulation.motion.parameters import MotionParameters
from somaseg.simulation.motion.persistent_walk import bound_walk, persistent_walk
from somaseg.simulation.motion.saltatory import STATES
from somaseg.simulation.motion.streams import cell_stream

CLOCK_MIN = 0.25
_EXPLORING_SD = 0.6  # of an explorer before the pull home, in radii


@dataclass(frozen=True)
class StillMover:
    """An arrested cell."""

    heading_deg: float

    def at(self, times_min: np.ndarray) -> dict[str, np.ndarray]:
        return still_at(times_min, self.heading_deg) | {"state": _states("arrested", len(times_min))}

    def rests_min(self, until_min: float) -> np.ndarray:
        return np.array([[0.0, until_min]])


@dataclass(frozen=True, eq=False)
class CreepingMover:
    """A cell that never rests, given on the clock: (steps, 2) positions from that at time 0, and velocities.

    Its leading process follows the velocity slowly, with a time constant of `heading_time_min`.
    """

    state: str
    position_um: np.ndarray
    velocity: np.ndarray
    heading_time_min: float

    def at(self, times_min: np.ndarray) -> dict[str, np.ndarray]:
        clock = CLOCK_MIN * np.arange(len(self.position_um))
        steps = np.hypot(*np.diff(self.position_um, axis=0).T)
        path = np.concatenate([[0.0], np.cumsum(steps)])
        velocity = _interpolated(times_min, clock, self._slow_velocity())
        return still_at(times_min, 0.0) | {
            "centre_um": _interpolated(times_min, clock, self.position_um),
            "path_um": np.interp(times_min, clock, path),
            "heading_deg": wrap_deg(np.degrees(np.arctan2(-velocity[:, 0], velocity[:, 1]))),
            "state": _states(self.state, len(times_min)),
        }

    def rests_min(self, until_min: float) -> np.ndarray:
        return np.array([[0.0, until_min]])

    def _slow_velocity(self):
        if not self.heading_time_min:
            return self.velocity
        keep = math.exp(-CLOCK_MIN / self.heading_time_min)
        return lfilter([1.0 - keep], [1.0, -keep], self.velocity, axis=0, zi=keep * self.velocity[:1])[0]


def creeping_movers(
    behaviour: np.ndarray, until_min: float, p: MotionParameters, seed: int
) -> dict[int, CreepingMover]:
    """The explorers and random walkers among the cells, by their index in `behaviour` (N,)."""
    explorers, walkers = (np.flatnonzero(behaviour == name) for name in ("exploring", "random_walk"))
    creepers = {}
    normals = _clock_normals(explorers, "exploring", until_min, seed)
    place, velocity = bound_walk(normals, step_min=CLOCK_MIN, sd=_EXPLORING_SD, time_min=p.exploring_time_min)
    # Pulled in towards home so that it never leaves the radius, most when it is far.
    position = p.exploring_radius_um * place / np.sqrt(1.0 + np.sum(place**2, axis=2, keepdims=True))
    for index, cell in enumerate(explorers):
        course = position[index] - position[index, 0]
        creepers[cell] = CreepingMover("exploring", course, velocity[index], p.heading_time_min)
    normals = _clock_normals(walkers, "walking", until_min, seed)
    position, velocity = persistent_walk(
        normals, step_min=CLOCK_MIN, speed_um_per_h=p.walk_speed_um_per_h, persistence_min=p.walk_persistence_min
    )
    for index, cell in enumerate(walkers):
        creepers[cell] = CreepingMover("walking", position[index], velocity[index], p.heading_time_min)
    return creepers


def _clock_normals(cells, element, until_min, seed):
    count = 2 + math.ceil(until_min / CLOCK_MIN)
    normals = [cell_stream(seed, int(cell), element).standard_normal((count, 2, 2)) for cell in cells]
    return np.stack(normals) if normals else np.empty((0, count, 2, 2))


def wobble_um(behaviour: np.ndarray, times: np.ndarray, p: MotionParameters, seed: int) -> np.ndarray:
    """(N, T, 2) in um (y, x), 0 for explorers and walkers: small, smooth and about the cell's place, jumps or not."""
    wobble = np.zeros((len(behaviour), len(times), 2))
    if p.wobble_um:
        cells = np.flatnonzero((behaviour == "migrating") | (behaviour == "arrested"))
        normals = _clock_normals(cells, "wobble", times[-1], seed)
        on_clock, _ = bound_walk(normals, step_min=CLOCK_MIN, sd=p.wobble_um, time_min=p.wobble_time_min)
        clock = CLOCK_MIN * np.arange(normals.shape[1])
        for cell, course in zip(cells, on_clock, strict=True):
            wobble[cell] = _interpolated(times, clock, course)
    return wobble


def still_at(times_min: np.ndarray, heading_deg: float) -> dict[str, np.ndarray]:
    """All that a mover tells of a cell, for one that does nothing."""
    zero = np.zeros(len(times_min))
    return {
        "centre_um": np.zeros((len(times_min), 2)),
        "heading_deg": zero + heading_deg,
        "stretch": zero + 1.0,
        "swelling": zero,
        "swelling_ahead_um": zero,
        "state": _states("pause", len(times_min)),
        "path_um": zero,
    }


def _states(name, count):
    return np.full(count, STATES.index(name), np.uint8)


def _interpolated(times, clock, course):
    return np.stack([np.interp(times, clock, course[:, axis]) for axis in (0, 1)], axis=1)
