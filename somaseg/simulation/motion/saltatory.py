"""Saltatory movement of one simulated cell: pause, swelling ahead, jump of the soma's front, arrival of its rear.

The path is a list of saltations at exact times; where the cell is at any time follows from it by formula, so
sampling it more or less often changes nothing.

One saltation of length L, with s(u) = 3 u^2 - 2 u^3 on 0..1, jump time D = L / speed and rear delay W:
front F(t) = L s(t / D); rear R(t) = F(t) - E(t); centre (F + R) / 2;
extension E(t) = e s(t / D) (1 - s((t - D/2) / (D/2 + W))).
The front stops at D, the rear at D + W; neither ever goes back, as e <= L. The soma's length is its resting length
plus E.
"""

import math
from dataclasses import dataclass

import numpy as np

from somaseg.simulation.motion.headings import HeadingChain, unit_vectors, wrap_deg
from somaseg.simulation.motion.parameters import MotionParameters, cell_factor
from somaseg.simulation.motion.streams import cell_stream

STATES = ("pause", "swelling", "jump", "rear_follows", "arrested", "exploring", "walking")

_BLOCK = 32  # saltations drawn at a time
# So many cycles before time 0 the cell starts, at a random point of one more: by time 0 it has forgotten that.
_BURN_IN_CYCLES = 10
_NEVER = 1e12


@dataclass(frozen=True, eq=False)
class SaltatoryPath:
    """The saltations of one cell; every array is (K,), times in min from the movie's time 0, K - 1 of them real.

    Entry 0 is no saltation: it holds the heading that the cell has before its first one, at a time long before 0.
    The last one starts after the time that was asked for.
    """

    start_min: np.ndarray
    jump_min: np.ndarray
    rear_min: np.ndarray
    length_um: np.ndarray
    heading_deg: np.ndarray
    reversal: np.ndarray
    peak_stretch: np.ndarray
    extension_um: np.ndarray
    swelling_lead_min: np.ndarray
    swelling_ahead_um: np.ndarray
    soma_length_um: float

    @property
    def end_min(self) -> np.ndarray:
        """When the rear has arrived and the centre stands still."""
        return self.start_min + self.jump_min + self.rear_min

    def rests_min(self, until_min: float) -> np.ndarray:
        """(n, 2) begin and end of each time without migration, clipped to 0..until_min."""
        rests = np.stack([self.end_min[:-1], self.start_min[1:]], axis=1).clip(0.0, until_min)
        return rests[rests[:, 1] > rests[:, 0]]

    def table(self, from_min: float, to_min: float) -> dict[str, np.ndarray]:
        """Columns of one row per saltation that is under way at some time between the two."""
        duration = self.jump_min + self.rear_min
        columns = {
            "start_min": self.start_min,
            "duration_min": duration,
            "length_um": self.length_um,
            "speed_um_per_h": 60.0 * self.length_um / duration,
            "heading_deg": self.heading_deg,
            "jump_min": self.jump_min,
            "jump_speed_um_per_h": 60.0 * self.length_um / self.jump_min,
            "rear_min": self.rear_min,
            "pause_before_min": self.start_min - np.concatenate([[np.nan], self.end_min[:-1]]),
            "swelling_min": self.swelling_lead_min,
            "peak_stretch": self.peak_stretch,
            "reversal": self.reversal,
        }
        under_way = (self.start_min <= to_min) & (self.end_min > from_min)
        under_way[0] = False
        return {name: column[under_way] for name, column in columns.items()}

    def at(self, times_min: np.ndarray) -> dict[str, np.ndarray]:
        """The cell at each time: "centre_um" (T, 2) relative to where it was at time 0, and (T,) arrays "path_um" since
        time 0, "heading_deg", "stretch", "swelling", "swelling_ahead_um" and "state" (index into `STATES`).
        """
        times = np.asarray(times_min, float)
        centre, path = self._centre(times)
        origin, before = self._centre(np.zeros(1))
        last = self._last_started(times)
        since = times - self.start_min[last]
        end = self.end_min[last] - self.start_min[last]

        following = last + 1
        to_next = self.start_min[following] - times
        lead = self.swelling_lead_min[following]
        resting = since >= end
        growing = resting & (to_next < lead)
        # The front moves over the swelling and takes it in before it stops.
        front = self.length_um[last] * _smooth(since / self.jump_min[last])
        moving_ahead = self.swelling_ahead_um[last]
        taken_in_um = np.minimum(moving_ahead + self.soma_length_um / 4, 0.9 * self.length_um[last])
        absorbed = _smooth(front / np.maximum(taken_in_um, 1e-9))
        swelling = np.where(growing, _smooth(1.0 - to_next / np.maximum(lead, 1e-9)), 0.0)
        swelling = np.where(~resting & (self.swelling_lead_min[last] > 0), 1.0 - absorbed, swelling)
        ahead = np.where(growing, self.swelling_ahead_um[following], np.maximum(moving_ahead - front, 0.0))

        state = np.full(len(times), STATES.index("pause"), np.uint8)
        state[growing] = STATES.index("swelling")
        state[~resting] = STATES.index("rear_follows")
        state[since < self.jump_min[last]] = STATES.index("jump")
        return {
            "centre_um": centre - origin,
            "path_um": path - before,
            "heading_deg": self._heading(times, last),
            "stretch": 1.0 + self._extension(since, last) / self.soma_length_um,
            "swelling": swelling,
            "swelling_ahead_um": np.where(swelling > 0, ahead, 0.0),
            "state": state,
        }

    def _last_started(self, times):
        return np.searchsorted(self.start_min, times, side="right") - 1

    def _centre(self, times):
        """Displacement (T, 2) and path (T,) since before the first saltation."""
        vectors = unit_vectors(self.heading_deg)
        last = self._last_started(times)
        since = times - self.start_min[last]
        done = self.length_um[last] * _smooth(since / self.jump_min[last]) - self._extension(since, last) / 2.0
        jumps = self.length_um[:, None] * vectors
        earlier = np.concatenate([np.zeros((1, 2)), np.cumsum(jumps, axis=0)[:-1]])
        lengths = np.concatenate([[0.0], np.cumsum(self.length_um)[:-1]])
        return earlier[last] + done[:, None] * vectors[last], lengths[last] + done

    def _extension(self, since, which):
        jump, rear = self.jump_min[which], self.rear_min[which]
        closing = _smooth((since - jump / 2.0) / (jump / 2.0 + rear))
        return self.extension_um[which] * _smooth(since / jump) * (1.0 - closing)

    def _heading(self, times, last):
        """The heading of the last saltation, turning to the next before its swelling; a reversal comes at once."""
        following = last + 1
        begin, end = self.end_min[last], self.start_min[following] - self.swelling_lead_min[following]
        turn = wrap_deg(self.heading_deg[following] - self.heading_deg[last])
        share = _smooth((times - begin) / np.maximum(end - begin, 1e-9))
        share = np.where(self.reversal[following], (times >= end).astype(float), share)
        return wrap_deg(self.heading_deg[last] + share * turn)


def draw_saltatory_path(
    parameters: MotionParameters, *, seed: int, cell: int, until_min: float, factors_at=(0.5, 0.5, 0.5)
) -> SaltatoryPath:
    """Draw the saltations of a simulated cell from long before time 0 until after `until_min`.

    Pauses are `refractory_min` plus a gamma-distributed time whose mean is what the asked rate leaves of the cycle:
    at rest and moving alike, the mean of pause + jump + rear delay is 1 / rate. `factors_at` are the uniform
    numbers in 0..1 that set the cell's own rate, mean length and mean speed.

    >>> path = draw_saltatory_path(MotionParameters(), seed=1, cell=0, until_min=600)
    >>> path.at([0.0])["centre_um"].tolist()
    [[0.0, 0.0]]
    """
    p = parameters
    cvs = (p.rate_cell_cv, p.length_cell_cv, p.speed_cell_cv)
    rate_factor, length_factor, speed_factor = cell_factor(factors_at, cvs)
    streams = {
        name: cell_stream(seed, cell, name)
        for name in ("pauses", "lengths", "speeds", "stretches", "rears", "swellings", "headings")
    }
    chain = HeadingChain(p, streams["headings"])
    rate_per_min = p.saltation_rate_per_h * rate_factor / 60.0
    cycle_min = 1.0 / rate_per_min if rate_per_min else math.inf
    mean_wait = cycle_min - p.refractory_min - p.mean_saltation_min(length_factor, speed_factor)
    clock = -(_BURN_IN_CYCLES + streams["pauses"].random()) * cycle_min if rate_per_min else -1.0

    blocks = [_before_the_first(clock, chain.start_deg)]
    while blocks[-1]["start_min"][-1] <= until_min:
        block = _draw_block(p, streams, chain, length_factor, speed_factor)
        waits = streams["pauses"].standard_gamma(p.pause_shape, _BLOCK) / p.pause_shape
        pauses = p.refractory_min + mean_wait * waits if rate_per_min else np.full(_BLOCK, _NEVER)
        block["start_min"] = clock + np.cumsum(pauses) + np.cumsum(block["jump_min"] + block["rear_min"])
        block["start_min"] -= block["jump_min"] + block["rear_min"]
        clock = float(block["start_min"][-1] + block["jump_min"][-1] + block["rear_min"][-1])
        block["swelling_lead_min"] = np.minimum(block["swelling_lead_min"], pauses)
        blocks.append(block)
    arrays = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    needed = int(np.searchsorted(arrays["start_min"], until_min, side="right")) + 1
    return SaltatoryPath(**{name: array[:needed] for name, array in arrays.items()}, soma_length_um=p.soma_length_um)


def _before_the_first(clock_min, heading_deg):
    entry = dict.fromkeys(
        ("length_um", "extension_um", "rear_min", "swelling_lead_min", "swelling_ahead_um"), np.zeros(1)
    )
    entry |= {"start_min": np.array([clock_min]), "heading_deg": np.array([heading_deg])}
    # A jump time above zero keeps the formulas finite; nothing moves in it.
    return entry | {"jump_min": np.full(1, 1e-9), "peak_stretch": np.ones(1), "reversal": np.zeros(1, bool)}


def _draw_block(p, streams, chain, length_factor, speed_factor):
    spread = math.sqrt(math.log1p(p.jump_length_cv**2))
    lengths = np.exp(spread * streams["lengths"].standard_normal(_BLOCK) - spread**2 / 2.0)
    lengths *= p.jump_length_um * length_factor
    speeds = _between(p.jump_speed_um_per_h, streams["speeds"].random(_BLOCK)) * speed_factor
    jump = 60.0 * lengths / speeds
    stretch = _between(p.stretch, streams["stretches"].random(_BLOCK))
    rear = _between(p.rear_delay_min, streams["rears"].random(_BLOCK)) * p.has_rear_delay
    # The formula's peak is below e, the more so the sooner the rear follows.
    share = _peak_of_extension(rear / jump)
    extension = np.minimum((stretch - 1.0) * p.soma_length_um / share, lengths)
    headings, reversals = chain.draw(_BLOCK)
    lead, ahead = streams["swellings"].random((_BLOCK, 2)).T
    return {
        "jump_min": jump,
        "rear_min": rear,
        "length_um": lengths,
        "heading_deg": headings,
        "reversal": reversals,
        "peak_stretch": 1.0 + extension * share / p.soma_length_um,
        "extension_um": extension,
        "swelling_lead_min": _between(p.swelling_lead_min, lead),
        "swelling_ahead_um": _between(p.swelling_ahead_um, ahead),
    }


def _peak_of_extension(rear_per_jump):
    """The largest E / e of the module's formula; it lies in the second half of the jump."""
    u = np.linspace(0.5, 1.0, 65)
    return np.max(_smooth(u) * (1.0 - _smooth((u - 0.5) / (0.5 + rear_per_jump[:, None]))), axis=1)


def _between(limits, uniform):
    return limits[0] + (limits[1] - limits[0]) * uniform


def _smooth(u):
    u = np.clip(u, 0.0, 1.0)
    return u * u * (3.0 - 2.0 * u)


NO_SALTATIONS = SaltatoryPath(**_before_the_first(0.0, 0.0), soma_length_um=1.0).table(0.0, 0.0)
