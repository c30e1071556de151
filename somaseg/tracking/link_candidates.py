"""Which somas could be the same cell: pairs in frames not far apart, and no further apart than a cell goes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

_NEIGHBOURS, _NEIGHBOURS_OVER_GAPS = 8, 6
_DIAMETERS = 4.0  # the longest step of one frame in typical soma diameters: 40 um, where the longest jumps are 35
_DIAMETER_UM = 10.0  # where no area is given


@dataclass(frozen=True, eq=False)
class Detections:
    """The N somas of a movie as arrays, ordered by frame.

    Attributes:
        row: (N,) where each stands in the table it came from; -1 for one that stands in none.
        frame: (N,) int. position_um: (N, 2).
        looks: dict of (N,) float, NaN where unknown: "log_area", "log_intensity", "axis_deg"; and "long_um",
            "short_um", the axes. Only those that are known of some soma.
        diameter_um: of a typical soma. low_um, high_um: (2,) the corners of the field, by where somas are.
        begins, ends: frames before which, and after which, nothing was looked at (more than one each for a sample).
    """

    row: np.ndarray
    frame: np.ndarray
    position_um: np.ndarray
    looks: dict
    diameter_um: float
    low_um: np.ndarray
    high_um: np.ndarray
    begins: np.ndarray
    ends: np.ndarray

    @property
    def count(self) -> int:
        return len(self.row)

    @property
    def field_um2(self) -> float:
        return float(np.prod(np.maximum(self.high_um - self.low_um, self.diameter_um)))

    @classmethod
    def from_table(cls, somas: pd.DataFrame) -> "Detections":
        row = np.argsort(somas["frame"].to_numpy(), kind="stable")
        table = somas.iloc[row]
        position = table[["y_um", "x_um"]].to_numpy(float)
        looks = {
            "log_area": _logarithm(table, "area_um2"),
            "log_intensity": _logarithm(table, "mean_intensity"),
            "axis_deg": table["orientation_deg"].to_numpy(float) if "orientation_deg" in table else None,
        }
        if looks["log_area"] is not None and "elongation" in table:
            ratio = np.sqrt(np.maximum(table["elongation"].to_numpy(float), 1.0))
            mean = np.sqrt(4 / np.pi) * np.exp(looks["log_area"] / 2)
            looks |= {"long_um": mean * ratio, "short_um": mean / ratio}
        looks = {name: values for name, values in looks.items() if values is not None and np.isfinite(values).any()}
        diameter = _DIAMETER_UM
        if "log_area" in looks:
            diameter = float(np.sqrt(4 / np.pi * np.exp(np.nanmedian(looks["log_area"]))))
        frame = table["frame"].to_numpy(np.int64)
        corners = (np.zeros(2), np.zeros(2))
        if len(row):
            # The outermost of N random points lie a share of 1 / N inside.
            low, high = position.min(axis=0), position.max(axis=0)
            margin = np.maximum((high - low) / len(row), diameter / 2)
            corners = (low - margin, high + margin)
        return cls(row, frame, position, looks, diameter, *corners, frame[:1], frame[-1:])

    def only(self, which: np.ndarray, *, begins=None, ends=None) -> "Detections":
        """Some of them, by index or bool; `begins` and `ends` when they are a sample of the frames."""
        looks = {name: values[which] for name, values in self.looks.items()}
        arrays = self.row[which], self.frame[which], self.position_um[which]
        begins, ends = (self.begins if begins is None else begins), (self.ends if ends is None else ends)
        return Detections(*arrays, looks, self.diameter_um, self.low_um, self.high_um, begins, ends)


@dataclass(frozen=True, eq=False)
class Candidates:
    """Candidate links (E,): indices of the earlier and the later soma, frames from one to the other, distance."""

    source: np.ndarray
    target: np.ndarray
    lag: np.ndarray
    distance_um: np.ndarray

    def only(self, which) -> "Candidates":
        return Candidates(self.source[which], self.target[which], self.lag[which], self.distance_um[which])


def reaches_um(found: Detections, *, max_gap_frames: int, max_step_um: float | None) -> np.ndarray:
    """(max_gap_frames + 1,) how far a soma may be after 1, 2, ... frames: it grows as the root, as a random walk."""
    return (max_step_um or _DIAMETERS * found.diameter_um) * np.sqrt(np.arange(1, max_gap_frames + 2))


def candidate_links(found: Detections, reaches: np.ndarray, sources: np.ndarray | None = None) -> Candidates:
    """The nearest somas within reach after each number of frames, from all somas or from those indexed `sources`."""
    sources = np.arange(found.count) if sources is None else sources
    if not len(sources):
        return Candidates(*np.zeros((3, 0), np.int64), np.zeros(0))
    # One search for all frames: time is a third axis, on which frames lie too far apart to be confused.
    apart = 2 * reaches.max() + 1.0
    points = np.column_stack([found.position_um, (found.frame - found.frame[0]) * apart])
    from_here = points[sources]
    latest = min(found.count, int(np.searchsorted(found.frame, found.frame[sources].max() + len(reaches), "right")))
    first = int(sources.min())
    tree = cKDTree(points[first:latest])
    parts = []
    for lag, reach in enumerate(reaches, start=1):
        nearest = np.arange(1, min(_NEIGHBOURS if lag == 1 else _NEIGHBOURS_OVER_GAPS, latest - first) + 1)
        distance, target = tree.query(from_here + [0.0, 0.0, lag * apart], k=nearest, distance_upper_bound=reach)
        index, rank = np.nonzero(np.isfinite(distance))
        parts.append((sources[index], first + target[index, rank], np.full(len(index), lag), distance[index, rank]))
    return Candidates(*(np.concatenate(column) for column in zip(*parts)))


def _logarithm(table, name):
    if name not in table:
        return None
    values = table[name].to_numpy(float)
    return np.log(np.where(values > 0, values, np.nan))
