"""Saltation frequency and length, as seen and corrected, against the truth over frame intervals; and coverage.

    python benchmarks/sampling.py [--quick] [--movies 3] [--csv TABLE.csv] [--errors docs/measurements/errors.csv]
    python benchmarks/sampling.py --coverage 200 --minutes 15 [--pauses usual] [--behaviour "1/h of 15 um"]

Everything is simulated, at the level of tracks (sampling_worlds.py): 10 h, about 45 cells per movie, of which 30 %
never move and 10 % explore, cells that come and go. Without --errors positions have noise of 0.5 um and 3 % of the
frames are missed; with it the errors are those measured from pixels at this interval (detection_errors.py). The noise
is measured from each movie, as in use. Truth: saltations that start while their cell can be seen, per hour of that, and
their mean length.

Coverage: the share of simulated movies whose 95 % interval holds the frequency (length) of all movies together, the
population that each one is a sample of; and of those whose interval holds the movie's own.
"""

import argparse
import time

import numpy as np
import pandas as pd
from detection_errors import MeasuredErrors
from sampling_worlds import BEHAVIOURS, PAUSES, film, second_world, simulator_world, truth

from somaseg.migration.saltations.interval_correction import correct_for_interval
from somaseg.migration.saltations.position_noise import measure_position_noise
from somaseg.migration.saltations.saltation import find_saltations

_NUMBERS = {"seen_f": "f", "seen_L": "L", "fper_h": "f", "Lum": "L"}
INTERVALS_MIN, MEASURED_MIN = (2, 5, 10, 15, 20, 30), (5, 15, 20)
SECOND = (
    ("constant speed", 0.6, "lognormal"),
    ("constant speed", 1.0, "exponential"),
    ("constant speed", 1.0, "weibull"),
)


def measure(world, minutes, errors):
    """One row: truth, as seen, corrected."""
    tracks = film(world, minutes, errors and MeasuredErrors.read(errors, minutes))
    count, length_um, hours = truth(world, minutes)
    began = time.process_time()
    noise = measure_position_noise(tracks)
    seen = find_saltations(tracks, minutes_per_frame=minutes, noise_um=noise.sigma_um, drift=noise.drift)
    corrected = correct_for_interval(tracks, seen, minutes_per_frame=minutes, noise_um=noise.sigma_um, tail=noise.tail)
    return {
        "minutes": minutes,
        "seed": world.seed,
        "cells": tracks["track_id"].nunique(),
        "hours": hours,
        "true_count": count,
        "true_f": count / hours,
        "true_L": length_um / max(count, 1),
        "seen_f": seen.frequency_per_h,
        "seen_L": seen.length_um,
        **{f"f{end}": getattr(corrected, f"frequency_{end}") for end in ("per_h", "low", "high")},
        **{f"L{end}": getattr(corrected, f"length_{end}") for end in ("um", "low", "high")},
        "noise_um": noise.sigma_um,
        "refractory": corrected.law.refractory_share if corrected.law else np.nan,
        "cpu_s": time.process_time() - began,
    }


def table_rows(intervals, movies, quick, errors):
    behaviours = ["1/h of 15 um"] if quick else list(BEHAVIOURS)
    for behaviour in behaviours:
        for pauses in PAUSES:
            for seed in range(movies):
                world = simulator_world(behaviour, pauses, 500 + seed)
                for minutes in intervals:
                    yield {"world": behaviour, "pauses": pauses, **measure(world, minutes, errors)}
    for name, rate, pauses in () if quick else SECOND:
        for seed in range(movies):
            world = second_world(rate, pauses, 500 + seed)
            for minutes in intervals:
                yield {"world": f"{name}, {rate:g}/h", "pauses": pauses, **measure(world, minutes, errors)}


def print_table(rows):
    """A line per world and law of pauses, a column per interval: errors of frequency, length; as seen -> corrected."""
    intervals = list(dict.fromkeys(rows["minutes"]))
    print(f"| world (simulated) | pauses | true f, L | {' | '.join(f'{minutes} min' for minutes in intervals)} |")
    print("|---" * (3 + len(intervals)) + "|")
    for (world, pauses), own in rows.groupby(["world", "pauses"], sort=False):
        mean = own.groupby("minutes")[["true_f", "true_L", "seen_f", "seen_L", "fper_h", "Lum"]].mean()
        error = pd.DataFrame({name: 100 * (mean[name] / mean[f"true_{kind}"] - 1) for name, kind in _NUMBERS.items()})
        cells = [
            f"{row.seen_f:+.0f}, {row.seen_L:+.0f} -> **{row.fper_h:+.0f}, {row.Lum:+.0f}**"
            for row in error.itertuples()
        ]
        true = f"{mean['true_f'].mean():.2f}/h, {mean['true_L'].mean():.1f} um"
        print(f"| {world} | {pauses} | {true} | {' | '.join(cells)} |")


def coverage(count, minutes, behaviour, pauses, csv, errors):
    rows = []
    for seed in range(1000, 1000 + count):
        rows.append(measure(simulator_world(behaviour, pauses, seed), minutes, errors))
        if csv and len(rows) % 10 == 0:
            pd.DataFrame(rows).to_csv(csv, index=False)
    rows = pd.DataFrame(rows)
    f = rows["true_count"].sum() / rows["hours"].sum()
    length = (rows["true_L"] * rows["true_count"]).sum() / rows["true_count"].sum()
    print(f"{count} simulated movies, {behaviour}, {pauses} pauses, {minutes} min between frames")
    print(f"truth {f:.3f}/h, {length:.2f} um; corrected, mean: {rows.fper_h.mean():.3f}/h, {rows.Lum.mean():.2f} um")
    for name, low, high, population, own in (
        ("frequency", "flow", "fhigh", f, rows["true_f"]),
        ("length", "Llow", "Lhigh", length, rows["true_L"]),
    ):
        held = ((rows[low] <= population) & (population <= rows[high])).mean()
        held_own = ((rows[low] <= own) & (own <= rows[high])).mean()
        width = np.sqrt(rows[high] / rows[low]) - 1
        print(
            f"{name}: holds the population's {held:.1%}, the movie's own {held_own:.1%}; "
            f"half width {width.median():.0%}, of the widest {width.max():.0%}"
        )
    print(f"{rows['cpu_s'].mean():.1f} s of one core per movie")
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one movie per line, 1/h, 5, 15 and 20 min")
    parser.add_argument("--movies", type=int, default=3, help="simulated movies per line")
    parser.add_argument(
        "--coverage", type=int, default=0, metavar="N", help="coverage over N movies in place of the table"
    )
    parser.add_argument("--minutes", type=int, default=15)
    parser.add_argument("--pauses", choices=list(PAUSES), default="usual")
    parser.add_argument("--behaviour", choices=list(BEHAVIOURS), default="1/h of 15 um")
    parser.add_argument("--errors", metavar="FILE", help="errors measured from pixels, in place of the chosen ones")
    parser.add_argument("--csv", help="write every movie's row here")
    options = parser.parse_args()
    if options.coverage:
        rows = coverage(
            options.coverage, options.minutes, options.behaviour, options.pauses, options.csv, options.errors
        )
    else:
        intervals, movies = ((5, 15, 20), 1) if options.quick else (INTERVALS_MIN, options.movies)
        if options.errors:
            intervals = MEASURED_MIN
        rows = []
        for row in table_rows(intervals, movies, options.quick, options.errors):
            rows.append(row)
            if options.csv:
                pd.DataFrame(rows).to_csv(options.csv, index=False)
        rows = pd.DataFrame(rows)
        print_table(rows)
        print(f"\n{rows['cpu_s'].sum() / len(rows):.1f} s of one core per movie and interval")
    if options.csv:
        rows.to_csv(options.csv, index=False)


if __name__ == "__main__":
    main()
