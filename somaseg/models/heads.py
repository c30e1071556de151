"""What a network can be asked to predict: the maps of its output channels, and how their logits are read."""

HEADS = {
    "mask": ("mask",),
    "border": ("mask", "border"),
    "distance": ("mask", "border", "distance"),
    "offsets": ("mask", "offset_y", "offset_x"),
    "all": ("mask", "border", "distance", "offset_y", "offset_x"),
}
OFFSET_UNIT_PX = 16.0


def read_maps(logits, heads):
    """The maps of a network's output, each float32 (N, H, W, 1), by name.

    mask, border and distance are probabilities (or shares) in 0..1; offset_y and offset_x lead from a pixel to the
    centroid of its instance, in pixels. `somaseg.data.targets` says what each map is.

    Args:
        logits: (N, H, W, len(HEADS[heads])), output of a `somaseg.models.UNet` without activation.
        heads: str, its `heads`.
    """
    from keras import ops  # here, so that the names of the maps can be read without a framework

    maps = {}
    for i, name in enumerate(HEADS[heads]):
        channel = ops.cast(logits[..., i : i + 1], "float32")
        maps[name] = OFFSET_UNIT_PX * channel if name.startswith("offset") else ops.sigmoid(channel)
    return maps
