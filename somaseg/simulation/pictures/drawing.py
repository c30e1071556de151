"""From the geometry of a simulated still to light: cells, neurites and debris, each in its blur.

Every body is drawn on its own patch, finer than the pixels when it is sharp, so that a process
1 um wide stays a smooth line; the patch is averaged down, blurred by its own defocus, and added.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from somaseg.simulation.pictures.cells import Cell
from somaseg.simulation.pictures.optics import blur
from somaseg.simulation.pictures.parameters import StillParameters
from somaseg.simulation.pictures.processes import Process

_FINE = 3
# Beyond this blur nothing that is finer than a pixel survives it.
_SHARP_SIGMA_PX = 2.0
_SUBPIXEL_BITS = 4


@dataclass(frozen=True, eq=False)
class Patch:
    """Light on a rectangle from pixel `corner_px` (y, x) on; it may reach out of the image."""

    light: np.ndarray
    corner_px: tuple[int, int]

    def add_to(self, image: np.ndarray) -> None:
        """Add the part that lies inside the image to it, in place."""
        y, x = self.corner_px
        height, width = self.light.shape
        top, left = max(y, 0), max(x, 0)
        bottom, right = min(y + height, image.shape[0]), min(x + width, image.shape[1])
        if top < bottom and left < right:
            image[top:bottom, left:right] += self.light[top - y : bottom - y, left - x : right - x]


def draw_cell(cell: Cell, parameters: StillParameters, rng: np.random.Generator) -> Patch | None:
    """Light of a soma and its processes, in typical soma peaks; None when all out of the image."""
    p = parameters
    reach = 0.75 * cell.length_um / p.um_per_px
    boxes = [np.array([cell.centre_px]) - reach, np.array([cell.centre_px]) + reach]
    canvas = _Canvas.around(
        np.concatenate([*boxes, *(item.points_px for item in cell.processes)]),
        cell.blur_um / p.um_per_px,
        p,
    )
    grain = rng.standard_normal((6, 6)).astype(np.float32)
    if canvas is None:
        return None
    for process in cell.processes:
        canvas.draw_process(process)
    canvas.draw_soma(cell, 1.0 + p.soma_texture * grain, reach)
    return canvas.developed(cell.peak_photons / p.photons_at_soma_peak)


def draw_neurite(
    neurite: Process, parameters: StillParameters, rng: np.random.Generator, *, fine: int | None = None
) -> Patch | None:
    """Light of a process without a soma, at a depth of its own.

    `fine` is the number of drawing steps per pixel side; None takes 3 where the blur is sharp, else 1.
    """
    p = parameters
    depth = 2.0 * p.depth_sd_um * rng.standard_normal()
    blur = (p.psf_sigma_um + p.defocus_per_um * abs(depth)) / p.um_per_px
    canvas = _Canvas.around(neurite.points_px, blur, p, fine=fine)
    if canvas is None:
        return None
    canvas.draw_process(neurite)
    return canvas.developed(1.0)


def draw_debris(parameters: StillParameters, rng: np.random.Generator) -> list[Patch]:
    """Small specks, one in three a cluster of fragments, as dead cells leave them."""
    p = parameters
    size = np.array([p.height_px, p.width_px], float)
    patches = []
    for _ in range(rng.poisson(p.debris_count)):
        centre = rng.uniform(0.0, size)
        brightness = rng.uniform(*p.debris_brightness)
        blur_um = p.psf_sigma_um + p.defocus_per_um * abs(p.depth_sd_um * rng.standard_normal())
        for _ in range(int(rng.integers(3, 8)) if rng.random() < 1 / 3 else 1):
            speck = centre + 2.5 / p.um_per_px * rng.standard_normal(2)
            sizes = rng.uniform(*p.debris_um) * rng.uniform((0.6, 1.0), (1.0, 1.4))
            level = brightness * rng.uniform(0.5, 1.0)
            patches.append(draw_speck(speck, sizes, level, blur_um, rng.uniform(0.0, np.pi), p))
    return patches


def draw_speck(centre_px, sizes_um, brightness, blur_um, angle, p: StillParameters) -> Patch:
    """A Gaussian of the same second moments as an ellipse of the two diameters `sizes_um` after blur.

    `brightness` is that of the ellipse without blur, `angle` its direction in radians.
    """
    sigmas = np.hypot(sizes_um / 4.0, blur_um) / p.um_per_px
    peak = brightness * np.prod(sizes_um / 4.0 / p.um_per_px / sigmas)
    reach = int(np.ceil(4.0 * sigmas.max()))
    corner = np.floor(centre_px).astype(int) - reach
    dy = np.arange(corner[0], corner[0] + 2 * reach + 2)[:, None] - centre_px[0]
    dx = np.arange(corner[1], corner[1] + 2 * reach + 2)[None] - centre_px[1]
    u = (dx * np.cos(angle) - dy * np.sin(angle)) / sigmas[0]
    v = (dx * np.sin(angle) + dy * np.cos(angle)) / sigmas[1]
    light = peak * np.exp(-0.5 * (u**2 + v**2))
    return Patch(light.astype(np.float32), (int(corner[0]), int(corner[1])))


class _Canvas:
    """A fine drawing surface over part of the image and the margin that its blur brings in."""

    def __init__(self, corner, shape, sigma_px, p, fine):
        self.corner, self.shape, self.sigma_px, self.p = corner, shape, sigma_px, p
        self.fine = fine or (_FINE if sigma_px < _SHARP_SIGMA_PX else 1)
        self.light = np.zeros((shape[0] * self.fine, shape[1] * self.fine), np.float32)

    @classmethod
    def around(cls, points, sigma_px, p, fine=None):
        margin = int(np.ceil(4.0 * sigma_px + 4.0 / p.um_per_px)) + 1
        size = np.array([p.height_px, p.width_px])
        low = np.maximum(np.floor(points.min(axis=0)).astype(int), 0) - margin
        high = np.minimum(np.ceil(points.max(axis=0)).astype(int), size - 1) + margin + 1
        if np.any(high - low <= 2 * margin):
            return None
        return cls((int(low[0]), int(low[1])), tuple(int(n) for n in high - low), sigma_px, p, fine)

    def draw_process(self, process):
        xy = (process.points_px - self.corner + 0.5) * self.fine - 0.5
        xy = np.rint(xy[:, ::-1] * (1 << _SUBPIXEL_BITS)).astype(int).tolist()
        widths = process.widths_um * (self.fine / self.p.um_per_px)
        # A line thinner than one fine pixel keeps its light by being fainter.
        levels = (process.brightness * np.minimum(widths, 1.0)).tolist()
        widths = np.maximum(np.rint(widths), 1).astype(int).tolist()
        # From the tip inwards, so that the brighter part nearer to the soma stays on top.
        for i in range(len(xy) - 2, -1, -1):
            cv2.line(self.light, xy[i], xy[i + 1], levels[i], widths[i], cv2.LINE_8, _SUBPIXEL_BITS)

    def draw_soma(self, cell, grain, reach):
        low = np.floor((np.array(cell.centre_px) - reach - self.corner) * self.fine).astype(int)
        high = np.ceil((np.array(cell.centre_px) + reach - self.corner) * self.fine).astype(int)
        low, high = np.maximum(low, 0), np.minimum(high, self.light.shape)
        if np.any(high <= low):
            return
        y, x = (
            ((np.arange(a, b) + 0.5) / self.fine - 0.5 + start).astype(np.float32)
            for a, b, start in zip(low, high, self.corner, strict=True)
        )
        level = cell.outline_level(y[:, None], x[None], um_per_px=self.p.um_per_px)
        # Flat in the middle and falling off at the rim, between an optical section and a ball.
        light = np.maximum(1.0 - level * level, 0.0, dtype=np.float32) ** np.float32(0.35)
        light *= cv2.resize(grain, light.shape[::-1], interpolation=cv2.INTER_CUBIC)
        part = self.light[low[0] : high[0], low[1] : high[1]]
        np.maximum(light, part, out=part)

    def developed(self, peak):
        light = self.light
        if self.fine > 1:
            light = cv2.resize(light, self.shape[::-1], interpolation=cv2.INTER_AREA)
        if self.sigma_px > 0.05:
            light = blur(light, self.sigma_px)
        return Patch(light * np.float32(peak), self.corner)
