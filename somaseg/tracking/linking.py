"""Somas of single frames become tracks: which soma of one frame is which of the next, over gaps and merged masks too.

All links of a movie, those over gaps included, are chosen together, so that the movie as a whole is most probable under
laws of motion and looks that are learnt from it (see `somaseg.tracking.link_model`). There are no divisions, and no
model of velocity: cells that stop and jump have none.
"""

import numpy as np
import pandas as pd

from somaseg.movies.calibration import Calibration
from somaseg.tracking.assignment import best_links, link_probabilities
from somaseg.tracking.link_candidates import Candidates, Detections, candidate_links, reaches_um
from somaseg.tracking.link_model import LinkModel
from somaseg.tracking.link_tracks import Linking, linking_of_paths
from somaseg.tracking.linking_parameters import LinkingParameters
from somaseg.tracking.merged_somas import Merges, find_merges
from somaseg.tracking.somas import find_somas, relabel, shared_areas
from somaseg.tracking.track_paths import Paths

__all__ = ["Linking", "LinkingParameters", "find_somas", "link_somas", "relabel", "shared_areas"]

_LEARN_FROM = 12_000  # somas; of a larger movie three stretches of frames are enough
_BLOCK = 20_000
_LEAST_GAIN, _LEAST_PROBABILITY = -3.0, 1e-3  # less probable candidates are forgotten
_GAIN_OF_OVERLAP = 2.0


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
    gap = p.gap_frames(calibration.minutes_per_frame)
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
    return linking_of_paths(found, paths, calibration)


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
