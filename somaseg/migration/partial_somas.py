"""Positions of somas that lie mostly outside the image: the centroid of what is seen is not where the cell is."""

import pandas as pd

from somaseg.migration.displacements import checked_tracks

_LEAST_POSITIONS = 2  # of a track that is measured


def without_partial_somas(tracks: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Tracks without the positions of partial somas, and how many positions that takes off.

    Of a track that would keep fewer than two positions nothing stays: such a cell is not measured.

    Args:
        tracks: track_id, frame, y_um, x_um and whatever else, which is kept; partial, 1 where the image's edge leaves
            less of the soma than the least area of the preset, else 0; where it is NaN, or there is no such column,
            nothing is taken off.

    Returns:
        (rows of `tracks`; number of rows taken off).

    Raises:
        ValueError: a value of partial that is neither 0 nor 1, or tracks that are no tracks.

    >>> tracks = pd.DataFrame({"track_id": 1, "frame": range(4), "y_um": 0.0, "x_um": [0.0, 4, 9, 10]})
    >>> without_partial_somas(tracks.assign(partial=[1, 1, 0, 0]))[0]["frame"].tolist()
    [2, 3]
    """
    checked_tracks(tracks)
    if "partial" not in tracks.columns or not len(tracks):
        return tracks, 0
    told = pd.to_numeric(tracks["partial"], errors="coerce")
    wrong = told[told.notna() & ~told.isin([0, 1])]
    if len(wrong):
        raise ValueError(f"tracks: partial must be 0, 1 or empty, got {wrong.iloc[0]:g}.")
    partial = told.eq(1)
    of_track = partial.groupby(tracks["track_id"], dropna=False)
    too_few = of_track.transform("any") & (of_track.transform("size") - of_track.transform("sum") < _LEAST_POSITIONS)
    taken_off = partial | too_few
    return tracks[~taken_off].reset_index(drop=True), int(taken_off.sum())
