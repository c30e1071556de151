"""Where the tissue lies in each frame of a movie, relative to its first frame, while the frames stream by.

A frame is compared with a reference averaged over the frames so far, so that errors do not add up; where it does not
fit there, with the frame before, wherever it may lie: that finds jumps of the stage. Somas and whatever stands out of
the tissue are left out: cells that move together are not the tissue.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from somaseg.movies.drift_smoothing import smooth_drift
from somaseg.movies.registration import measure_shift
from somaseg.movies.tissue_texture import tissue_texture

_SURE = 8.0  # significance anywhere in the field; unrelated pictures reach 5
_SURE_NEARBY = 5.0  # within `_NEARBY_PX`, where far fewer places are compared
_NEARBY_PX = 3.0
_REFERENCE_SHARE = 0.15  # of the newest frame in the reference
_LARGEST_SIDE = 640  # larger pictures are binned
_FULL_ERROR = 3.0  # textures with moving processes in them are off by so much more than their noise says


@dataclass(frozen=True, eq=False)
class Drift:
    """Drift of the tissue in a movie of T frames.

    Attributes:
        drift_px: float (T, 2), (dy, dx), relative to frame 0: image_px = tissue_px + drift_px.
        jumps: the frames, each of them the first after a jump of the stage.
        reliable: bool (T,), whether the frame's own drift was measured; that of other frames is bridged.
        warnings: list of str.
    """

    drift_px: np.ndarray
    jumps: tuple[int, ...]
    reliable: np.ndarray
    warnings: list


class DriftEstimator:
    """Takes the frames of a movie in order and gives their drift; keeps a few frames in memory, whatever the length.

    >>> grain = cv2.GaussianBlur(np.random.default_rng(0).normal(100, 30, (96, 96)), (0, 0), 1.5)
    >>> estimator = DriftEstimator()
    >>> for frame in (grain, np.roll(grain, 2, axis=1)):
    ...     estimator.add(frame)
    >>> bool(np.allclose(estimator.finish().drift_px, [[0, 0], [0, 2]], atol=0.05))
    True
    """

    def __init__(self):
        self._shape, self._bin = None, 1
        self._measured, self._errors, self._breaks = [], [], []
        self._views = None  # textures of the last frame that was measured, and the references
        self._waiting = None  # (frame number, textures) of a frame that fits no other yet

    def add(self, frame: np.ndarray, labels: np.ndarray | None = None) -> None:
        """Take the next frame, (Y, X) or (Y, X, C), and, when known, its labels (Y, X), whose somas are left out.

        Raises:
            ValueError: the frame is of another size than the first, or labels do not fit it.
        """
        frame = np.asarray(frame)
        if self._shape is None:
            self._shape = frame.shape[:2]
            self._bin = max(1, int(np.ceil(max(self._shape) / _LARGEST_SIDE)))
        if frame.shape[:2] != self._shape:
            raise ValueError(f"All frames must be of one size: expected {self._shape}, got {frame.shape[:2]}.")
        textures = tissue_texture(*self._binned(frame, labels))
        drift, error = np.full(2, np.nan), np.inf
        if textures is not None:
            if self._views is None:
                self._views = _Views(textures, np.zeros(2))
                drift, error = np.zeros(2), 0.0
            else:
                drift, error = self._views.locate(textures)
                if np.isfinite(error):
                    self._views.update(textures, drift)
                    self._waiting = None
                else:
                    drift, error = self._start_anew(textures)
        self._measured.append(drift)
        self._errors.append(error)

    def finish(self) -> Drift:
        """The drift of all frames so far."""
        measured = np.array(self._measured, float).reshape(-1, 2)
        errors = np.array(self._errors, float)
        _forget_single_frames(measured, errors, self._breaks)
        drift, jumps = smooth_drift(measured, errors)
        reliable = np.isfinite(errors)
        return Drift(drift * self._bin, jumps, reliable, self._warnings(reliable))

    def _start_anew(self, textures):
        """A frame that fits nothing before: perhaps the frame before fits nothing either, and these two fit."""
        number = len(self._measured)
        if self._waiting is not None:
            index, earlier = self._waiting
            views = _Views(earlier, self._views.drift)
            drift, error = views.locate(textures)
            if np.isfinite(error):
                self._measured[index], self._errors[index] = views.drift, error
                self._breaks.append(index)
                views.update(textures, drift)
                self._views, self._waiting = views, None
                return drift, error
        self._waiting = number, textures
        return np.full(2, np.nan), np.inf

    def _binned(self, frame, labels):
        if self._bin == 1:
            return frame, labels
        size = tuple(side // self._bin for side in self._shape)
        cut = tuple(slice(side * self._bin) for side in size)
        small = cv2.resize(np.asarray(frame[cut], np.float32), size[::-1], interpolation=cv2.INTER_AREA)
        if labels is None:
            return small, None
        somas = (np.asarray(labels)[cut] > 0).astype(np.float32)
        return small, (cv2.resize(somas, size[::-1], interpolation=cv2.INTER_AREA) > 0).astype(np.uint8)

    def _warnings(self, reliable):
        warnings = []
        if len(reliable) > 1 and not reliable.any():
            return ["Drift: no frame shows tissue that others show too; drift is taken to be 0."]
        if not reliable.all():
            lost = np.flatnonzero(~reliable)
            shown = ", ".join(map(str, lost[:10])) + (", ..." if len(lost) > 10 else "")
            warnings.append(f"Drift: {len(lost)} frame(s) show no tissue to go by ({shown}); bridged from the others.")
        for index in self._breaks:
            if reliable[index]:
                warnings.append(
                    f"Drift: from frame {index} on the picture fits none before; "
                    "it is taken to lie where it was before that."
                )
        return warnings


class _Views:
    """What a new frame is compared with: the last measured one, and running means of those before, by texture."""

    def __init__(self, textures, drift):
        self._last, self.drift = textures, drift
        self._references = [None if t is None else _Reference(t, drift) for t in textures]

    def locate(self, textures):
        """(drift, error in px); the error is infinite where nothing fits."""
        found = self._near(textures, self.drift)
        if found is None:
            # Calm textures first, if they say anything; then all that there is.
            for index in (1, 0):
                before, now = self._last[index], textures[index]
                if before is None or now is None:
                    continue
                step = measure_shift(before, now)
                if step.significance >= _SURE:
                    drift = self.drift + step.shift_px
                    found = self._near(textures, drift) or (drift, step.error_px * (1.0 if index else _FULL_ERROR))
                    break
        return found or (np.full(2, np.nan), np.inf)

    def _near(self, textures, drift):
        """(drift, error) from the references about a guess, or None unless one of them is sure."""
        places, weights, sure = [], [], 0.0
        for index, factor in ((1, 1.0), (0, _FULL_ERROR)):
            reference = self._references[index]
            if reference is None or textures[index] is None:
                continue
            shift = measure_shift(
                reference.picture, textures[index], near_px=drift - reference.anchor, reach_px=_NEARBY_PX
            )
            if shift.significance >= _SURE_NEARBY and np.isfinite(shift.error_px):
                places.append(reference.anchor + shift.shift_px)
                weights.append((factor * shift.error_px) ** -2.0)
                sure = max(sure, shift.significance)
                if index and sure >= 2 * _SURE:
                    break
        if sure < _SURE or np.hypot(*(places[0] - drift)) > _NEARBY_PX + 1:
            return None
        return np.average(places, axis=0, weights=weights), float(np.sum(weights) ** -0.5)

    def update(self, textures, drift):
        self._last, self.drift = textures, drift
        for index, texture in enumerate(textures):
            if texture is not None and self._references[index] is None:
                self._references[index] = _Reference(texture, drift)
            elif texture is not None:
                self._references[index].update(texture, drift)


class _Reference:
    """Running mean of registered frames. It lies a whole number of pixels (`anchor`) from frame 0: every frame is
    resampled once, and the mean itself never.
    """

    def __init__(self, texture, drift):
        self.anchor = np.round(drift)
        self._total, self._share = self._placed(texture, drift)

    @property
    def picture(self):
        return self._total / np.maximum(self._share, 0.05)

    def update(self, texture, drift):
        old, self.anchor = self.anchor, np.round(drift)
        for name, new in zip(("_total", "_share"), self._placed(texture, drift)):
            moved = _moved(getattr(self, name), self.anchor - old)
            setattr(self, name, (1 - _REFERENCE_SHARE) * moved + _REFERENCE_SHARE * new)

    def _placed(self, texture, drift):
        return _moved(texture, self.anchor - drift), _moved(np.ones_like(texture), self.anchor - drift)


def _moved(picture, by):
    matrix = np.array([[1, 0, by[1]], [0, 1, by[0]]], np.float64)
    return cv2.warpAffine(picture, matrix, picture.shape[::-1], flags=cv2.INTER_LINEAR)


def _forget_single_frames(measured, errors, breaks):
    """Unmeasure, in place, a frame that starts a stretch and stays alone in it: nothing has confirmed it."""
    known = np.flatnonzero(np.isfinite(errors))
    edges = [*breaks, len(errors)]
    begin = 0
    for end in edges:
        stretch = known[(known >= begin) & (known < end)]
        if len(stretch) == 1 and len(errors) > 1:
            errors[stretch], measured[stretch] = np.inf, np.nan
        begin = end
