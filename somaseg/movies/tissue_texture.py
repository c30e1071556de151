"""What of a frame tells where the tissue lies: its fine structure, without the cells that move in it."""

import cv2
import numpy as np

_BACKGROUND_PX = 12.0  # light that varies more slowly than this says little of where things are, and is taken out
_BINNING = 4
_MOST_VALUES = 1 << 16
_SOMA_MARGIN_PX = 4
_SMOOTH_PX = 3.0
_BRIGHT = 2.5  # in robust standard deviations of the smoothed tissue
_LEAST_LEFT = 0.2
_CALM_CLIP, _FULL_CLIP = 4.0, 2.0


def tissue_texture(frame: np.ndarray, labels: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray | None] | None:
    """(full, calm) textures of one frame, each float32 (Y, X); None for a frame without any light or grain.

    In both, slow light is taken out and somas (`labels` > 0, with a margin) are blanked. `full` keeps all else,
    clipped, so that nothing counts for being bright. `calm` blanks whatever stands out too, the swaying processes of
    the cells among them, and keeps the grain of the tissue alone (None when little is left): on simulated movies of
    256x256 px drift is then right to 0.1 px instead of 0.3, where there is light enough to see the grain.
    """
    picture = np.asarray(frame, np.float32)
    if picture.ndim == 3:
        picture = picture.mean(axis=2)
    if picture.ndim != 2 or not np.all(np.isfinite(picture)):
        raise ValueError(f"frame must be (Y, X) or (Y, X, C) of finite numbers, got {np.shape(frame)}.")
    keep = np.ones(picture.shape, np.float32)
    if labels is not None:
        if np.shape(labels) != picture.shape:
            raise ValueError(f"labels must fit the frame of {picture.shape}, got {np.shape(labels)}.")
        keep -= _grown(np.asarray(labels) > 0, _SOMA_MARGIN_PX)
    full = _flattened(picture, keep)
    if keep.mean() < _LEAST_LEFT or full is None:
        return None
    smooth = cv2.GaussianBlur(full, (0, 0), _SMOOTH_PX)
    smooth /= np.maximum(cv2.GaussianBlur(keep, (0, 0), _SMOOTH_PX), 0.1)
    middle = np.median(_some_of(smooth, keep))
    spread = 1.4826 * np.median(np.abs(_some_of(smooth, keep) - middle))
    quiet = keep * (1 - _grown(np.abs(smooth - middle) > _BRIGHT * spread, 2))
    calm = _flattened(picture, quiet) if quiet.mean() >= _LEAST_LEFT else None
    return _clipped(full, keep, _FULL_CLIP), None if calm is None else _clipped(calm, quiet, _CALM_CLIP)


def _flattened(picture, keep):
    """The picture without slow light, 0 where it is not kept; None where it is all one value."""
    ground = _slow(picture * keep) / np.maximum(_slow(keep), 1e-3)
    fine = (picture - ground) * keep
    return fine if float(np.abs(fine).max()) > 1e-5 * max(1.0, float(np.abs(picture).max())) else None


def _slow(picture):
    """The light that varies over `_BACKGROUND_PX` and more, blurred where it is cheap: in a binned picture."""
    height, width = picture.shape
    size = max(1, round(width / _BINNING)), max(1, round(height / _BINNING))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), _BACKGROUND_PX / _BINNING)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def _some_of(picture, keep):
    """Values of pixels that are kept, from every corner of the picture and no more than tell a median well."""
    values = picture[keep > 0]
    return values[:: max(1, values.size // _MOST_VALUES)]


def _clipped(fine, keep, limit):
    values = _some_of(fine, keep)
    spread = 1.4826 * float(np.median(np.abs(values))) or float(values.std())
    return np.clip(fine / spread, -limit, limit)


def _grown(mask, margin):
    size = 2 * margin + 1
    return cv2.dilate(mask.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
