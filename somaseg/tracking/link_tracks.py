"""Links between somas as tracks: an id for each soma, the links as a table, and how far they can be trusted.

Every linker ends here, our own and others, so that their results are told in the same way.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from somaseg.movies.calibration import Calibration
from somaseg.tracking.link_candidates import Detections
from somaseg.tracking.link_quality import calibrated, linking_quality
from somaseg.tracking.track_paths import Paths

_TOLD_SHARE = 0.02


@dataclass(frozen=True, eq=False)
class Linking:
    """Which track each soma belongs to, and how sure that is.

    Attributes:
        track_ids: int (N,), 1, 2, ... by first appearance, aligned with the rows of the somas.
        links: `pandas.DataFrame`, one row per link, by track and frame: track_id, frame, next_frame, row, next_row
            (positions in the somas), step_um, confidence (0..1: the share of such links that are right; NaN where a
            linker tells none).
        quality: dict of flat numbers, see `somaseg.tracking.link_quality`.
        warnings: list of str.
    """

    track_ids: np.ndarray
    links: pd.DataFrame
    quality: dict
    warnings: list


def linking_of_paths(found: Detections, paths: Paths, calibration: Calibration) -> Linking:
    """The `Linking` of paths through somas; hidden somas are in no path."""
    real = np.flatnonzero(found.row >= 0)
    path = np.unique(paths.path_of()[real], return_inverse=True)[1]
    first = np.full(path.max(initial=-1) + 1, len(found.row))
    # Numbered by first appearance: frame by frame, in the order of the table.
    rank = np.lexsort((found.row[real], found.frame[real]))
    np.minimum.at(first, path[rank], np.arange(len(rank)))
    number = np.empty(len(first), np.int64)
    number[np.argsort(first)] = np.arange(1, len(first) + 1)
    track_ids = np.empty(len(real), np.int64)
    track_ids[found.row[real]] = number[path]
    return _linking(found, paths, track_ids, calibration)


def linking_of_tracks(somas: pd.DataFrame, track_ids, *, calibration: Calibration, keep_ids: bool = False) -> Linking:
    """The `Linking` of somas whose tracks are known, from another linker or because their labels are track ids.

    Args:
        somas: one row per soma: frame, y_um, x_um; area_um2 where known.
        track_ids: whole numbers (N,); those below 1, and those that are NaN, are somas without a track: each becomes a
            track of its own.
        keep_ids: bool, leave the numbers as they are; else tracks are numbered 1, 2, ... by first appearance.

    Raises:
        ValueError: another number of ids than of somas, a track that is in one frame twice, or, with `keep_ids`, an id
            below 1.

    >>> somas = pd.DataFrame({"frame": [0, 1, 1], "y_um": [5.0, 6, 50], "x_um": [9.0, 9, 9]})
    >>> linking = linking_of_tracks(somas, [7, 7, -1], calibration=Calibration(0.65, 15))
    >>> linking.track_ids.tolist(), linking.links["step_um"].tolist()
    ([1, 1, 2], [1.0])
    """
    given = np.nan_to_num(np.asarray(track_ids, float), nan=0).astype(np.int64)
    if given.shape != (len(somas),):
        raise ValueError(f"There are {len(somas)} somas and {given.size} track ids; there must be one for each.")
    if keep_ids and len(given) and given.min() < 1:
        raise ValueError(f"Track ids that are kept must be 1 or more, got {given.min()}.")
    alone = given < 1
    ids = np.where(alone, given.max(initial=0) + np.cumsum(alone), given)
    found = Detections.from_table(somas)
    of_row = ids[found.row]
    order = np.lexsort((found.frame, of_row))
    follows = np.flatnonzero(np.diff(of_row[order]) == 0)
    source, target = order[follows], order[follows + 1]
    twice = np.flatnonzero(found.frame[source] == found.frame[target])
    if len(twice):
        where = source[twice[0]]
        raise ValueError(
            f"Track {of_row[where]} is there twice in frame {found.frame[where]} ({len(twice)} such somas)."
        )
    paths = Paths.from_links(found.count, source, target, np.full(len(source), np.nan))
    return _linking(found, paths, ids, calibration) if keep_ids else linking_of_paths(found, paths, calibration)


def without_brief_tracks(somas: pd.DataFrame, linking: Linking, *, least_frames: int):
    """(somas, linking) without the tracks of fewer frames, and told how many somas these were.

    What is found in one frame only is more often a mistake of the segmentation than a cell, and has no movement. The
    other tracks keep their ids.

    >>> somas = pd.DataFrame({"frame": [0, 1, 1], "y_um": [5.0, 50, 6], "x_um": [9.0, 9, 9]})
    >>> linking = linking_of_tracks(somas, [2, 1, 2], calibration=Calibration(0.65, 15))
    >>> somas, linking = without_brief_tracks(somas, linking, least_frames=2)
    >>> somas["y_um"].tolist(), linking.track_ids.tolist(), linking.links["next_row"].tolist(), linking.warnings[:1]
    ([5.0, 6.0], [1, 1], [1], ['1 of 3 somas are left out: their tracks have fewer than 2 frames.'])
    """
    kept = np.bincount(linking.track_ids)[linking.track_ids] >= least_frames
    left_out = int(np.sum(~kept))
    warnings = linking.warnings
    if left_out > _TOLD_SHARE * len(kept):
        told = f"{left_out} of {len(kept)} somas are left out: their tracks have fewer than {least_frames} frames."
        warnings = [told, *warnings]
    place = np.cumsum(kept) - 1
    links = linking.links[kept[linking.links["row"].to_numpy(np.int64)]]
    links = links.assign(row=place[links["row"]], next_row=place[links["next_row"]]).reset_index(drop=True)
    quality = {**linking.quality, "somas_left_out": left_out}
    return somas[kept].reset_index(drop=True), Linking(linking.track_ids[kept], links, quality, warnings)


def _linking(found, paths, track_ids, calibration):
    source = np.flatnonzero(paths.following >= 0)
    target = paths.following[source]
    step = np.hypot(*(found.position_um[target] - found.position_um[source]).T)
    links = pd.DataFrame(
        {
            "track_id": track_ids[found.row[source]],
            "frame": found.frame[source],
            "next_frame": found.frame[target],
            "row": found.row[source],
            "next_row": found.row[target],
            "step_um": step,
            "confidence": calibrated(paths.probability[source]),
        }
    ).sort_values(["track_id", "frame"], ignore_index=True)
    quality, warnings = linking_quality(found, links, calibration)
    return Linking(track_ids, links, quality, warnings)
