"""Which somas of a simulated image a person could see, and where: the truth of stills and of movies."""

from collections.abc import Sequence

import cv2
import numpy as np

from somaseg.simulation.pictures.cells import Cell
from somaseg.simulation.pictures.drawing import Patch
from somaseg.simulation.pictures.parameters import StillParameters

# The mean over a sharp soma's outline of the light profile (1 - r^2)^0.35 that is drawn.
_MEAN_OF_PEAK = 1.0 / 1.35


def visible_outlines(
    cells: Sequence[Cell], patches: Sequence[Patch | None], signal: np.ndarray, parameters: StillParameters
) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Pixels (y, x) of each visible soma by its index in `cells`, the nearer one on top where two overlap.

    `patches` holds the light of each cell and `signal`, (H, W), all light of the image, in typical soma peaks. What
    visible means is said at `StillParameters`. Each soma is one 4-connected piece, its largest; the pixel sets are
    disjoint; the order is that of `cells`.
    """
    p = parameters
    outlines = [_outline(cell, p) for cell in cells]
    visible = [
        index
        for index, (cell, patch) in enumerate(zip(cells, patches, strict=True))
        if patch is not None and _is_visible(cell, outlines[index], patch, signal, p)
    ]
    painted = np.zeros(signal.shape, np.int32)
    for index in sorted(visible, key=lambda i: cells[i].depth_um, reverse=True):
        y, x = outlines[index]
        painted[y, x] = index + 1

    pieces = {index: _largest_piece(painted, index + 1, outlines[index]) for index in visible}
    return {i: piece for i, piece in pieces.items() if len(piece[0]) >= p.visible_share * _area_px(cells[i], p)}


def _outline(cell, p):
    """Pixels (y, x) of the image whose centres lie inside the soma's outline."""
    reach = 0.75 * cell.length_um / p.um_per_px
    (y0, x0), (y1, x1) = (
        np.clip(np.array(cell.centre_px) + side, 0, (p.height_px, p.width_px)).astype(int)
        for side in (-reach, reach + 1)
    )
    y, x = np.arange(y0, y1), np.arange(x0, x1)
    if not len(y) or not len(x):
        return np.empty(0, int), np.empty(0, int)
    inside = cell.outline_level(y[:, None], x[None], um_per_px=p.um_per_px) <= 1.0
    rows, columns = np.nonzero(inside)
    return rows + y0, columns + x0


def _is_visible(cell, outline, patch, signal, p):
    """Whether a person could see this soma: in the image, not lost in blur, ground or noise."""
    y, x = outline
    if len(y) < max(1.0, p.visible_share * _area_px(cell, p)):
        return False
    light = patch.light[y - patch.corner_px[0], x - patch.corner_px[1]]
    sharpness = float(light.mean()) * p.photons_at_soma_peak / (_MEAN_OF_PEAK * cell.peak_photons)
    light = light * (1 - p.glow_fraction)
    own = float(light.mean())
    # The median, since a bright neighbour that covers one end does not hide the other.
    background = p.background_photons / p.photons_at_soma_peak
    ground = max(0.0, float(np.median(signal[y, x] - light))) + background
    # What the display has left between the ground and its white.
    headroom = p.white_at_soma_peaks + p.black_at_background * background - ground
    noise = np.sqrt(p.shot_noise * (own + ground) / p.photons_at_soma_peak)
    noise = np.hypot(noise, p.read_noise_sd / p.photons_at_soma_peak)
    return (
        sharpness >= p.visible_sharpness
        and own >= p.visible_contrast * ground
        and min(own, headroom) >= p.visible_level * p.white_at_soma_peaks
        and own >= p.visible_snr * noise
    )


def _largest_piece(painted, value, outline):
    y, x = outline
    corner = y.min(), x.min()
    mask = painted[corner[0] : y.max() + 1, corner[1] : x.max() + 1] == value
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if count < 2:
        return np.empty(0, int), np.empty(0, int)
    rows, columns = np.nonzero(pieces == 1 + np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return rows + corner[0], columns + corner[1]


def _area_px(cell, p):
    return np.pi / 4 * cell.length_um * cell.width_um / p.um_per_px**2
