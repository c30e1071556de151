"""How a microscope shows what is there: from the amount of label per pixel to light per colour.

A fluorescent label gives light, a stain takes light away, and phase contrast shows its edges. Each
look is one `Contrast`: which of these, and in which colours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np


@dataclass(frozen=True)
class Contrast:
    """One way to show label as colour.

    `mode` is "emission", "absorption" or "phase". In emission, `signal_rgb` and `marker_rgb` are
    the display colours of the two labels and `inverted` turns the display over. In absorption
    they are optical densities per unit of label, over the ground `ground_rgb`.
    """

    mode: str
    signal_rgb: tuple[float, float, float] = (1.0, 1.0, 1.0)
    marker_rgb: tuple[float, float, float] = (0.0, 0.0, 1.0)
    ground_rgb: tuple[float, float, float] = (1.0, 1.0, 1.0)
    inverted: bool = False


CONTRASTS: Mapping[str, Contrast] = MappingProxyType(
    {
        "green_on_black": Contrast("emission", (0.0, 1.0, 0.0), marker_rgb=(0.15, 0.2, 1.0)),
        "green_with_red_marker": Contrast("emission", (0.0, 1.0, 0.0), marker_rgb=(1.0, 0.05, 0.1)),
        "gray_fluorescence": Contrast("emission", marker_rgb=(1.0, 1.0, 1.0)),
        "red_false_colour": Contrast("emission", (1.0, 0.06, 0.02)),
        "magenta_false_colour": Contrast("emission", (1.0, 0.0, 1.0), marker_rgb=(0.0, 0.9, 0.1)),
        "dim_noisy": Contrast("emission", (0.0, 1.0, 0.0)),
        "dense_hazy": Contrast("emission", (0.0, 1.0, 0.0)),
        "inverted_gray": Contrast("emission", marker_rgb=(1.0, 1.0, 1.0), inverted=True),
        "brightfield": Contrast("absorption", (0.85, 0.9, 0.95), (0.25, 0.25, 0.25), ground_rgb=(0.86, 0.85, 0.8)),
        "histology_purple": Contrast("absorption", (0.85, 1.25, 0.45), (0.3, 0.75, 0.2), ground_rgb=(0.97, 0.87, 0.92)),
        "histology_brown": Contrast("absorption", (0.6, 1.1, 1.5), (0.65, 0.45, 0.2), ground_rgb=(0.95, 0.92, 0.93)),
        "phase_contrast": Contrast("phase", ground_rgb=(0.5, 0.5, 0.5)),
    }
)


def recorded_light(
    contrast: Contrast, signal: np.ndarray, marker: np.ndarray | None, *, um_per_px: float
) -> np.ndarray:
    """Light of each recorded channel, (C, H, W) float32, in units of the typical soma peak.

    `signal` and `marker` are (H, W) amounts of label. Emission records one channel per label and
    colours them afterwards; a transmitted-light colour image has three; phase contrast has one.
    """
    if contrast.mode == "emission":
        return np.stack([signal] if marker is None else [signal, marker])
    if contrast.mode == "phase":
        return _phase_light(contrast, signal, um_per_px)[None]
    density = np.multiply.outer(np.float32(contrast.signal_rgb), signal)
    if marker is not None:
        density += np.multiply.outer(np.float32(contrast.marker_rgb), marker)
    return np.float32(contrast.ground_rgb)[:, None, None] * np.exp(-density)


def display_colours(contrast: Contrast, levels: np.ndarray, *, bleed: float) -> np.ndarray:
    """RGB image (H, W, 3) float32 in 0..1 from the display levels (C, H, W) of each channel."""
    if contrast.mode == "absorption":
        return np.ascontiguousarray(levels.transpose(1, 2, 0))
    if contrast.mode == "phase":
        return np.repeat(levels[0][..., None], 3, axis=2)
    signal_rgb = np.float32(contrast.signal_rgb)
    rgb = levels[0][..., None] * (signal_rgb + np.float32(bleed) * (1 - signal_rgb))
    if len(levels) > 1:
        rgb += levels[1][..., None] * np.float32(contrast.marker_rgb)
    np.minimum(rgb, 1.0, out=rgb)
    return 1.0 - rgb if contrast.inverted else rgb


def _phase_light(contrast, label, um_per_px):
    """Grey bodies with a bright rim outside and a dark one inside.

    The phase ring loses the low frequencies of the body, which come back as the halo.
    """
    body = np.tanh(2.0 * label)
    edge = cv2.GaussianBlur(body, (0, 0), max(0.3, 0.5 / um_per_px))
    halo = cv2.GaussianBlur(body, (0, 0), max(0.3, 2.0 / um_per_px))
    wide = cv2.GaussianBlur(body, (0, 0), max(0.3, 6.0 / um_per_px))
    light = contrast.ground_rgb[0] + 1.1 * halo + 0.5 * wide - 1.5 * edge
    return np.maximum(light, 0.02)
