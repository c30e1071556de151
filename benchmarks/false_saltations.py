"""Are the saltations that were found really there? Those of analysed SIMULATED movies beside their truth.

    python benchmarks/end_to_end.py --keep FOLDER
    python benchmarks/false_saltations.py FOLDER

Each saltation is looked up in the truth at its first and last position: it is true when the nearest true soma (within
8 um) is the same at both and has moved at least half as far. Otherwise it is false: a link between two cells, no cell
there (a false soma, or a cell that the truth leaves out as too dim or too deep), or an outline that moved alone.

The second table tells what hangs on the two rules that are there against them, from the tracks themselves: the steps
at the end of a track by the confidence of their link (somaseg/migration/unsure_ends.py), and pieces of track that move
throughout by their number of positions (somaseg/migration/saltations/saltation.py).
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from somaseg.migration.partial_somas import without_partial_somas

NEAR_UM = 8.0
KINDS = ("true", "between cells", "no cell", "outline")
LENGTHS, CONFIDENCES = (2, 3, 4, 5, 6), (0.0, 0.6, 0.75, 0.9, 1.0)


class Truth:
    """The true somas of one movie."""

    def __init__(self, tracks, um_per_px):
        self._frames = dict(iter(tracks.groupby("frame")))
        self._tissue = tracks.set_index(["track_id", "frame"])[["centre_y_um", "centre_x_um"]]
        self._um_per_px = um_per_px

    def kind(self, first, last):
        """What a movement from one row of a found track to another is."""
        cells = [self._nearest(row) for row in (first, last)]
        if None in cells:
            return "no cell"
        if cells[0] != cells[1]:
            return "between cells"
        ends = [self._tissue.loc[(cells[0], row.frame)].to_numpy() for row in (first, last)]
        found = np.hypot(last.y_um - first.y_um, last.x_um - first.x_um)
        return "true" if np.hypot(*(ends[1] - ends[0])) >= found / 2 else "outline"

    def _nearest(self, row):
        there = self._frames.get(row.frame)
        if there is None:
            return None
        distance = np.hypot(there["y_px"] - row.y_px, there["x_px"] - row.x_px) * self._um_per_px
        nearest = distance.idxmin()
        return int(there["track_id"][nearest]) if distance[nearest] <= NEAR_UM else None


def of_movie(folder):
    """Of one movie: saltations by kind, how much there is of it, links at track ends, pieces that move throughout."""
    tracks, _ = without_partial_somas(pd.read_csv(folder / "result" / "tracks.csv"))
    summary = json.loads((folder / "result" / "summary.json").read_text())
    truth = Truth(pd.read_csv(folder / "truth" / "tracks.csv"), summary["um_per_px"])
    rows = {track_id: list(own.itertuples()) for track_id, own in tracks.groupby("track_id")}

    def row_at(track_id, frame):
        # Of averaged positions (short intervals) the middle frame may be one in which the soma was missed.
        return min(rows[track_id], key=lambda row: abs(row.frame - frame))

    found = pd.read_csv(folder / "result" / "saltations.csv")
    kinds = [
        truth.kind(row_at(one.track_id, one.start_frame), row_at(one.track_id, one.end_frame))
        for one in found.itertuples()
    ]
    found = found.assign(kind=kinds)
    ends = [truth_of_end for own in rows.values() for truth_of_end in _ends(own, truth)]
    pieces = [piece for own in rows.values() for piece in _moving_pieces(own, truth, summary)]
    numbers = {
        "movies": 1,
        "hours": summary["hours"],
        "links": int(tracks["link_confidence"].notna().sum()),
        "not counted": summary["saltations_not_counted"],
    }
    return found, numbers, ends, pieces


def _ends(own, truth):
    """(confidence, kind) of the last link of a track, where it is of 5 um and more."""
    if len(own) > 1 and np.hypot(own[-1].y_um - own[-2].y_um, own[-1].x_um - own[-2].x_um) >= 5.0:
        yield own[-1].link_confidence, truth.kind(own[-2], own[-1])


def _moving_pieces(own, truth, summary):
    """(number of positions, kind) of each piece without long gaps that goes on throughout and gets 5 um far."""
    off_um_per_frame = summary["off_speed_um_per_h"] * summary["minutes_per_frame"] / 60
    breaks = [i for i in range(1, len(own)) if own[i].frame - own[i - 1].frame > 4]
    for begin, end in zip([0, *breaks], [*breaks, len(own)]):
        piece = own[begin:end]
        steps = [(b.y_um - a.y_um, b.x_um - a.x_um, b.frame - a.frame) for a, b in zip(piece, piece[1:])]
        goes_on = all(np.hypot(y, x) > frames * off_um_per_frame for y, x, frames in steps)
        if steps and goes_on and np.hypot(sum(y for y, *_ in steps), sum(x for _, x, _ in steps)) >= 5.0:
            yield len(piece), truth.kind(piece[0], piece[-1])


def print_rules(ends, pieces):
    ends, pieces = (pd.DataFrame(rows, columns=["value", "kind"]) for rows in (ends, pieces))
    print("\n| | true | false |\n|---|---|---|")
    for low, high in zip(CONFIDENCES, CONFIDENCES[1:]):
        own = ends[(ends["value"] >= low) & (ends["value"] < high)]["kind"] == "true"
        print(f"| last link of 5 um and more, confidence {low:g} to {high:g} | {own.sum()} | {(~own).sum()} |")
    for length in LENGTHS:
        own = pieces[pieces["value"] == length]["kind"] == "true"
        print(f"| piece of {length} positions that moves throughout | {own.sum()} | {(~own).sum()} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="what end_to_end.py --keep wrote")
    folder = parser.parse_args().folder
    tables, numbers, ends, pieces = {}, {}, [], []
    for movie in sorted(path for path in folder.iterdir() if (path / "result" / "tracks.csv").exists()):
        name = movie.name.rsplit("_", 1)[0]
        found, own_numbers, own_ends, own_pieces = of_movie(movie)
        tables.setdefault(name, []).append(found)
        numbers.setdefault(name, []).append(own_numbers)
        ends += own_ends
        pieces += own_pieces
    if not tables:
        sys.exit(f"{folder}: there is no movie in it; make some with end_to_end.py --keep {folder}.")
    columns = ("movies", "hours", "links", *KINDS, "not counted", "movies with a false one")
    print("SIMULATED movies.\n\n| | " + " | ".join(columns) + " | false per 100 h |\n|" + "---|" * (len(columns) + 2))
    for name, parts in tables.items():
        table, sums = pd.concat(parts), pd.DataFrame(numbers[name]).sum()
        row = {**sums, **{kind: int((table["kind"] == kind).sum()) for kind in KINDS}}
        row["movies with a false one"] = sum((part["kind"] != "true").any() for part in parts)
        share = 100 * sum(row[kind] for kind in KINDS[1:]) / row["hours"]
        print(f"| {name} | " + " | ".join(f"{row[column]:,.0f}" for column in columns) + f" | {share:.2f} |")
    print_rules(ends, pieces)


if __name__ == "__main__":
    main()
