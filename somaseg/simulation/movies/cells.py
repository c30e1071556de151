"""The looks of each cell of a simulated movie, kept over time, and the cell as it stands in one frame.

The motion says where a soma is, which way it points, how far it is stretched and how deep it lies; here it gets its
size, outline, brightness and processes. The result is the stills' `Cell`, which the stills' drawing turns into light.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from somaseg.simulation.movies.random_streams import RandomStreams
from somaseg.simulation.movies.slow_noise import slow_noise
from somaseg.simulation.movies.swaying_processes import (
    SwayingProcess,
    attach_fork,
    attach_process,
    draw_swaying_process,
)
from somaseg.simulation.pictures.cells import Cell

if TYPE_CHECKING:
    from somaseg.simulation.motion import Motion
    from somaseg.simulation.movies.parameters import MovieParameters

_DENTS = 4
# Below this size a swelling is thinner than the process that carries it.
_LEAST_SWELLING = 0.05


@dataclass(frozen=True, eq=False)
class CellLooks:
    """What one cell looks like in all T frames.

    `length_um` and `width_um` are the axes at rest, `dents` (T, 4, 2) the outline's (see `Cell`), `brightness` (T,)
    the soma's peak in typical soma peaks, without bleaching.
    """

    length_um: float
    width_um: float
    dents: np.ndarray
    brightness: np.ndarray
    leading: SwayingProcess | None
    fork: SwayingProcess | None
    trailing: SwayingProcess | None
    swelling_um: float
    swelling_level: float

    def reach_um(self, frame: int, stretch: float) -> float:
        """No part of the cell lies further from its centre in this frame."""
        lengths = [0.0 if process is None else float(process.length_um[frame]) for process in self._processes]
        return self.length_um * stretch + max(lengths[0] + lengths[1], lengths[2])

    @property
    def _processes(self):
        return self.leading, self.fork, self.trailing


def draw_cell_looks(track_id: int, parameters: MovieParameters, streams: RandomStreams) -> CellLooks:
    """Draw the looks of one cell; they depend on the seed and the track id, not on the other cells."""
    p, times_min = parameters, parameters.times_min
    rng = streams("soma", track_id)
    sizes = 1.0 + p.soma_size_cv * np.clip(rng.standard_normal(2), -2.0, 2.0)
    length, width = sorted((p.soma_length_um * sizes[0], p.soma_width_um * sizes[1]), reverse=True)
    curves = slow_noise(times_min, rng, count=2 * _DENTS, period_h=p.shape_period_h)
    terms = p.soma_irregularity / np.arange(1, _DENTS + 1)
    swelling_um, swelling_level = rng.uniform(*p.swelling_width_um), rng.uniform(0.45, 0.7)

    rng = streams("brightness", track_id)
    spread = np.sqrt(np.log1p(p.brightness_cv**2))
    brightness = np.exp(spread * np.clip(rng.standard_normal(), -2.5, 2.5))
    flicker = slow_noise(times_min, rng, count=1, period_h=p.flicker_period_h)[:, 0]

    processes = {}
    for kind, share in (
        ("leading", p.leading_probability),
        ("fork", p.fork_probability),
        ("trailing", p.trailing_probability),
    ):
        rng = streams(kind, track_id)
        has_one = rng.random() < share
        processes[kind] = draw_swaying_process(kind, times_min, p, rng) if has_one else None
    return CellLooks(
        length_um=float(length),
        width_um=float(width),
        dents=curves.reshape(-1, _DENTS, 2) * terms[:, None],
        brightness=brightness * (1.0 + np.clip(p.flicker_cv * flicker, -0.9, 0.9)),
        swelling_um=float(swelling_um),
        swelling_level=float(swelling_level),
        **processes,
    )


def is_near_view(
    looks: CellLooks, motion: Motion, index: int, frame: int, parameters: MovieParameters, drift_px
) -> bool:
    """Whether any part of cell `index` can be in the image of one frame."""
    p = parameters
    reach = looks.reach_um(frame, float(motion.stretch[index, frame])) / p.um_per_px
    y, x = motion.centre_um[index, frame] / p.um_per_px + drift_px
    return bool(-reach <= y <= p.height_px + reach and -reach <= x <= p.width_px + reach)


def cell_in_frame(
    looks: CellLooks,
    motion: Motion,
    index: int,
    frame: int,
    parameters: MovieParameters,
    *,
    drift_px: np.ndarray,
    bleached: float = 1.0,
    frame_blur_um: float = 0.0,
) -> Cell:
    """Cell `index` of the motion as it stands in one frame of the image, with its processes.

    A stretched soma keeps its volume, so it is narrower by the root of the stretch (chosen).

    Args:
        drift_px: (2,) drift (y, x) of the frame.
        bleached: share of the label that still glows.
        frame_blur_um: sigma of a blur of the whole frame.
    """
    p = parameters
    stretch, depth_um = float(motion.stretch[index, frame]), float(motion.depth_um[index, frame])
    centre = motion.centre_um[index, frame] / p.um_per_px + drift_px
    cell = Cell(
        centre_px=(float(centre[0]), float(centre[1])),
        length_um=looks.length_um * stretch,
        width_um=looks.width_um / np.sqrt(stretch),
        direction_deg=float(motion.heading_deg[index, frame]),
        dents=tuple(map(tuple, looks.dents[frame].tolist())) if p.soma_irregularity else (),
        depth_um=depth_um,
        blur_um=float(np.hypot(p.psf_sigma_um + p.defocus_per_um * abs(depth_um), frame_blur_um)),
        in_focal_slab=True,
        peak_photons=float(looks.brightness[frame] * p.photons_at_soma_peak * bleached),
    )
    swelling = None
    size = float(motion.swelling[index, frame])
    if size > _LEAST_SWELLING:
        ahead_um = float(motion.swelling_ahead_um[index, frame])
        swelling = ahead_um, size * looks.swelling_um, looks.swelling_level
    options = {"taper_um": p.taper_um, "um_per_px": p.um_per_px}
    processes = []
    if looks.leading is not None:
        processes.append(attach_process(looks.leading, cell, frame, swelling=swelling, **options))
        if looks.fork is not None:
            processes.append(attach_fork(looks.fork, processes[0], frame, um_per_px=p.um_per_px))
    if looks.trailing is not None:
        processes.append(attach_process(looks.trailing, cell, frame, **options))
    return replace(cell, processes=tuple(processes))
