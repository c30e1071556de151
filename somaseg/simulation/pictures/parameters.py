"""What a simulated still is made of: named numbers, each with its unit and its limits."""

from collections.abc import Mapping
from dataclasses import dataclass

from somaseg.simulation.limits import (
    check_limits,
    choice,
    integer,
    number,
    number_or_pair,
    pair,
    refuse_unknown,
    switch,
)
from somaseg.simulation.pictures.contrast import CONTRASTS


@dataclass(frozen=True)
class StillParameters:
    """Every element of a simulated still; 0 switches one off and leaves the rest alone.

    Lengths are in micrometres, brightness is relative to the typical soma peak, and a pair
    `(low, high)` is a uniform range drawn anew for each cell. Ranges in brackets are those seen in
    confocal and epifluorescence recordings of GFP-labelled interneurons; "chosen" marks a number
    with no measurement behind it.

    Field of view
        height_px, width_px: 256, as the crops of the SomaNet paper; 16 or more.
        um_per_px: 0.65 (0.3-1.3).
    Cells
        cell_count: Poisson mean of the cells centred in the image or just outside it (a field
            300 um wide holds 5-80), or a pair `(low, high)` for a uniform whole number, both ends
            included.
        touching_fraction: share of the cells placed against an earlier one, so that the two somas
            touch or overlap; with 0, no two somas of the focal slab touch. A cell that finds no
            room is left out.
        heading_spread_deg: sd of the heading about an axis drawn for each image; 180 is no axis.
    Soma
        soma_length_um, soma_width_um: mean axes, 12 x 8 (8-15 long).
        soma_size_cv: relative sd of both axes, 0.1 (to +-20 %).
        stretched_fraction: share of the somas 1.2-1.5 times as long, as before a jump.
        soma_irregularity: relative depth of the dents in the outline (chosen); 0 is an ellipse.
        soma_texture: relative sd of the brightness inside a soma (chosen).
        brightness_cv: coefficient of variation of the lognormal soma peak, 0.6.
    Processes, which are never part of the truth
        leading_probability, trailing_probability: share of the cells that have one (chosen).
        leading_length_um (30-100), trailing_length_um (10-30), process_width_um (1-1.5).
        process_brightness: 0.2-0.5 of the soma's own peak.
        fork_probability: share of the leading processes forked near the tip, 0.3.
        swelling_probability, swelling_width_um: a swelling 2-8 um ahead of the soma.
        taper_um: length over which the soma's end narrows into the process (chosen).
        process_turn_deg: sd of the bend over 10 um of process (chosen).
        beading: relative sd of width and brightness along a process (chosen).
        neurite_count: Poisson mean of the processes in view whose soma is not (chosen).
        neurite_brightness: their brightness in typical soma peaks.
    Debris
        debris_count: Poisson mean of specks and of clusters of fragments (chosen).
        debris_um: diameter of one speck, always below a soma's.
        debris_brightness: in typical soma peaks.
        hot_pixel_count: Poisson mean of single bright pixels.
    Optics
        psf_sigma_um: 0.35. defocus_per_um: growth of sigma with the distance from focus, 0.1.
        depth_sd_um: sd of the depth of the cells in the focal slab (chosen).
        out_of_focus_fraction, out_of_focus_um: share and distance of the cells far from focus.
        glow_fraction, glow_sigma_um: share of the light in the wide foot of the PSF (chosen).
        haze_fraction, haze_sigma_um: peak of the smooth light of the tissue, in typical soma peaks
            (0.05-0.4), and its length scale (40-80).
        texture_fraction, texture_sigma_um: fine grain of the tissue light (chosen).
        vignetting_fraction: loss of light at the corners.
    Second marker (another stain in another colour: nuclei of the tissue)
        marker_fraction: peak in typical soma peaks, 0 for none. marker_count: Poisson mean.
    Camera
        photons_at_soma_peak: 30-300; in transmitted light, the photons of the empty ground.
        background_photons: 5-30. shot_noise: Poisson noise, on or off.
        read_noise_sd: 2-5 electrons.
        black_at_background: share of the background subtracted by the display's black level.
        white_at_soma_peaks: typical soma peaks from black to white; below 1, most saturate.
        gamma: display gamma. bleed_fraction: share of the signal shown in the other colours.
        jpeg_quality: 1-100 for an 8-bit picture taken from a paper, 0 for no compression.
        bit_depth: 8 (uint8), 12 or 16 (uint16). look: the contrast, one of `LOOKS`.
    Visibility: a soma is in the truth when
        at least `visible_share` of its outline is in the image and not covered by a nearer
        labelled soma, and its own light, averaged over the outline, is `visible_sharpness` of
        what it would be in focus, `visible_contrast` times the other light there,
        `visible_level` of the display's white, as far as the display does not clip it, and
        `visible_snr` times the noise of one pixel.

    Raises:
        ValueError: a value outside its limits, named with the value and what was expected.

    >>> StillParameters(cell_count=3, haze_fraction=0.0).haze_fraction
    0.0
    >>> StillParameters(um_per_px=0.0)
    Traceback (most recent call last):
    ...
    ValueError: um_per_px must be a number from 0.05 to 10.0, got 0.0.
    """

    height_px: int = integer(256, 16, 16384)
    width_px: int = integer(256, 16, 16384)
    um_per_px: float = number(0.65, 0.05, 10.0)

    cell_count: float | tuple[int, int] = number_or_pair(8.0, 0, 100_000)
    touching_fraction: float = number(0.2, 0.0, 1.0)
    heading_spread_deg: float = number(60.0, 0.0, 180.0)

    soma_length_um: float = number(12.0, 1.0, 100.0)
    soma_width_um: float = number(8.0, 1.0, 100.0)
    soma_size_cv: float = number(0.1, 0.0, 0.4)
    stretched_fraction: float = number(0.15, 0.0, 1.0)
    soma_irregularity: float = number(0.06, 0.0, 0.2)
    soma_texture: float = number(0.12, 0.0, 0.5)
    brightness_cv: float = number(0.6, 0.0, 2.0)

    leading_probability: float = number(0.95, 0.0, 1.0)
    trailing_probability: float = number(0.7, 0.0, 1.0)
    leading_length_um: tuple[float, float] = pair((30.0, 100.0), 0.0, 1000.0)
    trailing_length_um: tuple[float, float] = pair((10.0, 30.0), 0.0, 1000.0)
    process_width_um: tuple[float, float] = pair((1.0, 1.5), 0.1, 10.0)
    process_brightness: tuple[float, float] = pair((0.2, 0.5), 0.0, 1.0)
    fork_probability: float = number(0.3, 0.0, 1.0)
    swelling_probability: float = number(0.2, 0.0, 1.0)
    swelling_width_um: tuple[float, float] = pair((3.5, 6.0), 0.1, 20.0)
    taper_um: float = number(3.0, 0.1, 50.0)
    process_turn_deg: float = number(9.0, 0.0, 180.0)
    beading: float = number(0.2, 0.0, 0.5)
    neurite_count: float = number(4.0, 0.0, 10_000.0)
    neurite_brightness: tuple[float, float] = pair((0.08, 0.4), 0.0, 10.0)

    debris_count: float = number(6.0, 0.0, 10_000.0)
    debris_um: tuple[float, float] = pair((0.8, 3.0), 0.1, 5.0)
    debris_brightness: tuple[float, float] = pair((0.15, 1.0), 0.0, 10.0)
    hot_pixel_count: float = number(1.0, 0.0, 100_000.0)

    psf_sigma_um: float = number(0.35, 0.0, 10.0)
    defocus_per_um: float = number(0.1, 0.0, 2.0)
    depth_sd_um: float = number(4.0, 0.0, 200.0)
    out_of_focus_fraction: float = number(0.15, 0.0, 1.0)
    out_of_focus_um: tuple[float, float] = pair((25.0, 70.0), 0.0, 500.0)
    glow_fraction: float = number(0.12, 0.0, 0.9)
    glow_sigma_um: float = number(6.0, 0.1, 100.0)
    haze_fraction: float = number(0.12, 0.0, 5.0)
    haze_sigma_um: float = number(60.0, 1.0, 1000.0)
    texture_fraction: float = number(0.03, 0.0, 2.0)
    texture_sigma_um: float = number(1.5, 0.1, 100.0)
    vignetting_fraction: float = number(0.1, 0.0, 0.9)

    marker_fraction: float = number(0.0, 0.0, 5.0)
    marker_count: float = number(120.0, 0.0, 100_000.0)

    photons_at_soma_peak: float = number(150.0, 1.0, 1e6)
    background_photons: float = number(10.0, 0.0, 1e6)
    shot_noise: bool = switch(True)
    read_noise_sd: float = number(2.5, 0.0, 1e4)
    black_at_background: float = number(0.8, 0.0, 2.0)
    white_at_soma_peaks: float = number(1.1, 0.05, 100.0)
    gamma: float = number(1.0, 0.2, 5.0)
    bleed_fraction: float = number(0.02, 0.0, 0.5)
    jpeg_quality: int = integer(0, 0, 100)
    bit_depth: int = choice(8, (8, 12, 16))
    look: str = choice("green_on_black", tuple(CONTRASTS))

    visible_share: float = number(0.2, 0.01, 1.0)
    visible_sharpness: float = number(0.5, 0.0, 1.0)
    visible_contrast: float = number(0.5, 0.0, 100.0)
    visible_level: float = number(0.12, 0.0, 1.0)
    visible_snr: float = number(0.8, 0.0, 100.0)

    def __post_init__(self):
        check_limits(self)
        if self.jpeg_quality and self.bit_depth != 8:
            raise ValueError(
                f"jpeg_quality must be 0 unless bit_depth is 8, got {self.jpeg_quality} at bit_depth {self.bit_depth}."
            )

    @classmethod
    def from_dict(cls, values: Mapping) -> "StillParameters":
        """Build from a mapping, as `dataclasses.asdict` or JSON gives; refuse an unknown key."""
        refuse_unknown(cls, values, "still parameters")
        return cls(**values)
