"""Random numbers of a simulated movie's cells: one stream per cell and element, none depends on another."""

import numpy as np

# The order is part of what a seed means: append, never insert.
_ELEMENTS = (
    "traits",
    "place",
    "touch",
    "pauses",
    "lengths",
    "speeds",
    "stretches",
    "rears",
    "swellings",
    "headings",
    "wobble",
    "exploring",
    "walking",
    "depth",
    "excursions",
)
# Keeps these streams apart from those that others spawn from the same seed.
_MOTION = 0x6D6F


def cell_stream(seed: int, cell: int, element: str) -> np.random.Generator:
    """The generator of one element of one cell; the same for the same seed, whatever else is simulated.

    Drawing further from it never changes what came before, so a longer movie begins like a shorter one.

    >>> cell_stream(7, 0, "pauses").random() == cell_stream(7, 0, "pauses").random()
    True
    """
    key = (_MOTION, cell, _ELEMENTS.index(element))
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
