"""One result folder against another that is known to be true: every score in one object, a table, and files."""

import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from somaseg.files import replace_when_whole
from somaseg.json_files import write_json
from somaseg.migration.scores import MigrationScores, score_migration
from somaseg.tracking.scores import TrackingScores, score_tracking

SCORE_FILES = ("scores.json", "cell_errors.csv")


@dataclass(frozen=True, eq=False)
class ResultScores:
    """All scores of a result.

    Attributes:
        tracking: `somaseg.tracking.scores.TrackingScores`.
        migration: `somaseg.migration.scores.MigrationScores`, or None where the tables that it needs are missing.
        notes: list of str, what could not be scored and why.
    """

    tracking: TrackingScores
    migration: MigrationScores | None
    notes: list

    def summary(self):
        """All numbers as a flat dict, units in the names."""
        return {**self.tracking.summary(), **(self.migration.pooled if self.migration else {})}

    def to_frame(self):
        """All numbers as a `pandas.DataFrame`: part ("segmentation", "tracking" or "migration"), measure, value."""
        parts = {"segmentation": self.tracking.segmentation, "tracking": self.tracking.tracking}
        parts |= {"migration": self.migration.pooled} if self.migration else {}
        rows = [(part, name, value) for part, numbers in parts.items() for name, value in numbers.items()]
        return pd.DataFrame(rows, columns=["part", "measure", "value"])


def score_results(result, truth):
    """Score a result against the truth: outlines, tracks, and migration where both have cells.csv.

    Args:
        result: `somaseg.tracking.Result`.
        truth: `somaseg.tracking.Result`.

    Returns:
        `ResultScores`.

    Raises:
        ValueError: the two differ in frames, size, pixel size or frame interval.
        ImportError: py-ctcmetrics is not installed (extra `score`).
    """
    for name in ("um_per_px", "minutes_per_frame"):
        ours, theirs = getattr(result.calibration, name), getattr(truth.calibration, name)
        if not math.isclose(ours, theirs, rel_tol=1e-3):
            raise ValueError(f"{name} is {ours:g} in the result and {theirs:g} in the truth: not the same movie.")
    minutes = truth.calibration.minutes_per_frame
    tracking = score_tracking(result.labels, result.tracks, truth.labels, truth.tracks, minutes_per_frame=minutes)
    sides = {"result": result, "truth": truth}
    lacking = {
        table: [name for name, side in sides.items() if getattr(side, table) is None]
        for table in ("cells", "saltations")
    }
    notes = []
    if lacking["cells"]:
        notes.append(f"Migration is not scored: no cells.csv in the {' and the '.join(lacking['cells'])}.")
        return ResultScores(tracking, None, notes)
    if lacking["saltations"]:
        notes.append(f"Saltations are not matched: no saltations.csv in the {' and the '.join(lacking['saltations'])}.")
    return ResultScores(tracking, score_migration(result, truth, identities=tracking.identities), notes)


def write_scores(scores, folder, *, overwrite=False):
    """Write scores.json (all numbers and notes) and, where migration is scored, cell_errors.csv (one row per cell).

    Args:
        scores: `ResultScores`.
        folder: path, made if need be.
        overwrite: bool, replace scores that are there.

    Raises:
        FileExistsError: scores are there and `overwrite` is False.
    """
    folder = Path(folder)
    existing = [folder / name for name in SCORE_FILES if (folder / name).exists()]
    if existing and not overwrite:
        raise FileExistsError(f"{existing[0]} exists. Give another folder, or --overwrite.")
    for path in existing:
        path.unlink()
    if scores.migration is not None:
        with replace_when_whole(folder / "cell_errors.csv") as partial:
            scores.migration.cells.to_csv(partial, index=False, float_format="%.9g", lineterminator="\n")
    with replace_when_whole(folder / "scores.json") as partial:
        write_json(partial, {**scores.summary(), "notes": scores.notes})
