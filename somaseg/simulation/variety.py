"""Simulated recordings that differ as those of many labs do: every imaging condition is drawn anew, to train on; and
stills of conditions that no training draws, to test on.

A network that has seen only one microscope learns that microscope. The ranges here are wider than those of the presets
(`somaseg.simulation.movie_presets`), and no preset is among them but by chance. Swellings in the leading process, which
look most like a second soma, last longer here than in cells, so that every image shows some.
"""

from dataclasses import replace

import numpy as np

from somaseg.simulation.motion import MotionParameters
from somaseg.simulation.movies import MovieParameters
from somaseg.simulation.pictures.looks import draw_parameters


def draw_movie_parameters(rng, *, height_px=512, width_px=512, frames=2, hours_between_frames=2.0):
    """`MovieParameters` of a short movie by another lab, whose frames lie far apart.

    Args:
        rng: `numpy.random.Generator`.
        height_px, width_px: int.
        frames: int >= 1.
        hours_between_frames: float, long enough that a cell is seen at another place and moment of its cycle.
    """

    def log_uniform(low, high):
        return float(np.exp(rng.uniform(np.log(low), np.log(high))))

    motion = replace(
        MotionParameters(),
        density_per_field=log_uniform(4.0, 70.0),
        touching_fraction=float(rng.uniform(0.05, 0.45)),
        excursion_fraction=float(rng.uniform(0.0, 0.25)),
        depth_sd_um=float(rng.uniform(2.0, 9.0)),
        spacing_um=float(rng.uniform(9.0, 13.0)),
        arrested_fraction=float(rng.uniform(0.0, 0.4)),
        saltation_rate_per_h=float(rng.uniform(0.4, 0.9)),
        swelling_lead_min=(10.0, float(rng.uniform(20.0, 90.0))),
        swelling_ahead_um=(1.0, 8.0),
    )
    photons = log_uniform(22.0, 500.0)
    return replace(
        MovieParameters(),
        motion=motion,
        height_px=height_px,
        width_px=width_px,
        minutes_per_frame=60.0 * hours_between_frames,
        duration_h=hours_between_frames * frames,
        um_per_px=log_uniform(0.5, 0.85),
        brightness_cv=float(rng.uniform(0.2, 0.9)),
        soma_irregularity=float(rng.uniform(0.02, 0.12)),
        soma_size_cv=float(rng.uniform(0.05, 0.25)),
        process_brightness=(float(rng.uniform(0.1, 0.25)), float(rng.uniform(0.35, 0.8))),
        swelling_width_um=(4.0, float(rng.uniform(6.0, 9.0))),
        process_width_um=(float(rng.uniform(0.7, 1.1)), float(rng.uniform(1.3, 2.2))),
        neurites_per_field=log_uniform(1.0, 30.0),
        debris_per_field=log_uniform(2.0, 30.0),
        distant_cells_per_field=log_uniform(2.0, 40.0),
        haze_fraction=float(rng.uniform(0.03, 0.5)),
        texture_fraction=float(rng.uniform(0.0, 0.06)),
        glow_fraction=float(rng.uniform(0.03, 0.3)),
        psf_sigma_um=float(rng.uniform(0.25, 0.7)),
        vignetting_fraction=float(rng.uniform(0.0, 0.4)),
        photons_at_soma_peak=photons,
        background_photons=log_uniform(2.0, 40.0),
        read_noise_sd=float(rng.uniform(1.0, 5.0)),
        white_at_soma_peaks=log_uniform(1.2, 5.0),
        bleaching_tau_h=float(rng.uniform(10.0, 60.0)),
        bit_depth=int(rng.choice([8, 12, 16])),
        **_tissue(rng),
    )


def draw_still_parameters(look, *, rng):
    """`StillParameters` of a still of one look by another lab: as `draw_parameters`, which the stills of
    `neuron_soma/simulated` are drawn by, and besides of another tissue, display and compression.

    Args:
        look: str, one of `somaseg.simulation.LOOKS`.
        rng: `numpy.random.Generator`.
    """
    drawn = draw_parameters(look, rng=rng)
    return replace(
        drawn,
        gamma=float(rng.uniform(0.7, 1.4)),
        bleed_fraction=float(rng.choice((0.0, rng.uniform(0.0, 0.11)))),
        jpeg_quality=int(rng.choice((0, 0, rng.integers(70, 96)))) if drawn.bit_depth == 8 else 0,
        **_tissue(rng),
    )


def _tissue(rng):
    """What processes, the inside of somas, grain and blur look like: what stills and movies have in common."""
    return {
        "soma_texture": float(rng.uniform(0.05, 0.3)),
        "taper_um": float(rng.uniform(1.5, 6.0)),
        "leading_length_um": (float(rng.uniform(10.0, 40.0)), float(rng.uniform(60.0, 120.0))),
        "process_turn_deg": float(rng.uniform(4.0, 14.0)),
        "beading": float(rng.uniform(0.05, 0.28)),
        "fork_probability": float(rng.uniform(0.1, 0.48)),
        "glow_sigma_um": float(rng.uniform(3.0, 8.5)),
        "texture_sigma_um": float(rng.uniform(0.7, 2.3)),
        "defocus_per_um": float(rng.uniform(0.05, 0.14)),
    }


def draw_unseen_parameters(rng):
    """`StillParameters` of a green still by a lab unlike those that are trained on.

    A wider microscope with a broad foot of light, crooked and beaded processes, a grainy tissue, a display with another
    gamma, colours that bleed, and the JPEG compression of a picture in a paper: each value is beyond those that
    `draw_movie_parameters` and `draw_still_parameters` give, the rest is drawn by `draw_parameters`.

    Args:
        rng: `numpy.random.Generator`.
    """
    return replace(
        draw_parameters("green_on_black", rng=rng),
        psf_sigma_um=float(rng.uniform(0.75, 1.1)),
        defocus_per_um=float(rng.uniform(0.15, 0.25)),
        glow_sigma_um=float(rng.uniform(9.0, 14.0)),
        texture_sigma_um=float(rng.uniform(2.5, 4.0)),
        process_turn_deg=float(rng.uniform(15.0, 25.0)),
        beading=float(rng.uniform(0.3, 0.45)),
        fork_probability=float(rng.uniform(0.5, 0.9)),
        gamma=float(rng.choice((0.6, 1.5))),
        bleed_fraction=float(rng.uniform(0.12, 0.25)),
        jpeg_quality=int(rng.integers(35, 66)),
    )
