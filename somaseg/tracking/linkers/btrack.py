"""btrack (MIT): a Kalman filter for each cell, then one choice for all tracklets.

Its own configurations are downloads, so one is made here. The filter has no velocity (cells that stop and jump have
none) and its noise comes from the reach; the hypotheses are those of its example for cells, without divisions.
"""

import numpy as np

try:
    import btrack
    from btrack.btypes import PyTrackObject
    from btrack.models import HypothesisModel, MotionModel
except ImportError as error:
    raise ImportError("The linker btrack is not installed: pip install btrack.") from error


def link(somas, *, max_step_um, max_gap_frames, stack=None):
    """See `somaseg.tracking.linkers.Linker`. Lengths are given to btrack in um."""
    frame = somas["frame"].to_numpy(np.int64)
    low = somas[["x_um", "y_um"]].to_numpy(float).min(axis=0)
    high = somas[["x_um", "y_um"]].to_numpy(float).max(axis=0)
    objects = [
        PyTrackObject.from_dict({"ID": row, "t": int(t), "x": float(x), "y": float(y), "z": 0.0})
        for row, (t, x, y) in enumerate(zip(frame - frame.min(), somas["x_um"], somas["y_um"]))
    ]
    with _tracker() as tracker:
        tracker.configure(
            {
                "motion_model": _motion(max_step_um, max_gap_frames),
                "hypothesis_model": _hypotheses(max_step_um, max_gap_frames),
                "max_search_radius": max_step_um,
                "volume": tuple((float(a) - 1.0, float(b) + 1.0) for a, b in zip(low, high)),
            }
        )
        tracker.append(objects)
        tracker.track(step_size=100)
        tracker.optimize()
        tracks = tracker.refs
    ids = np.zeros(len(somas), np.int64)
    for number, references in enumerate(tracks, start=1):
        rows = np.array([row for row in references if row >= 0], np.int64)  # below 0: a soma made up for a gap
        ids[rows] = number
    return ids


def _tracker():
    try:
        return btrack.BayesianTracker(verbose=False)
    except Exception as error:  # it raises a bare one where its compiled library does not load
        raise ImportError(
            f"btrack is installed, and its compiled library does not load here ({error.__cause__ or error}). Take "
            "another version of btrack, or another linker."
        ) from error


def _motion(max_step_um, max_gap_frames):
    # The reach is to be three standard deviations of a step.
    noise = (max_step_um / 3) ** 2 * np.eye(3)
    return MotionModel(
        name="still",
        measurements=3,
        states=3,
        A=np.eye(3),
        H=np.eye(3),
        P=noise,
        Q=noise,
        R=np.eye(3),
        dt=1.0,
        accuracy=7.5,
        prob_not_assign=0.1,
        max_lost=max_gap_frames,
    )


def _hypotheses(max_step_um, max_gap_frames):
    return HypothesisModel(
        name="cells",
        hypotheses=["P_FP", "P_init", "P_term", "P_link"],
        lambda_time=5.0,
        lambda_dist=3.0,
        lambda_link=10.0,
        lambda_branch=50.0,
        eta=1e-10,
        theta_dist=20.0,
        theta_time=5.0,
        dist_thresh=max_step_um,
        time_thresh=max_gap_frames + 1,
        apop_thresh=5,
        segmentation_miss_rate=0.1,
        apoptosis_rate=0.001,
        relax=True,
    )
