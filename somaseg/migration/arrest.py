"""Which cells are arrested: those that stay where they are, for long enough that a pause would have ended."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from somaseg.migration.displacements import checked_tracks


@dataclass(frozen=True)
class ArrestParameters:
    """What an arrested cell is.

    Attributes:
        radius_um: an arrested cell never is further than this from where it is on average, 5: half a soma; or than
            `noise_multiple` sd of its position, where that is more.
        watched_h: how long a cell must be watched to be called arrested, 3; the average is taken over as long, so that
            slow drift of the tissue is no movement.
        noise_multiple: float, 5.

    Raises:
        ValueError: a value that is not above 0.

    >>> ArrestParameters(watched_h=0)
    Traceback (most recent call last):
        ...
    ValueError: watched_h must be a number above 0, got 0.
    """

    radius_um: float = 5.0
    watched_h: float = 3.0
    noise_multiple: float = 5.0

    def __post_init__(self):
        for name, value in vars(self).items():
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < np.inf:
                raise ValueError(f"{name} must be a number above 0, got {value!r}.")


def find_arrested(
    tracks: pd.DataFrame,
    saltations: pd.DataFrame,
    *,
    minutes_per_frame: float,
    noise_um: float,
    parameters: ArrestParameters = ArrestParameters(),
) -> pd.Series:
    """Whether each cell is arrested, "boolean" by track_id; missing where it was not watched long enough to tell.

    Arrested: no saltation, and at every time within `radius_um` of the mean of the positions up to half of `watched_h`
    before and after. A cell that wanders without saltations is not arrested (local explorers: Nam et al. 2007).

    Args:
        tracks: track_id, frame, y_um, x_um.
        saltations: track_id, of all saltations.
        minutes_per_frame: float.
        noise_um: float, sd of a position along each axis.

    >>> tracks = pd.DataFrame({"track_id": 1, "frame": range(20), "y_um": 0.0, "x_um": 0.0})
    >>> none = pd.DataFrame({"track_id": []})
    >>> find_arrested(tracks, none, minutes_per_frame=10, noise_um=0.5).tolist()
    [True]
    """
    own = checked_tracks(tracks)
    radius = max(parameters.radius_um, parameters.noise_multiple * noise_um)
    half_frames = 30.0 * parameters.watched_h / minutes_per_frame
    jumped = set(saltations["track_id"])
    found = {}
    for track_id, track in own.groupby("track_id"):
        frames, places = track["frame"].to_numpy(), track[["y_um", "x_um"]].to_numpy()
        stays = track_id not in jumped and bool(np.all(_from_mean_um(frames, places, half_frames) <= radius))
        watched_h = (frames[-1] - frames[0]) * minutes_per_frame / 60.0
        found[track_id] = pd.NA if stays and watched_h < parameters.watched_h - 1e-9 else stays
    return pd.Series(found, dtype="boolean").rename_axis("track_id")


def _from_mean_um(frames, places, half_frames):
    """Distance of each position from the mean of those within `half_frames` of it."""
    begin = np.searchsorted(frames, frames - half_frames - 1e-9)
    end = np.searchsorted(frames, frames + half_frames + 1e-9, side="right")
    sums = np.concatenate([np.zeros((1, 2)), np.cumsum(places, axis=0)])
    means = (sums[end] - sums[begin]) / (end - begin)[:, None]
    return np.hypot(*(places - means).T)
