"""One stream of random numbers per element of a simulated movie and per cell, so that each can be switched alone."""

import numpy as np

# The order is part of what a seed means: append, never insert.
_ELEMENTS = (
    "soma",
    "brightness",
    "grain",
    "leading",
    "fork",
    "trailing",
    "haze",
    "texture",
    "neurites",
    "debris",
    "distant_cells",
    "drift",
    "stage_jump",
    "creep",
    "missing_frames",
    "blurred_frames",
    "noise",
)
# Sets these streams apart from those that other simulations draw from the same seed.
_MOVIE = 0x736F6D61


class RandomStreams:
    """The streams of one movie: `streams(element, *key)` is a new generator that starts at the same place each time.

    `key` is a track id or a frame, for elements that have a stream for each.

    Raises:
        ValueError: the seed is not a whole number from 0 on, or the element has no stream.

    >>> streams = RandomStreams(3)
    >>> bool(streams("noise", 7).random() == streams("noise", 7).random() != streams("noise", 8).random())
    True
    """

    def __init__(self, seed: int):
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
            raise ValueError(f"seed must be a whole number from 0 on, got {seed!r}.")
        self.seed = int(seed)

    def __call__(self, element: str, *key: int) -> np.random.Generator:
        if element not in _ELEMENTS:
            raise ValueError(f"element must be one of {', '.join(_ELEMENTS)}, got {element!r}.")
        spawn_key = (_ELEMENTS.index(element), *(int(k) for k in key))
        return np.random.default_rng(np.random.SeedSequence((self.seed, _MOVIE), spawn_key=spawn_key))
