"""Which units a comparison of two conditions counts: lines or assembloids, each for itself or in pairs.

The unit is what a condition was given to, and what the result shall hold for. Lines differ by themselves, so a
condition that comes with its lines (a genotype) has as many independent observations as lines: the default. A condition
that was given to both halves of a line (a treatment, or isogenic pairs) is compared within the line.
"""

from dataclasses import dataclass, field

import pandas as pd

AUTO = "auto"
UNIT_LEVELS = ("line", "assembloid")
# In simulated studies (docs/groups.md) a test on assembloids finds a difference between equal groups this often.
_FALSE_POSITIVES_OF_ASSEMBLOIDS = "3-22 %"


@dataclass(frozen=True)
class GroupDesign:
    """How two conditions are compared.

    Attributes:
        level: "line" or "assembloid", the unit that the test counts.
        paired: bool, whether units are compared within pairs.
        pairs_by: "pair" (the column), "line" or "assembloid"; "" when not paired.
        warnings: list of str.
    """

    level: str
    paired: bool
    pairs_by: str = ""
    warnings: list = field(default_factory=list)


def choose_design(cells, condition, reference, *, level=AUTO, paired=None) -> GroupDesign:
    """The design of a comparison of `condition` with `reference`.

    Args:
        cells: table with condition, line, assembloid, and pair where the study has one.
        level: "auto" (lines where each condition has two or more, else assembloids), "line" or "assembloid".
        paired: None (in pairs where the study has a column pair, or where every line is in both conditions), True or
            False.

    Raises:
        ValueError: an unknown level, or pairs are asked for where there are none.
    """
    if level not in (AUTO, *UNIT_LEVELS):
        raise ValueError(f"level must be one of {', '.join((AUTO, *UNIT_LEVELS))}, got {level!r}.")
    names = ["condition", "line", "assembloid", *(["pair"] if "pair" in cells else [])]
    units = cells.loc[cells["condition"].isin([condition, reference]), names].drop_duplicates()
    lines = units.groupby("condition")["line"].nunique().reindex([condition, reference], fill_value=0)
    warnings = []
    chosen = level if level != AUTO else "line" if lines.min() > 1 else "assembloid"
    if chosen == "assembloid" and level == AUTO:
        few = " and ".join(lines.index[lines == lines.min()])
        warnings.append(
            f"Too few lines in {few} ({lines.min()}), so the test counts assembloids: what it finds holds for these "
            "lines, and may be a difference between lines instead of conditions."
        )
    elif chosen == "assembloid" and lines.min() > 1:
        warnings.append(
            "The test counts assembloids as was asked for, although there are lines: in simulated studies it finds a "
            f"difference between two equal groups in {_FALSE_POSITIVES_OF_ASSEMBLOIDS} of the cases instead of 5 %."
        )
    by, missing = _pairs(units, chosen, condition, reference)
    if paired and not by:
        raise ValueError(
            f"{condition} and {reference} cannot be paired: no {chosen} is in both. Add a column pair to the study."
        )
    in_pairs = bool(by) and (paired if paired is not None else "pair" in units or not missing)
    if in_pairs and missing:
        warnings.append(f"Left out, as their partner is missing: {', '.join(missing)}.")
    elif by and not in_pairs and paired is None:
        warnings.append(
            f"Some units are in both {condition} and {reference} and some are not: they are compared as if all were "
            "different, which asks for a larger difference. Pair them (--paired), or leave out the others."
        )
    return GroupDesign(chosen, in_pairs, by if in_pairs else "", warnings)


def comparison_units(assembloids, lines, design, condition, reference) -> pd.DataFrame:
    """The units of a test, one row each, in pairs where the design says so.

    Args:
        assembloids, lines: tables as `somaseg.migration.groups.units` makes them, of one quantity.

    Returns:
        `pandas.DataFrame` with condition, block (what makes a pair; the unit itself where there are none), value. Of
        pairs only complete ones; units of one condition within a block are averaged.
    """
    table = lines if design.level == "line" else assembloids
    table = table[table["condition"].isin([condition, reference])]
    columns = {"": ["line", "assembloid"], "pair": ["pair"], "line": ["line"], "assembloid": ["line", "assembloid"]}
    names = [name for name in columns[design.pairs_by] if name in table]
    if not len(table):
        return pd.DataFrame({"condition": [], "block": [], "value": []})
    table = table.assign(block=table[names].agg(" / ".join, axis=1))
    table = table.groupby(["condition", "block"], sort=False)["value"].mean().reset_index()
    if design.paired:
        table = table[table.groupby("block")["condition"].transform("nunique") == 2]
    return table.sort_values(["condition", "block"], kind="stable", ignore_index=True)


def _pairs(units, level, condition, reference):
    """(what makes the pairs or "", names that are in one condition only)."""
    if "pair" in units:
        by, names = "pair", ["pair"]
    elif level == "line":
        by, names = "line", ["line"]
    else:
        by, names = "assembloid", ["line", "assembloid"]
    keys = units[names].agg(" / ".join, axis=1)
    own, other = (set(keys[units["condition"] == name]) for name in (condition, reference))
    return (by if own & other else ""), sorted(own ^ other)
