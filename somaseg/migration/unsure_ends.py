"""Ends of tracks that hang on a link nobody is sure of: the last step to another soma looks like a jump.

Within a track the frames that follow confirm a link, or show that it was wrong; at an end nothing does.
"""

import numpy as np
import pandas as pd

from somaseg.migration.displacements import checked_tracks

_LEAST_CONFIDENCE = 0.75  # of a link at the end of a track


def without_unsure_ends(tracks: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Tracks from their first to their last link that is likely to be right, and how many positions that takes off.

    A track without such a link stays as it is: where no link is sure, the ends are no worse than the rest.

    Args:
        tracks: track_id, frame, y_um, x_um and whatever else, which is kept; link_confidence, of the link that leads to
            the row; where it is NaN, or there is no such column, nothing is taken off.

    Returns:
        (rows of `tracks`, sorted by track and frame; number of rows taken off).

    Raises:
        ValueError: a confidence outside 0..1, or tracks that are no tracks.

    >>> tracks = pd.DataFrame({"track_id": 1, "frame": range(4), "y_um": 0.0, "x_um": [0.0, 0, 0, 12]})
    >>> without_unsure_ends(tracks.assign(link_confidence=[np.nan, 1, 1, 0.5]))[0]["frame"].tolist()
    [0, 1, 2]
    """
    checked_tracks(tracks)
    in_order = tracks.assign(frame=pd.to_numeric(tracks["frame"])).sort_values(["track_id", "frame"], ignore_index=True)
    if "link_confidence" not in tracks.columns or not len(tracks):
        return in_order, 0
    confidence = pd.to_numeric(in_order["link_confidence"], errors="coerce").to_numpy(float)
    if np.any((confidence < 0) | (confidence > 1)):
        wrong = confidence[(confidence < 0) | (confidence > 1)][0]
        raise ValueError(f"tracks: link_confidence must be a number from 0 to 1 or empty, got {wrong:g}.")
    number = pd.factorize(in_order["track_id"], use_na_sentinel=False)[0]
    begin, end = (np.searchsorted(number, np.arange(number[-1] + 1), side=side) for side in ("left", "right"))
    sure = np.flatnonzero(~(confidence < _LEAST_CONFIDENCE) & (np.arange(len(number)) > begin[number]))
    first, last = begin.copy(), end - 1
    last[number[sure]] = sure  # in order: the last stays
    first[number[sure[::-1]]] = sure[::-1] - 1  # from the last to the first: the first stays
    row = np.arange(len(number))
    kept = (first[number] <= row) & (row <= last[number])
    return in_order[kept].reset_index(drop=True), int(np.sum(~kept))
