"""Read one image from a PNG, JPEG or TIFF file, or say in one line why it can't be."""

import math
from pathlib import Path

import cv2
import numpy as np
import tifffile

from somaseg.movies.tiff_planes import ZERO_IS_WHITE

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")


class SeveralImagesError(ValueError):
    """A TIFF holds images that are no stack, and none of them is the one to take."""


def read_image(path, *, note=None):
    """Read an image file.

    Args:
        path: PNG, JPEG or TIFF; 8 or 16 bit or float; gray, gray and alpha, RGB or RGBA. A TIFF may hold its
            channels first.
        note: None, or a function called with one line where the file says something that is not followed.

    Returns:
        (H, W) or (H, W, 2 to 4), dtype as in the file. The pixels are those stored: an orientation tag (EXIF or TIFF)
        turns nothing, so that labels lie on the file's own rows and columns, and a TIFF's look-up table is not applied.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not an image, a damaged one, one that holds several planes or images, NaN, or one value only.
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path}: a folder, not an image file.")
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(
            f"{path}: files named {path.suffix or 'without a suffix'} are not read, only {', '.join(SUFFIXES)}."
        )
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file.")
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: the file is empty.")
    image = _read_tiff(path, note) if path.suffix.lower() in (".tif", ".tiff") else _read_with_opencv(path)
    if image.size == 0:
        raise ValueError(f"{path}: the image has no pixel, its shape is {image.shape}.")
    if np.issubdtype(image.dtype, np.floating) and not np.isfinite(image).all():
        bad = int(np.count_nonzero(~np.isfinite(image)))
        raise ValueError(f"{path}: {bad} of {image.size} values are NaN or infinite. Replace them first.")
    if image.min() == image.max():
        raise ValueError(f"{path}: every value is {image.flat[0]}: there is nothing to segment.")
    return image


def read_planes(path, tif):
    """The pixels of an open TIFF and their axes.

    A file that was written plane by plane (`tifffile.TiffWriter.write` in a loop) calls each plane an image of its own:
    if all are of one shape and dtype they are read as a stack along an axis "I". Smaller copies and masks of an image,
    named so in the file, are left out.

    Args:
        path: named in errors.
        tif: `tifffile.TiffFile`.

    Returns:
        array, and str with a letter for each of its axes.

    Raises:
        SeveralImagesError: there are several images, and they differ or hold several planes each.
        ValueError: there is no image, or its end is missing.
    """
    images = [one for one in tif.series if not _is_copy(one.keyframe)] or tif.series
    if not images:
        raise ValueError("it holds no image")
    first, size = images[0], tif.filehandle.size
    single = all(math.prod(one.shape) == math.prod(one.keyframe.shape) for one in images)
    if len(images) > 1 and not (single and len({(one.shape, one.axes, one.dtype) for one in images}) == 1):
        told = ", ".join(f"{one.dtype} {one.shape}" for one in images[:3]) + ", ..." * (len(images) > 3)
        raise SeveralImagesError(
            f"{path}: it holds {len(images)} images ({told}) that are not the planes of one stack. Save the one that "
            "is meant as a file of its own."
        )
    for page in (page for one in images for page in one.pages):
        if any(sum(segment) > size for segment in zip(page.dataoffsets, page.databytecounts)):
            raise ValueError("its end is missing")
    if len(images) == 1:
        return first.asarray(), first.axes
    return np.stack([one.asarray() for one in images]), "I" + first.axes


def _is_copy(page):
    return page.is_reduced or page.is_mask or page.is_subifd


def _read_with_opencv(path):
    content = path.read_bytes()
    # The decoder fills up what is missing of a cut file, so look for the mark at its end first. A JPEG's thumbnail has
    # such a mark too, but in front of the scan.
    if content.startswith(b"\x89PNG"):
        whole = content.rfind(b"IEND") > content.rfind(b"IDAT")
    elif content.startswith(b"\xff\xd8"):
        whole = content.rfind(b"\xff\xd9") > content.rfind(b"\xff\xda")
    else:
        raise ValueError(f"{path}: neither a PNG nor a JPEG image.")
    if not whole:
        raise ValueError(f"{path}: the image is damaged: its end is missing.")
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ValueError(f"{path}: cannot be decoded: {error.err}") from error
    if image is None:
        raise ValueError(f"{path}: the image is damaged.")
    if image.ndim == 3 and image.shape[-1] in (3, 4):
        image = image[..., [2, 1, 0, *range(3, image.shape[-1])]]
    return image


def _read_tiff(path, note):
    try:
        with tifffile.TiffFile(path) as tif:
            image, axes = read_planes(path, tif)
            inverted = tif.pages.first.photometric == tifffile.PHOTOMETRIC.MINISWHITE
    except (MemoryError, SeveralImagesError):
        raise
    except Exception as error:  # tifffile and its codecs raise many kinds for a damaged file
        raise ValueError(f"{path}: the TIFF cannot be read, it may be cut off: {error}") from error
    image = _one_plane(path, image, axes)
    if inverted and note is not None:
        note(ZERO_IS_WHITE)
    return image


def _one_plane(path, image, axes):
    """Drop axes of length 1, put channels last, refuse stacks."""
    kept = [i for i, length in enumerate(image.shape) if length != 1 or axes[i] in "YX"]
    image, axes = image.reshape([image.shape[i] for i in kept]), "".join(axes[i] for i in kept)
    if axes in ("CYX", "SYX") and image.shape[0] <= 4:
        image, axes = np.moveaxis(image, 0, -1), "YXC"
    if axes not in ("YX", "YXC", "YXS"):
        raise ValueError(
            f"{path}: one image is wanted, this TIFF holds {image.shape} in the axes {axes}. "
            "Save the planes as single images."
        )
    if image.ndim == 3 and image.shape[-1] > 4:
        raise ValueError(f"{path}: at most 4 channels are read, this TIFF has {image.shape[-1]}.")
    return image
