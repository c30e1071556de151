"""Flips at test time: what a network says of an image and of its mirror images, averaged, errs less than each."""

import numpy as np


def predict_flipped(predict, batch):
    """The mean of the maps of a batch and of its three mirror images, mirrored back.

    Args:
        predict: function from float32 (N, H, W, C) to a dict of (N, H, W, 1), see `somaseg.models.heads`.
        batch: float32 (N, H, W, C).

    Returns:
        Dict of (N, H, W, 1). Of an offset, the part along a mirrored axis points the other way in the mirror.

    >>> rising = lambda batch: {"offset_x": np.full_like(batch, 3.0), "mask": batch}
    >>> maps = predict_flipped(rising, np.arange(4.0).reshape(1, 2, 2, 1))
    >>> maps["offset_x"].ravel().tolist(), maps["mask"].ravel().tolist()
    ([0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 2.0, 3.0])
    """
    total = {}
    for axes in ((), (1,), (2,), (1, 2)):
        mirrored = {f"offset_{'yx'[axis - 1]}" for axis in axes}
        for name, said in predict(np.ascontiguousarray(np.flip(batch, axes))).items():
            back = np.flip(np.asarray(said, np.float32), axes) * (-0.25 if name in mirrored else 0.25)
            total[name] = total[name] + back if name in total else back
    return total
