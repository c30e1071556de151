"""Simulated movies by name: what a good recording looks like, and one that differs from it in one respect each."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from somaseg.simulation.motion import MotionParameters, timothy_like
from somaseg.simulation.movies import MovieParameters

_TYPICAL = MovieParameters()
_MOTION = MotionParameters()


def _typical(*, motion=None, **changes):
    return replace(_TYPICAL, motion=replace(_MOTION, **(motion or {})), **changes)


_PRESETS = {
    # Few bright cells that stay in focus, hardly any drift.
    "easy": _typical(
        motion={"density_per_field": 10.0, "touching_fraction": 0.0, "excursion_fraction": 0.0, "depth_sd_um": 2.0},
        photons_at_soma_peak=300.0,
        background_photons=5.0,
        read_noise_sd=2.0,
        brightness_cv=0.3,
        haze_fraction=0.05,
        texture_fraction=0.01,
        neurites_per_field=1.0,
        debris_per_field=3.0,
        distant_cells_per_field=3.0,
        bleaching_tau_h=60.0,
        drift_um_per_frame=0.1,
        creep_um_per_h=(0.0, 0.0),
        stage_jump_probability=0.0,
    ),
    "typical": _TYPICAL,
    "dense": _typical(
        motion={"density_per_field": 60.0, "touching_fraction": 0.4, "spacing_um": 11.0},
        haze_fraction=0.4,
        glow_fraction=0.2,
        neurites_per_field=15.0,
        debris_per_field=20.0,
        distant_cells_per_field=30.0,
        white_at_soma_peaks=3.0,
    ),
    "dim": _typical(
        photons_at_soma_peak=30.0,
        background_photons=10.0,
        read_noise_sd=4.0,
        haze_fraction=0.3,
        bleaching_tau_h=15.0,
        bit_depth=8,
        white_at_soma_peaks=4.0,
        missing_frames=1,
        blurred_frames=1,
    ),
    # The motion of `typical` of the same seed, filmed more and less often.
    "fast_sampling": _typical(minutes_per_frame=5.0),
    "slow_sampling": _typical(minutes_per_frame=20.0),
    # A pair: the same seed gives the same tissue and looks, and only the motion differs.
    "ts_like": replace(_TYPICAL, motion=timothy_like(_MOTION)),
    "control": _TYPICAL,
    # No saltations and no common direction: what a saltation detector must not find any in.
    "random_walk": _typical(
        motion={
            "random_walk_fraction": 1.0,
            "arrested_fraction": 0.0,
            "exploring_fraction": 0.0,
            "heading_concentration": 0.0,
            "reversal_probability": 0.0,
        }
    ),
    "arrested": _typical(motion={"arrested_fraction": 1.0, "exploring_fraction": 0.0}),
    # No cell, near or far: noise, haze and background.
    "blank": _typical(
        motion={"density_per_field": 0.0}, neurites_per_field=0.0, debris_per_field=0.0, distant_cells_per_field=0.0
    ),
}

PRESETS: Mapping[str, MovieParameters] = MappingProxyType(_PRESETS)


def preset(name: str) -> MovieParameters:
    """The parameters of a preset by name.

    Raises:
        ValueError: there is no preset of this name.

    >>> preset("fast_sampling").minutes_per_frame
    5.0
    """
    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, got {name!r}.")
    return PRESETS[name]
