"""Simulated tracks with known saltations for sampling.py: from the simulator, and from a second, simpler generator.

The simulator's cells speed up and slow down, their rears follow, and pauses are gamma laws; jumps of the second
generator run at constant speed, with lengths and pauses of other laws, so that no correction can have been made to
measure for both. Tracks have the errors of detection_errors.py, chosen or measured from pixels, and begin and end where
cells enter and leave (simulator) or anywhere (generator). Everything here is simulated.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from detection_errors import MeasuredErrors, rough_tracks

from somaseg.simulation.motion import MotionParameters, simulate_motion

HOURS = 10.0
FIELD_UM = (450.0, 450.0)
FOCUS_UM = 20.0
CLOCK_MIN = 1.0

# Rates with the lengths that go with them; (shape, refractory minutes) of the pauses.
BEHAVIOURS = {
    "0.5/h of 15 um": {"saltation_rate_per_h": 0.5},
    "1/h of 15 um": {"saltation_rate_per_h": 1.0},
    "1.5/h of 9 um": {
        "saltation_rate_per_h": 1.5,
        "jump_length_um": 9.0,
        "jump_speed_um_per_h": (42.0, 84.0),
        "rear_delay_min": (0.0, 12.9),
    },
}
PAUSES = {"memoryless": (1.0, 0.0), "usual": (2.0, 10.0), "regular": (6.0, 5.0)}


@dataclass(frozen=True, eq=False)
class World:
    """Simulated cells on a clock of one minute, before anyone films them.

    Attributes:
        centre_um: (N, T, 2). seen: (N, T) bool, in the field and in focus.
        saltations: DataFrame, track_id (1..N), start_min, length_um. seed: int.
    """

    centre_um: np.ndarray
    seen: np.ndarray
    saltations: pd.DataFrame
    seed: int


def simulator_world(behaviour: str, pauses: str, seed: int, **changes) -> World:
    """Cells of the simulator: 30 % arrested, 10 % explorers, as by default."""
    shape, refractory = PAUSES[pauses]
    parameters = MotionParameters(
        **{"pause_shape": shape, "refractory_min": refractory, "margin_um": 100.0, **BEHAVIOURS[behaviour], **changes}
    )
    times = np.arange(0.0, 60.0 * HOURS + 1e-6, CLOCK_MIN)
    motion = simulate_motion(parameters, times_min=times, field_um=FIELD_UM, seed=seed)
    inside = np.all((motion.centre_um >= 0) & (motion.centre_um < FIELD_UM), axis=2)
    return World(motion.centre_um, inside & (np.abs(motion.depth_um) <= FOCUS_UM), motion.saltations, seed)


def second_world(rate_per_h: float, pauses: str, seed: int, *, cells: int = 45) -> World:
    """Cells of the second generator: constant 50-80 um/h, lengths uniform in 8-22 um, pauses exponential, Weibull of
    shape 3 or lognormal of sd 0.8; 30 % never move, rates differ between cells by 30 %.
    """
    rng = np.random.default_rng(np.random.SeedSequence((seed, 5)))
    draw_pause = {
        "exponential": lambda: rng.exponential(),
        "weibull": lambda: rng.weibull(3.0) / 0.893,
        "lognormal": lambda: np.exp(0.8 * rng.standard_normal() - 0.32),
    }[pauses]
    times = np.arange(0.0, 60.0 * HOURS + 1e-6, CLOCK_MIN)
    centre, seen, rows = np.zeros((cells, len(times), 2)), np.zeros((cells, len(times)), bool), []
    for cell in range(cells):
        begin = rng.uniform(0.0, 200.0) * (rng.random() < 0.5)
        seen[cell] = (times >= begin) & (times <= begin + rng.uniform(240.0, 600.0))
        if rng.random() < 0.3:
            continue
        cycle_min = 60.0 / rate_per_h * np.exp(0.3 * rng.standard_normal())
        heading, clock = rng.uniform(0.0, 2.0 * np.pi), -2000.0
        while clock < times[-1]:
            clock += max(cycle_min - 14.0, 5.0) * draw_pause()
            length, speed = rng.uniform(8.0, 22.0), rng.uniform(50.0, 80.0) / 60.0
            heading += np.radians(20.0) * rng.standard_normal() + np.pi * (rng.random() < 0.05)
            gone = np.clip((times - clock) * speed, 0.0, length)
            centre[cell] += gone[:, None] * [-np.sin(heading), np.cos(heading)]
            rows.append((cell + 1, clock, length))
            clock += length / speed
    return World(centre, seen, pd.DataFrame(rows, columns=["track_id", "start_min", "length_um"]), seed)


def film(world: World, minutes_per_frame: int, errors: MeasuredErrors | None = None) -> pd.DataFrame:
    """Tracks of a world as a microscope would give them at this frame interval, with measured or else chosen errors."""
    rng = np.random.default_rng(np.random.SeedSequence((world.seed, minutes_per_frame)))
    every = slice(None, None, round(minutes_per_frame / CLOCK_MIN))
    give = rough_tracks if errors is None else errors.tracks
    return give(world.centre_um[:, every], world.seen[:, every], minutes_per_frame, rng)


def truth(world: World, minutes_per_frame: int) -> tuple[int, float, float]:
    """Saltations that start while their cell is to be seen, their summed length in um, and the hours of the cells."""
    every = round(minutes_per_frame / CLOCK_MIN)
    cell, frame = np.nonzero(world.seen[:, ::every])
    seen = pd.DataFrame({"track_id": cell + 1, "time_min": frame * every * CLOCK_MIN})
    spans = seen.groupby("track_id")["time_min"].agg(["min", "max"])
    rows = world.saltations.join(spans, on="track_id", how="inner")
    rows = rows[(rows["start_min"] >= rows["min"]) & (rows["start_min"] < rows["max"])]
    return len(rows), float(rows["length_um"].sum()), float((spans["max"] - spans["min"]).sum() / 60.0)
