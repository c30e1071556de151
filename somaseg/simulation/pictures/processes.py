"""How the thin processes of a simulated still run: gently bent lines that taper out of a soma.

They are what a soma segmenter must leave out, so they never enter the truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from somaseg.simulation.pictures.parameters import StillParameters

if TYPE_CHECKING:
    from somaseg.simulation.pictures.cells import Cell

STEP_UM = 1.5
_BEND_LENGTH_UM = 20.0
# Where a process starts, as a share of the way from the centre to the outline: inside the soma, where an ellipse
# is 0.6 times as wide as in its middle, so that the outline runs on into the taper without a step.
START = 0.8
_START_WIDTH = 0.58
_START_BRIGHTNESS = 0.7


@dataclass(frozen=True, eq=False)
class Process:
    """One leading or trailing process, fork, or neurite whose soma is out of view.

    `points_px` (N, 2) runs from the soma outwards; `widths_um` (N,) and `brightness` (N,), in
    shares of the owner's peak, go with the points.
    """

    kind: str
    points_px: np.ndarray
    widths_um: np.ndarray
    brightness: np.ndarray


def grow_processes(cell: Cell, parameters: StillParameters, rng: np.random.Generator) -> tuple[Process, ...]:
    """Draw the leading process (with its fork and swelling) and the trailing one of a cell."""
    p = parameters
    processes = []
    if rng.random() < p.leading_probability:
        leading = _grow(cell, "leading", p, rng)
        processes.append(leading)
        if rng.random() < p.fork_probability:
            processes.append(_fork(leading, p, rng))
    if rng.random() < p.trailing_probability:
        processes.append(_grow(cell, "trailing", p, rng))
    return tuple(processes)


def lay_neurites(parameters: StillParameters, rng: np.random.Generator) -> list[Process]:
    """Draw the processes that cross the field while their somas lie outside it.

    Their brightness is in typical soma peaks. One end leaves the image, the other may lie in it.
    """
    p = parameters
    size = np.array([p.height_px, p.width_px], float)
    reach_um = float(np.hypot(*size)) * p.um_per_px
    # Long ones follow the tissue and run straighter.
    turn_deg = 0.5 * p.process_turn_deg
    neurites = []
    for _ in range(rng.poisson(p.neurite_count)):
        through, heading = rng.uniform(0.0, size), rng.uniform(0.0, 360.0)
        back = _walk(through, heading + 180.0, rng.uniform(0.05, 1.0) * reach_um, turn_deg, p, rng)
        ahead = _walk(through, heading, reach_um, turn_deg, p, rng)
        points = np.concatenate([back[:0:-1], ahead])
        beads = process_beads(len(points), p, rng)
        widths = rng.uniform(*p.process_width_um) * beads
        neurites.append(Process("neurite", points, widths, rng.uniform(*p.neurite_brightness) * beads))
    return neurites


def process_turns_deg(count: int, turn_deg: float, rng: np.random.Generator) -> np.ndarray:
    """Direction of each step along a process relative to its root, (count,), in degrees.

    The bend has an sd of `turn_deg` over 10 um and changes slowly along the process, so it curves but never coils.
    """
    keep = np.exp(-STEP_UM / _BEND_LENGTH_UM)
    noise = rng.standard_normal(count) * turn_deg * STEP_UM / 10.0
    noise[1:] *= np.sqrt(1.0 - keep**2)
    return np.cumsum(list(accumulate(noise.tolist(), lambda bend, push: keep * bend + push)))


def taper_profile(along_um, beads, width_um, brightness, *, soma_width_um, taper_um):
    """Widths in um and brightness, both (N,), of a process that tapers out of a soma and fades towards its tip.

    `along_um` and `beads` are (N,), measured from the root, which lies `START` of the way from centre to outline.
    """
    taper = np.exp(-((along_um / taper_um) ** 1.3))
    fade = 1.0 - 0.4 * along_um / max(along_um[-1], 1e-6)
    thin = width_um * beads * fade
    faint = brightness * beads * fade
    widths = thin + np.maximum(_START_WIDTH * soma_width_um - thin, 0.0) * taper
    return widths, faint + np.maximum(_START_BRIGHTNESS - faint, 0.0) * taper


def add_swelling(along_um, widths_um, brightness, ahead_um, swelling_um, level):
    """Widths and brightness, both (N,), with a swelling `swelling_um` wide at `ahead_um` from the root."""
    bump = np.exp(-0.5 * ((along_um - ahead_um) / (0.4 * swelling_um)) ** 2)
    return np.maximum(widths_um, swelling_um * bump), np.maximum(brightness, level * bump)


def _grow(cell, kind, p, rng):
    direction = cell.direction_deg + (0.0 if kind == "leading" else 180.0)
    length_um = rng.uniform(*(p.leading_length_um if kind == "leading" else p.trailing_length_um))
    tip_um = cell.radius_px(direction, um_per_px=p.um_per_px) * p.um_per_px
    start = cell.centre_px + START * tip_um / p.um_per_px * _unit(direction)
    heading = direction + 8.0 * rng.standard_normal()
    points = _walk(start, heading, length_um, p.process_turn_deg, p, rng)
    along_um = STEP_UM * np.arange(len(points))

    beads = process_beads(len(points), p, rng)
    width_um, share = rng.uniform(*p.process_width_um), rng.uniform(*p.process_brightness)
    widths, brightness = taper_profile(
        along_um, beads, width_um, share, soma_width_um=cell.width_um, taper_um=p.taper_um
    )
    if kind == "leading" and rng.random() < p.swelling_probability:
        ahead_um = (1.0 - START) * tip_um + rng.uniform(2.0, 8.0)
        swelling_um = rng.uniform(*p.swelling_width_um)
        widths, brightness = add_swelling(along_um, widths, brightness, ahead_um, swelling_um, rng.uniform(0.45, 0.7))
    return Process(kind, points, widths, brightness)


def _fork(leading, p, rng):
    """A branch that leaves the leading process between 55 and 90 % of its length."""
    count = len(leading.points_px)
    root = min(int(rng.uniform(0.55, 0.9) * count), count - 2)
    step = leading.points_px[root + 1] - leading.points_px[root]
    heading = np.rad2deg(np.arctan2(-step[0], step[1]))
    heading += rng.choice((-1.0, 1.0)) * rng.uniform(20.0, 60.0)
    length_um = rng.uniform(6.0, 22.0)
    points = _walk(leading.points_px[root], heading, length_um, p.process_turn_deg, p, rng)
    beads = process_beads(len(points), p, rng)
    return Process(
        "fork",
        points,
        0.9 * leading.widths_um[-1] * beads,
        float(leading.brightness[root]) * beads,
    )


def _walk(start, heading_deg, length_um, turn_deg, p, rng):
    """A line of steps from `start` that bends as `process_turns_deg` says."""
    count = max(2, int(np.ceil(length_um / STEP_UM)))
    headings = np.deg2rad(heading_deg + process_turns_deg(count, turn_deg, rng))
    steps = np.stack([-np.sin(headings), np.cos(headings)], axis=1) * STEP_UM / p.um_per_px
    return np.concatenate([np.asarray(start, float)[None], start + np.cumsum(steps, axis=0)])


def process_beads(count: int, p: StillParameters, rng: np.random.Generator) -> np.ndarray:
    """Relative width and brightness along a process, (count,), with a correlation of a few micrometres."""
    noise = rng.standard_normal(count + 2)
    smooth = (noise[:-2] + noise[1:-1] + noise[2:]) / np.sqrt(3.0)
    return np.clip(1.0 + p.beading * smooth, 0.3, 2.0)


def _unit(direction_deg):
    angle = np.deg2rad(direction_deg)
    return np.array([-np.sin(angle), np.cos(angle)])
