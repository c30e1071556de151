"""Simulated cells that jump at constant speed, made apart from `somaseg.simulation`: every law is in a line of it."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def film_jumping_cells():
    """Function that makes tracks of simulated jumping cells and the truth about them."""
    return _film


def _film(
    *,
    cells=20,
    hours=10.0,
    minutes=15,
    pause_min=45.0,
    pause_law="memoryless",
    length_um=15.0,
    speed_um_per_h=60.0,
    resting_cells=6,
    noise_um=0.5,
    missed=0.0,
    seed=0,
):
    """(tracks, saltations started per hour): pauses exponential or gamma of shape 6, turns of 20 degrees."""
    rng = np.random.default_rng(np.random.SeedSequence((seed, 9)))
    shape = {"memoryless": 1.0, "regular": 6.0}[pause_law]
    times = np.arange(0.0, 60.0 * hours + 1e-9, minutes)
    tracks, started = [], 0
    for cell in range(cells + resting_cells):
        centre = np.zeros((len(times), 2))
        clock, heading = -1000.0, rng.uniform(0.0, 2.0 * np.pi)
        while clock < times[-1] and cell < cells:
            clock += pause_min * rng.gamma(shape) / shape
            started += 0 <= clock < times[-1]
            heading += np.radians(20.0) * rng.standard_normal()
            gone = np.clip((times - clock) * speed_um_per_h / 60.0, 0.0, length_um)
            centre += gone[:, None] * [np.sin(heading), np.cos(heading)]
            clock += 60.0 * length_um / speed_um_per_h
        seen = (rng.random(len(times)) >= missed) | (times == times[0]) | (times == times[-1])
        y, x = (centre + noise_um * rng.standard_normal(centre.shape))[seen].T
        tracks.append(pd.DataFrame({"track_id": cell + 1, "frame": np.flatnonzero(seen), "y_um": y, "x_um": x}))
    return pd.concat(tracks, ignore_index=True), started / (hours * (cells + resting_cells))
