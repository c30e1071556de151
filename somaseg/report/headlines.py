"""The pooled numbers of a movie that a biologist looks for first, each with its interval of uncertainty and its n."""

from dataclasses import dataclass

from somaseg.migration.random_walk import REFUTED
from somaseg.migration.saltations.interval_correction import NOT_CORRECTED
from somaseg.report.columns import column_label
from somaseg.report.html import plain_number

_CHANCE = 0.05
_UNITS = ("_um_per_h", "_per_h", "_um", "_min", "_deg")


@dataclass(frozen=True)
class Headline:
    """A number to put on top. label, value, unit, note: str, as they are shown; interval: str, "" if not known."""

    label: str
    value: str
    unit: str
    interval: str
    note: str


@dataclass(frozen=True)
class _Wanted:
    name: str
    label: str
    unit: str
    note: str


# The notes are filled in from what `_counts` tells.
_WANTED = (
    _Wanted(
        "saltation_frequency_corrected_per_h",
        "Saltation frequency, corrected for the frame interval",
        "per h",
        "{found_frequency} per h as found every {interval} min; {started} seen to start in {exposure} h",
    ),
    _Wanted(
        "saltation_length_corrected_um",
        "Saltation length, corrected for the frame interval",
        "µm",
        "{found_length} µm as found every {interval} min; {saltations}",
    ),
    _Wanted(
        "saltation_frequency_per_h",
        "Saltation frequency, as found",
        "per h",
        "{every}; {started} seen to start in {exposure} h",
    ),
    _Wanted("saltation_length_um", "Saltation length, as found", "µm", "{every}; {saltations}"),
    _Wanted(
        "mean_speed_noise_corrected_um_per_h", "Mean speed, position noise taken off", "µm/h", "{cells}, {hours} h"
    ),
    _Wanted("mean_speed_um_per_h", "Mean speed, as measured", "µm/h", "{cells}, {hours} h; noise included"),
    _Wanted("speed_when_mobile_um_per_h", "Speed when mobile", "µm/h", "{every}; {saltations}"),
    _Wanted("pause_median_min", "Median pause", "min", "{every}; pauses cut by track ends accounted for"),
    _Wanted("pause_fraction", "Share of the time in pauses", "%", "{every}; {cells}"),
    _Wanted("arrested_share", "Share of arrested cells", "%", "{judged}"),
    _Wanted("mean_direction_deg", "Mean direction", "°", "0 is to the right, 90 up; {agreement}"),
    _Wanted("fuerth_persistence_min", "Persistence (Fuerth)", "min", "how long a direction is kept; {walk}"),
)


def headlines(summary):
    """The numbers of a summary that are known, in the order in which they are looked for.

    A number that was corrected stands for itself; as found it is then told in its note.

    >>> summary = {"mean_speed_um_per_h": 14.21, "mean_speed_low_um_per_h": 13.0, "mean_speed_high_um_per_h": 15.5}
    >>> [(shown.label, shown.value, shown.interval) for shown in headlines(summary)]
    [('Mean speed, as measured', '14.2', '95 %: 13 to 15.5')]
    """
    counts, shown = _counts(summary), []
    corrected = {"saltation_frequency_corrected_per_h", "saltation_length_corrected_um"}
    taken = set() if _is_corrected(summary) else corrected
    for wanted in _WANTED:
        value = summary.get(wanted.name)
        if not _known(value) or wanted.name in taken:
            continue
        # What is told in a note, or was told better, is not told again.
        taken |= {wanted.name.replace("_corrected", ""), wanted.name.replace("_noise_corrected", "")}
        low, high = interval(summary, wanted.name)
        if wanted.unit == "%":
            value, low, high = (100 * number if _known(number) else number for number in (value, low, high))
        shown.append(
            Headline(
                wanted.label,
                plain_number(value),
                wanted.unit,
                f"95 %: {plain_number(low)} to {plain_number(high)}" if _known(low) and _known(high) else "",
                wanted.note.format(**counts),
            )
        )
    return shown


def interval(summary, name):
    """(low, high) of a number in a summary, told with _low and _high before the unit; None where it has none.

    >>> interval({"pause_median_low_min": 30, "pause_median_high_min": 50}, "pause_median_min")
    (30, 50)
    """
    stem, unit = next(((name.removesuffix(unit), unit) for unit in _UNITS if name.endswith(unit)), (name, ""))
    return tuple(summary.get(f"{stem}_{end}{unit}") for end in ("low", "high"))


def pooled_numbers(summary):
    """(name, words, value) of every number of a summary, those of inner dicts with the outer name in front."""
    rows = []
    for name, value in summary.items():
        if isinstance(value, dict):
            rows += [(f"{name}.{inner}", words, shown) for inner, words, shown in pooled_numbers(value)]
        elif isinstance(value, list | tuple):
            if name != "warnings":
                rows.append((name, column_label(name), ", ".join(plain_number(item) for item in value) or "–"))
        else:
            rows.append((name, column_label(name), plain_number(value)))
    return rows


def _counts(summary):
    def told(name, words):
        value = summary.get(name)
        return f"{plain_number(value)} {words}" if _known(value) else f"{words} not counted"

    interval_min = plain_number(summary.get("minutes_per_frame"))
    return {
        "interval": interval_min,
        "every": f"{interval_min} min between frames",
        "saltations": told("saltations", "saltations"),
        "started": told("saltations_seen_to_start", "saltations"),
        "exposure": plain_number(summary.get("saltation_exposure_h")),
        "cells": told("cells", "cells"),
        "hours": plain_number(summary.get("hours")),
        "found_frequency": plain_number(summary.get("saltation_frequency_per_h")),
        "found_length": plain_number(summary.get("saltation_length_um")),
        "judged": told("cells", "cells") + _too_brief(summary),
        "agreement": _agreement(summary),
        "walk": _walk(summary, told("fuerth_cells", "cells")),
    }


def _is_corrected(summary):
    """Whether the corrected numbers are more than those as seen: there may have been too little to correct."""
    return summary.get("saltation_correction_method") != NOT_CORRECTED


def _too_brief(summary):
    count = summary.get("cells_watched_too_briefly_to_tell")
    return f", {plain_number(count)} of them seen too briefly to tell and left out" if count else ""


def _agreement(summary):
    """How far the mean direction is one that cells have in common."""
    n, p = summary.get("cells_with_direction"), summary.get("rayleigh_p")
    told = f"{plain_number(n)} cells, R = {plain_number(summary.get('resultant_length'))}"
    if not _known(p):
        return f"{told}: too few to tell whether they have one in common"
    shown = plain_number(p)
    test = f"Rayleigh p {shown if shown.startswith('<') else '= ' + shown}"
    return f"{told}, {test}" + ("" if p < _CHANCE else ": no more in common than by chance")


def _walk(summary, cells):
    p = summary.get("fuerth_law_p")
    refuted = _known(p) and p < REFUTED
    return cells + ("; these cells do not walk by this law, so it only describes them" if refuted else "")


def _known(value):
    return value is not None and value == value
