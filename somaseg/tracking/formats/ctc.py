"""The Cell Tracking Challenge's format: one mask per frame, and a text file of tracks without gaps.

Each line of the text file is "L B E P": label, first frame, last frame, label of the parent (0 for none). A track may
have no gap: a cell that is lost for some frames goes on under a new label whose parent is the former one.
Format: celltrackingchallenge.net, "Naming and file content conventions".
"""

import re
import warnings
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import tifffile
from scipy import ndimage

from somaseg.folders import whole_folder
from somaseg.tracking.compact_labels import compact_labels
from somaseg.tracking.label_stacks import check_labels, presence

_LARGEST_LABEL = np.iinfo(np.uint16).max
_LAYOUTS = {"result": ("mask", "res_track.txt"), "truth": ("man_track", "man_track.txt")}


def write_ctc(folder, labels, *, layout="result", overwrite=False):
    """Write a label stack in the format of the Cell Tracking Challenge, whole or not at all.

    Of a label that falls into pieces (8-connected) in a frame only the largest is kept, since the format allows one;
    a warning tells how many were dropped. Labels above 65,535 cannot be written: all are then counted anew from 1.

    Args:
        folder: gets maskTTT.tif and res_track.txt, or with layout "truth" man_trackTTT.tif and man_track.txt (the
            folder is then the challenge's <sequence>_GT/TRA).
        labels: integer (T, Y, X), value = track id, 0 = background.
        layout: "result" or "truth".
        overwrite: bool, replace such a folder.

    Returns:
        int, the number of pieces dropped.

    Raises:
        FileExistsError: the folder holds such files and `overwrite` is False.
        ValueError: `labels` is no label stack, or has more tracks without gaps than 65,535.

    Example:

    >>> import pathlib, tempfile
    >>> labels = np.zeros((4, 1, 3), np.uint16)
    >>> labels[[0, 1, 3], 0, 0] = 5  # not seen in frame 2
    >>> folder = pathlib.Path(tempfile.mkdtemp()) / "ctc"
    >>> write_ctc(folder, labels)
    0
    >>> (folder / "res_track.txt").read_text().splitlines()
    ['5 0 1 0', '6 3 3 5']
    """
    prefix, table_name = _layout(layout)
    with whole_folder(folder, ours=(table_name, f"{prefix}*.tif"), overwrite=overwrite) as partial:
        dropped = write_ctc_files(partial, labels, layout=layout)
    if dropped:
        warnings.warn(pieces_dropped(dropped), stacklevel=2)
    return dropped


def write_ctc_files(folder, labels, *, layout="result"):
    """As `write_ctc`, into an existing folder and without a warning."""
    prefix, table_name = _layout(layout)
    labels, folder, dropped = check_labels(labels), Path(folder), 0
    segments = split_at_gaps(presence(labels))
    if len(segments) > _LARGEST_LABEL:
        raise ValueError(f"The format's 16 bits hold 65,535 tracks without gaps, and there are {len(segments):,}.")
    if segments["label"].max() > _LARGEST_LABEL:
        segments = _count_anew(segments)
    digits = max(3, len(str(len(labels) - 1)))
    track, label, begin, end = (segments[name].to_numpy() for name in ("track_id", "label", "begin", "end"))
    for frame, image in enumerate(labels):
        there = (begin <= frame) & (frame <= end)
        mask, count = _mask(image, dict(zip(track[there], label[there])))
        dropped += count
        tifffile.imwrite(folder / f"{prefix}{frame:0{digits}d}.tif", mask, compression="zlib")
    lines = [" ".join(map(str, row)) for row in segments[["label", "begin", "end", "parent"]].to_numpy().tolist()]
    (folder / table_name).write_text("".join(line + "\n" for line in lines))
    return dropped


def pieces_dropped(count):
    """What to tell of pieces that the format has no room for."""
    return f"ctc: {count} piece(s) of somas that are in several pieces are left out: the format allows one per frame."


def read_ctc(folder):
    """Read a folder in the format of the Cell Tracking Challenge, a result or a ground truth for tracking.

    Returns:
        (labels, segments): uint16 (T, Y, X) as in the files, and a `pandas.DataFrame` label, begin, end, parent. See
        `join_gaps` for labels that last through gaps.

    Raises:
        FileNotFoundError: there is neither a res_track.txt nor a man_track.txt, or no mask.
        ValueError: a mask is missing, not 2-D or of another size, the table is no "L B E P", or the two disagree.
    """
    folder = Path(folder)
    found = [names for names in _LAYOUTS.values() if (folder / names[1]).exists()]
    if not found:
        raise FileNotFoundError(f"{folder}: there is no res_track.txt and no man_track.txt in it.")
    prefix, table_name = found[0]
    segments = _read_segments(folder / table_name)
    labels = np.stack(_read_masks(folder, prefix))
    _compare(labels, segments, folder / table_name)
    return labels, segments


def split_at_gaps(seen):
    """Tracks without gaps of tracks that may have gaps.

    Args:
        seen: `pandas.DataFrame` frame, track_id, as `somaseg.tracking.label_stacks.presence` makes it.

    Returns:
        `pandas.DataFrame`, one row per run of frames: label (the track id for a track's first run, above all track ids
        for the others), begin, end, parent (label of the run before, or 0), track_id.

    Example:

    >>> split_at_gaps(pd.DataFrame({"frame": [0, 1, 3], "track_id": [5, 5, 5]})).values.tolist()
    [[5, 0, 1, 0, 5], [6, 3, 3, 5, 5]]
    """
    seen = seen.sort_values(["track_id", "frame"])
    track, frame = seen["track_id"].to_numpy(), seen["frame"].to_numpy()
    same_track = np.diff(track, prepend=0) == 0
    starts = np.flatnonzero(~same_track | (np.diff(frame, prepend=0) != 1))
    ends = np.append(starts[1:], len(track))[: len(starts)] - 1
    goes_on = same_track[starts]
    label = np.where(goes_on, track.max(initial=0) + np.cumsum(goes_on), track[starts])
    parent = np.where(goes_on, np.append(0, label)[: len(label)], 0)
    return pd.DataFrame(
        {"label": label, "begin": frame[starts], "end": frame[ends], "parent": parent, "track_id": track[starts]}
    ).astype(np.int64)


def join_gaps(labels, segments):
    """Label stack in which a cell keeps its label through a gap: the inverse of `split_at_gaps`.

    A run goes on with its parent's label when it is the parent's only child and begins later than the frame after the
    parent's last: a child that follows at once, or beside a sibling, is a daughter.

    Args:
        labels: integer (T, Y, X).
        segments: `pandas.DataFrame` label, begin, end, parent.

    Returns:
        array of the shape and dtype of `labels`.
    """
    children = segments["parent"].value_counts()
    end = segments.set_index("label")["end"]
    final = {0: 0}
    for row in segments.sort_values("begin").itertuples():
        goes_on = row.parent and children[row.parent] == 1 and row.begin > end[row.parent] + 1
        final[row.label] = final[row.parent] if goes_on else row.label
    table = np.zeros(int(max(labels.max(initial=0), max(final))) + 1, labels.dtype)
    table[list(final)] = list(final.values())
    return table[labels]


def _layout(layout):
    if layout not in _LAYOUTS:
        raise ValueError(f'layout must be "result" or "truth", got {layout!r}.')
    return _LAYOUTS[layout]


def _count_anew(segments):
    new = dict(zip(segments["label"], range(1, len(segments) + 1)))
    return segments.assign(label=segments["label"].map(new), parent=segments["parent"].map({0: 0, **new}))


def _mask(image, new_labels):
    """(uint16 mask with the new labels and of each only the largest 8-connected piece, number of pieces dropped)."""
    ids, compact = compact_labels(image)
    new, dropped = np.array([0, *(new_labels[track_id] for track_id in ids)], np.uint16), 0
    for number, box in enumerate(ndimage.find_objects(compact), start=1):
        own = compact[box] == number
        count, pieces, statistics, _ = cv2.connectedComponentsWithStats(own.astype(np.uint8), connectivity=8)
        if count > 2:
            largest = 1 + int(np.argmax(statistics[1:, cv2.CC_STAT_AREA]))
            compact[box][own & (pieces != largest)] = 0
            dropped += count - 2
    return new[compact], dropped


def _read_segments(path):
    rows = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        words = line.split()
        if words:
            if len(words) != 4 or not all(word.isdecimal() for word in words):
                raise ValueError(f'{path}: line {number}: expected four whole numbers "L B E P", got {line!r}.')
            rows.append([int(word) for word in words])
    return pd.DataFrame(rows, columns=["label", "begin", "end", "parent"]).astype(np.int64)


def _read_masks(folder, prefix):
    name = re.compile(rf"{prefix}_?(\d+)\.tif$", re.IGNORECASE)
    files = {int(match[1]): path for path in folder.iterdir() if (match := name.match(path.name))}
    if not files:
        raise FileNotFoundError(f"{folder}: there is no {prefix}TTT.tif in it.")
    missing = sorted(set(range(max(files) + 1)) - set(files))
    if missing:
        raise ValueError(f"{folder}: the mask of frame {missing[0]} is missing ({len(missing)} in all).")
    masks = []
    for path in (files[frame] for frame in sorted(files)):
        try:
            mask = tifffile.imread(path)
        except Exception as error:
            raise ValueError(f"{path}: cannot be read; it is damaged or no TIFF ({error}).") from error
        if mask.ndim != 2 or mask.dtype.kind not in "ui":
            raise ValueError(f"{path}: expected a 2-D integer mask, got {mask.dtype} {mask.shape}.")
        if masks and mask.shape != masks[0].shape:
            raise ValueError(f"{path}: it is {mask.shape}, the first mask {masks[0].shape}.")
        masks.append(mask)
    return masks


def _compare(labels, segments, path):
    """Raise ValueError where table and masks do not say the same."""
    again = segments.loc[segments["label"].duplicated(), "label"]
    if len(again):
        raise ValueError(f"{path}: label {again.iloc[0]} is there twice.")
    end = segments.set_index("label")["end"]
    seen = presence(labels).groupby("track_id")["frame"].agg(["min", "max", "size"])
    for row in segments.itertuples():
        found = tuple(seen.loc[row.label]) if row.label in seen.index else None
        if row.label < 1 or row.begin > row.end or found != (row.begin, row.end, row.end - row.begin + 1):
            masks = f"frames {found[0]}..{found[1]} ({found[2]} of them)" if found else "none"
            raise ValueError(
                f"{path}: label {row.label} has frames {row.begin}..{row.end} here and {masks} in the masks."
            )
        if row.parent and (row.parent not in end.index or end[row.parent] >= row.begin):
            raise ValueError(
                f"{path}: label {row.label}: its parent {row.parent} does not end before frame {row.begin}."
            )
    unknown = seen.index.difference(segments["label"])
    if len(unknown):
        raise ValueError(
            f"{path}: label {unknown[0]} is in the masks and not in the table ({len(unknown)} such labels)."
        )
