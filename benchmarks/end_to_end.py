"""From the movie to the tracks: simulate, analyse with a preset of the network, score against the truth.

    python benchmarks/end_to_end.py [--presets NAME ...] [--seeds 21 22 ...] [--network soma] [--csv FILE] [--frames N]

One row per simulated movie: DET, LNK, TRA, HOTA and IDF1 as in the Cell Tracking Challenge (see
somaseg/tracking/scores.py), AP at IoU 0.5 pooled over the frames, identity switches per 100 cell hours, masks that hold
two true somas (merges), seconds of the analysis, and the share of them spent in the network. Rows are appended to the
CSV as they are made, and a movie whose row is there is not made again: a run that was stopped goes on with the same
command. Give seeds that nothing was trained or tuned on (linking was tuned on 100-103).
"""

import argparse
import csv
import sys
import tempfile
from pathlib import Path

PRESETS = ("easy", "typical", "dense", "dim", "fast_sampling", "slow_sampling", "ts_like", "random_walk", "arrested")
SEEDS = (21, 22, 23, 24, 25)
KEY = ("simulated_preset", "seed", "network", "weights_sha256", "frames", "linker")
SCORES = {
    "DET": "det",
    "LNK": "lnk",
    "TRA": "tra",
    "HOTA": "hota",
    "IDF1": "idf1",
    "AP50": "ap_0.50_pooled",
    "switches_per_100_cell_h": "identity_switches_per_100_cell_h",
    "merges": "merges",
    "missed_somas": "missed_somas",
    "spurious_somas": "spurious_somas",
    "wrong_links": "wrong_links",
    "true_somas": "true_somas",
}
COLUMNS = (*KEY, *SCORES, "seconds", "network_share")
SHOWN = ("DET", "LNK", "TRA", "HOTA", "IDF1", "AP50", "switches_per_100_cell_h", "merges", "seconds", "network_share")


def measure(name, seed, segmenter, folder, *, frames=None, linker="somaseg"):
    """Scores and times of one simulated movie; its files are written to `folder`."""
    from somaseg.analyze import analyze
    from somaseg.simulation.movie_presets import preset
    from somaseg.simulation.movie_saving import save_movie
    from somaseg.simulation.movies import simulate_movie
    from somaseg.tracking import read_result
    from somaseg.tracking.scores import score_tracking

    parameters = preset(name)
    if frames is not None:
        parameters = parameters.changed({"duration_h": frames * parameters.minutes_per_frame / 60})
    save_movie(simulate_movie(parameters, seed=seed), folder / "truth", preset=name)
    found = analyze(folder / "truth" / "movie.tif", folder / "result", segmenter, linker=linker)
    result, truth = read_result(folder / "result"), read_result(folder / "truth")
    scores = score_tracking(
        result.labels,
        result.tracks,
        truth.labels,
        truth.tracks,
        minutes_per_frame=truth.calibration.minutes_per_frame,
    ).summary()
    row = {column: scores[key] for column, key in SCORES.items()}
    return {**row, "seconds": found.seconds, "network_share": found.network_seconds / found.seconds}


def rows_of(path):
    """Rows of the CSV as dicts of words, by their key."""
    if not path.exists():
        return {}
    with open(path, newline="") as file:
        return {tuple(row[name] for name in KEY): row for row in csv.DictReader(file)}


def append_row(path, row):
    new = not path.exists()
    with open(path, "a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if new:
            writer.writeheader()
        writer.writerow({name: f"{value:.5g}" if isinstance(value, float) else value for name, value in row.items()})


def print_table(rows):
    """One line per preset: the mean over its seeds, and the smallest HOTA and TRA."""
    import pandas as pd

    table = pd.DataFrame(rows)
    numbers = [*SHOWN]
    table[numbers] = table[numbers].apply(pd.to_numeric)
    print("SIMULATED movies. Means over seeds.")
    print("| preset | seeds | " + " | ".join(SHOWN) + " | lowest HOTA | lowest TRA |")
    print("|---" * (len(SHOWN) + 4) + "|")
    for name, group in table.groupby("simulated_preset", sort=False):
        means = [f"{value:.3f}" if value < 1.0005 else f"{value:.1f}" for value in group[numbers].mean()]
        lowest = [f"{group[score].min():.3f}" for score in ("HOTA", "TRA")]
        print(f"| {name} | {len(group)} | " + " | ".join([*means, *lowest]) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=list(PRESETS), help="of the simulation")
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--network", default="soma", help="name or folder of a preset of the network")
    parser.add_argument("--linker", default="somaseg")
    parser.add_argument("--frames", type=int, help="make the movies so short (for a check)")
    parser.add_argument("--csv", type=Path, default=Path("end_to_end.csv"), help="rows are appended here")
    options = parser.parse_args()

    from somaseg.models.presets import find_preset, read_metadata
    from somaseg.segmentation import Segmenter

    segmenter = Segmenter.from_preset(options.network, runtime="auto")
    weights = read_metadata(find_preset(options.network))["weights_sha256"][:12]
    wanted = []
    for name in options.presets:
        for seed in options.seeds:
            key = (name, seed, options.network, weights, options.frames or "all", options.linker)
            wanted.append(tuple(map(str, key)))
            if wanted[-1] not in rows_of(options.csv):
                with tempfile.TemporaryDirectory() as folder:
                    row = measure(name, seed, segmenter, Path(folder), frames=options.frames, linker=options.linker)
                append_row(options.csv, {**dict(zip(KEY, key)), **row})
                print(f"{name}, seed {seed}: HOTA {row['HOTA']:.3f}, TRA {row['TRA']:.3f}", flush=True)
    known = rows_of(options.csv)
    print_table([known[key] for key in wanted])


if __name__ == "__main__":
    sys.exit(main())
