"""A label image and its picture become a table of somas: where each is, how large, how bright, and its shape."""

import numpy as np
import pandas as pd

from somaseg.tracking.compact_labels import compact_labels

SOMA_COLUMNS = (
    "frame",
    "label",
    "y_px",
    "x_px",
    "area_px",
    "mean_intensity",
    "probability",
    "long_axis_px",
    "short_axis_px",
    "elongation",
    "orientation_deg",
)


def find_somas(
    labels_frame: np.ndarray,
    image_frame: np.ndarray | None = None,
    probability: np.ndarray | None = None,
    *,
    frame: int,
) -> pd.DataFrame:
    """Measure every soma of one label image; all of them at once, in time that grows with the pixels alone.

    Args:
        labels_frame: integer (Y, X), 0 = background. A label that lies in several pieces is one soma.
        image_frame: (Y, X) or (Y, X, C), the picture; channels are averaged. None: mean_intensity is NaN.
        probability: (Y, X), of being soma. None: probability is NaN.
        frame: number of the frame, copied into the table.

    Returns:
        `pandas.DataFrame` with `SOMA_COLUMNS`, one row per label, by label: y_px, x_px centroid (pixel centres at whole
        numbers); area_px; mean_intensity and probability averaged over the soma; long_axis_px and short_axis_px, the
        full axes of the ellipse with the same second moments (a pixel counts as a unit square, so that one pixel has
        axes of 1.15); elongation, their ratio; orientation_deg in -90..90, of the long axis, 0 = along +x,
        counter-clockwise as seen on screen.

    Raises:
        ValueError: labels_frame is not integer (Y, X) or holds a negative value, or the others do not fit it.

    >>> labels = np.zeros((4, 6), np.uint16)
    >>> labels[1:3, 1:5] = 7
    >>> find_somas(labels, frame=0)[["label", "y_px", "x_px", "area_px", "orientation_deg"]].values.tolist()
    [[7.0, 1.5, 2.5, 8.0, 0.0]]
    """
    labels = _checked(labels_frame)
    y, x = np.nonzero(labels)
    ids, member = np.unique(labels[y, x], return_inverse=True)
    area = np.bincount(member, minlength=len(ids)).astype(float)

    def mean(values):
        return np.bincount(member, values, minlength=len(ids)) / area

    y_px, x_px = mean(y), mean(x)
    from_y, from_x = y - y_px[member], x - x_px[member]
    # 1/12: the second moment of a unit square.
    yy, xx, xy = mean(from_y**2) + 1 / 12, mean(from_x**2) + 1 / 12, mean(from_y * from_x)
    half_sum, root = (yy + xx) / 2, np.hypot((xx - yy) / 2, xy)
    long_axis, short_axis = 4 * np.sqrt(half_sum + root), 4 * np.sqrt(np.maximum(half_sum - root, 1 / 12))
    columns = {
        "frame": np.full(len(ids), int(frame), np.int64),
        "label": ids.astype(np.int64),
        "y_px": y_px,
        "x_px": x_px,
        "area_px": area,
        "mean_intensity": mean(_picture(image_frame, labels, "image_frame")[y, x]),
        "probability": mean(_picture(probability, labels, "probability")[y, x]),
        "long_axis_px": long_axis,
        "short_axis_px": short_axis,
        "elongation": long_axis / short_axis,
        "orientation_deg": np.degrees(0.5 * np.arctan2(-2 * xy, xx - yy)) + 0.0,
    }
    return pd.DataFrame(columns, columns=list(SOMA_COLUMNS))


def relabel(labels_frame: np.ndarray, label_to_track, *, drop_others: bool = False) -> np.ndarray:
    """The label image with track ids in place of labels: uint16, or uint32 where an id is above 65,535.

    Args:
        labels_frame: integer (Y, X) or any shape, 0 = background.
        label_to_track: mapping from each label that is there to its track id (1, 2, ...).
        drop_others: bool, labels without a track id become background; otherwise they are an error.

    Raises:
        ValueError: a label has no track id, or an id is below 1.

    >>> relabel(np.array([[0, 5], [9, 5]]), {5: 1, 9: 70_000}).tolist()
    [[0, 1], [70000, 1]]
    """
    ids, positions = compact_labels(labels_frame)
    missing = [int(label) for label in ids if int(label) not in label_to_track]
    if missing and not drop_others:
        raise ValueError(f"label_to_track has no track id for label {missing[0]} ({len(missing)} such labels).")
    tracks = [int(label_to_track[int(label)]) for label in ids if int(label) in label_to_track]
    if tracks and min(tracks) < 1:
        raise ValueError(f"Track ids must be 1 or more, got {min(tracks)}.")
    new = np.array([0, *(int(label_to_track.get(int(label), 0)) for label in ids)], np.int64)
    return new.astype(np.uint16 if new.max() < 2**16 else np.uint32)[positions]


def shared_areas(labels_frame: np.ndarray, next_labels: np.ndarray, *, frame: int) -> pd.DataFrame:
    """Which somas of one frame lie on which of the next: frame, label, next_label, iou; for `link_somas`.

    Args:
        labels_frame, next_labels: integer (Y, X), of frame `frame` and the one after; 0 = background. Where the sample
            drifts by more than a pixel or two, shift the second back first.

    >>> before, after = np.array([[1, 1, 0, 2]]), np.array([[0, 4, 4, 0]])
    >>> shared_areas(before, after, frame=3).values.tolist()
    [[3.0, 1.0, 4.0, 0.3333333333333333]]
    """
    before, after = _checked(labels_frame), _checked(next_labels)
    if before.shape != after.shape:
        raise ValueError(f"The two frames must be of one size, got {before.shape} and {after.shape}.")
    (ids, old, area), (next_ids, _, next_area) = _counted(before), _counted(after)
    under = after[before > 0]  # where somas were, a few pixels of the frame
    both = under > 0
    new = np.searchsorted(next_ids, under[both])
    pairs, shared = np.unique(old[both].astype(np.int64) * max(len(next_ids), 1) + new, return_counts=True)
    one, other = np.divmod(pairs, max(len(next_ids), 1))
    total = area[one] + next_area[other]
    columns = {"frame": np.full(len(shared), int(frame)), "label": ids[one], "next_label": next_ids[other]}
    return pd.DataFrame(columns).astype(np.int64).assign(iou=shared / (total - shared))


def _counted(labels):
    """The labels that are there, the position among them of each pixel that is not background, and their areas."""
    return np.unique(labels[labels > 0], return_inverse=True, return_counts=True)


def _checked(labels):
    labels = np.asarray(labels)
    if labels.ndim != 2 or labels.dtype.kind not in "ui":
        raise ValueError(f"labels_frame must be integer (Y, X), got {labels.dtype} {labels.shape}.")
    if labels.dtype.kind == "i" and labels.min(initial=0) < 0:
        raise ValueError(f"labels_frame must not be negative, got {labels.min()}.")
    return labels


def _picture(picture, labels, name):
    if picture is None:
        return np.full(labels.shape, np.nan)
    picture = np.asarray(picture)
    if picture.shape[:2] != labels.shape or picture.ndim > 3:
        raise ValueError(f"{name} must fit labels_frame of {labels.shape}, got {picture.shape}.")
    return picture if picture.ndim == 2 else picture.mean(axis=2)
