"""Label stacks: integer (T, Y, X), value = track id, 0 = background."""

import numpy as np
import pandas as pd
import tifffile

from somaseg.movies.calibration import Calibration
from somaseg.tracking.compact_labels import compact_labels


def presence(labels):
    """Which label is in which frame: `pandas.DataFrame` frame, track_id, sorted; background left out."""
    found = [compact_labels(frame)[0].astype(np.int64) for frame in labels]
    frames = np.repeat(np.arange(len(found)), [len(ids) for ids in found])
    return pd.DataFrame({"frame": frames, "track_id": np.concatenate([*found, np.zeros(0, np.int64)])})


def check_labels(labels):
    """`labels` as an array, when it is a label stack.

    Raises:
        ValueError: it is not integer, not (T, Y, X), has no frame, or a negative label.
    """
    labels = np.asarray(labels)
    if labels.ndim != 3 or 0 in labels.shape or labels.dtype.kind not in "ui":
        raise ValueError(
            f"labels must be integer (T, Y, X) with at least one frame, got {labels.dtype} {labels.shape}."
        )
    if labels.dtype.kind == "i" and labels.min() < 0:
        raise ValueError(f"labels must not be negative, got {labels.min()}.")
    return labels


def read_label_stack(path):
    """Read a label stack and, where the file tells it, its calibration.

    Args:
        path: an ImageJ hyperstack or OME-TIFF as `somaseg.movies.write_hyperstack` makes it, or any TIFF of labels.

    Returns:
        (labels, calibration): integer (T, Y, X), and `Calibration` or None where the file does not tell um and seconds.

    Raises:
        ValueError: the file cannot be read, is cut short, or holds something else than (T, Y, X) integers.
    """
    try:
        with tifffile.TiffFile(path) as tif:
            expected = (tif.imagej_metadata or {}).get("images")
            series = tif.series[0]
            labels, axes, calibration = series.asarray(), series.axes, _calibration_of(tif)
    except Exception as error:
        raise ValueError(f"{path}: cannot be read; it is cut short, damaged or no TIFF ({error}).") from error
    if labels.ndim == 2:
        labels = labels[None]
    if labels.ndim != 3 or axes[-2:] != "YX" or labels.dtype.kind not in "ui":
        raise ValueError(f"{path}: expected integer labels (T, Y, X), got {labels.dtype} {labels.shape} ({axes}).")
    if expected is not None and expected != len(labels):
        raise ValueError(f"{path}: {expected} frames announced, {len(labels)} there. The file is cut short or damaged.")
    return labels, calibration


def _calibration_of(tif):
    """The calibration of an ImageJ hyperstack in um and seconds, or of the OME-TIFF that we write; else None."""
    try:
        if tif.is_ome:
            pixels = tifffile.xml2dict(tif.ome_metadata)["OME"]["Image"]["Pixels"]
            if (pixels["PhysicalSizeXUnit"], pixels["TimeIncrementUnit"]) != ("µm", "s"):
                return None
            return Calibration(pixels["PhysicalSizeX"], pixels["TimeIncrement"] / 60)
        metadata = tif.imagej_metadata or {}
        count, per = tif.pages.first.tags["XResolution"].value
        if metadata.get("unit") not in ("um", "micron", "µm", "\\u00B5m"):
            return None
        return Calibration(per / count, metadata["finterval"] / 60)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
