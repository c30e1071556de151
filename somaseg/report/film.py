"""An overlay movie as pictures inside a page: WebP frames within a limit of bytes, which any browser shows one by one.

Pictures and not a video, for reasons that were measured on the overlay of a simulated movie (512 x 512, 40 frames, 1
core): OpenCV's wheels encode VP8 (2.7 MB, 5 s) and VP9 (1.6 MB, 30 s) but no H.264, and do not let the size be chosen;
WebP takes 1.4 MB and 1.5 s, and a click on a saltation can lead to its very frame.
"""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import cv2

MOST_BYTES = 8_000_000
# Tried in this order until the frames fit: longer side in pixels and quality (0-100).
_SIZES = ((768, 60), (640, 55), (512, 50), (400, 45), (320, 40))
_SAMPLES = 6
_AT_ONCE = 4  # frames coded at the same time


@dataclass(frozen=True)
class Film:
    """Frames of a movie as WebP.

    Attributes:
        frames: tuple of bytes, one picture each.
        stride: int, every how many frames of the movie one is taken.
        frame_count: int, frames of the movie.
        width_px, height_px: int, size of the pictures.
    """

    frames: tuple
    stride: int
    frame_count: int
    width_px: int
    height_px: int


def read_film(path, *, most_bytes=MOST_BYTES):
    """Read an overlay movie and code its frames so that together they take about `most_bytes` at most.

    Pictures are shrunk as far as 320 pixels; where that is not enough, every second frame is taken, or every third, ...

    Args:
        path: a video file that OpenCV reads.
        most_bytes: int.

    Returns:
        `Film`.

    Raises:
        ValueError: the file is no video.
    """
    coded, size, count = _coded_within(path, _SIZES[0], most_bytes)
    if count == 0:
        raise ValueError(f"{path}: there is no frame in it that can be read as a video.")
    if coded is not None:
        return Film(coded, 1, count, *size)
    smallest = [len(_coded(frame, _SIZES[-1])) for frame in _frames(path)]
    count = len(smallest)
    # One in a hundred for luck: which frames are taken matters a little.
    stride = -(-101 * sum(smallest) // (100 * most_bytes))
    samples = [frame for t, frame in enumerate(_frames(path)) if t % max(1, count // _SAMPLES) == 0]
    fitting = (size for size in _SIZES[1:] if _estimate(samples, size, count) <= most_bytes)
    size = next(fitting, _SIZES[-1]) if stride == 1 else _SIZES[-1]
    coded = [_coded(frame, size) for t, frame in enumerate(_frames(path)) if t % stride == 0]
    return Film(tuple(coded), stride, count, *_size(samples[0], size[0]))


def _coded_within(path, size, most_bytes):
    """(all frames coded, their (width, height), how many), or None for the frames when they take more than that."""
    coded, shape, frames = [], None, _frames(path)
    with ThreadPoolExecutor(_AT_ONCE) as threads:  # OpenCV and WebP work outside Python
        while some := list(islice(frames, _AT_ONCE)):
            shape = _size(some[0], size[0])
            coded += threads.map(lambda frame: _coded(frame, size), some)
            if sum(map(len, coded)) > most_bytes:
                return None, shape, len(coded)
    return tuple(coded), shape, len(coded)


def _frames(path):
    video = cv2.VideoCapture(str(path))
    try:
        while True:
            there, frame = video.read()
            if not there:
                return
            yield frame
    finally:
        video.release()


def _estimate(samples, size, frame_count):
    return 1.05 * frame_count * sum(len(_coded(frame, size)) for frame in samples) / len(samples)


def _coded(frame, size):
    from PIL import Image

    longer_px, quality = size
    small = cv2.resize(frame, _size(frame, longer_px), interpolation=cv2.INTER_AREA)
    content = io.BytesIO()
    Image.fromarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB)).save(content, "WEBP", quality=quality, method=0)
    return content.getvalue()


def _size(frame, longer_px):
    height, width = frame.shape[:2]
    factor = min(1.0, longer_px / max(height, width))
    return max(1, round(width * factor)), max(1, round(height * factor))
