"""What the camera of a simulated movie makes of light: electrons with noise, then grey levels, proportional to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from somaseg.simulation.pictures.optics import expose

if TYPE_CHECKING:
    from somaseg.simulation.movies.parameters import MovieParameters


def record_frame(light: np.ndarray, parameters: MovieParameters, rng: np.random.Generator) -> np.ndarray:
    """Grey levels (H, W), uint8 or uint16, from light in typical soma peaks.

    level = (electrons + offset_electrons) * levels_per_electron, rounded and cut at 0 and at 2**bit_depth - 1, where
    electrons are a Poisson number of photons plus Gaussian read noise.
    """
    p = parameters
    levels = (expose(light, p, rng) + np.float32(p.offset_electrons)) * np.float32(p.levels_per_electron)
    return np.clip(np.rint(levels), 0, 2**p.bit_depth - 1).astype(frame_dtype(p))


def black_frame(parameters: MovieParameters) -> np.ndarray:
    """A frame (H, W) that was never taken: zero everywhere."""
    return np.zeros((parameters.height_px, parameters.width_px), frame_dtype(parameters))


def frame_dtype(parameters: MovieParameters) -> np.dtype:
    """uint8 at 8 bits, else uint16."""
    return np.dtype(np.uint8 if parameters.bit_depth == 8 else np.uint16)
