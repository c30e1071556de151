"""Ends of tracks that hang on a link nobody is sure of: the last step to another soma looks like a jump.

Within a track the frames that follow confirm a link, or show that it was wrong; at an end nothing does.
"""

import numpy as np
import pandas as pd

from somaseg.migration.displacements import checked_tracks

_LEAST_CONFIDENCE = 0.75  # of a link at the end of a track


def without_unsure_ends(tracks: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Tracks from their first to their last link that is likely to be right, and how many positions that takes off.

    A track without such a link is left with its first position.

    Args:
        tracks: track_id, frame, y_um, x_um and whatever else, which is kept; link_confidence, of the link that leads to
            the row; where it is NaN, or there is no such column, nothing is taken off.

    Returns:
        (rows of `tracks`, sorted by track and frame; number of rows taken off).

    >>> tracks = pd.DataFrame({"track_id": 1, "frame": range(4), "y_um": 0.0, "x_um": [0.0, 0, 0, 12]})
    >>> without_unsure_ends(tracks.assign(link_confidence=[np.nan, 1, 1, 0.5]))[0]["frame"].tolist()
    [0, 1, 2]
    """
    checked_tracks(tracks)
    in_order = tracks.assign(frame=pd.to_numeric(tracks["frame"])).sort_values(["track_id", "frame"], ignore_index=True)
    if "link_confidence" not in tracks.columns or not len(tracks):
        return in_order, 0
    confidence = pd.to_numeric(in_order["link_confidence"], errors="coerce").to_numpy(float)
    number = pd.factorize(in_order["track_id"])[0]
    begin = np.searchsorted(number, np.arange(number[-1] + 1))
    sure = np.flatnonzero(~(confidence < _LEAST_CONFIDENCE) & (np.arange(len(number)) > begin[number]))
    first, last = begin.copy(), begin.copy()
    np.maximum.at(last, number[sure], sure)
    first[number[sure[::-1]]] = sure[::-1] - 1  # from the last to the first: the first stays
    row = np.arange(len(number))
    kept = (first[number] <= row) & (row <= last[number])
    return in_order[kept].reset_index(drop=True), int(np.sum(~kept))
