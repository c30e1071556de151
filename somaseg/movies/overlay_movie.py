"""A movie to look at: each frame with the outlines of its somas, where they came from, the time and a scale bar.

It is written as MPEG-4 (mp4v), the codec that OpenCV's wheels can write everywhere and that plays in VLC, QuickTime,
Windows and Fiji (with its FFMPEG plugin); they hold no H.264 encoder.
"""

import math
from itertools import zip_longest

import cv2
import numpy as np

from somaseg.data.intensity import percentile
from somaseg.files import replace_when_whole
from somaseg.movies.video_planes import count_frames

TAIL_FRAMES = 10
_SHORT_SIDE_PX, _MOST_ENLARGED, _LONGEST_SIDE_PX = 512, 4, 1280
_PERCENTILES = (1.0, 99.8)
_CONTRAST_MEMORY = 0.9  # contrast follows bleaching within some ten frames and does not flicker
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_MISSING = object()


def write_overlay_movie(
    path, frames, labels, tracks, calibration, *, title=None, pixels=False, frames_per_second=10, progress=None
):
    """Write an MP4 of a tracked movie, one frame at a time, read it back and count its frames.

    A track has the same colour throughout. Its tail joins its last ten positions and moves with the tissue when the
    stage drifts. Small movies are enlarged by a whole factor, large ones shrunk to 1280 pixels.

    Args:
        path: file ending in .mp4; an existing one is replaced, whole or not at all.
        frames: iterable of (Y, X) or (Y, X, 3) arrays, such as `Movie.frames()`.
        labels: iterable of integer (Y, X) arrays, or (T, Y, X); value = track id, 0 = background.
        tracks: `pandas.DataFrame` with track_id, frame, y_px, x_px (image) and y_um, x_um (tissue).
        calibration: `Calibration`.
        title: str or None, printed on every frame: say "SIMULATED" of simulated movies.
        pixels: bool, units are pixels and frames: the bar is labelled in px, the stamp tells the frame.
        frames_per_second: float, how fast it plays.
        progress: None, or a function called with the number of frames done.

    Returns:
        int, number of frames.

    Raises:
        ValueError: no frame, frames and labels differ in number or size, a wrong name or speed.
        OSError: this OpenCV cannot write such a file, or it holds another number of frames when read back.
    """
    if not str(path).lower().endswith(".mp4"):
        raise ValueError(f"An overlay movie's name must end in .mp4, got {path}.")
    if not frames_per_second > 0:
        raise ValueError(f"frames_per_second must be positive, got {frames_per_second!r}.")
    painter, video, count = None, None, 0
    with replace_when_whole(path) as partial:
        try:
            for count, (frame, label) in enumerate(zip_longest(frames, labels, fillvalue=_MISSING), start=1):
                if frame is _MISSING or label is _MISSING:
                    more, fewer = ("labels", "frames") if frame is _MISSING else ("frames", "labels")
                    raise ValueError(f"There are {count - 1} {fewer} and more {more}; there must be one for each.")
                if painter is None:
                    painter = _Painter(frame.shape[:2], tracks, calibration, title=title, pixels=pixels)
                    video = _open_video(path, partial, painter.size, frames_per_second)
                video.write(painter.paint(frame, label, count - 1))
                if progress is not None:
                    progress(count)
        finally:
            if video is not None:
                video.release()
        if painter is None:
            raise ValueError(f"{path}: there is no frame to write.")
        found = count_frames(partial)
        if found.decoded != count or found.shape[1::-1] != painter.size:
            raise OSError(f"{path}: {count} frames were written, {found.decoded} came back.")
    return count


def track_colours(track_ids):
    """Clear colours, uint8 RGB (len(track_ids), 3); neighbours in number differ most (golden angle).

    >>> track_colours([0, 1]).tolist()
    [[255, 85, 85], [85, 136, 255]]
    """
    hue = (np.asarray(track_ids, float) * 0.618034 * 180) % 180
    hsv = np.stack([hue, np.full(hue.shape, 170), np.full(hue.shape, 255)], axis=-1)
    return cv2.cvtColor(hsv.astype(np.uint8)[None], cv2.COLOR_HSV2RGB)[0] if len(hsv) else hsv.astype(np.uint8)


class _Painter:
    """Draws one frame after the other; BGR, as OpenCV writes it."""

    def __init__(self, shape, tracks, calibration, *, title, pixels):
        height, width = shape
        self._shape, self._factor = shape, _factor(height, width)
        # MPEG-4 wants even sides.
        self.size = tuple(max(2, round(side * self._factor) // 2 * 2) for side in (width, height))
        self._calibration, self._title, self._pixels = calibration, title, pixels
        self._limits = None
        self._tails = _Tails(tracks, calibration.um_per_px)
        self._text = max(0.4, min(self.size) / 1000)

    def paint(self, frame, label, number):
        if frame.shape[:2] != self._shape or label.shape != self._shape:
            raise ValueError(
                f"Frame {number} is {frame.shape} and its labels {label.shape}; the first frame is {self._shape}."
            )
        picture = cv2.resize(self._levels(frame), self.size, interpolation=self._interpolation())
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR if picture.ndim == 2 else cv2.COLOR_RGB2BGR)
        self._draw_outlines(picture, label)
        scale = np.array(self.size) / self._shape[::-1]
        for track_id, tail in self._tails.of_frame(number):
            points = ((tail[:, ::-1] + 0.5) * scale - 0.5) * 8  # 3 fractional bits
            colour = track_colours([track_id])[0, ::-1].tolist()
            cv2.polylines(picture, [points.round().astype(np.int32)], False, colour, 1, cv2.LINE_AA, 3)
        self._draw_legend(picture, number)
        return picture

    def _levels(self, frame):
        sample = frame[:: max(1, frame.shape[0] // 512), :: max(1, frame.shape[1] // 512)]
        limits = np.array([percentile(sample, percent) for percent in _PERCENTILES])
        if self._limits is not None:
            limits = _CONTRAST_MEMORY * self._limits + (1 - _CONTRAST_MEMORY) * limits
        self._limits = limits
        low, high = limits
        scale = 255 / (high - low) if high > low else 0.0
        return np.clip((frame.astype(np.float32) - low) * scale, 0, 255).astype(np.uint8)

    def _interpolation(self):
        return cv2.INTER_AREA if self._factor < 1 else cv2.INTER_CUBIC

    def _draw_outlines(self, picture, label):
        if label.max(initial=0) < 65536:
            large = cv2.resize(label.astype(np.uint16), self.size, interpolation=cv2.INTER_NEAREST)
        else:
            large = cv2.resize(label.astype(np.float64), self.size, interpolation=cv2.INTER_NEAREST)
        edge = np.zeros(large.shape, bool)
        for here, there in ((large[1:], large[:-1]), (large[:, 1:], large[:, :-1])):
            differs = here != there
            rows, columns = differs.shape
            edge[-rows:, -columns:] |= differs
            edge[:rows, :columns] |= differs
        # Two pixels wide: codecs keep colours at half the resolution.
        edge = (cv2.dilate(edge.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & (large > 0)
        ids, which = np.unique(large[edge], return_inverse=True)
        picture[edge] = track_colours(ids)[which, ::-1]

    def _draw_legend(self, picture, number):
        width, height = self.size
        line = round(34 * self._text)
        minutes = round(number * self._calibration.minutes_per_frame)
        stamp = f"frame {number}" if self._pixels else f"{minutes // 60}:{minutes % 60:02d} h"
        _write(picture, stamp, (8, line), self._text)
        if self._title:
            _write(picture, self._title, (8, height - 10), self._text, most_px=round(0.6 * width))
        per_px = self._calibration.um_per_px / self._factor
        length = _round_length(0.2 * width * per_px)
        right, bottom = width - 10, height - 12
        left = right - max(1, round(length / per_px))
        cv2.rectangle(picture, (left - 1, bottom - 5), (right + 1, bottom + 1), _BLACK, -1)
        cv2.rectangle(picture, (left, bottom - 4), (right, bottom), _WHITE, -1)
        words = f"{length:g} {'px' if self._pixels else 'um'}"
        words_px = cv2.getTextSize(words, _FONT, self._text, 1)[0][0]
        _write(picture, words, (max(2, min(left, right - words_px)), bottom - 10), self._text)


class _Tails:
    """The last positions of the tracks of a frame, where the tissue has carried them by then."""

    def __init__(self, tracks, um_per_px):
        ordered = tracks.sort_values(["frame", "track_id"], kind="stable")
        self._frame = ordered["frame"].to_numpy()
        self._track = ordered["track_id"].to_numpy()
        self._image = ordered[["y_px", "x_px"]].to_numpy(float)
        self._tissue = ordered[["y_um", "x_um"]].to_numpy(float) / um_per_px

    def of_frame(self, number):
        """(track id, positions (n, 2) as (y, x) in the image, oldest first) of each track with two or more."""
        rows = slice(*np.searchsorted(self._frame, [number - TAIL_FRAMES + 1, number + 1]))
        order = np.argsort(self._track[rows], kind="stable") + rows.start
        track = self._track[order]
        ends = np.flatnonzero(np.append(np.diff(track) != 0, len(track) > 0))
        starts = np.append(0, ends[:-1] + 1)
        for start, end in zip(starts, ends):
            last = order[end]
            if end > start and self._frame[last] == number:
                tissue = self._tissue[order[start : end + 1]]
                yield track[end], tissue - self._tissue[last] + self._image[last]


def _factor(height, width):
    """Whole factor towards 512 pixels on the shorter side, or the fraction that makes the longer one 1280."""
    if max(height, width) > _LONGEST_SIDE_PX:
        return _LONGEST_SIDE_PX / max(height, width)
    factor = min(_MOST_ENLARGED, -(-_SHORT_SIDE_PX // min(height, width)))
    return max(1, min(factor, _LONGEST_SIDE_PX // max(height, width)))


def _round_length(most):
    """The largest of 1, 2, 5, 10, 20, ... that is at most `most`."""
    power = 10.0 ** math.floor(math.log10(most))
    return max(step * power for step in (1, 2, 5) if step * power <= most * 1.000001)


def _write(picture, words, corner, size, *, most_px=None):
    if most_px is not None:
        size = max(0.25, min(size, size * most_px / max(1, cv2.getTextSize(words, _FONT, size, 1)[0][0])))
    for colour, thickness in ((_BLACK, 3), (_WHITE, 1)):
        cv2.putText(picture, words, corner, _FONT, size, colour, thickness, cv2.LINE_AA)


def _open_video(path, partial, size, frames_per_second):
    video = cv2.VideoWriter(str(partial), cv2.VideoWriter_fourcc(*"mp4v"), float(frames_per_second), size)
    if not video.isOpened():
        raise OSError(f"{path}: this OpenCV cannot write MPEG-4 of {size[0]} x {size[1]} pixels here.")
    return video
