"""How many links between true detections of simulated movies are right: somaseg's linker beside others.

    python benchmarks/linking.py [--presets NAME ...] [--seeds 0 1 2 3 4] [--speed]

Detections are true ones, with noise and gaps (see simulated_detections.py), so linking is judged alone. A true link is
between two detections of one cell that follow each other, over a gap or not; "right" is the share of true links that a
linker makes, "wrong" the links that it makes and that are not true ones, in percent of those it makes. LNK counts 1.5
for a missed link and 1 for a wrong one (the weights of the Cell Tracking Challenge). A switch is a change of track
from one detection of a cell to its next, so a missed link is one too. All seeds of a preset are pooled.

somaseg learns its laws from each movie and has no setting for a preset; its defaults were chosen on seeds 100-103. For
the others the cutoff was chosen for each preset on seeds 100-102 (--tune), which favours them; they close gaps of as
many frames as somaseg does, but for hungarian, which closes none. All are called through `somaseg.tracking.linkers`,
as `somaseg track --linker NAME` does. "positions" is somaseg without area, intensity and shape: what the others
are given. `control` and `dim` move as `typical` does and are left out.
"told" is the mean confidence of somaseg's links, to be compared with the share of them that is right (100 - wrong, %).
"""

import argparse
import itertools
import sys
import time

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from simulated_detections import simulated_detections

from somaseg.movies.calibration import Calibration
from somaseg.simulation.movie_presets import preset
from somaseg.tracking.linkers import link_with
from somaseg.tracking.linking import LinkingParameters, link_somas

PRESETS = (
    "easy",
    "typical",
    "dense",
    "fast_sampling",
    "slow_sampling",
    "ts_like",
    "random_walk",
    "arrested",
)
POSITIONS = ["frame", "label", "y_um", "x_um"]
CUTOFFS_UM = (8.0, 12.0, 16.0, 20.0, 25.0, 30.0, 40.0, 50.0)


LINKERS = ("somaseg", "somaseg, positions", "laptrack", "trackpy", "btrack", "hungarian")
PEERS = ("laptrack", "trackpy", "btrack", "hungarian")
# Chosen by --tune: cutoff in um, and the most frames of a gap.
SETTINGS = {
    "easy": {"laptrack": (25.0, 5), "trackpy": (40.0, 5), "hungarian": (25.0, 0)},
    "typical": {"laptrack": (25.0, 5), "trackpy": (30.0, 5), "hungarian": (25.0, 0)},
    "dense": {"laptrack": (25.0, 5), "trackpy": (30.0, 5), "hungarian": (25.0, 0)},
    "fast_sampling": {"laptrack": (20.0, 15), "trackpy": (40.0, 15), "hungarian": (16.0, 0)},
    "slow_sampling": {"laptrack": (40.0, 4), "trackpy": (40.0, 4), "hungarian": (40.0, 0)},
    "ts_like": {"laptrack": (20.0, 5), "trackpy": (40.0, 5), "hungarian": (20.0, 0)},
    "random_walk": {"laptrack": (20.0, 5), "trackpy": (25.0, 5), "hungarian": (12.0, 0)},
    "arrested": {"laptrack": (8.0, 5), "trackpy": (8.0, 5), "hungarian": (8.0, 0)},
}
GAPS = {"fast_sampling": (4, 15), "slow_sampling": (4,)}


def count_links(table: pd.DataFrame, track_ids: np.ndarray, confidence: float = np.nan) -> dict:
    """Counts of one movie, to be summed over movies and turned into scores by `scores`."""
    truth, frame = table["true_id"].to_numpy(), table["frame"].to_numpy()
    true_from, true_to = _links(truth, frame)
    made_from, made_to = _links(track_ids, frame)
    true_set = set(zip(true_from.tolist(), true_to.tolist()))
    right = sum(pair in true_set for pair in zip(made_from.tolist(), made_to.tolist()))
    pairs = pd.crosstab(truth, track_ids).to_numpy() if len(table) else np.zeros((0, 0))
    shared = pairs[linear_sum_assignment(pairs, maximize=True)].sum()
    return {
        "somas": len(table),
        "true": len(true_from),
        "right": right,
        "wrong": len(made_from) - right,
        "shared": int(shared),
        "switches": int(np.sum(track_ids[true_from] != track_ids[true_to])),
        "told": float(confidence),
        "frames_of_cells": int(np.sum(frame[true_to] - frame[true_from])),
    }


def scores(counts: dict, minutes_per_frame: float) -> dict:
    missed = counts["true"] - counts["right"]
    made = counts["right"] + counts["wrong"]
    return {
        "true links": counts["true"],
        "right": counts["right"] / max(counts["true"], 1),
        "missed": missed,
        "wrong": counts["wrong"],
        "wrong, %": 100 * counts["wrong"] / max(made, 1),
        "LNK": 1 - (1.5 * missed + counts["wrong"]) / max(1.5 * counts["true"], 1),
        "IDF1": counts["shared"] / max(counts["somas"], 1),
        "told": counts["told"] / max(made, 1),
        "switches per 100 h": 6000 * counts["switches"] / max(counts["frames_of_cells"] * minutes_per_frame, 1e-9),
    }


def measure(name, seeds, linker, setting):
    p = preset(name)
    calibration = Calibration(p.um_per_px, p.minutes_per_frame)
    cutoff_um, gap_frames = setting or (None, None)
    parameters = LinkingParameters(max_step_um=cutoff_um, max_gap_frames=gap_frames)
    counts = []
    for seed in seeds:
        table = _detections(name, seed)
        somas = table[POSITIONS] if linker.endswith("positions") else table.drop(columns="true_id")
        linking = link_with(linker.split(",")[0], somas, parameters=parameters, calibration=calibration)
        counts.append(count_links(table, linking.track_ids, linking.links["confidence"].sum(skipna=False)))
    return scores(pd.DataFrame(counts).sum(skipna=False).to_dict(), p.minutes_per_frame)


def print_table(names, seeds):
    print("| preset | linker | " + " | ".join(scores(dict.fromkeys(_COUNTS, 0), 1.0)) + " |")
    print("|---|---" + "|---" * 9 + "|")
    for name in names:
        for linker in LINKERS:
            try:
                row = measure(name, seeds, linker, SETTINGS[name].get(linker))
            except ImportError as error:
                print(f"| {name} | {linker} | {error} |")
                continue
            shown = [
                f"{value:.4f}" if key in ("right", "LNK", "IDF1", "told") else f"{round(value, 2):g}"
                for key, value in row.items()
            ]
            print(f"| {name} | {linker} | " + " | ".join(shown) + " |", flush=True)


def tune_peers(names, seeds):
    for name in names:
        best = {}
        for linker in PEERS:
            gaps = (0,) if linker == "hungarian" else GAPS.get(name, (5,))
            found = {each: measure(name, seeds, linker, each) for each in itertools.product(CUTOFFS_UM, gaps)}
            best[linker] = max(
                found, key=lambda each: found[each]["right"] * found[each]["true links"] - found[each]["wrong"]
            )
        print(f"    {name!r}: {best},".replace("'", '"'), flush=True)


def print_speed(frame_count=500, somas=500):
    """A movie of random steps in a field of 60 cells per 300 x 300 um."""
    rng = np.random.default_rng(0)
    side = 300.0 * np.sqrt(somas / 60)
    steps = rng.standard_normal((frame_count, somas, 2))
    steps *= np.where(rng.random((frame_count, somas, 1)) < 0.15, 8.0, 0.5)
    position = np.mod(rng.uniform(0, side, (somas, 2)) + np.cumsum(steps, axis=0), side)
    intensity = np.exp(0.5 * rng.standard_normal(somas) + 0.08 * rng.standard_normal((frame_count, somas)))
    table = pd.DataFrame(
        {
            "frame": np.repeat(np.arange(frame_count), somas),
            "label": np.tile(np.arange(1, somas + 1), frame_count),
            "y_um": position[..., 0].ravel(),
            "x_um": position[..., 1].ravel(),
            "area_um2": 75.0 * np.exp(0.1 * rng.standard_normal(frame_count * somas)),
            "mean_intensity": intensity.ravel(),
        }
    )
    start = time.perf_counter()
    link_somas(table, calibration=Calibration(0.65, 15.0))
    print(f"{frame_count} frames of {somas} somas: {time.perf_counter() - start:.1f} s")


_COUNTS = ("somas", "true", "right", "wrong", "shared", "told", "switches", "frames_of_cells")
_CACHE = {}


def _detections(name, seed):
    if (name, seed) not in _CACHE:
        _CACHE[name, seed] = simulated_detections(name, seed)
    return _CACHE[name, seed]


def _links(ids, frame):
    order = np.lexsort((frame, ids))
    same = ids[order][1:] == ids[order][:-1]
    return order[:-1][same], order[1:][same]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=list(PRESETS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument("--speed", action="store_true", help="time 500 frames of 500 somas and nothing else")
    parser.add_argument("--tune", action="store_true", help="choose the cutoffs of the others on seeds 100-102")
    options = parser.parse_args()
    if options.speed:
        return print_speed()
    if options.tune:
        return tune_peers(options.presets, (100, 101, 102))
    print_table(options.presets, options.seeds)


if __name__ == "__main__":
    sys.exit(main())
