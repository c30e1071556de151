"""Masks that hold two somas: found by their areas, they carry two tracks through; afterwards each is itself again.

Where two somas become one mask of about the sum of their areas, or one such mask becomes two, the mask is given a
hidden second soma for as long as it lasts; both lie where the halves of the mask would. Hidden somas are used only
where two tracks want through. After the mask has parted again, the two tracks are exchanged if looks and places say so.
"""

from dataclasses import dataclass, replace

import numpy as np

from somaseg.tracking.link_candidates import Candidates, Detections, candidate_links
from somaseg.tracking.track_paths import Paths

_MEETING_REACH = 2.0  # in typical diameters, from a soma to the mask it becomes part of
_STAYING_REACH = 0.8
_SUM_TOLERANCE = 0.3  # of the logarithm of area / sum of areas
_LEAST_GROWTH = 0.25  # log area over the larger of the two
_SAME_TOLERANCE = 0.25
_LEAST_AREA = 1.35  # of a merged mask, in medians of all masks: half a soma behind another one is no merge
_LOOKS_OVER = 3  # somas before and after that looks are averaged over
_SWAP_MARGIN, _MOST_OF_PLACES = 1.0, 4.0


@dataclass(frozen=True, eq=False)
class Merges:
    """The somas with hidden ones among them; `twin` (N,) is the index of the other soma in the same mask, or -1."""

    found: Detections
    twin: np.ndarray

    @classmethod
    def none(cls, found: Detections) -> "Merges":
        return cls(found, np.full(found.count, -1))

    def with_unused(self, candidates: Candidates, gain: np.ndarray, gain_unused: float):
        """(candidates, gain) with a link of each hidden soma to itself, by which it is part of no track at no cost."""
        hidden = np.flatnonzero(self.found.row < 0)
        zero = np.zeros(len(hidden), np.int64)
        columns = ((candidates.source, hidden), (candidates.target, hidden), (candidates.lag, zero))
        columns = [np.concatenate(pair) for pair in (*columns, (candidates.distance_um, zero.astype(float)))]
        return Candidates(*columns), np.concatenate([gain, np.full(len(hidden), gain_unused)])

    def with_identities(self, paths, model, weights):
        """The paths, exchanged after each merged mask where the two are more probably the other way round."""
        for into, out in self._passages(paths):
            if _gain_of_swap(self.found, paths, into, out, model, weights) > _SWAP_MARGIN:
                before = paths.previous()[list(out)]
                # Where one of the two passes over the masks in a gap, the other way round may lead back in time.
                if np.all(self.found.frame[before] < self.found.frame[list(out)[::-1]]):
                    paths = paths.with_tails_swapped(*before)
        return paths

    def _passages(self, paths):
        """((last before, last before), (first after, first after)) of each stretch of masks that two paths share."""
        previous, found = paths.previous(), self.found
        gaps = np.flatnonzero(paths.following >= 0)
        gaps = gaps[found.frame[paths.following[gaps]] - found.frame[gaps] > 1]
        used = (previous >= 0) | (paths.following >= 0)
        passages = {}
        for mask in np.flatnonzero((self.twin >= 0) & (found.row >= 0)):
            sides = [mask, self.twin[mask]]
            if not used[sides].all():
                sides = [side for side in sides if used[side]] + _gap_over(found, paths, gaps, mask)
            if len(sides) == 2:
                into = tuple(_leave(self.twin, previous, int(side)) for side in sides)
                out = tuple(_leave(self.twin, paths.following, int(side)) for side in sides)
                if sides[1] in gaps and self.twin[sides[1]] < 0:
                    out = out[0], _leave(self.twin, paths.following, int(paths.following[sides[1]]))
                if min(into + out) >= 0:
                    passages[into] = into, out
        return [passages[key] for key in sorted(passages, key=lambda key: int(found.frame[list(key)].max()))]


def find_merges(found: Detections, paths: Paths) -> Merges:
    """Masks of two somas, by the areas of those around them in time; none where areas are unknown.

    `paths` are the tracks found without merges: a mask can hold a second soma only while another track is away.
    """
    merged = _merged(found, paths)
    if not merged.any():
        return Merges.none(found)
    index = np.flatnonzero(merged)
    half = _half_axis(found, index)
    looks = {name: values.copy() for name, values in found.looks.items()}
    position = found.position_um.copy()
    position[index] += half
    for name in ("log_area", "log_intensity", "axis_deg"):
        if name in looks:
            looks[name][index] = np.nan  # of both together: says little of either
    count = found.count
    order = np.argsort(np.concatenate([found.frame, found.frame[index]]), kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    both = replace(
        found,
        row=np.concatenate([found.row, np.full(len(index), -1)])[order],
        frame=np.concatenate([found.frame, found.frame[index]])[order],
        position_um=np.concatenate([position, found.position_um[index] - half])[order],
        looks={name: np.concatenate([values, np.full(len(index), np.nan)])[order] for name, values in looks.items()},
    )
    twin = np.full(len(order), -1)
    twin[place[index]], twin[place[count:]] = place[count:], place[index]
    return Merges(both, twin)


def _merged(found, paths):
    merged = np.zeros(found.count, bool)
    if "log_area" not in found.looks or not found.count:
        return merged
    near = candidate_links(found, np.full(2, _MEETING_REACH * found.diameter_um))
    area = np.exp(found.looks["log_area"])
    stays = near.only(
        (near.distance_um < _STAYING_REACH * found.diameter_um)
        & (np.abs(np.log(area[near.target] / area[near.source])) < _SAME_TOLERANCE)
    )
    near = near.only(near.lag == 1)
    for forwards in (True, False):
        # Backwards in time, two somas that part are two that merge.
        step, time = (paths.following, found.frame) if forwards else (paths.previous(), -found.frame)
        parts, whole = (near.source, near.target) if forwards else (near.target, near.source)
        begin, end = (stays.source, stays.target) if forwards else (stays.target, stays.source)
        until = np.full(found.count, -np.inf)  # how long the mask may be merged: till the other soma is back
        seeds, back = _sums(parts, whole, near.distance_um / found.diameter_um, area, step, time)
        np.maximum.at(until, seeds, back)
        # Somas are ordered by frame, so one pass carries the mark on.
        for index in np.argsort(time[begin], kind="stable"):
            a, b = begin[index], end[index]
            if time[b] < until[a]:
                until[b] = max(until[a], until[b])
        merged |= until > time
    return merged


def _sums(parts, whole, distance, area, step, time):
    """(somas, until when): those in `whole` with about the area of two `parts` together, one of which goes away.

    `distance` is in typical diameters; the three nearest parts of each are considered. A larger area must last for
    two frames more, unless the part that went is back by then.
    """
    stays = distance < _STAYING_REACH
    still_there = np.bincount(parts[stays], minlength=len(area))
    order = np.lexsort((distance, whole))
    parts, whole, stays = parts[order], whole[order], stays[order]
    gone = still_there[parts] - stays == 0
    back = np.where(step >= 0, time[step], np.inf)  # of each soma: when its track goes on
    lasting = _lasting(area, step)
    somas, until = [], []
    for skip in (1, 2):
        pair = (whole[:-skip] == whole[skip:]) & stays[:-skip] & gone[:-skip] & gone[skip:]
        one, two, mask = parts[:-skip][pair], parts[skip:][pair], whole[skip:][pair]
        both, larger = area[one] + area[two], np.maximum(area[one], area[two])
        returns = np.maximum(back[one], back[two])
        fits = (returns > time[mask]) & (area[mask] > _LEAST_AREA * np.nanmedian(area))
        fits &= _is_sum(area[mask], both, larger)
        fits &= _is_sum(lasting[mask], both, larger) | (returns == time[mask] + 1)
        somas.append(mask[fits])
        until.append(returns[fits])
    return np.concatenate(somas), np.concatenate(until)


def _is_sum(size, both, larger):
    return (np.abs(np.log(size / both)) < _SUM_TOLERANCE) & (np.log(size / larger) > _LEAST_GROWTH)


def _lasting(area, step):
    """The median area of each soma and the two that follow on its path."""
    second = np.where(step >= 0, step, np.arange(len(step)))
    return np.median(np.stack([area, area[second], area[second[second]]]), axis=0)


def _half_axis(found, index):
    """(K, 2) from the middle of a mask to that of one of its halves: two alike on the long axis have its moments."""
    if "long_um" not in found.looks or "axis_deg" not in found.looks:
        return np.zeros((len(index), 2))
    square = found.looks["long_um"][index] ** 2 - found.looks["short_um"][index] ** 2
    half = np.nan_to_num(np.sqrt(np.maximum(square, 0.0)) / 4)
    angle = np.radians(np.nan_to_num(found.looks["axis_deg"][index]))
    return half[:, None] * np.stack([-np.sin(angle), np.cos(angle)], axis=1)


def _gap_over(found, paths, gaps, mask):
    """The soma before the gap that passes over the frame of a mask nearest to it, as a list of one or none."""
    following = paths.following[gaps]
    over = (found.frame[gaps] < found.frame[mask]) & (found.frame[following] > found.frame[mask])
    gaps, following = gaps[over], following[over]
    here = found.position_um[mask]
    away = [np.hypot(*(found.position_um[ends] - here).T) for ends in (gaps, following)]
    near = np.flatnonzero(np.maximum(*away) < _MEETING_REACH * found.diameter_um)
    return [int(gaps[near[np.argmin((away[0] + away[1])[near])]])] if len(near) else []


def _leave(twin, step, index):
    """The first soma along `step` that is no part of a merged mask, or -1."""
    while index >= 0 and twin[index] >= 0:
        index = int(step[index])
    return index


def _gain_of_swap(found, paths, into, out, model, weights):
    previous = paths.previous()
    averaged = [
        {
            name: _mean_looks(found.looks[name], step, soma)
            for name in weights
            if name in found.looks and name != "axis_deg"
        }
        for somas, step in ((into, previous), (out, paths.following))
        for soma in somas
    ]

    def evidence(first, second):
        near, alike = 0.0, 0.0
        for a, b in ((0, first), (1, second)):
            lag = min(int(found.frame[out[b]] - found.frame[into[a]]), len(model.steps))
            distance = np.hypot(*(found.position_um[out[b]] - found.position_um[into[a]]))
            near += float(model.step_gain(np.array([distance]), np.array([lag]))[0])
            for name, before in averaged[a].items():
                alike += weights[name] * float(
                    model.looks_gain(name, np.array([before]), np.array([averaged[2 + b][name]]))[0]
                )
        return np.array([near, alike])

    near, alike = evidence(1, 0) - evidence(0, 1)
    # Two somas that meet are on the move, whatever the others do: places say less than usual.
    return float(np.clip(near, -_MOST_OF_PLACES, _MOST_OF_PLACES) + alike)


def _mean_looks(values, step, soma):
    known = []
    while soma >= 0 and len(known) < _LOOKS_OVER:
        if np.isfinite(values[soma]):
            known.append(values[soma])
        soma = int(step[soma])
    return float(np.median(known)) if known else np.nan
