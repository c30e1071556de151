"""laptrack (BSD-3): TrackMate's linker in Python. Least sum of squared distances, frame to frame and then over gaps."""

import numpy as np

try:
    from laptrack import LapTrack
except ImportError as error:
    raise ImportError("The linker laptrack is not installed: pip install 'somaseg[linkers]'.") from error


def link(somas, *, max_step_um, max_gap_frames, stack=None):
    """See `somaseg.tracking.linkers.Linker`; no splitting and no merging. Gaps are closed within `max_step_um` too."""
    tracker = LapTrack(
        cutoff=max_step_um**2,
        gap_closing_cutoff=max_step_um**2 if max_gap_frames else False,
        gap_closing_max_frame_count=max_gap_frames,
        splitting_cutoff=False,
        merging_cutoff=False,
    )
    rows = somas[["frame", "y_um", "x_um"]].assign(row=np.arange(len(somas)))
    linked, _, _ = tracker.predict_dataframe(rows, coordinate_cols=["y_um", "x_um"], frame_col="frame")
    return linked.set_index("row")["track_id"].reindex(rows["row"]).to_numpy() + 1
