"""The light of the tissue around the cells of a simulated movie: it is drawn once and then moves with the sample.

Haze, grain, debris, neurites whose somas are out of view and cells far from focus are drawn on one layer, twice as
fine as the pixels and wider than the view on every side; each frame looks at it through its drift.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from somaseg.simulation.pictures.drawing import draw_debris, draw_neurite, draw_speck
from somaseg.simulation.pictures.optics import smooth_noise
from somaseg.simulation.pictures.parameters import StillParameters
from somaseg.simulation.pictures.processes import lay_neurites

if TYPE_CHECKING:
    from somaseg.simulation.movies.parameters import MovieParameters
    from somaseg.simulation.movies.random_streams import RandomStreams

_FINE = 2
# The field that densities are given for.
_FIELD_UM = 300.0
# A movie that drifts further than this sees the tissue mirrored.
MARGIN_UM = 120.0


class Tissue:
    """Everything that glows and is not a cell of the movie, in typical soma peaks, fixed to the tissue."""

    def __init__(self, parameters: MovieParameters, streams: RandomStreams):
        p = parameters
        self._shape = (p.height_px, p.width_px)
        self._margin_px = int(np.ceil(MARGIN_UM / p.um_per_px))
        height, width = (_FINE * (n + 2 * self._margin_px) for n in self._shape)
        fine = replace(p.as_still(), height_px=height, width_px=width, um_per_px=p.um_per_px / _FINE)
        layer = _haze(p, fine, streams)
        _add_structures(layer, p, fine, streams)
        # The mean of each pair of neighbours both ways: sampled at a pixel's centre, the light on its whole area.
        self._layer = cv2.blur(layer, (_FINE, _FINE), anchor=(0, 0), borderType=cv2.BORDER_REPLICATE)

    def light(self, drift_px: np.ndarray) -> np.ndarray:
        """What one frame sees of it, (H, W) float32, when the tissue lies `drift_px` (y, x) from where it began."""
        dy, dx = _FINE * (self._margin_px - np.asarray(drift_px, float))
        view = np.float64([[_FINE, 0.0, dx], [0.0, _FINE, dy]])
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        seen = cv2.warpAffine(self._layer, view, self._shape[::-1], flags=flags, borderMode=cv2.BORDER_REFLECT)
        return np.maximum(seen, 0.0, out=seen)


def _haze(p, fine, streams):
    """Smooth light as in the stills: half a slope towards the bright side, half clouds, and a fine grain on it.

    The edge of the bright side crosses the view, whatever the size of the layer.
    """
    shape, scale = (fine.height_px, fine.width_px), p.haze_sigma_um / fine.um_per_px
    rng = streams("haze")
    # Three grid steps per sigma, as in `smooth_noise`, but bent and not kinked where they meet.
    coarse = [int(np.ceil(3.0 * n / scale)) + 1 for n in shape]
    clouds = cv2.resize(smooth_noise(coarse, 3.0, rng), shape[::-1], interpolation=cv2.INTER_CUBIC)
    view_px = np.array([p.height_px, p.width_px]) * _FINE
    middle = (np.array(shape) - view_px) / 2 + view_px * rng.uniform(0.2, 0.8, 2)
    y, x = (np.arange(n, dtype=np.float32) - np.float32(m) for n, m in zip(shape, middle, strict=True))
    angle = rng.uniform(0.0, 2.0 * np.pi)
    slope = np.tanh((np.float32(np.sin(angle)) * y[:, None] + np.float32(np.cos(angle)) * x[None]) / np.float32(scale))
    haze = np.clip(0.4 + 0.3 * slope + 0.15 * clouds, 0.0, 1.0, dtype=np.float32)
    haze *= np.float32(p.haze_fraction)
    if p.texture_fraction:
        rng, sigma = streams("texture"), p.texture_sigma_um / fine.um_per_px
        grain = 0.8 * smooth_noise(shape, sigma, rng) + 0.6 * smooth_noise(shape, 4 * sigma, rng)
        haze = np.maximum(haze + np.float32(p.texture_fraction) * grain, 0.0)
    return haze.astype(np.float32)


def _add_structures(layer, p, fine, streams):
    """Neurites, debris and distant cells, for the whole layer as many as for the fields that it is as large as."""
    sides = np.array(layer.shape) * fine.um_per_px / _FIELD_UM
    # Lines that cross everything grow in number with the perimeter, points with the area.
    rng = streams("neurites")
    crowd = replace(fine, neurite_count=min(p.neurites_per_field * float(sides.mean()), 1e4))
    patches = [draw_neurite(neurite, fine, rng, fine=1) for neurite in lay_neurites(crowd, rng)]
    crowd = replace(fine, debris_count=min(p.debris_per_field * float(sides.prod()), 1e4))
    patches += draw_debris(crowd, streams("debris"))
    patches += _distant_cells(p, fine, p.distant_cells_per_field * float(sides.prod()), streams("distant_cells"))
    for patch in patches:
        if patch is not None:
            patch.add_to(layer)


def _distant_cells(p: MovieParameters, fine: StillParameters, count: float, rng):
    for _ in range(rng.poisson(count)):
        centre = rng.uniform(0.0, (fine.height_px, fine.width_px))
        sizes = np.array([p.soma_length_um, p.soma_width_um]) * rng.uniform(0.8, 1.2, 2)
        blur_um = p.psf_sigma_um + p.defocus_per_um * rng.uniform(*p.distant_cell_depth_um)
        brightness = np.exp(np.sqrt(np.log1p(p.brightness_cv**2)) * np.clip(rng.standard_normal(), -2.5, 2.0))
        yield draw_speck(centre, sizes, brightness, blur_um, rng.uniform(0.0, np.pi), fine)
