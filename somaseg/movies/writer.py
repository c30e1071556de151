"""From frames to files that other programs open with the right units: ImageJ hyperstacks, and AVI to look at."""

import errno
import os

import cv2
import numpy as np
import tifffile

from somaseg.files import replace_when_whole

# A classic TIFF ends at 4 GiB; past that ImageJ wants one directory and the frames in one piece.
_CLASSIC_TIFF_BYTES = 2**32 - 2**26


def write_hyperstack(path, stack, calibration, *, axes="TYX"):
    """Write a movie or a label stack as an ImageJ hyperstack with pixel size and frame interval, whole or not at all.

    It is not compressed: older ImageJ reads the frames of a hyperstack as raw bytes in one piece (tifffile's manual
    says that hyperstacks have no compression). ImageJ has no 32-bit integers: a uint32 stack is written as an
    OME-TIFF (zlib) instead, which Fiji opens through Bio-Formats.

    Args:
        path: file, usually .tif; an existing one is replaced.
        stack: uint8, uint16 or uint32 (T, Y, X), or with `axes="TYXC"` uint8 RGB (T, Y, X, 3).
        calibration: `Calibration`; written as the resolution in pixels per um, unit "um", and finterval in seconds.
        axes: str, "TYX" or "TYXC".

    Raises:
        ValueError: axes, shape or dtype are others than those above, or there is no frame.
        OSError: it cannot be written, such as on a full disk.
    """
    stack = np.asarray(stack)
    _check_stack(stack, axes)
    per_um = 1 / calibration.um_per_px
    if stack.dtype == np.uint32:
        arguments = {"ome": True, "compression": "zlib", "metadata": _ome_metadata(calibration)}
        arguments |= {"resolution": (per_um * 1e4, per_um * 1e4), "resolutionunit": "CENTIMETER"}
    else:
        arguments = {"imagej": True, "metadata": _imagej_metadata(calibration, axes)}
        arguments |= {"resolution": (per_um, per_um), "truncate": stack.nbytes > _CLASSIC_TIFF_BYTES}
    with replace_when_whole(path) as partial:
        try:
            tifffile.imwrite(partial, stack, photometric="rgb" if axes == "TYXC" else "minisblack", **arguments)
        except OSError as error:
            if error.errno is not None:
                raise
            # NumPy tells how many values it wrote, and not why it wrote no more.
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error


def write_avi(path, frames, *, frames_per_second=10):
    """Write frames as an AVI (Motion JPEG: lossy, to look at, not to measure), read it back and count its frames.

    Of an odd height or width OpenCV's encoder fades the colours of the last row or column.

    Args:
        path: file ending in .avi; an existing one is replaced.
        frames: uint8 (T, Y, X) grey or (T, Y, X, 3) RGB.
        frames_per_second: float, how fast it plays.

    Raises:
        ValueError: frames of another shape or dtype, a name that does not end in .avi, or a speed that is not positive.
        OSError: this OpenCV cannot write Motion JPEG, or the file read back has another number of frames or another
            size than was written. No file is left then.
    """
    frames = np.asarray(frames)
    rgb = frames.ndim == 4 and frames.shape[3] == 3
    if not (rgb or frames.ndim == 3) or frames.dtype != np.uint8 or 0 in frames.shape:
        raise ValueError(
            f"frames must be uint8 (T, Y, X) or (T, Y, X, 3) with at least one frame, "
            f"got {frames.dtype} {frames.shape}. Scale to 8 bits first."
        )
    if not str(path).lower().endswith(".avi"):
        raise ValueError(f"An AVI's name must end in .avi, got {path}.")
    if not frames_per_second > 0:
        raise ValueError(f"frames_per_second must be positive, got {frames_per_second!r}.")
    height, width = frames.shape[1:3]
    with replace_when_whole(path) as partial:
        codec = cv2.VideoWriter_fourcc(*"MJPG")
        video = cv2.VideoWriter(str(partial), cv2.CAP_OPENCV_MJPEG, codec, float(frames_per_second), (width, height))
        if not video.isOpened():
            raise OSError(f"{path}: this OpenCV cannot write Motion JPEG here.")
        for frame in frames:
            video.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR if rgb else cv2.COLOR_GRAY2BGR))
        video.release()
        found = _frame_sizes(partial)
        if found != [(height, width)] * len(frames):
            raise OSError(
                f"{path}: {len(frames)} frames of {height}x{width} were written, {len(found)} came back"
                + (f" of {found[0][0]}x{found[0][1]}." if found else ".")
            )


def _check_stack(stack, axes):
    if axes not in ("TYX", "TYXC"):
        raise ValueError(f'axes must be "TYX" or "TYXC", got {axes!r}.')
    dtypes = (np.uint8, np.uint16, np.uint32) if axes == "TYX" else (np.uint8,)
    if stack.dtype not in dtypes:
        names = ", ".join(np.dtype(dtype).name for dtype in dtypes)
        raise ValueError(f"A hyperstack with axes {axes} must be of {names}, got {stack.dtype}.")
    if stack.ndim != len(axes) or 0 in stack.shape or (axes == "TYXC" and stack.shape[3] != 3):
        expected = "(T, Y, X)" if axes == "TYX" else "(T, Y, X, 3)"
        raise ValueError(f"The stack must be {expected} with at least one frame, got {stack.shape}.")


def _imagej_metadata(calibration, axes):
    return {
        "axes": axes.replace("C", "S"),  # tifffile's name for the colours of one pixel
        "unit": "um",
        "finterval": calibration.minutes_per_frame * 60,
    }


def _ome_metadata(calibration):
    return {
        "axes": "TYX",
        "PhysicalSizeX": calibration.um_per_px,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": calibration.um_per_px,
        "PhysicalSizeYUnit": "µm",
        "TimeIncrement": calibration.minutes_per_frame * 60,
        "TimeIncrementUnit": "s",
    }


def _frame_sizes(path):
    video, sizes = cv2.VideoCapture(str(path)), []
    while True:
        readable, frame = video.read()
        if not readable:
            video.release()
            return sizes
        sizes.append(frame.shape[:2])
