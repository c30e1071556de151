"""A folder with one image per frame, in the natural order of their names (t2 before t10), as planes."""

import re
from collections import Counter

import cv2
import numpy as np
import tifffile

from somaseg.movies.file_units import FileUnits
from somaseg.movies.planes import Planes, all_available, quiet
from somaseg.movies.tiff_units import tiff_units

_TIFF = (".tif", ".tiff")
SUFFIXES = (*_TIFF, ".png", ".jpg", ".jpeg", ".bmp")
_TAGGED_NUMBER = re.compile(r"(?:^|[^a-z])(channel|ch|c|z|w|wv)(\d+)", re.IGNORECASE)


def open_frame_folder(folder):
    """`Planes` of a folder of images.

    Raises:
        ValueError: there is no image, images of several formats, of several channels or depths by their names, or the
            first cannot be read. Frames of another size than the first are refused when they are read.
    """
    files = _frame_files(folder)
    first = read_frame_file(files[0])
    warnings, units = _numbering_warnings(files), _units_of(files[0])

    def read(t, z, c):
        image = read_frame_file(files[t])
        if image.shape != first.shape or image.dtype != first.dtype:
            raise ValueError(
                f"{files[t].name} is {image.dtype} {image.shape}, {files[0].name} is {first.dtype} {first.shape}"
            )
        return image

    return Planes(
        kind=f"folder of {files[0].suffix.lower()[1:]} frames",
        available=all_available(len(files)),
        shape=first.shape,
        dtype=first.dtype,
        read=read,
        units=units,
        warnings=warnings,
    )


def natural_key(name):
    """A key that sorts numbers in names by value.

    >>> sorted(["t10.png", "t9.png", "T1.png"], key=natural_key)
    ['T1.png', 't9.png', 't10.png']
    """
    parts = re.split(r"(\d+)", name.lower())
    return [int(part) if part.isdecimal() else part for part in parts], name


def read_frame_file(path):
    """One image: (Y, X), or RGB (Y, X, 3), of the file's dtype.

    Raises:
        ValueError: it cannot be read, is cut short, or holds several planes.
    """
    if path.suffix.lower() in _TIFF:
        return _read_tiff(path)
    content = path.read_bytes()
    # Decoders fill up what is missing of a cut file, so look for the mark at its end first.
    end, data = (b"IEND", b"IDAT") if content.startswith(b"\x89PNG") else (b"\xff\xd9", b"\xff\xda")
    cut = content.startswith((b"\x89PNG", b"\xff\xd8")) and content.rfind(end) < content.rfind(data)
    image = None if cut or not content else cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError(f"{path}: cannot be read; it is cut short, damaged or no image.")
    return image if image.ndim == 2 else np.ascontiguousarray(image[..., 2::-1])


def _read_tiff(path):
    try:
        with quiet("tifffile"), tifffile.TiffFile(path) as tif:
            count, page = len(tif.pages), tif.pages.first
            image = page.asarray()
    except Exception as error:  # tifffile and its codecs raise many kinds for a damaged file
        raise ValueError(f"{path}: cannot be read; it is cut short, damaged or no TIFF ({error}).") from error
    if count > 1:
        raise ValueError(
            f"{path}: it holds {count} images, and a folder of frames has one per file. Give the file itself if it "
            "is the movie."
        )
    if page.axes == "SYX":
        image = np.moveaxis(image, 0, -1)
    if image.ndim == 3 and image.shape[2] in (3, 4):
        return np.ascontiguousarray(image[..., :3])
    if image.ndim != 2 or image.dtype.kind not in "buif":
        raise ValueError(f"{path}: it is {image.dtype} {image.shape}; grey (Y, X) or RGB (Y, X, 3) images are read.")
    return image.astype(np.uint8) if image.dtype == bool else image


def _frame_files(folder):
    files = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")
    ]
    if not files:
        raise ValueError(f"{folder}: there is no image in this folder ({', '.join(SUFFIXES)}).")
    kinds = Counter(path.suffix.lower().replace("tiff", "tif").replace("jpeg", "jpg") for path in files)
    if len(kinds) > 1:
        found = ", ".join(f"{count} {suffix}" for suffix, count in sorted(kinds.items()))
        raise ValueError(f"{folder}: it holds images of several formats ({found}). Keep the frames of one.")
    tagged = {}
    for path in files:
        for tag, number in _TAGGED_NUMBER.findall(path.stem):
            tagged.setdefault(tag.lower(), set()).add(int(number))
    for tag, numbers in tagged.items():
        if len(numbers) > 1 and len(files) > len(numbers):
            shown = ", ".join(map(str, sorted(numbers)[:4]))
            raise ValueError(
                f"{folder}: by their names ({tag}{shown}, ...) the files are of {len(numbers)} channels or depths. Put "
                "the frames of one into a folder."
            )
    return sorted(files, key=lambda path: natural_key(path.name))


def _numbering_warnings(files):
    """A warning when the numbers in the names go up by equal steps but for some: a frame may be missing."""
    numbers = [[int(number) for number in re.findall(r"\d+", path.stem)] for path in files]
    if len(files) < 3 or len({len(row) for row in numbers}) != 1 or not numbers[0]:
        return []
    numbers = np.array(numbers, object)
    changing = [column for column in numbers.T if len(set(column)) > 1]
    if len(changing) != 1:
        return []
    steps = np.diff(changing[0].astype(float))
    usual = min(Counter(steps.tolist()).items(), key=lambda item: (-item[1], item[0]))[0]
    odd = np.flatnonzero(steps > usual)
    if not len(odd):
        return []
    where = int(odd[0])
    return [
        f"The names jump from {files[where].name} to {files[where + 1].name} ({len(odd)} such jumps): a frame may be "
        "missing."
    ]


def _units_of(path):
    if path.suffix.lower() not in _TIFF:
        return FileUnits(size_words="images have none", interval_words="images have none")
    with quiet("tifffile"), tifffile.TiffFile(path) as tif:
        units = tiff_units(tif)
    return FileUnits(units.x_um, units.y_um, None, units.size_words, "single images have none")
