"""What a simulated movie is made of: named numbers, each with its unit, its limits and where it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np

from somaseg.simulation.limits import check_limits, choice, integer, number, pair, refuse_unknown, switch
from somaseg.simulation.motion import MotionParameters
from somaseg.simulation.pictures.parameters import StillParameters


@dataclass(frozen=True)
class MovieParameters:
    """Every element of a simulated movie; 0 switches one off and leaves the rest alone.

    Lengths are in micrometres, brightness is relative to the typical soma peak, and a pair `(low, high)` is a uniform
    range drawn anew for each cell, or for each movie where said. Ranges in brackets are those of recordings of
    GFP-labelled interneurons (FIELD notes, section 5); "chosen" marks a number with no measurement behind it.

    Field of view and time
        height_px, width_px: 512. um_per_px: 0.65 (0.3-1.3).
        minutes_per_frame: 15 (5-30). duration_h: 10 (8-24); frames at 0, 15, ... before its end: 40.
    Cells
        motion: where they are, how they move, and the mean axes of their somas at rest: a `MotionParameters`.
    Soma
        soma_size_cv: relative sd of both axes, 0.1 (to +-20 %).
        soma_irregularity: relative depth of the dents in the outline (chosen); 0 is an ellipse.
        shape_period_h: periods in which the dents come and go (chosen).
        soma_texture: relative sd of the brightness inside a soma (chosen).
        brightness_cv: coefficient of variation of the lognormal soma peak, 0.6.
        flicker_cv, flicker_period_h: relative sd and periods of its slow change in time (chosen).
    Processes, which are never part of the truth
        leading_probability, trailing_probability: share of the cells that have one (chosen).
        leading_length_um (30-100), trailing_length_um (10-30), process_width_um (1-1.5).
        process_brightness: 0.2-0.5 of the soma's own peak.
        fork_probability: share of the leading processes forked near the tip, 0.3.
        swelling_width_um: full size of the swelling ahead of the soma, 5-8; the motion says when and where.
        taper_um: length over which the soma's end narrows into the process (chosen).
        process_turn_deg: sd of the bend over 10 um of process (chosen).
        process_sway_deg, process_sway_period_h: sd of the sway at the tip, and its periods (chosen).
        process_growth: relative sd of the length over time (chosen).
        beading: relative sd of width and brightness along a process (chosen).
    Tissue, which drifts with the sample and is never part of the truth
        neurites_per_field: mean number of processes without a soma that cross a view 300 um wide (chosen).
        neurite_brightness: in typical soma peaks.
        debris_per_field, debris_um, debris_brightness: mean number of specks and clusters per 300 x 300 um, the
            diameter of a speck and its brightness (chosen).
        distant_cells_per_field, distant_cell_depth_um: mean number per 300 x 300 um of cells so far from focus that
            they are clouds, and their distance (chosen).
        haze_fraction, haze_sigma_um: peak of the smooth light of the tissue, brighter on one side (0.05-0.4), and
            its length scale (40-80).
        texture_fraction, texture_sigma_um: fine grain of the tissue light (chosen).
    Optics
        psf_sigma_um: 0.35. defocus_per_um: growth of sigma with the distance from focus, 0.1. The depth of each
            cell in each frame comes from the motion.
        glow_fraction, glow_sigma_um: share of the light in the wide foot of the PSF (chosen).
        vignetting_fraction: loss of light in the corners (chosen).
    Time effects
        bleaching_tau_h: the label fades as exp(-t / tau), 30 (15-60); 0 is no bleaching. The background stays.
        drift_um_per_frame: root mean square length of the step of a random walk, 0.3.
        creep_um_per_h: speed of a steady drift in one direction, drawn per movie (2-5).
        stage_jump_probability, stage_jump_um: chance that the stage jumps once, 0.3, and how far (5-15, per movie);
            with 1 it always does, with 0 never.
        missing_frames, missing_frame_kind: number of frames that are "black" (no light, no cell is visible) or
            "repeated" (picture and truth are those of the frame before).
        blurred_frames, blurred_frame_sigma_um: number of frames out of focus as a whole, and their extra blur (chosen).
    Camera
        photons_at_soma_peak: 30-300, at the start. background_photons: 5-30. shot_noise: Poisson noise, on or off.
        read_noise_sd: 2-5 electrons.
        white_at_soma_peaks: typical soma peaks from the background to the largest level (chosen).
        offset_electrons: added by the camera before the levels are counted, so that noise is not cut off (chosen).
        bit_depth: 8 (uint8), 12 or 16 (uint16).
    Visibility: a soma is in the truth of a frame when
        at least `visible_share` of its outline is in the image and not covered by a nearer labelled soma, and its own
        light, averaged over the outline, is `visible_sharpness` of what it would be in focus, `visible_contrast` times
        the other light there, `visible_level` of the camera's white, as far as that does not clip it, and
        `visible_snr` times the noise of one pixel.

    Raises:
        ValueError: a value outside its limits, named with the value and what was expected; a movie without a frame.

    >>> MovieParameters().frame_count, MovieParameters(minutes_per_frame=5.0).frame_count
    (40, 120)
    >>> MovieParameters(duration_h=0.0)
    Traceback (most recent call last):
    ...
    ValueError: duration_h must be a number from 0.01 to 1000.0, got 0.0.
    """

    height_px: int = integer(512, 16, 4096)
    width_px: int = integer(512, 16, 4096)
    um_per_px: float = number(0.65, 0.1, 5.0)
    minutes_per_frame: float = number(15.0, 0.01, 1440.0)
    duration_h: float = number(10.0, 0.01, 1000.0)

    motion: MotionParameters = field(default_factory=MotionParameters)

    soma_size_cv: float = number(0.1, 0.0, 0.4)
    soma_irregularity: float = number(0.06, 0.0, 0.15)
    shape_period_h: tuple[float, float] = pair((1.0, 6.0), 0.05, 1000.0)
    soma_texture: float = number(0.12, 0.0, 0.5)
    brightness_cv: float = number(0.6, 0.0, 2.0)
    flicker_cv: float = number(0.05, 0.0, 0.3)
    flicker_period_h: tuple[float, float] = pair((0.7, 5.0), 0.05, 1000.0)

    leading_probability: float = number(1.0, 0.0, 1.0)
    trailing_probability: float = number(0.8, 0.0, 1.0)
    leading_length_um: tuple[float, float] = pair((30.0, 100.0), 1.0, 1000.0)
    trailing_length_um: tuple[float, float] = pair((10.0, 30.0), 1.0, 1000.0)
    process_width_um: tuple[float, float] = pair((1.0, 1.5), 0.1, 10.0)
    process_brightness: tuple[float, float] = pair((0.2, 0.5), 0.0, 1.0)
    fork_probability: float = number(0.3, 0.0, 1.0)
    swelling_width_um: tuple[float, float] = pair((5.0, 8.0), 0.1, 20.0)
    taper_um: float = number(3.0, 0.1, 50.0)
    process_turn_deg: float = number(9.0, 0.0, 180.0)
    process_sway_deg: float = number(10.0, 0.0, 90.0)
    process_sway_period_h: tuple[float, float] = pair((1.5, 8.0), 0.05, 1000.0)
    process_growth: float = number(0.12, 0.0, 1.0)
    beading: float = number(0.2, 0.0, 0.5)

    neurites_per_field: float = number(5.0, 0.0, 1000.0)
    neurite_brightness: tuple[float, float] = pair((0.06, 0.3), 0.0, 10.0)
    debris_per_field: float = number(10.0, 0.0, 1000.0)
    debris_um: tuple[float, float] = pair((0.8, 3.0), 0.1, 5.0)
    debris_brightness: tuple[float, float] = pair((0.2, 1.2), 0.0, 10.0)
    distant_cells_per_field: float = number(14.0, 0.0, 1000.0)
    distant_cell_depth_um: tuple[float, float] = pair((40.0, 90.0), 0.0, 500.0)
    haze_fraction: float = number(0.22, 0.0, 5.0)
    haze_sigma_um: float = number(60.0, 5.0, 1000.0)
    texture_fraction: float = number(0.02, 0.0, 2.0)
    texture_sigma_um: float = number(1.5, 0.1, 100.0)

    psf_sigma_um: float = number(0.35, 0.0, 10.0)
    defocus_per_um: float = number(0.1, 0.0, 2.0)
    glow_fraction: float = number(0.12, 0.0, 0.9)
    glow_sigma_um: float = number(6.0, 0.1, 100.0)
    vignetting_fraction: float = number(0.1, 0.0, 0.9)

    bleaching_tau_h: float = number(30.0, 0.0, 1e6)
    drift_um_per_frame: float = number(0.3, 0.0, 20.0)
    creep_um_per_h: tuple[float, float] = pair((2.0, 5.0), 0.0, 100.0)
    stage_jump_probability: float = number(0.3, 0.0, 1.0)
    stage_jump_um: tuple[float, float] = pair((5.0, 15.0), 0.0, 1000.0)
    missing_frames: int = integer(0, 0, 1000)
    missing_frame_kind: str = choice("black", ("black", "repeated"))
    blurred_frames: int = integer(0, 0, 1000)
    blurred_frame_sigma_um: float = number(2.0, 0.0, 50.0)

    photons_at_soma_peak: float = number(150.0, 1.0, 1e6)
    background_photons: float = number(10.0, 0.0, 1e6)
    shot_noise: bool = switch(True)
    read_noise_sd: float = number(2.5, 0.0, 1e4)
    white_at_soma_peaks: float = number(2.5, 0.05, 100.0)
    offset_electrons: float = number(20.0, 0.0, 1e4)
    bit_depth: int = choice(12, (8, 12, 16))

    visible_share: float = number(0.2, 0.01, 1.0)
    visible_sharpness: float = number(0.5, 0.0, 1.0)
    visible_contrast: float = number(0.2, 0.0, 100.0)
    visible_level: float = number(0.03, 0.0, 1.0)
    visible_snr: float = number(0.5, 0.0, 100.0)

    def __post_init__(self):
        check_limits(self)
        if not isinstance(self.motion, MotionParameters):
            raise ValueError(f"motion must be a MotionParameters, got {self.motion!r}.")
        if self.frame_count < 1:
            raise ValueError(
                f"duration_h must hold at least one frame of {self.minutes_per_frame} minutes, got {self.duration_h}."
            )

    @property
    def frame_count(self) -> int:
        """Number of frames T."""
        return round(self.duration_h * 60.0 / self.minutes_per_frame)

    @property
    def times_min(self) -> np.ndarray:
        """Time of each frame, (T,), in minutes from frame 0."""
        return np.arange(self.frame_count) * float(self.minutes_per_frame)

    @property
    def field_um(self) -> tuple[float, float]:
        """Height and width of the view in um."""
        return self.height_px * self.um_per_px, self.width_px * self.um_per_px

    @property
    def levels_per_electron(self) -> float:
        """Gain of the camera: grey levels per electron."""
        white = self.white_at_soma_peaks * self.photons_at_soma_peak + self.background_photons + self.offset_electrons
        return (2**self.bit_depth - 1) / white

    @property
    def soma_length_um(self) -> float:
        """Mean length of a soma at rest."""
        return self.motion.soma_length_um

    @property
    def soma_width_um(self) -> float:
        """Mean width of a soma at rest."""
        return self.motion.soma_width_um

    def as_still(self) -> StillParameters:
        """The parameters of one frame seen as a still, for what stills and movies do alike."""
        shared = {entry.name for entry in fields(StillParameters)} & {entry.name for entry in fields(self)}
        return StillParameters(
            **{name: getattr(self, name) for name in sorted(shared)},
            soma_length_um=self.soma_length_um,
            soma_width_um=self.soma_width_um,
            look="gray_fluorescence",
            black_at_background=1.0,
        )

    @classmethod
    def from_dict(cls, values: Mapping) -> "MovieParameters":
        """Build from a mapping, as `dataclasses.asdict` or JSON gives; refuse an unknown key."""
        refuse_unknown(cls, values, "movie parameters")
        values = dict(values)
        if isinstance(values.get("motion"), Mapping):
            values["motion"] = MotionParameters.from_dict(values["motion"])
        return cls(**values)

    def changed(self, changes: Mapping) -> "MovieParameters":
        """A copy with some values changed; those of the motion are named with a dot.

        Raises:
            ValueError: an unknown name (the known ones are listed), or a value outside its limits.

        >>> MovieParameters().changed({"motion.axis_deg": 90.0, "bit_depth": 8}).motion.axis_deg
        90.0
        """
        own = {name: value for name, value in changes.items() if not name.startswith("motion.")}
        of_motion = {name.removeprefix("motion."): value for name, value in changes.items() if name not in own}
        refuse_unknown(MovieParameters, own, "movie parameters")
        refuse_unknown(MotionParameters, of_motion, "motion parameters")
        return replace(self, **{"motion": replace(self.motion, **of_motion), **own})
