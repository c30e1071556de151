"""The leading and trailing processes of a cell in a simulated movie: each keeps its looks and sways slowly.

They are drawn by the stills' rules (`somaseg.simulation.pictures.processes`). What changes with time follows smooth
curves in physical time, so that a cell filmed every 5 and every 20 minutes looks the same at the times in common.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from somaseg.simulation.movies.slow_noise import slow_noise
from somaseg.simulation.pictures.processes import (
    START,
    STEP_UM,
    Process,
    add_swelling,
    process_beads,
    process_turns_deg,
    taper_profile,
)

if TYPE_CHECKING:
    from somaseg.simulation.movies.parameters import MovieParameters
    from somaseg.simulation.pictures.cells import Cell

# Where a fork starts, as a share of the leading process, and how it leaves; as in the stills.
_FORK_ROOT = (0.55, 0.9)
_FORK_ANGLE_DEG = (20.0, 60.0)
_FORK_LENGTH_UM = (6.0, 22.0)


@dataclass(frozen=True, eq=False)
class SwayingProcess:
    """One process over time, of N points with the same looks in all T frames.

    `turns_deg` (T, N) is the direction of each step relative to that of the root, `length_um` (T,) the length,
    `beads` (N,) the relative width and brightness along it. `root` is the share of the leading process at which a
    fork starts.
    """

    kind: str
    turns_deg: np.ndarray
    length_um: np.ndarray
    beads: np.ndarray
    width_um: float
    brightness: float
    root: float = 0.0

    def line_px(self, frame: int, root_px: np.ndarray, direction_deg: float, um_per_px: float) -> np.ndarray:
        """Its points (N, 2) in the image when it starts at `root_px` in `direction_deg`."""
        steps = len(self.beads) - 1
        angles = np.deg2rad(direction_deg + self.turns_deg[frame, :steps])
        step_px = self.length_um[frame] / steps / um_per_px
        line = np.empty((steps + 1, 2))
        line[0] = root_px
        line[1:, 0] = root_px[0] - step_px * np.cumsum(np.sin(angles))
        line[1:, 1] = root_px[1] + step_px * np.cumsum(np.cos(angles))
        return line

    def along_um(self, frame: int) -> np.ndarray:
        """Distance of each point from the root, (N,)."""
        return np.linspace(0.0, self.length_um[frame], len(self.beads))


def draw_swaying_process(
    kind: str, times_min: np.ndarray, parameters: MovieParameters, rng: np.random.Generator
) -> SwayingProcess:
    """Draw the looks and the sway of a "leading", "trailing" or "fork" process."""
    p = parameters
    lengths_um = {"leading": p.leading_length_um, "trailing": p.trailing_length_um, "fork": _FORK_LENGTH_UM}[kind]
    length_um = rng.uniform(*lengths_um)
    count = max(2, int(np.ceil(length_um / STEP_UM)))
    turns_deg = process_turns_deg(count, p.process_turn_deg, rng)
    beads = process_beads(count, p, rng)
    width_um, brightness = rng.uniform(*p.process_width_um), rng.uniform(*p.process_brightness)
    root, side, angle_deg = rng.uniform(*_FORK_ROOT), rng.choice((-1.0, 1.0)), rng.uniform(*_FORK_ANGLE_DEG)
    if kind == "fork":
        turns_deg = turns_deg + side * angle_deg

    sway = slow_noise(times_min, rng, count=4, period_h=p.process_sway_period_h)
    # A swing about the root, a curl towards the tip, and an arch in between.
    share = np.linspace(0.0, 1.0, count)
    shapes = np.stack([np.full(count, 0.5), share, np.sin(np.pi * share)])
    turns_deg = turns_deg + p.process_sway_deg * (sway[:, :3] @ shapes)
    # Four waves of unit variance stay below 2.83, so that a process never shrinks below a third.
    growth = 1.0 + np.clip(p.process_growth * sway[:, 3], -0.67, 0.67)
    return SwayingProcess(kind, turns_deg, length_um * growth, beads, width_um, brightness, root)


def attach_process(
    process: SwayingProcess, cell: Cell, frame: int, *, taper_um: float, um_per_px: float, swelling=None
) -> Process:
    """The leading or trailing process as it leaves the soma of `cell` in one frame.

    `swelling` is None or (um ahead of the soma's front edge, width in um, brightness).
    """
    direction_deg = cell.direction_deg + (180.0 if process.kind == "trailing" else 0.0)
    tip_px = cell.radius_px(direction_deg, um_per_px=um_per_px)
    angle = np.deg2rad(direction_deg)
    root_px = np.array(cell.centre_px) + START * tip_px * np.array([-np.sin(angle), np.cos(angle)])
    line_px = process.line_px(frame, root_px, direction_deg, um_per_px)
    along_um = process.along_um(frame)
    widths, brightness = taper_profile(
        along_um, process.beads, process.width_um, process.brightness, soma_width_um=cell.width_um, taper_um=taper_um
    )
    if swelling is not None:
        ahead_um, width_um, level = swelling
        ahead_um += (1.0 - START) * tip_px * um_per_px
        widths, brightness = add_swelling(along_um, widths, brightness, ahead_um, width_um, level)
    return Process(process.kind, line_px, widths, brightness)


def attach_fork(fork: SwayingProcess, leading: Process, frame: int, *, um_per_px: float) -> Process:
    """The fork as it leaves the leading process in one frame."""
    points = leading.points_px
    root = min(int(fork.root * len(points)), len(points) - 2)
    step = points[root + 1] - points[root]
    line_px = fork.line_px(frame, points[root], np.rad2deg(np.arctan2(-step[0], step[1])), um_per_px)
    return Process(
        "fork", line_px, 0.9 * leading.widths_um[-1] * fork.beads, float(leading.brightness[root]) * fork.beads
    )
