"""How exactly a movie places its somas: position noise and what drift was left, from the somas that do not move.

Both are read from the tracks themselves, as moving cells are always mixed in. The steps of resting somas have a known
law (Rayleigh) and movement adds steps of any length to it, so the two are told apart by fitting the mixture. What all
resting somas of a frame do together is not noise but drift that registration left, and is measured apart. Outlines
that fail for a frame make some positions much worse than the others: how many and how much is read from the somas that
stay where they are, since a moving cell does not come back.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from somaseg.migration.displacements import find_displacements

ASSUMED_SIGMA_UM = 0.5
OUTLIER_SHARE = 0.005  # of the steps, which may be anything: a soma taken for another

_FEWEST_STEPS = 30
_FEWEST_STEPS_FOR_TAIL, _TAIL_ROUNDS = 100, 100
_FEWEST_RESTING = 4.0
_LEAST_RESTING_SHARE = 0.3
_ROUNDS = 4
# Of two steps of a resting soma in a row, noise makes the correlation -0.5; slow wobble raises it a little.
_HIGHEST_CORRELATION = -0.15
# Of a cell that stays where it is the mean square distance grows no more after so many steps, and remains below a
# quarter of a soma. Its steps may go on in the same direction: it sways and changes its shape, over an hour or so.
_STAYING_STEPS, _STAYING_RATIO, _STAYING_UM = 4, 1.5, 3.0


@dataclass(frozen=True)
class NoiseTail:
    """The worse steps among those of resting somas.

    Attributes:
        share: of the steps that are worse.
        variance: theirs, by that of the others.

    >>> NoiseTail(0.25, 13.0).whole_sd
    2.0
    """

    share: float = 0.03
    variance: float = 2.5

    @property
    def whole_sd(self) -> float:
        """sd of all steps, by that of those that are not worse."""
        return float(np.sqrt(1.0 + self.share * (self.variance - 1.0)))

    def averaged(self, frames: int) -> "NoiseTail":
        """The tail where positions are means over so many frames, one of which is worse at most."""
        return NoiseTail(1.0 - (1.0 - self.share) ** frames, 1.0 + (self.variance - 1.0) / frames)


USUAL_TAIL = NoiseTail()


@dataclass(frozen=True, eq=False)
class PositionNoise:
    """Position noise of a movie.

    Attributes:
        sigma_um: sd of a soma's measured position along each axis, drift residue apart. It holds all that a resting
            soma seems to move, wobble too, and leaves out the few steps that are much worse.
        n_steps: number of resting steps that it rests upon.
        source: "resting somas"; "somas that stay" where most others wander; or "assumed" where the movie cannot tell,
            then `sigma_um` is `ASSUMED_SIGMA_UM`.
        drift: DataFrame frame, dy_um, dx_um, n_resting: what all somas moved together from `frame` to the next
            one, shrunk towards 0 by as much as it is uncertain; n_resting is 0 where it could not be told.
        drift_um: root mean square of the drift residue along each axis and frame.
        tail: `NoiseTail`, how many steps are worse than `sigma_um` says; the usual one where the movie cannot tell, or
            shows a lighter one.
        warnings: list of str, what to know before trusting the numbers.
    """

    sigma_um: float
    n_steps: int
    source: str
    drift: pd.DataFrame
    drift_um: float
    tail: NoiseTail = USUAL_TAIL
    warnings: list = field(default_factory=list)


def measure_position_noise(tracks: pd.DataFrame) -> PositionNoise:
    """Measure position noise and drift residue of a movie from its resting somas.

    Args:
        tracks: track_id, frame, y_um, x_um; at least 30 steps from one frame to the next, of which a fair share is at
            rest. Where this is not so, the noise is assumed and a warning says so.

    Raises:
        ValueError: a column is missing or holds something else than numbers.

    >>> rng = np.random.default_rng(0)
    >>> tracks = pd.DataFrame({"track_id": np.repeat(np.arange(20), 40), "frame": np.tile(np.arange(40), 20)})
    >>> tracks["y_um"], tracks["x_um"] = rng.normal(0.0, 0.4, (2, 800))
    >>> noise = measure_position_noise(tracks)
    >>> round(noise.sigma_um, 1), noise.source
    (0.4, 'resting somas')
    """
    steps = find_displacements(tracks)
    steps = steps[steps["next_frame"] == steps["frame"] + 1].reset_index(drop=True)
    noise = _measure(steps)
    if noise.source == "assumed" and len(steps):
        # Where many cells wander, those that stay where they are can still tell.
        again = _measure(steps[_of_cells_that_stay(steps)].reset_index(drop=True), staying=True)
        noise = noise if again.source == "assumed" else replace(again, source="somas that stay")
    return noise if noise.source == "assumed" else replace(noise, tail=_fit_tail(steps, noise))


def remove_drift_residue(tracks: pd.DataFrame, drift: pd.DataFrame) -> pd.DataFrame:
    """Tracks less what all somas did together since frame 0.

    The error of the sum grows over a movie: good for movement over a few frames, not for where a cell is.

    Args:
        tracks: frame (whole numbers), y_um, x_um and whatever else, which is kept.
        drift: `PositionNoise.drift`.
    """
    if not len(drift) or not len(tracks):
        return tracks
    until = np.zeros((int(max(drift["frame"].max() + 1, tracks["frame"].max())) + 1, 2))
    until[drift["frame"].to_numpy(int) + 1] = drift[["dy_um", "dx_um"]].to_numpy()
    moved = np.cumsum(until, axis=0)[tracks["frame"].to_numpy(int)]
    return tracks.assign(y_um=tracks["y_um"] - moved[:, 0], x_um=tracks["x_um"] - moved[:, 1])


def _measure(steps, staying=False):
    if len(steps) < _FEWEST_STEPS:
        return _assumed(f"{len(steps)} steps from one frame to the next are too few to measure the position noise")
    vectors = steps[["dy_um", "dx_um"]].to_numpy()
    frames, of_frame = np.unique(steps["frame"].to_numpy(), return_inverse=True)
    drift = np.array([np.median(vectors[of_frame == index], axis=0) for index in range(len(frames))])
    lost = np.ones(len(steps))
    for _ in range(_ROUNDS):
        lengths = np.hypot(*(vectors - drift[of_frame]).T) / np.sqrt(lost)
        scale, resting = _fit_resting_steps(lengths)
        if scale == 0.0:
            break
        drift, n_resting, kept = _common_movement(vectors, of_frame, drift, scale)
        lost = 1.0 - (kept / np.maximum(n_resting, 1.0))[of_frame]
    if scale == 0.0:
        return _assumed("most somas have the very same position in frame after frame: positions seem to be rounded")
    correlation = _correlation_in_a_row(steps, vectors - drift[of_frame], resting)
    if not staying and correlation is not None and correlation > _HIGHEST_CORRELATION:
        return _assumed("no resting somas were found: small steps go on in the same direction")
    # The step before and after a movement holds its slow begin and end: only rest amid rest is noise alone.
    quiet = _amid_rest(steps, resting)
    if quiet.sum() >= _FEWEST_STEPS:
        scale, resting = _fit_resting_steps(lengths[quiet])
    n_steps = int(round(resting.sum()))
    table = pd.DataFrame({"frame": frames, "dy_um": drift[:, 0], "dx_um": drift[:, 1], "n_resting": n_resting})
    return PositionNoise(
        float(scale / np.sqrt(2.0)), n_steps, "resting somas", table, float(np.sqrt(np.mean(drift**2)))
    )


def _assumed(why):
    none = pd.DataFrame({"frame": np.zeros(0, np.int64), "dy_um": 0.0, "dx_um": 0.0, "n_resting": 0.0})
    warning = f"Position noise is assumed to be {ASSUMED_SIGMA_UM} um, not measured: {why}."
    return PositionNoise(ASSUMED_SIGMA_UM, 0, "assumed", none, 0.0, warnings=[warning])


def _fit_tail(steps, noise):
    """Two Rayleigh laws to the steps of the cells that stay, the narrow one known: expectation-maximisation."""
    staying = steps[_of_cells_that_stay(steps)]
    if len(staying) < _FEWEST_STEPS_FOR_TAIL:
        return USUAL_TAIL
    drift = noise.drift.set_index("frame")[["dy_um", "dx_um"]].reindex(staying["frame"], fill_value=0.0).to_numpy()
    lengths = np.hypot(*(staying[["dy_um", "dx_um"]].to_numpy() - drift).T) / (np.sqrt(2.0) * noise.sigma_um)
    usual, outlying = (1.0 - OUTLIER_SHARE) * _rayleigh(lengths, 1.0), OUTLIER_SHARE / max(lengths.max(), 15.0)
    tail = NoiseTail(0.1, 4.0)
    for _ in range(_TAIL_ROUNDS):
        worse = tail.share * _rayleigh(lengths, np.sqrt(tail.variance))
        worse = worse / np.maximum((1.0 - tail.share) * usual + worse + outlying, 1e-300)
        variance = worse @ lengths**2 / (2.0 * max(worse.sum(), 1e-9))
        tail = NoiseTail(float(worse.mean()), max(float(variance), 1.5))
    return max(tail, USUAL_TAIL, key=lambda each: each.whole_sd)


def _fit_resting_steps(lengths):
    """Scale of the Rayleigh law of resting steps, and each step's probability (N,) of being one.

    Mixture of a Rayleigh law and a flat one up to the longest tenth, by the highest likelihood on a grid of scales.
    """
    typical = np.median(lengths)
    if typical == 0.0:
        return 0.0, np.ones(len(lengths))
    reach = max(np.quantile(lengths, 0.9), 4.0 * typical)
    used = lengths[lengths <= reach]
    scale = typical
    for grid in (np.geomspace(0.05, 1.5, 60), np.linspace(0.94, 1.06, 25)):
        scales = scale * grid
        shares, likelihoods = _shares_at_rest(used, scales, reach)
        best = np.argmax(likelihoods)
        scale, share = float(scales[best]), float(shares[best])
    rest, other = share * _rayleigh(lengths, scale), np.where(lengths <= reach, (1 - share) / reach, 1.0)
    return scale, rest / np.maximum(rest + other, 1e-300)


def _shares_at_rest(lengths, scales, reach):
    """(S,) shares of resting steps, by expectation-maximisation, and (S,) log likelihoods, for each scale."""
    at_rest = _rayleigh(lengths, scales[:, None])
    shares = np.full((len(scales), 1), 0.5)
    for _ in range(12):
        of_rest = shares * at_rest
        shares = np.clip(np.mean(of_rest / (of_rest + (1.0 - shares) / reach), axis=1, keepdims=True), 0.01, 0.999)
    return shares[:, 0], np.sum(np.log(shares * at_rest + (1.0 - shares) / reach), axis=1)


def _rayleigh(lengths, scale):
    return lengths / scale**2 * np.exp(-0.5 * (lengths / scale) ** 2)


def _common_movement(vectors, of_frame, start, scale):
    """Per frame (F, 2) what the resting somas did together, how many they were (F,), and how much of it was kept."""
    frames = len(start)
    shift, count = np.zeros((frames, 2)), np.zeros(frames)
    for frame in range(frames):
        own = vectors[of_frame == frame]
        place = _densest(own, start[frame], scale)
        near = np.hypot(*(own - place).T) < 2.5 * scale
        if near.sum() >= max(_FEWEST_RESTING, _LEAST_RESTING_SHARE * len(own)):
            shift[frame], count[frame] = own[near].mean(axis=0), near.sum()
    known = count > 0
    if not known.any():
        return shift, count, count
    uncertain = scale**2 / np.maximum(count, 1.0)
    spread = max(0.0, float(np.mean((0.5 * np.sum(shift**2, axis=1) - uncertain)[known])))
    kept = np.where(known, spread / (spread + uncertain), 0.0)
    return shift * kept[:, None], count, kept


def _densest(points, start, scale):
    """Where the points lie densest, by mean shift from the densest of them and `start`."""
    candidates = np.vstack([points, start])
    closeness = np.exp(-0.5 * np.sum((candidates[:, None] - points[None]) ** 2, axis=2) / scale**2).sum(axis=1)
    place = candidates[np.argmax(closeness)]
    for _ in range(10):
        weights = np.exp(-0.5 * np.sum((points - place) ** 2, axis=1) / scale**2)
        if weights.sum() < 1e-12:
            break
        place = weights @ points / weights.sum()
    return place


def _amid_rest(steps, resting):
    """Which steps rest, as the step before and the one after in the same track do."""
    track, frame = steps["track_id"].to_numpy(), steps["frame"].to_numpy()
    follow = (track[1:] == track[:-1]) & (frame[1:] == frame[:-1] + 1)
    rests = resting > 0.5
    before = np.concatenate([[False], follow & rests[:-1]])
    after = np.concatenate([follow & rests[1:], [False]])
    return rests & before & after


def _of_cells_that_stay(steps):
    """Which steps are of tracks that are after eight steps no further off than after four, and never far."""
    cells = steps["track_id"].to_numpy()
    place = steps.groupby("track_id")[["dy_um", "dx_um"]].cumsum()

    def square_distance(lag):
        later = place.groupby(cells).shift(-lag)
        return pd.Series(np.sum((later - place).to_numpy() ** 2, axis=1)).groupby(cells)

    early, late = square_distance(_STAYING_STEPS), square_distance(2 * _STAYING_STEPS)
    settled = late.mean() < np.minimum(_STAYING_RATIO * early.mean(), _STAYING_UM**2)
    return (settled & (late.count() >= _STAYING_STEPS)).reindex(cells).to_numpy(bool)


def _correlation_in_a_row(steps, vectors, resting):
    """Mean correlation of two resting steps of a cell that follow each other; None if there are too few."""
    track, frame = steps["track_id"].to_numpy(), steps["frame"].to_numpy()
    follow = (track[1:] == track[:-1]) & (frame[1:] == frame[:-1] + 1)
    both = follow & (resting[1:] > 0.5) & (resting[:-1] > 0.5)
    if both.sum() < _FEWEST_STEPS:
        return None
    first, second = vectors[:-1][both], vectors[1:][both]
    return float(np.sum(first * second) / np.sqrt(np.sum(first**2) * np.sum(second**2)))
