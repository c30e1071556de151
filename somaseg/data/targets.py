"""What a network learns to predict: maps derived from label images, never stored, always computed from the instances.

They are `keras.ops` code that runs inside the training step, behind the augmentation, so that a deformed instance has
the border and the distances of its deformed outline, exactly, and on the GPU where there is one.
"""

import math

from keras import ops

from somaseg.models.heads import OFFSET_UNIT_PX

BORDER_REACH_PX = 2

_BEYOND_LABELS = 1e6  # larger than any label, and exact in float32


def target_maps(instances, maps):
    """The maps of a batch of label images, side by side.

    Args:
        instances: integer (N, H, W, 1), 0 background; labels are below H * W + 1.
        maps: names: "mask", "border", "distance", "offset_y", "offset_x"; see the functions of these names.

    Returns:
        float32 (N, H, W, len(maps)).

    Raises:
        ValueError: a map of that name is not known.
    """
    unknown = sorted(set(maps) - set(_MAPS))
    if unknown:
        raise ValueError(f"maps must be among {sorted(_MAPS)}, got {unknown}.")
    instances = ops.cast(instances, "float32")
    return ops.concatenate([_MAPS[name](instances) for name in maps], axis=-1)


def mask(instances):
    """1 where any instance is, else 0: float32 (N, H, W, 1)."""
    return ops.cast(instances > 0, "float32")


def border(instances):
    """1 where two instances come close, on both and on the ground between them, else 0: float32 (N, H, W, 1).

    A pixel is border when pixels of two instances lie within `BORDER_REACH_PX` of it, along rows and along columns.
    """
    highest = lowest = ops.cast(instances, "float32")
    lowest = ops.where(lowest > 0, lowest, _BEYOND_LABELS)
    for axis in (1, 2):
        for _ in range(BORDER_REACH_PX):
            highest = _of_neighbours(ops.maximum, highest, axis)
            lowest = _of_neighbours(ops.minimum, lowest, axis)
    return ops.cast(ops.logical_and(highest > lowest, highest > 0), "float32")


def distance(instances):
    """Depth inside an instance relative to its deepest pixel, 0 on the ground: float32 (N, H, W, 1) in 0..1.

    Depth is the octagonal distance to the outline (Rosenfeld & Pfaltz 1968): how many erosions a pixel survives, by
    squares and by crosses of 3 x 3 in turn. The edge of the image is no outline.
    """
    instances = ops.cast(instances, "float32")
    highest, lowest = (
        _of_neighbours(choose, _of_neighbours(choose, instances, 1), 2) for choose in (ops.maximum, ops.minimum)
    )
    inside = instances > 0
    left = ops.logical_and(inside, highest == lowest)

    def erode(left, depth):
        depth = depth + ops.cast(left, "float32")
        left = ops.logical_and(*(_of_neighbours(ops.logical_and, left, axis) for axis in (1, 2)))
        depth = depth + ops.cast(left, "float32")
        left = _of_neighbours(ops.logical_and, _of_neighbours(ops.logical_and, left, 1), 2)
        return left, depth

    most = sum(ops.shape(instances)[1:3])
    start = (left, ops.cast(inside, "float32"))
    _, depth = ops.while_loop(lambda left, depth: ops.any(left), erode, start, maximum_iterations=most)
    deepest = _of_each_instance(ops.segment_max, depth, instances)
    return ops.where(inside, depth / ops.maximum(deepest, 1.0), 0.0)


def offset_y(instances):
    """Rows from a pixel down to the centroid of its instance, in units of 16 pixels, 0 on the ground."""
    return _offset(instances, axis=1)


def offset_x(instances):
    """Columns from a pixel on to the centroid of its instance, in units of 16 pixels, 0 on the ground."""
    return _offset(instances, axis=2)


def radius_px(instances):
    """Radius of the disc with the area of each pixel's instance, as far as it is seen, 0 on the ground.

    Args:
        instances: integer (N, H, W, 1), 0 background.

    Returns:
        float32 (N, H, W, 1), pixels.
    """
    instances = ops.cast(instances, "float32")
    area = _of_each_instance(ops.segment_sum, ops.ones_like(instances), instances)
    return ops.where(instances > 0, ops.sqrt(area / math.pi), 0.0)


_MAPS = {"mask": mask, "border": border, "distance": distance, "offset_y": offset_y, "offset_x": offset_x}


def _offset(instances, axis):
    instances = ops.cast(instances, "float32")
    shape = [1, 1, 1, 1]
    shape[axis] = -1
    here = ops.reshape(ops.arange(ops.shape(instances)[axis], dtype="float32"), shape) * ops.ones_like(instances)
    area = _of_each_instance(ops.segment_sum, ops.ones_like(instances), instances)
    centroid = _of_each_instance(ops.segment_sum, here, instances) / ops.maximum(area, 1.0)
    return ops.where(instances > 0, (centroid - here) / OFFSET_UNIT_PX, 0.0)


def _of_each_instance(reduce, values, instances):
    """Reduce `values` over each instance of each image, and give every pixel the outcome of its instance."""
    batch, height, width, _ = ops.shape(instances)
    most = height * width + 1
    image = ops.reshape(ops.arange(batch, dtype="int32") * most, (-1, 1, 1, 1))
    ids = ops.reshape(ops.cast(instances, "int32") + image, (-1,))
    reduced = reduce(ops.reshape(values, (-1,)), ids, num_segments=batch * most)
    return ops.reshape(ops.take(reduced, ids, axis=0), ops.shape(instances))


def _of_neighbours(choose, x, axis):
    """`choose` of each pixel and its two neighbours along an axis, of which there is but one at an edge."""
    first, rest = ops.split(x, [1], axis=axis)
    last = ops.split(x, [ops.shape(x)[axis] - 1], axis=axis)[1]
    before = ops.concatenate([first, ops.split(x, [ops.shape(x)[axis] - 1], axis=axis)[0]], axis=axis)
    after = ops.concatenate([rest, last], axis=axis)
    return choose(choose(before, x), after)
