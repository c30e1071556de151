"""The plain matcher that others are compared with: frame to frame, the least sum of distances; no gaps."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist


def link(somas, *, max_step_um, max_gap_frames=0, stack=None):
    """See `somaseg.tracking.linkers.Linker`; a soma that is missed for one frame begins a new track."""
    position, frame = somas[["y_um", "x_um"]].to_numpy(float), somas["frame"].to_numpy(np.int64)
    track = np.zeros(len(somas), np.int64)
    before, count = np.zeros(0, np.int64), 0
    for number in range(frame.min(), frame.max() + 1):
        now = np.flatnonzero(frame == number)
        distance = cdist(position[before], position[now])
        rows, columns = linear_sum_assignment(np.minimum(distance, max_step_um))
        near = distance[rows, columns] < max_step_um
        track[now[columns[near]]] = track[before[rows[near]]]
        new = now[track[now] == 0]
        track[new] = count + 1 + np.arange(len(new))
        count += len(new)
        before = now
    return track
