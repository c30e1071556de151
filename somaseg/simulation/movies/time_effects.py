"""What happens to a simulated movie as a whole while it is filmed: drift, bleaching, and frames that went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from somaseg.simulation.movies.parameters import MovieParameters
    from somaseg.simulation.movies.random_streams import RandomStreams


def draw_drift_px(parameters: MovieParameters, streams: RandomStreams) -> np.ndarray:
    """Where the tissue lies in each frame relative to frame 0, float (T, 2), (y, x) in px.

    The sum of a random walk (each frame's step has a root mean square length of `drift_um_per_frame`), a creep at
    constant speed in one direction, and at most one jump of the stage, at a time and in a direction drawn at random.
    """
    p = parameters
    times_h = p.times_min / 60.0
    steps = streams("drift").standard_normal((p.frame_count, 2)) * p.drift_um_per_frame / np.sqrt(2.0)
    steps[0] = 0.0
    drift_um = np.cumsum(steps, axis=0)

    rng = streams("creep")
    drift_um += rng.uniform(*p.creep_um_per_h) * times_h[:, None] * _direction(rng)

    rng = streams("stage_jump")
    jumps, length_um, share = rng.random() < p.stage_jump_probability, rng.uniform(*p.stage_jump_um), rng.random()
    # In physical time, so that it comes at the same time however often the movie is filmed, and never before frame 1.
    after = p.times_min > share * p.times_min[-1]
    if jumps:
        drift_um[after] += length_um * _direction(rng)
    drift_um[0] = 0.0
    return drift_um / p.um_per_px


def glowing_share(parameters: MovieParameters) -> np.ndarray:
    """Share of the label that is not bleached yet in each frame, (T,): exp(-t / tau), 1 without bleaching."""
    p = parameters
    if not p.bleaching_tau_h:
        return np.ones(p.frame_count)
    return np.exp(-p.times_min / (60.0 * p.bleaching_tau_h))


def draw_faulty_frames(parameters: MovieParameters, streams: RandomStreams) -> tuple[frozenset, frozenset]:
    """(missing frames, blurred frames): disjoint sets of frame numbers, never frame 0.

    A movie too short for all of them loses blurred frames first.
    """
    p = parameters
    candidates = np.arange(1, p.frame_count)
    missing = streams("missing_frames").permutation(candidates)[: p.missing_frames]
    blurred = streams("blurred_frames").permutation(candidates)
    blurred = [frame for frame in blurred.tolist() if frame not in set(missing.tolist())][: p.blurred_frames]
    return frozenset(missing.tolist()), frozenset(blurred)


def _direction(rng):
    angle = rng.uniform(0.0, 2.0 * np.pi)
    return np.array([-np.sin(angle), np.cos(angle)])
