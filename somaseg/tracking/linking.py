"""Somas of single frames become tracks: which soma of one frame is which of the next, over gaps and merged masks too.

All links of a movie, those over gaps included, are chosen together, so that the movie as a whole is most probable under
laws of motion and looks that are learnt from it (see `somaseg.tracking.link_model`). There are no divisions, and no
model of velocity: cells that stop and jump have none.
"""

from dataclasses import dataclass, field, fields

import numpy as np
import pandas as pd

from somaseg.movies.calibration import Calibration
from somaseg.tracking.assignment import best_links, link_probabilities
from somaseg.tracking.link_candidates import Candidates, Detections, candidate_links, reaches_um
from somaseg.tracking.link_model import LinkModel
from somaseg.tracking.link_quality import calibrated, linking_quality
from somaseg.tracking.merged_somas import Merges, find_merges
from somaseg.tracking.somas import find_somas, relabel, shared_areas
from somaseg.tracking.track_paths import Paths

__all__ = ["Linking", "LinkingParameters", "find_somas", "link_somas", "relabel", "shared_areas"]

_LEARN_FROM = 12_000  # somas; of a larger movie three stretches of frames are enough
_BLOCK = 20_000
_GAP_MIN = 75.0
_LEAST_GAIN, _LEAST_PROBABILITY = -3.0, 1e-3  # less probable candidates are forgotten
_GAIN_OF_OVERLAP = 2.0


@dataclass(frozen=True)
class LinkingParameters:
    """What linking may be told; all else is learnt from the movie.

    Attributes:
        max_gap_frames: a track goes on after at most so many frames in which its soma was not found; None: those of
            75 min, but 2 to 15 (a cell leaves the focus for 15-60 min).
        max_step_um: no link is longer, per root of the frames that it spans; None: four typical soma diameters.
        area_weight, intensity_weight, shape_weight, overlap_weight: how much the evidence of each counts; 1 as learnt
            (and measured to be best), 0 not at all. Shape is the direction of the long axis.
        merges: bool, whether a mask that looks like two merged somas may carry two tracks through. One of the two has
            the mask, the other a gap, of any length.
        learning_rounds: how often the laws are fitted to the links.

    Raises:
        ValueError: a value outside its limits, named with what was expected.

    >>> LinkingParameters(max_gap_frames=-1)
    Traceback (most recent call last):
    ...
    ValueError: max_gap_frames must be a whole number from 0 to 100, got -1.
    """

    max_gap_frames: int | None = field(default=None, metadata={"limits": (0, 100), "whole": True})
    max_step_um: float | None = field(default=None, metadata={"limits": (1e-3, 1e6)})
    area_weight: float = field(default=1.0, metadata={"limits": (0.0, 10.0)})
    intensity_weight: float = field(default=1.0, metadata={"limits": (0.0, 10.0)})
    shape_weight: float = field(default=1.0, metadata={"limits": (0.0, 10.0)})
    overlap_weight: float = field(default=1.0, metadata={"limits": (0.0, 10.0)})
    merges: bool = True
    learning_rounds: int = field(default=4, metadata={"limits": (1, 50), "whole": True})

    def __post_init__(self):
        if not isinstance(self.merges, bool):
            raise ValueError(f"merges must be True or False, got {self.merges!r}.")
        for entry in fields(self):
            value = getattr(self, entry.name)
            if "limits" not in entry.metadata or (value is None and entry.default is None):
                continue
            low, high = entry.metadata["limits"]
            whole = "whole" in entry.metadata
            is_number = isinstance(value, (int, np.integer) if whole else (int, float, np.integer, np.floating))
            if isinstance(value, bool) or not is_number or not low <= value <= high:
                kind = "a whole number" if whole else "a number"
                raise ValueError(f"{entry.name} must be {kind} from {low} to {high}, got {value!r}.")

    @property
    def looks_weights(self) -> dict:
        return {
            "log_area": self.area_weight,
            "log_intensity": self.intensity_weight,
            "axis_deg": self.shape_weight,
        }


@dataclass(frozen=True, eq=False)
class Linking:
    """Which track each soma belongs to, and how sure that is.

    Attributes:
        track_ids: int (N,), 1, 2, ... by first appearance, aligned with the rows of the somas.
        links: `pandas.DataFrame`, one row per link, by track and frame: track_id, frame, next_frame, row, next_row
            (positions in the somas), step_um, confidence (0..1: the share of such links that are right).
        quality: dict of flat numbers, see `somaseg.tracking.link_quality`.
        warnings: list of str.
    """

    track_ids: np.ndarray
    links: pd.DataFrame
    quality: dict
    warnings: list


def link_somas(
    somas: pd.DataFrame,
    *,
    parameters: LinkingParameters = LinkingParameters(),
    overlaps: pd.DataFrame | None = None,
    calibration: Calibration,
) -> Linking:
    """Link the somas of a movie into tracks.

    Args:
        somas: one row per soma, in any order: frame, y_um, x_um (in tissue coordinates, so that drift is no movement);
            and, where known, area_um2, mean_intensity, orientation_deg and elongation as `find_somas` gives them (NaN
            is unknown). label is needed with `overlaps` only.
        overlaps: frame, label, next_label, iou, as `shared_areas` gives them, of all frames together; or None.
        calibration: the movie's; its frame interval says how many frames a gap may have.

    Raises:
        ValueError: a column is missing, or a frame or position is no finite number.

    >>> somas = pd.DataFrame({"frame": [0, 0, 1, 1], "y_um": [5.0, 50, 51, 4], "x_um": [9.0, 9, 9, 9]})
    >>> link_somas(somas, calibration=Calibration(0.65, 15)).track_ids.tolist()
    [1, 2, 2, 1]
    """
    _check(somas, overlaps)
    found = Detections.from_table(somas)
    p = parameters
    gap = p.max_gap_frames
    if gap is None:
        gap = int(np.clip(round(_GAP_MIN / calibration.minutes_per_frame), 2, 15))
    reaches = reaches_um(found, max_gap_frames=gap, max_step_um=p.max_step_um)
    model = _learnt_model(found, reaches, p)
    overlap_of = _overlap_of(somas, overlaps)
    paths = _most_probable_paths(Merges.none(found), reaches, model, p, overlap_of)
    if p.merges:
        merges = find_merges(found, paths)
        if (merges.twin >= 0).any():
            found = merges.found
            paths = _most_probable_paths(merges, reaches, model, p, overlap_of)
            paths = merges.with_identities(paths, model, p.looks_weights).without(found.row < 0)
    return _linking(found, paths, calibration)


def _most_probable_paths(merges, reaches, model, p, overlap_of):
    found = merges.found
    candidates, gain = _worthy_candidates(found, reaches, model, p, overlap_of)
    candidates, gain = merges.with_unused(candidates, gain, -_cost_of_loneliness(model))
    probability = link_probabilities(candidates.source, candidates.target, gain, found.count)
    possible = np.flatnonzero(probability > _LEAST_PROBABILITY)
    candidates, gain, probability = candidates.only(possible), gain[possible], probability[possible]
    chosen = best_links(candidates.source, candidates.target, gain, found.count)
    candidates, probability = candidates.only(chosen), probability[chosen]
    used = candidates.source != candidates.target
    return Paths.from_links(found.count, candidates.source[used], candidates.target[used], probability[used])


def _learnt_model(found, reaches, p):
    sample = _sample(found)
    candidates = candidate_links(sample, reaches)
    model = LinkModel.first_guess(sample, candidates, reaches)
    for _ in range(p.learning_rounds):
        gain = model.gain(sample, candidates, p.looks_weights)
        share = link_probabilities(candidates.source, candidates.target, gain, sample.count)
        model = model.fitted(sample, candidates, share)
    return model


def _sample(found):
    """All somas, or those of three stretches of frames."""
    if found.count <= _LEARN_FROM:
        return found
    frames = np.unique(found.frame)
    length = max(2, int(len(frames) * _LEARN_FROM / found.count / 3))
    firsts = np.linspace(0, len(frames) - length, 3).astype(int)
    begins, ends = frames[firsts], frames[firsts + length - 1]
    inside = np.any((found.frame[:, None] >= begins) & (found.frame[:, None] <= ends), axis=1)
    return found.only(inside, begins=begins, ends=ends)


def _worthy_candidates(found, reaches, model, p, overlap_of):
    """(candidates, gain) of all links that are not hopeless, found block by block."""
    parts = [(candidate_links(found, reaches, np.zeros(0, np.int64)), np.zeros(0))]
    for begin in range(0, found.count, _BLOCK):
        candidates = candidate_links(found, reaches, np.arange(begin, min(begin + _BLOCK, found.count)))
        gain = model.gain(found, candidates, p.looks_weights)
        gain += p.overlap_weight * _GAIN_OF_OVERLAP * overlap_of(found, candidates)
        worthy = gain > _LEAST_GAIN
        parts.append((candidates.only(worthy), gain[worthy]))
    names = ("source", "target", "lag", "distance_um")
    columns = (np.concatenate([getattr(part, name) for part, _ in parts]) for name in names)
    return Candidates(*columns), np.concatenate([gain for _, gain in parts])


def _cost_of_loneliness(model):
    """What a soma without any link costs: a beginning and an end."""
    return np.log(model.end) + np.log(model.beginnings_per_um2)


def _overlap_of(somas, overlaps):
    """Function from (found, candidates) to the IoU of each candidate's two masks, 0 where they do not meet."""
    if overlaps is None or not len(overlaps):
        return lambda found, candidates: 0.0
    place = pd.Series(np.arange(len(somas)), pd.MultiIndex.from_frame(somas[["frame", "label"]]))
    rows = place.reindex(pd.MultiIndex.from_arrays([overlaps["frame"], overlaps["label"]])).to_numpy(float)
    next_keys = pd.MultiIndex.from_arrays([overlaps["frame"] + 1, overlaps["next_label"]])
    next_rows = place.reindex(next_keys).to_numpy(float)
    known = np.isfinite(rows) & np.isfinite(next_rows)
    keys = (rows[known] * len(somas) + next_rows[known]).astype(np.int64)
    order = np.argsort(keys)
    keys, iou = keys[order], overlaps["iou"].to_numpy(float)[known][order]

    def overlap_of(found, candidates):
        source, target = found.row[candidates.source], found.row[candidates.target]
        wanted = np.where((source >= 0) & (target >= 0), source * len(somas) + target, -1)
        at = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
        return np.where(keys[at] == wanted, iou[at], 0.0) if len(keys) else 0.0

    return overlap_of


def _linking(found, paths, calibration):
    real = np.flatnonzero(found.row >= 0)
    path = np.unique(paths.path_of()[real], return_inverse=True)[1]
    first = np.full(path.max(initial=-1) + 1, len(found.row))
    # Numbered by first appearance: frame by frame, in the order of the table.
    rank = np.lexsort((found.row[real], found.frame[real]))
    np.minimum.at(first, path[rank], np.arange(len(rank)))
    number = np.empty(len(first), np.int64)
    number[np.argsort(first)] = np.arange(1, len(first) + 1)
    track_ids = np.empty(len(real), np.int64)
    track_ids[found.row[real]] = number[path]

    source = np.flatnonzero(paths.following >= 0)
    target = paths.following[source]
    step = np.hypot(*(found.position_um[target] - found.position_um[source]).T)
    links = pd.DataFrame(
        {
            "track_id": track_ids[found.row[source]],
            "frame": found.frame[source],
            "next_frame": found.frame[target],
            "row": found.row[source],
            "next_row": found.row[target],
            "step_um": step,
            "confidence": calibrated(paths.probability[source]),
        }
    ).sort_values(["track_id", "frame"], ignore_index=True)
    quality, warnings = linking_quality(found, links, calibration)
    return Linking(track_ids, links, quality, warnings)


def _check(somas, overlaps):
    missing = [name for name in ("frame", "y_um", "x_um") if name not in somas]
    if missing:
        raise ValueError(f"somas must have the columns frame, y_um and x_um; {', '.join(missing)} missing.")
    for name in ("frame", "y_um", "x_um"):
        values = pd.to_numeric(somas[name], errors="coerce").to_numpy(float)
        if not np.all(np.isfinite(values)):
            row = int(np.flatnonzero(~np.isfinite(values))[0])
            raise ValueError(f"somas: column {name}, row {row}: expected a number, got {somas[name].iloc[row]!r}.")
        if name == "frame" and np.any((values != values.round()) | (values < 0)):
            raise ValueError("somas: column frame must hold whole numbers from 0.")
    if overlaps is not None:
        lacking = [name for name in ("frame", "label", "next_label", "iou") if name not in overlaps]
        if lacking or "label" not in somas:
            raise ValueError("overlaps must have frame, label, next_label and iou, and somas a label.")
        if somas.duplicated(["frame", "label"]).any():
            raise ValueError("somas: a label is there twice in one frame, so overlaps cannot be told apart.")
