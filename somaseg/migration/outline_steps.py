"""Steps that an outline makes and its soma does not: where a mask comes to hold a second soma, or loses it again.

The middle of the mask then jumps by up to a soma's diameter and later back, which is no migration. While it is wrong
it may jump elsewhere too; a soma that is soon found where it was before has not moved.
"""

import numpy as np
import pandas as pd

from somaseg.migration.displacements import checked_tracks

_LEAST_CHANGE = 1.5  # of the area from one frame to the next; a soma's repeats to within an eighth
_SOON_FRAMES, _BACK = 3, 0.25  # back where it was: within so many frames, to within this part of the step


def without_outline_steps(tracks: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Tracks that stay where they were while the outline alone changes, and how many such steps there were.

    A step belongs to the outline if the larger of its two areas A is at least 1.5 times the smaller one, a, and the
    step is no longer than the part that came or went can explain: a round mask's diameter times that part, d (1 - a/A)
    with d = 2 sqrt(A / pi). All later positions of the track are moved back by it. Where the mask is soon (3 frames)
    back to within a quarter of that step, all that it did between is taken off.

    Args:
        tracks: track_id, frame, y_um, x_um, and area_um2; without areas (or where they are NaN) no step is taken off.

    Returns:
        (track_id, frame, y_um, x_um, sorted; number of steps taken off).

    >>> tracks = pd.DataFrame({"track_id": 1, "frame": range(4), "y_um": 0.0, "x_um": [0, 5.5, 5.5, 0.0]})
    >>> without_outline_steps(tracks.assign(area_um2=[70, 150, 150, 70]))[0]["x_um"].tolist()
    [0.0, 0.0, 0.0, 0.0]
    """
    plain = checked_tracks(tracks)
    if "area_um2" not in tracks.columns or len(plain) < 2:
        return plain, 0
    in_order = tracks.assign(frame=pd.to_numeric(tracks["frame"])).sort_values(["track_id", "frame"])
    area = pd.to_numeric(in_order["area_um2"], errors="coerce").to_numpy(float)
    track, position = plain["track_id"].to_numpy(), plain[["y_um", "x_um"]].to_numpy(float)
    step = np.diff(position, axis=0)
    small, large = np.minimum(area[1:], area[:-1]), np.maximum(area[1:], area[:-1])
    with np.errstate(invalid="ignore", divide="ignore"):
        explained = 2.0 * np.sqrt(large / np.pi) * (1.0 - small / large)
        of_outline = (large >= _LEAST_CHANGE * small) & (np.hypot(*step.T) <= explained) & (track[1:] == track[:-1])
    taken_off = step * of_outline[:, None]
    frame = plain["frame"].to_numpy()
    for begin in np.flatnonzero(of_outline):
        after = np.arange(begin + 2, min(begin + 1 + _SOON_FRAMES, len(frame) - 1) + 1)
        after = after[(track[after] == track[begin]) & (frame[after] <= frame[begin] + _SOON_FRAMES)]
        distance = np.hypot(*(position[after] - position[begin]).T)
        back = after[distance <= _BACK * np.hypot(*step[begin])]
        if len(back):
            of_outline[begin : back[0]] = True
            taken_off[begin : back[0]] = step[begin : back[0]]
            taken_off[back[0] - 1] -= position[back[0]] - position[begin]  # what it has really moved by then
    away = np.concatenate([np.zeros((1, 2)), np.cumsum(taken_off, axis=0)])
    begin = np.searchsorted(track, track)  # tracks are sorted: the first row of each
    position -= away - away[begin]
    return plain.assign(y_um=position[:, 0], x_um=position[:, 1]), int(of_outline.sum())
