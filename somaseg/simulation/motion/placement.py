"""Where the cells of a simulated movie are at time 0: apart from each other, some of them bound to meet another one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from somaseg.simulation.motion.headings import unit_vectors
from somaseg.simulation.motion.parameters import MotionParameters
from somaseg.simulation.motion.streams import cell_stream

_TRIES = 200
_PARTNERS_TRIED = 30


@dataclass(frozen=True, eq=False)
class Course:
    """What placing needs to know of a cell's movement before it has a place.

    `displacement(time_min)` is (y, x) in um from where it is at time 0, without wobble; `heading(time_min)` in degrees;
    `rests_min` is (n, 2), the times when it stands still (for a cell that always creeps: all the time).
    """

    displacement: Callable[[float], np.ndarray]
    heading: Callable[[float], float]
    rests_min: np.ndarray


def place_cells(
    parameters: MotionParameters, courses: list[Course], *, field_um: tuple[float, float], seed: int
) -> np.ndarray:
    """Draw the (N, 2) positions (y, x) in um at time 0, in the field and the margin about it.

    A share `touching_fraction` of the cells is put where their path meets that of another one: at a time within
    `touching_within_h`, in a rest of both of at least `touching_min` where there is one, the two outlines overlap. Such
    a cell keeps its distance from all others at time 0; one that finds no partner is placed freely, and one that finds
    no room in 200 tries is left where it is.
    """
    p = parameters
    low, high = np.full(2, -p.margin_um), np.asarray(field_um) + p.margin_um
    positions = np.full((len(courses), 2), np.nan)
    # Every fifth cell at 0.2: whether a cell does depends on no other.
    quota = np.floor(p.touching_fraction * np.arange(len(courses) + 1) + 1e-9)
    meeting = np.flatnonzero(np.diff(quota)).tolist()
    free = sorted(set(range(len(courses))) - set(meeting))
    for cell in free:
        positions[cell] = _place_apart(cell, positions, low, high, p, seed)
    partners = list(free)
    for cell in meeting:
        found = _place_to_meet(cell, partners, positions, courses, low, high, p, seed)
        if found is None:
            positions[cell] = _place_apart(cell, positions, low, high, p, seed)
        else:
            partners.remove(found[0])
            positions[cell] = found[1]
    return positions


def _place_apart(cell, positions, low, high, p, seed):
    rng = cell_stream(seed, cell, "place")
    for _ in range(_TRIES):
        position = low + (high - low) * rng.random(2)
        if _is_free(position, positions, p):
            return position
    return position


def _is_free(position, positions, p, *, but=None):
    apart = np.hypot(*(positions - position).T) >= p.spacing_um
    apart |= np.isnan(positions[:, 0])
    if but is not None:
        apart[but] = True
    return bool(apart.all())


def _place_to_meet(cell, partners, positions, courses, low, high, p, seed):
    """(partner, position), or None. The longest common rest of those tried counts where none is long enough."""
    rng = cell_stream(seed, cell, "touch")
    best = None
    # Sorting by random numbers, one per cell of the movie, does not depend on which partners are taken.
    order = np.argsort(rng.random(len(courses)))
    for partner in order[np.isin(order, partners)][:_PARTNERS_TRIED]:
        which, when, towards, share = rng.random(4)
        time_min, rest_min = _meeting_time(courses[cell].rests_min, courses[partner].rests_min, which, when, p)
        if time_min is None or (best is not None and rest_min <= best[0]):
            continue
        offset = _overlap_offset(courses[cell], courses[partner], time_min, 360.0 * towards, 0.7 + 0.25 * share, p)
        meeting = positions[partner] + courses[partner].displacement(time_min) + offset
        position = meeting - courses[cell].displacement(time_min)
        inside = np.all(position >= low) and np.all(position <= high)
        if inside and _is_free(position, positions, p, but=partner):
            best = (rest_min, int(partner), position)
            if rest_min >= p.touching_min:
                break
    return best and best[1:]


def _meeting_time(rests, others, which, when, p):
    """A time in a common rest, and how long that rest is, at most `touching_min`: (None, 0) without any."""
    begin = np.maximum(rests[:, None, 0], others[None, :, 0]).ravel()
    end = np.minimum(rests[:, None, 1], others[None, :, 1]).ravel()
    length = end - begin
    if not len(length) or length.max() <= 0:
        return None, 0.0
    long = np.flatnonzero(length >= p.touching_min)
    chosen = long[int(which * len(long))] if len(long) else int(np.argmax(length))
    spare = max(0.0, length[chosen] - p.touching_min)
    rest_min = min(length[chosen], p.touching_min)
    return float(begin[chosen] + rest_min / 2 + when * spare), float(rest_min)


def _overlap_offset(course, other, time_min, towards_deg, share, p):
    """(y, x) from the other's centre to the cell's where the resting outlines overlap; at share 1 they just touch."""
    reach = sum(_radius_um(towards_deg - one.heading(time_min), p) for one in (course, other))
    return share * reach * unit_vectors(towards_deg)


def _radius_um(from_heading_deg, p):
    """Distance from the centre of the resting ellipse to its outline."""
    angle = np.radians(from_heading_deg)
    return 0.5 / np.hypot(np.cos(angle) / p.soma_length_um, np.sin(angle) / p.soma_width_um)
