"""The looks that simulated stills come in, and random parameter sets that vary within a look."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from somaseg.simulation.pictures.contrast import CONTRASTS
from somaseg.simulation.pictures.parameters import StillParameters

LOOKS: Mapping[str, StillParameters] = MappingProxyType(
    {
        parameters.look: parameters
        for parameters in (
            StillParameters(),
            StillParameters(look="green_with_red_marker", marker_fraction=0.35, marker_count=60.0),
            StillParameters(
                look="gray_fluorescence",
                haze_fraction=0.2,
                black_at_background=0.3,
                white_at_soma_peaks=1.8,
                neurite_count=3.0,
            ),
            StillParameters(look="red_false_colour", haze_fraction=0.2, white_at_soma_peaks=0.9),
            StillParameters(look="magenta_false_colour", photons_at_soma_peak=80.0),
            StillParameters(
                look="dim_noisy",
                photons_at_soma_peak=25.0,
                background_photons=8.0,
                read_noise_sd=4.0,
                white_at_soma_peaks=2.2,
                black_at_background=0.5,
            ),
            StillParameters(
                look="dense_hazy",
                cell_count=28.0,
                touching_fraction=0.4,
                haze_fraction=0.4,
                glow_fraction=0.3,
                out_of_focus_fraction=0.4,
                depth_sd_um=8.0,
                neurite_count=14.0,
                texture_fraction=0.06,
                white_at_soma_peaks=1.4,
            ),
            StillParameters(look="inverted_gray", white_at_soma_peaks=1.3, background_photons=15.0),
            StillParameters(
                look="brightfield",
                photons_at_soma_peak=400.0,
                background_photons=2.0,
                white_at_soma_peaks=1.0,
                haze_fraction=0.15,
                texture_fraction=0.06,
                brightness_cv=0.35,
                hot_pixel_count=0.0,
            ),
            StillParameters(
                look="histology_purple",
                photons_at_soma_peak=1500.0,
                background_photons=2.0,
                white_at_soma_peaks=1.0,
                cell_count=14.0,
                haze_fraction=0.25,
                texture_fraction=0.09,
                glow_fraction=0.0,
                leading_probability=0.35,
                trailing_probability=0.2,
                leading_length_um=(8.0, 35.0),
                brightness_cv=0.3,
                depth_sd_um=2.0,
                out_of_focus_fraction=0.05,
                neurite_count=0.5,
                neurite_brightness=(0.05, 0.15),
                touching_fraction=0.15,
                hot_pixel_count=0.0,
                soma_irregularity=0.09,
            ),
            StillParameters(
                look="histology_brown",
                photons_at_soma_peak=1500.0,
                background_photons=2.0,
                white_at_soma_peaks=1.0,
                haze_fraction=0.12,
                texture_fraction=0.05,
                glow_fraction=0.0,
                brightness_cv=0.35,
                depth_sd_um=3.0,
                marker_fraction=0.35,
                marker_count=70.0,
                hot_pixel_count=0.0,
            ),
            StillParameters(
                look="phase_contrast",
                photons_at_soma_peak=500.0,
                background_photons=2.0,
                white_at_soma_peaks=1.0,
                haze_fraction=0.1,
                texture_fraction=0.08,
                glow_fraction=0.0,
                brightness_cv=0.3,
                depth_sd_um=2.0,
                out_of_focus_fraction=0.05,
                process_brightness=(0.15, 0.35),
                neurite_brightness=(0.06, 0.2),
                hot_pixel_count=0.0,
            ),
        )
    }
)


def draw_parameters(look: str, *, rng: np.random.Generator) -> StillParameters:
    """A random plausible parameter set of one look, as experiments differ from one another.

    Pixel size, density, soma size, optics, light, noise and display vary about the look's own
    values; the size in pixels and the bit depth stay those of the look.

    Raises:
        ValueError: the look is not one of `LOOKS`.

    >>> draw_parameters("phase_contrast", rng=np.random.default_rng(0)).look
    'phase_contrast'
    """
    if look not in LOOKS:
        raise ValueError(f"look must be one of {', '.join(LOOKS)}, got {look!r}.")
    base = LOOKS[look]
    um_per_px = float(np.clip(base.um_per_px * _factor(1.25, rng), 0.45, 0.95))
    # The same tissue at another magnification: fewer cells in a smaller field.
    density = (um_per_px / base.um_per_px) ** 2
    haze_fraction = min(base.haze_fraction * _factor(1.8, rng), 0.7)
    # With fewer photons, or over more background, nobody would have kept the picture.
    photons = max(base.photons_at_soma_peak * _factor(1.8, rng), 14.0)
    background = min(base.background_photons * _factor(1.6, rng), 0.5 * photons)
    return replace(
        base,
        um_per_px=um_per_px,
        cell_count=float(np.clip(base.cell_count * density * _factor(1.7, rng), 4.0, 60.0)),
        touching_fraction=float(np.clip(base.touching_fraction * _factor(1.6, rng), 0.0, 0.6)),
        soma_length_um=base.soma_length_um * _factor(1.12, rng),
        soma_width_um=base.soma_width_um * _factor(1.12, rng),
        soma_irregularity=base.soma_irregularity * _factor(1.4, rng),
        soma_texture=base.soma_texture * _factor(1.5, rng),
        brightness_cv=base.brightness_cv * _factor(1.3, rng),
        taper_um=base.taper_um * _factor(1.25, rng),
        heading_spread_deg=float(rng.uniform(25.0, 120.0)),
        neurite_count=base.neurite_count * density * _factor(2.0, rng),
        debris_count=base.debris_count * density * _factor(2.2, rng),
        hot_pixel_count=base.hot_pixel_count * _factor(2.0, rng),
        psf_sigma_um=base.psf_sigma_um * _factor(1.4, rng),
        depth_sd_um=base.depth_sd_um * _factor(1.4, rng),
        glow_fraction=min(base.glow_fraction * _factor(1.5, rng), 0.5),
        haze_fraction=haze_fraction,
        haze_sigma_um=float(rng.uniform(40.0, 80.0)),
        texture_fraction=base.texture_fraction * _factor(1.6, rng),
        vignetting_fraction=float(rng.uniform(0.0, 0.25)),
        marker_fraction=_marker_fraction(base, rng),
        marker_count=base.marker_count * density * _factor(1.5, rng),
        photons_at_soma_peak=photons,
        background_photons=background,
        read_noise_sd=base.read_noise_sd * _factor(1.4, rng),
        # Whoever sets the display keeps the ground well below white.
        white_at_soma_peaks=max(_white_level(base, rng), haze_fraction + background / photons + 0.6),
        gamma=float(rng.choice((1.0, 1.0, 1.0, 0.75, 1.25))),
        bleed_fraction=float(rng.choice((0.0, 0.0, 0.02, 0.08))),
        jpeg_quality=int(rng.choice((0, 0, 0, 75, 90))) if base.bit_depth == 8 else 0,
    )


def _factor(spread, rng):
    """A random factor about 1: within a factor `spread` in two cases of three, never past two."""
    return float(spread ** np.clip(rng.standard_normal(), -2.0, 2.0))


def _marker_fraction(base, rng):
    """Another marker, dimly, in a third of the pure green stills as well."""
    if base.look == "green_on_black" and rng.random() < 1 / 3:
        return float(rng.uniform(0.08, 0.35))
    return base.marker_fraction * _factor(1.4, rng)


def _white_level(base, rng):
    """The contrast setting: freely chosen in fluorescence, near the ground's in transmission."""
    spread = 1.4 if CONTRASTS[base.look].mode == "emission" else 1.08
    return base.white_at_soma_peaks * _factor(spread, rng)
