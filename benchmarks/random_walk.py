"""Random walks: is Fuerth's persistence found, and does the Rayleigh test find directions that are not there?

    python benchmarks/random_walk.py [--movies 200] [--minutes 15]
                                     [--errors docs/measurements/detection_errors_random_walk.csv]

Simulated movies of the preset random_walk (10 h, cells that come and go, no common direction), at the level of tracks,
with the errors of positions, missed frames, breaks and false somas that were measured from pixels (--errors) or,
without them, chosen ones; measured as in use. Printed are persistence and speed against the truth, how many movies are
within 20 %, how many intervals hold the truth, and the Rayleigh p-values of the movies against the uniform law.
"""

import argparse
from dataclasses import replace

import numpy as np
import pandas as pd
from detection_errors import MeasuredErrors, rough_tracks
from scipy.stats import kstest
from tqdm import tqdm

from somaseg.migration.measures import MigrationParameters, measure_migration
from somaseg.movies.calibration import Calibration
from somaseg.simulation.motion import simulate_motion
from somaseg.simulation.movie_presets import PRESETS

HOURS, FIELD_UM, FIRST_SEED = 10.0, (332.8, 332.8), 9000
# Cells walk in from outside, so that those in the field are no sample of cells that stay in it.
WALK = replace(PRESETS["random_walk"].motion, margin_um=100.0)
QUICK = MigrationParameters(correct_interval=False)


def measure(seed, minutes, errors):
    """The summary of one simulated movie, a dict."""
    times = np.arange(0.0, 60.0 * HOURS + 1e-6, minutes)
    motion = simulate_motion(WALK, times_min=times, field_um=FIELD_UM, seed=seed)
    seen = np.all((motion.centre_um >= 0) & (motion.centre_um < FIELD_UM), axis=2)
    give = rough_tracks if errors is None else errors.tracks
    tracks = give(motion.centre_um, seen, minutes, np.random.default_rng([seed, minutes]))
    tracks = tracks[tracks.groupby("track_id")["frame"].transform("size") > 1]  # as `somaseg analyze` leaves them out
    return measure_migration(tracks, Calibration(1.0, minutes), parameters=QUICK, field_um=FIELD_UM).summary


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--movies", type=int, default=200)
    parser.add_argument("--minutes", type=int, default=15, help="frame interval (default: %(default)s)")
    parser.add_argument("--errors", metavar="FILE", help="errors measured from pixels, in place of the chosen ones")
    options = parser.parse_args()
    errors = options.errors and MeasuredErrors.read(options.errors, options.minutes)
    seeds = range(FIRST_SEED, FIRST_SEED + options.movies)
    rows = pd.DataFrame([measure(seed, options.minutes, errors) for seed in tqdm(seeds, disable=None)])
    print(f"{options.movies} simulated movies of random walks, {options.minutes} min between frames")
    for name, unit, true in (
        ("fuerth_persistence", "min", WALK.walk_persistence_min),
        ("fuerth_speed", "um_per_h", WALK.walk_speed_um_per_h),
    ):
        value, low, high = (rows[f"{name}{end}_{unit}"] for end in ("", "_low", "_high"))
        print(
            f"{name}: true {true:g} {unit}, mean {value.mean():.1f}, median {value.median():.1f}, "
            f"sd {value.std():.1f}; within 20 % in {np.mean(abs(value / true - 1) <= 0.2):.1%} of the movies; "
            f"in the 95 % interval of {np.mean((low <= true) & (true <= high)):.1%}"
        )
    p = rows["rayleigh_p"].dropna()
    print(
        f"Rayleigh: p <= 0.05 in {np.mean(p <= 0.05):.1%} of the movies; against the uniform law "
        f"(Kolmogorov-Smirnov): p = {kstest(p, 'uniform').pvalue:.2f}; {rows['cells_with_direction'].mean():.0f} cells"
    )
    told = rows["warnings"].map(lambda texts: any("do not walk by Fuerth's law" in text for text in texts))
    print(f"called no random walk: {told.mean():.1%}")


if __name__ == "__main__":
    main()
