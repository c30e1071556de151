"""From tracks to displacements: what each cell moved from one frame in which it was seen to the next, gaps included.

Everything that judges movement by steps begins here, so that all of it treats missed frames alike.
"""

import numpy as np
import pandas as pd

DISPLACEMENT_COLUMNS = ("track_id", "frame", "next_frame", "dy_um", "dx_um")
_NEEDED = ("track_id", "frame", "y_um", "x_um")


def find_displacements(tracks: pd.DataFrame) -> pd.DataFrame:
    """One row per cell and pair of frames that follow each other in its track, sorted by track and frame.

    Args:
        tracks: track_id, frame (whole numbers) and y_um, x_um; rows in any order.

    Returns:
        track_id, frame, next_frame (frame + 1, or later where frames were missed), dy_um and dx_um. A track of one
        frame has no row.

    Raises:
        ValueError: a column is missing, a position is no finite number, a frame is not whole, or a track is twice in
            one frame.

    >>> tracks = pd.DataFrame({"track_id": 1, "frame": [0, 1, 3], "y_um": [0.0, 0.0, 2.0], "x_um": [0.0, 5.0, 5.0]})
    >>> find_displacements(tracks)[["frame", "next_frame", "dy_um", "dx_um"]].values.tolist()
    [[0.0, 1.0, 0.0, 5.0], [1.0, 3.0, 2.0, 0.0]]
    """
    tracks = checked_tracks(tracks)
    same = tracks["track_id"].to_numpy()[1:] == tracks["track_id"].to_numpy()[:-1]
    first, second = tracks.iloc[:-1][same], tracks.iloc[1:][same]
    return pd.DataFrame(
        {
            "track_id": first["track_id"].to_numpy(),
            "frame": first["frame"].to_numpy(),
            "next_frame": second["frame"].to_numpy(),
            "dy_um": second["y_um"].to_numpy() - first["y_um"].to_numpy(),
            "dx_um": second["x_um"].to_numpy() - first["x_um"].to_numpy(),
        },
        columns=list(DISPLACEMENT_COLUMNS),
    )


def checked_tracks(tracks: pd.DataFrame) -> pd.DataFrame:
    """The four needed columns as numbers, sorted by track and frame.

    Raises:
        ValueError: see `find_displacements`.
    """
    missing = [name for name in _NEEDED if name not in tracks.columns]
    if missing:
        raise ValueError(f"tracks: missing column(s) {', '.join(missing)}; it has {', '.join(map(str, tracks))}.")
    tracks = tracks[list(_NEEDED)]
    for name in ("y_um", "x_um"):
        wrong = ~np.isfinite(pd.to_numeric(tracks[name], errors="coerce").to_numpy(float))
        if wrong.any():
            value = tracks[name].iloc[int(np.flatnonzero(wrong)[0])]
            raise ValueError(
                f"tracks: {name} must be a finite number in every row, got {value!r}. Leave such rows out."
            )
    frames = pd.to_numeric(tracks["frame"], errors="coerce").to_numpy(float)
    if not np.all(frames == np.round(frames)):
        wrong = tracks["frame"].iloc[int(np.flatnonzero(frames != np.round(frames))[0])]
        raise ValueError(f"tracks: frame must be a whole number in every row, got {wrong!r}.")
    if tracks.duplicated(["track_id", "frame"]).any():
        twice = tracks[tracks.duplicated(["track_id", "frame"])].iloc[0]
        raise ValueError(f"tracks: track {twice['track_id']:g} is twice in frame {twice['frame']:g}.")
    tracks = tracks.assign(frame=frames.astype(np.int64), y_um=tracks["y_um"].astype(float))
    tracks["x_um"] = tracks["x_um"].astype(float)
    return tracks.sort_values(["track_id", "frame"], ignore_index=True)
