"""AVI, MP4 and MOV as planes: decoded from the first frame on and counted, since headers of videos lie.

Seeking in a video lands on neighbouring frames in many files, so a frame is only ever reached by decoding those before.
"""

from typing import NamedTuple

import cv2
import numpy as np

from somaseg.movies.file_units import FileUnits
from somaseg.movies.planes import Planes, all_available
from somaseg.native_messages import native_messages_dropped


def open_video(path):
    """`Planes` of a video; it is decoded once to count its frames and to see whether they are grey.

    Raises:
        ValueError: it cannot be decoded or has no frame.
    """
    with native_messages_dropped():  # codecs print what is wrong with a file in words of their own
        announced, decoded, shape, grey = count_frames(path)
    if decoded == 0:
        raise ValueError(
            f"{path}: no frame can be decoded (the header announces {max(announced, 0)}). It is damaged, or its codec "
            "is not known to OpenCV: save it as an AVI (Motion JPEG) or a TIFF."
        )
    fault = ""
    if announced > 0 and announced != decoded:
        fault = f"its header announces {announced} frames and {decoded} can be decoded"
    words = "videos have none; their frame rate is how fast they play"
    reader = _InOrder(path, grey)
    return Planes(
        kind=f"{path.suffix[1:].upper()} video",
        available=all_available(decoded),
        shape=shape[:2] if grey else shape,
        dtype=np.dtype(np.uint8),
        read=lambda t, z, c: reader.read(t),
        units=FileUnits(size_words="videos have none", interval_words=words),
        fault=fault,
        close=reader.close,
    )


_GREY_WITHIN = 4  # levels of 256: decoders of grey videos round each colour by itself


class FrameCount(NamedTuple):
    """What a video holds: frames announced by its header, frames decoded, shape of the first, whether all are grey."""

    announced: int
    decoded: int
    shape: tuple | None
    grey: bool


def count_frames(path):
    """Decode a video from beginning to end and count its frames: `FrameCount`.

    Raises:
        ValueError: its frames are of differing sizes.
    """
    video = cv2.VideoCapture(str(path))
    try:
        if not video.isOpened():
            return FrameCount(0, 0, None, False)
        announced, decoded, shape, grey = int(video.get(cv2.CAP_PROP_FRAME_COUNT)), 0, None, True
        while True:
            readable, frame = video.read()
            if not readable:
                return FrameCount(announced, decoded, shape, grey)
            shape = frame.shape if shape is None else shape
            if frame.shape != shape:
                raise ValueError(f"{path}: frame {decoded} is {frame.shape[:2]}, the first {shape[:2]}.")
            grey = grey and _colour_difference(frame) <= _GREY_WITHIN
            decoded += 1
    finally:
        video.release()


def _colour_difference(frame):
    blue, green, red = cv2.split(frame)
    return max(cv2.absdiff(green, other).max() for other in (blue, red))


class _InOrder:
    """Frame by number, by decoding on from where it is, or from the start."""

    def __init__(self, path, grey):
        self._path, self._grey = path, grey
        self._video, self._next = None, 0

    def read(self, t):
        if self._video is None or t < self._next:
            self.close()
            self._video, self._next = cv2.VideoCapture(str(self._path)), 0
        frame = None
        while self._next <= t:
            readable, frame = self._video.read()
            if not readable:
                raise ValueError(f"only {self._next} frames can be decoded now")
            self._next += 1
        return cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY if self._grey else cv2.COLOR_BGR2RGB)

    def close(self):
        if self._video is not None:
            self._video.release()
        self._video, self._next = None, 0
