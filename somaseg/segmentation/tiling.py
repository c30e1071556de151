"""Run a network over an image of any size: in overlapping tiles whose seams cannot be seen, because there are none.

Each tile carries a margin as wide as the network's receptive field reaches, and starts on the network's pooling grid.
What is kept of a tile therefore equals what the network would have said of the whole image.
"""

from collections import deque
from concurrent.futures import ThreadPoolExecutor

import numpy as np


def receptive_field_radius(depth):
    """How far, in pixels, an input pixel can act on the output of a `UNet` with `depth` encoder stages.

    Two 3x3 convolutions reach 2 * 2**k pixels at stage k, going down and going up again, and each 2x2 pooling up to
    2**k more, k = 0, 1, ..., counted once.

    >>> receptive_field_radius(5)
    107
    """
    convolutions = sum(2 * 2**k for k in range(depth)) + sum(2 * 2**k for k in range(depth - 1))
    return convolutions + sum(2**k for k in range(depth - 1))


def predict_tiled(predict, image, *, depth, tile_px, in_flight=1, progress=None):
    """Maps of a whole image, predicted tile by tile where it is larger than one tile.

    Args:
        predict: function from (1, h, w, C) to a dict of (1, h, w, 1), h and w multiples of `2 ** (depth - 1)`.
        image: (H, W, C), any H and W from 1 up.
        depth: the network's number of encoder stages.
        tile_px: side of a tile; the image is run whole if neither side is longer.
        in_flight: how many tiles are predicted at the same time, each in a thread; what is waiting is held in memory.
        progress: None, or a function called with (tiles done, tiles in all) before the first tile and after each.

    Returns:
        Dict of (H, W), of the dtype that `predict` gives.

    Raises:
        ValueError: `tile_px` leaves no room beside the margins.
    """
    grid = 2 ** (depth - 1)
    margin = -(-receptive_field_radius(depth) // grid) * grid
    if tile_px < 2 * margin + grid:
        raise ValueError(f"tile_px must be at least {2 * margin + grid} for this network, got {tile_px}.")
    tile_px = tile_px // grid * grid
    height, width = image.shape[:2]
    padded = height + -height % grid, width + -width % grid
    rows, columns = (_spans(length, tile_px, margin) for length in padded)
    spans = [(row, column) for row in rows for column in columns]
    tiles = (_read(image, row.read, column.read)[None] for row, column in spans)
    result = {}
    if progress is not None:
        progress(0, len(spans))
    for done, ((row, column), maps) in enumerate(zip(spans, _in_order(predict, tiles, in_flight)), start=1):
        for name, predicted in maps.items():
            predicted = np.asarray(predicted)[0, :, :, 0]
            if name not in result:
                result[name] = np.empty(padded, predicted.dtype)
            result[name][row.write, column.write] = predicted[row.keep, column.keep]
        if progress is not None:
            progress(done, len(spans))
    return {name: whole[:height, :width] for name, whole in result.items()}


def _read(image, rows, columns):
    """A tile, mirrored where it goes beyond the last row or column of the image."""
    tile = image[rows, columns]
    missing = rows.stop - rows.start - tile.shape[0], columns.stop - columns.start - tile.shape[1]
    return np.pad(tile, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric") if any(missing) else tile


def _in_order(function, items, in_flight):
    """Like map, with so many calls under way at the same time; those not begun are dropped after an error."""
    if in_flight == 1:
        yield from map(function, items)
        return
    pool, waiting = ThreadPoolExecutor(in_flight), deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) == in_flight:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


class _Span:
    """One tile along one axis: what is read, what of it is kept, and where that is written."""

    def __init__(self, start, stop, keep_from, keep_to):
        self.read = slice(start, stop)
        self.keep = slice(keep_from - start, keep_to - start)
        self.write = slice(keep_from, keep_to)


def _spans(length, tile, margin):
    if length <= tile:
        return [_Span(0, length, 0, length)]
    starts = list(range(0, length - tile, tile - 2 * margin)) + [length - tile]
    edges = [0, *(start + margin for start in starts[1:]), length]
    return [_Span(s, s + tile, a, b) for s, a, b in zip(starts, edges[:-1], edges[1:])]
