"""Positions of somas that the image's edge cuts: the centroid of what is seen of one is not where the cell is, and
moves half as far as the cell that comes in or leaves.
"""

import pandas as pd

from somaseg.migration.displacements import checked_tracks

_LEAST_POSITIONS = 2  # that a track must keep


def without_cut_outlines(tracks: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Tracks without the positions at which the image's edge cuts the soma, and how many positions that takes off.

    A track that would keep fewer than two positions stays as it is: so every track is still there.

    Args:
        tracks: track_id, frame, y_um, x_um and whatever else, which is kept; at_edge, 1 where the soma is cut and 0
            where it is not; where it is NaN, or there is no such column, nothing is taken off.

    Returns:
        (rows of `tracks`; number of rows taken off).

    Raises:
        ValueError: a value of at_edge that is neither 0 nor 1, or tracks that are no tracks.

    >>> tracks = pd.DataFrame({"track_id": 1, "frame": range(4), "y_um": 0.0, "x_um": [0.0, 4, 9, 10]})
    >>> without_cut_outlines(tracks.assign(at_edge=[1, 1, 0, 0]))[0]["frame"].tolist()
    [2, 3]
    """
    checked_tracks(tracks)
    if "at_edge" not in tracks.columns or not len(tracks):
        return tracks, 0
    told = pd.to_numeric(tracks["at_edge"], errors="coerce")
    wrong = told[told.notna() & ~told.isin([0, 1])]
    if len(wrong):
        raise ValueError(f"tracks: at_edge must be 0, 1 or empty, got {wrong.iloc[0]:g}.")
    cut = told.eq(1)
    remaining = (~cut).groupby(tracks["track_id"], dropna=False).transform("sum")
    taken_off = cut & (remaining >= _LEAST_POSITIONS)
    return tracks[~taken_off].reset_index(drop=True), int(taken_off.sum())
