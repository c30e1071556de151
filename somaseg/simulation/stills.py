"""Simulated still images of labelled migrating interneurons, with the truth of every soma.

A still is made the way a microscope makes one: cells are placed, drawn as light at their own depth,
hazed by tissue, and recorded with noise. The truth is the soma bodies that a person could see; the
processes, debris, neurites from elsewhere and cells lost in blur are in the image only. It is a
simulation, for training and for tests that need a known answer, and is to be named so.
"""

from dataclasses import dataclass, replace

import numpy as np

from somaseg.simulation.pictures.cells import Cell, place_cells
from somaseg.simulation.pictures.contrast import CONTRASTS, display_colours, recorded_light
from somaseg.simulation.pictures.drawing import draw_cell, draw_debris, draw_neurite
from somaseg.simulation.pictures.looks import LOOKS, draw_parameters
from somaseg.simulation.pictures.optics import (
    add_glow,
    add_hot_pixels,
    display_levels,
    expose,
    marker_light,
    quantise,
    tissue_haze,
    vignette,
)
from somaseg.simulation.pictures.parameters import StillParameters
from somaseg.simulation.pictures.processes import grow_processes, lay_neurites
from somaseg.simulation.pictures.visibility import visible_outlines

__all__ = ["LOOKS", "Cell", "Still", "StillParameters", "draw_parameters", "simulate_still"]

# The order is part of what a seed means: append, never insert.
_ELEMENTS = (
    "place",
    "processes",
    "draw",
    "neurites",
    "debris",
    "haze",
    "marker",
    "hot_pixels",
    "noise",
)


@dataclass(frozen=True, eq=False)
class Still:
    """A simulated still image and what is true of it.

    `image` is (H, W, 3), uint8 or, above 8 bits, uint16. `instances` is (H, W) uint16: 0 for
    background, 1..n for the visible somas, each one 4-connected piece. `cells` records all cells
    drawn, also those that are not in the truth (`label` 0).
    """

    image: np.ndarray
    instances: np.ndarray
    cells: tuple[Cell, ...]
    parameters: StillParameters
    seed: int


def simulate_still(parameters: StillParameters = StillParameters(), *, seed: int) -> Still:
    """Draw a simulated still image; the same parameters and seed give the same still.

    Each element has its own stream of random numbers, so that switching one off leaves the others
    where they were.

    >>> still = simulate_still(StillParameters(height_px=64, width_px=96, cell_count=3), seed=0)
    >>> still.image.shape, str(still.image.dtype), str(still.instances.dtype)
    ((64, 96, 3), 'uint8', 'uint16')
    """
    p = parameters
    seeds = np.random.SeedSequence(seed).spawn(len(_ELEMENTS))
    streams = {name: np.random.default_rng(s) for name, s in zip(_ELEMENTS, seeds, strict=True)}

    cells = place_cells(p, streams["place"])
    growth = streams["processes"].spawn(len(cells))
    cells = [replace(cell, processes=grow_processes(cell, p, rng)) for cell, rng in zip(cells, growth, strict=True)]
    light = np.zeros((p.height_px, p.width_px), np.float32)
    patches = [draw_cell(cell, p, rng) for cell, rng in zip(cells, streams["draw"].spawn(len(cells)), strict=True)]
    neurites = [draw_neurite(item, p, streams["neurites"]) for item in lay_neurites(p, streams["neurites"])]
    for patch in [*patches, *neurites, *draw_debris(p, streams["debris"])]:
        if patch is not None:
            patch.add_to(light)

    signal = add_glow(light, p) + tissue_haze(p, streams["haze"])
    instances = np.zeros(signal.shape, np.uint16)
    for label, (index, (y, x)) in enumerate(visible_outlines(cells, patches, signal, p).items(), start=1):
        instances[y, x] = label
        cells[index] = replace(cells[index], label=label)
    contrast = CONTRASTS[p.look]
    marker = marker_light(p, streams["marker"])
    recorded = recorded_light(contrast, signal, marker, um_per_px=p.um_per_px) * vignette(p)
    electrons = expose(recorded, p, streams["noise"])
    add_hot_pixels(electrons, p, streams["hot_pixels"])
    rgb = display_colours(contrast, display_levels(electrons, p), bleed=p.bleed_fraction)
    return Still(quantise(rgb, p), instances, tuple(cells), p, seed)
