"""From the movie to the tracks and saltations: simulate, analyse with a preset of the network, score against the truth.

    python benchmarks/end_to_end.py [--presets NAME ...] [--seeds 21 22 ...] [--network soma] [--csv FILE] [--frames N]
                                    [--pauses memoryless|usual|regular] [--errors FILE] [--keep FOLDER]

One row per simulated movie: DET, LNK, TRA, HOTA and IDF1 as in the Cell Tracking Challenge (see
somaseg/tracking/scores.py), AP at IoU 0.5 pooled over the frames, identity switches per 100 cell hours, masks that hold
two true somas (merges), saltations as they are, as found and as corrected, seconds of the analysis, and the share of
them spent in the network. Rows are appended to the CSV as they are made, and a movie whose row is there is not made
again: a run that was stopped goes on with the same command. Give seeds that nothing was trained or tuned on (linking
was tuned on 100-103). --errors also writes how each soma that was found differs from the true one
(detection_errors.py).
"""

import argparse
import csv
import json
import shutil
import sys
import tempfile
from pathlib import Path

from detection_errors import COLUMNS as ERROR_COLUMNS
from detection_errors import links_between_cells, measure_errors
from sampling_worlds import PAUSES

PRESETS = ("easy", "typical", "dense", "dim", "fast_sampling", "slow_sampling", "ts_like", "random_walk", "arrested")
SEEDS = (21, 22, 23, 24, 25)
KEY = ("simulated_preset", "pauses", "seed", "network", "weights_sha256", "frames", "linker")
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
    "true_somas": "true_somas",
}
FOUND = {
    "seen_f": "saltation_frequency_per_h",
    "seen_L": "saltation_length_um",
    "f": "saltation_frequency_corrected_per_h",
    "f_low": "saltation_frequency_corrected_low_per_h",
    "f_high": "saltation_frequency_corrected_high_per_h",
    "L": "saltation_length_corrected_um",
    "L_low": "saltation_length_corrected_low_um",
    "L_high": "saltation_length_corrected_high_um",
    "noise_um": "position_noise_um",
    "found_hours": "hours",
}
TRUE = ("minutes_per_frame", "true_saltations", "true_length_um", "true_hours")
COLUMNS = (*KEY, *SCORES, "links_between_cells", *TRUE, *FOUND, "seconds", "network_share")
SHOWN = (
    "DET",
    "LNK",
    "TRA",
    "HOTA",
    "IDF1",
    "AP50",
    "switches_per_100_cell_h",
    "merges",
    "links_between_cells",
    "seconds",
    "network_share",
)


def measure(name, seed, segmenter, folder, *, frames=None, linker="somaseg", pauses="usual"):
    """Scores and times of one simulated movie, and the errors of its somas; its files are written to `folder`."""
    from somaseg.analyze import analyze
    from somaseg.simulation.movie_presets import preset
    from somaseg.simulation.movie_saving import save_movie
    from somaseg.simulation.movies import simulate_movie
    from somaseg.tracking import read_result
    from somaseg.tracking.scores import score_tracking

    parameters = preset(name)
    shape, refractory = PAUSES[pauses]
    parameters = parameters.changed({"motion.pause_shape": shape, "motion.refractory_min": refractory})
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
    summary = json.loads((folder / "result" / "summary.json").read_text())
    row |= {column: summary.get(key) for column, key in FOUND.items()}
    row |= {"true_saltations": len(truth.saltations), "true_length_um": truth.saltations["length_um"].sum()}
    row |= {"true_hours": truth.cells["duration_h"].sum(), "minutes_per_frame": truth.calibration.minutes_per_frame}
    row |= {"seconds": found.seconds, "network_share": found.network_seconds / found.seconds}
    errors = measure_errors(result, truth)
    return {**row, "links_between_cells": links_between_cells(errors)}, errors


def keep_tables(folder, kept):
    """Copy the tables of a result and its truth, which are small beside the pictures."""
    for side in ("result", "truth"):
        (kept / side).mkdir(parents=True, exist_ok=True)
        for path in [*(folder / side).glob("*.csv"), *(folder / side).glob("*.json")]:
            shutil.copy(path, kept / side)


def rows_of(path):
    """Rows of the CSV as dicts of words, by their key."""
    if not path.exists():
        return {}
    with open(path, newline="") as file:
        return {tuple(row[name] for name in KEY): row for row in csv.DictReader(file)}


def append_rows(path, columns, rows):
    new = not path.exists()
    with open(path, "a", newline="") as file:
        writer = csv.DictWriter(file, columns)
        if new:
            writer.writeheader()
        for row in rows:
            writer.writerow({key: f"{value:.5g}" if isinstance(value, float) else value for key, value in row.items()})


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


def print_saltations(rows):
    """One line per preset and law of pauses: the truth of all its movies together, and what was found in them."""
    import pandas as pd

    table = pd.DataFrame(rows)
    numbers = [*TRUE, *FOUND]
    table[numbers] = table[numbers].apply(pd.to_numeric, errors="coerce")
    print("\n| preset | pauses | min | movies | f true | as found | corrected | L true | as found | corrected |")
    print("|---" * 10 + "|")
    for (name, pauses), own in table.groupby(["simulated_preset", "pauses"], sort=False):
        hours, count = own["found_hours"], own["true_saltations"].sum()
        true = count / own["true_hours"].sum(), own["true_length_um"].sum() / count if count else float("nan")
        cells = []
        for value, kind in zip(true, "fL"):
            weights = hours if kind == "f" else hours * own["f"]
            cells.append(f"{value:.3g}")
            for column in (f"seen_{kind}", kind):
                found = (own[column] * weights).sum() / weights[own[column].notna()].sum()
                cells.append(f"{found:.3g} ({100 * (found / value - 1):+.0f} %)" if value else f"{found:.3g}")
        minutes = own["minutes_per_frame"].iloc[0]
        print(f"| {name} | {pauses} | {minutes:g} | {len(own)} | " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", nargs="+", choices=PRESETS, default=list(PRESETS), help="of the simulation")
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--network", default="soma", help="name or folder of a preset of the network")
    parser.add_argument("--linker", default="somaseg")
    parser.add_argument("--frames", type=int, help="make the movies so short (for a check)")
    parser.add_argument("--pauses", choices=PAUSES, default="usual", help="law of the pauses (default: %(default)s)")
    parser.add_argument("--errors", type=Path, metavar="FILE", help="append how the somas found differ from the true")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the tables of each movie in this folder")
    parser.add_argument("--csv", type=Path, default=Path("end_to_end.csv"), help="rows are appended here")
    options = parser.parse_args()

    from somaseg.models.presets import find_preset, read_metadata
    from somaseg.segmentation import Segmenter

    segmenter = Segmenter.from_preset(options.network, runtime="auto")
    weights = read_metadata(find_preset(options.network))["weights_sha256"][:12]
    wanted = []
    for name in options.presets:
        for seed in options.seeds:
            key = (name, options.pauses, seed, options.network, weights, options.frames or "all", options.linker)
            wanted.append(tuple(map(str, key)))
            if wanted[-1] not in rows_of(options.csv):
                settings = {"frames": options.frames, "linker": options.linker, "pauses": options.pauses}
                with tempfile.TemporaryDirectory() as folder:
                    row, errors = measure(name, seed, segmenter, Path(folder), **settings)
                    if options.keep:
                        keep_tables(Path(folder), options.keep / f"{name}_{options.pauses}_{seed}")
                if options.errors:
                    movie = {"minutes_per_frame": row["minutes_per_frame"], "movie": f"{name} {options.pauses} {seed}"}
                    errors = errors.round({"dy_um": 2, "dx_um": 2}).assign(**movie)
                    append_rows(options.errors, ERROR_COLUMNS, errors.to_dict("records"))
                append_rows(options.csv, COLUMNS, [{**dict(zip(KEY, key)), **row}])
                print(f"{name}, seed {seed}: HOTA {row['HOTA']:.3f}, TRA {row['TRA']:.3f}", flush=True)
    known = rows_of(options.csv)
    print_table([known[key] for key in wanted])
    print_saltations([known[key] for key in wanted])


if __name__ == "__main__":
    sys.exit(main())
