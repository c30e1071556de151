"""The rows of finished runs in a file that grows, and the table of their means and spreads beside the report's."""

import io
from pathlib import Path

import numpy as np
import pandas as pd

from somaseg.files import replace_when_whole

MEASURED = (
    "loss",
    "train_iou",
    "val_iou",
    "val_precision",
    "val_recall",
    "val_f1",
    "precise_val_iou",
    "precise_val_f1",
    "best_val_iou",
    "best_val_f1",
    "wall_s",
)
REPORTED = ("loss", "train_iou", "val_iou")

_SHOWN = {
    "learning_rate": "rate",
    "batch_size": "batch",
    "epochs": "epochs",
    "weight_decay": "decay",
    "trainable_groups": "groups",
}
_HEADINGS = {
    "loss": "loss",
    "train_iou": "train IoU",
    "val_iou": "val IoU",
    "val_precision": "precision",
    "val_recall": "recall",
    "val_f1": "F1",
    "precise_val_iou": "precise val IoU",
    "precise_val_f1": "precise F1",
    "best_val_iou": "best val IoU",
    "best_val_f1": "best F1",
    "wall_s": "minutes",
}


def read_rows(path):
    """The rows of a results.csv as a `pandas.DataFrame`; an empty one where there is no such file.

    Raises:
        ValueError: the file has no column "run".
    """
    path = Path(path)
    if not path.exists():
        return pd.DataFrame(columns=["run"])
    text = {"run": str, "data": str}  # hexadecimal digits that may look like a number
    rows = pd.read_csv(path, dtype=text, float_precision="round_trip")
    if "run" not in rows:
        raise ValueError(f'{path} is no table of runs: it has no column "run". Give another folder.')
    return rows


def append_row(path, row):
    """Add a row, a dict, to a results.csv; columns that are new are empty in the rows before. Whole or not at all."""
    rows = read_rows(path)
    new = pd.DataFrame([row])
    text = io.StringIO()
    (new if rows.empty else pd.concat([rows, new], ignore_index=True)).to_csv(text, index=False, lineterminator="\n")
    with replace_when_whole(path) as partial:
        partial.write_text(text.getvalue())


def summarise(settings, rows):
    """Mean and spread of each setting.

    Args:
        settings: list of `somaseg.training.grids.Setting`.
        rows: `pandas.DataFrame` of runs with the column "setting", as `somaseg.training.sweep.run_sweep` gives it.

    Returns:
        `pandas.DataFrame`, a row per setting: setting, the recipe's values that the report varied, runs, of each of
        `MEASURED` the mean and (`_sd`) the sample standard deviation over seeds (NaN of one run), and `reported_` loss,
        train_iou and val_iou where the report has them.
    """
    summary = []
    for setting in settings:
        own = rows[rows["setting"] == setting.name]
        recipe, reported = setting.recipe, setting.reported
        values = {name: getattr(recipe, name) if recipe else None for name in _SHOWN}
        row = {"setting": setting.name, **values, "runs": len(own)}
        for name in MEASURED:
            numbers = pd.to_numeric(own[name]).dropna() if name in own else pd.Series(dtype=float)
            row[name] = numbers.mean() if len(numbers) else np.nan
            row[f"{name}_sd"] = numbers.std(ddof=1) if len(numbers) > 1 else np.nan
        row |= {f"reported_{name}": getattr(reported, name) if reported else None for name in REPORTED}
        summary.append(row)
    return pd.DataFrame(summary).astype({f"reported_{name}": float for name in REPORTED})


def format_table(summary, caption):
    """The summary as a Markdown table: mean ± standard deviation over seeds, the report's figure in brackets."""
    lines = []
    for row in summary.to_dict("records"):
        cells = [str(row["setting"]), *(_recipe_cell(name, row) for name in _SHOWN), str(row["runs"])]
        lines.append([*cells, *(_measured_cell(name, row) for name in MEASURED)])
    heading = ["setting", *_SHOWN.values(), "runs", *(_HEADINGS[name] for name in MEASURED)]
    widths = [max(len(line[i]) for line in [heading, *lines]) for i in range(len(heading))]

    def joined(cells):
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    notes = (
        f"{caption} Mean ± standard deviation over seeds; [in brackets: the report's, of its own images]. Last epoch's "
        "weights; `precise`: these with batch norm statistics taken anew over the training images; `best`: those of "
        "the epoch of the highest validation IoU of centre crops."
    )
    return "\n".join([joined(heading), rule, *(joined(line) for line in lines), "", notes])


def _recipe_cell(name, row):
    if pd.isna(row["batch_size"]):
        return "-"
    value = row[name]
    if pd.isna(value):
        return "all"
    return f"{value:g}"


def _measured_cell(name, row):
    mean, spread, reported = row[name], row[f"{name}_sd"], row.get(f"reported_{name}")
    if name == "wall_s":
        return "-" if pd.isna(mean) else f"{mean / 60:.1f}"
    digits = 4 if name == "loss" else 3
    text = "-" if pd.isna(mean) else f"{mean:.{digits}f}"
    if not pd.isna(spread):
        text += f" ± {spread:.{digits}f}"
    if reported is not None and not pd.isna(reported):
        text += f" [{reported:g}]"
    return text
