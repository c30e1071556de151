"""A folder with one image per frame, in the natural order of their names (t2 before t10), as planes."""

import re
from collections import Counter

import cv2
import numpy as np
import tifffile

from somaseg.movies.file_units import FileUnits
from somaseg.movies.planes import Planes, all_available, quiet
from somaseg.movies.tiff_planes import ZERO_IS_WHITE
from somaseg.movies.tiff_units import tiff_units

_TIFF = (".tif", ".tiff")
SUFFIXES = (*_TIFF, ".png", ".jpg", ".jpeg", ".bmp")

# A tag begins after anything but a letter, or at the hump of a CamelCase name.
_TAG = r"(?:(?<![A-Za-z])|(?<=[a-z])(?=[A-Z]))"
_CLOCK = re.compile(
    r"""(?:(?<![a-z])d(?:ay)?\d+[-_\ ])? (?<!\d)                     # d1_
        (?:(?:\d+y[-_]?)? (?:\d+m[-_]?)? \d+d[-_]?)?                 # 2023y01m05d_ or 00d
        \d+h(?:rs?)? [-_]?\d+ (?:m(?:in)?(?:[-_]?\d+s)?)? (?![a-z\d])  # 00h15m, 12h30, 01h15m30s
      | (?:d(?:ay)?\d+[-_]?)? h\d+[-_]?m(?:in)?\d+ (?:[-_]?s\d+)?    # h01m15s30
      | \d{4}-?\d\d-?\d\d T \d\d[-_.]?\d\d (?:[-_.]?\d\d)?           # 2023-01-05T12-15-00
    """,
    re.IGNORECASE | re.VERBOSE,
)
_TIME = re.compile(
    rf"""{_TAG} (?i: (?: time[-_\ ]?point | time | tp | frame)[-_\ =]? | t=?) (?P<time>\d+(?:[-_.]\d+)*)
       | {_TAG} (?i: day[-_\ ]?) \d+
    """,
    re.VERBOSE,
)
_CHANNEL_OR_DEPTH = re.compile(rf"{_TAG}((?i:channel|ch|c|z|wv|w))(\d+)")
_POSITION = re.compile(
    rf"""{_TAG} (?: ((?i: position|pos|xy|stage|site|field|fov|series|scene|well|point|region|roi|tile))[-_\ =]?
                  | ((?i: s|p))=?
                  | (?<=c\d\d)(f) )                                  # r01c01f02p01 of an Operetta
        (\d+)
    """,
    re.VERBOSE,
)
_WELL = re.compile(r"(?:(?<![A-Za-z\d])|(?<=[Ww]ell))([A-P])(\d{1,2})(?![A-Za-z\d])")


def open_frame_folder(folder, pattern="*"):
    """`Planes` of a folder of images, those whose names are like `pattern` (`fnmatch`).

    Raises:
        ValueError: there is no image, images of several formats, of several channels, depths or positions by their
            names, or the first cannot be read. Frames of another size than the first are refused when they are read.
    """
    files = _frame_files(folder, pattern)
    first = read_frame_file(files[0])
    units, warnings = _told_by(files[0])

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
        warnings=[*_numbering_warnings(files), *warnings],
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


def _frame_files(folder, pattern):
    files = [
        path
        for path in folder.glob(pattern)
        if path.suffix.lower() in SUFFIXES and path.is_file() and not path.name.startswith(".")
    ]
    if not files:
        raise ValueError(f"{folder}: there is no image in this folder ({', '.join(SUFFIXES)}).")
    kinds = Counter(path.suffix.lower().replace("tiff", "tif").replace("jpeg", "jpg") for path in files)
    if len(kinds) > 1:
        found = ", ".join(f"{count} {suffix}" for suffix, count in sorted(kinds.items()))
        raise ValueError(f"{folder}: it holds images of several formats ({found}). Keep the frames of one.")
    files = sorted(files, key=lambda path: natural_key(path.name))
    _refuse_several_movies(folder, [path.stem for path in files])
    return files


def _refuse_several_movies(folder, names):
    """Refuse frames of several channels, depths or positions: a number in the names that tells them apart, or the same
    time twice. A number that is the same in all names, or another in each, tells nothing of the kind."""
    untimed = [_TIME.sub("|", _CLOCK.sub("|", name)) for name in names]
    for tags, words in ((_CHANNEL_OR_DEPTH, "channels or depths"), (_POSITION, "positions")):
        tagged = {}
        for index, name in enumerate(untimed):
            for match in tags.finditer(name):
                *tag, number = filter(None, match.groups())
                tagged.setdefault(tag[0].lower(), {}).setdefault(index, []).append(int(number))
        for tag, numbers in tagged.items():
            found = sorted(set(map(tuple, numbers.values())))
            if 1 < len(found) < len(numbers):
                shown = ", ".join("_".join(map(str, one)) for one in found[:4])
                raise ValueError(
                    f"{folder}: by their names ({tag}{shown}, ...) the files are of {len(found)} {words}. Put the "
                    "frames of one into a folder."
                )
    wells = [{(row, int(column)) for row, column in _WELL.findall(name) if int(column) <= 24} for name in untimed]
    found = set().union(*wells) - set.intersection(*wells)
    if len(found) < len(names) and len({row for row, _ in found} - {"D"}):  # D1, D2: days more likely than wells
        shown = ", ".join(f"{row}{column}" for row, column in sorted(found)[:4])
        raise ValueError(
            f"{folder}: by their names ({shown}, ...) the files are of {len(found)} wells. Put the frames of one "
            "position into a folder."
        )
    timed = {}
    for name in names:
        timed.setdefault(_time_of(name), []).append(name)
    timed.pop((), None)
    for first, *others in timed.values():
        if others and len(timed) > 1:
            raise ValueError(
                f"{folder}: by their names {first} and {others[0]} are of the same time, so the files are of several "
                "positions or channels. Put the frames of one into a folder."
            )


def _time_of(name):
    """What tells the time in a name, as a tuple of str; () where nothing does."""
    told = list(_TIME.finditer(_CLOCK.sub("|", name)))
    clock = tuple(match[0] for match in _CLOCK.finditer(name))
    if not clock and not any(match["time"] for match in told):
        return ()
    return clock + tuple(match[0].lower() for match in told)


def _numbering_warnings(files):
    """A warning when the numbers in the names go up by equal steps but for some: a frame may be missing. Another when
    each of several numbers comes with each of several others: one of them may count positions."""
    numbers = [[int(number) for number in re.findall(r"\d+", path.stem)] for path in files]
    if len(files) < 3 or len({len(row) for row in numbers}) != 1 or not numbers[0]:
        return []
    numbers = np.array(numbers, object)
    changing = [column for column in numbers.T if len(set(column)) > 1]
    timed = all(_time_of(path.stem) or re.search(r"\d\.\d", path.stem) for path in files)
    if len(changing) == 2 and not timed:
        outer, inner = (sorted(set(column)) for column in changing)
        divides_the_hour = 60 % len(inner) == 0 and inner == list(range(0, 60, 60 // len(inner)))
        if len(set(zip(*changing))) == len(outer) * len(inner) and not divides_the_hour:
            return [
                f"The names count twice, {len(outer)} times {len(inner)} ({files[0].name}, {files[-1].name}). If one "
                "of the numbers is a position or a channel, put the frames of one into a folder."
            ]
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


def _told_by(path):
    """(`FileUnits`, warnings) of the first frame."""
    if path.suffix.lower() not in _TIFF:
        return FileUnits(size_words="images have none", interval_words="images have none"), []
    with quiet("tifffile"), tifffile.TiffFile(path) as tif:
        units, inverted = tiff_units(tif), tif.pages.first.photometric == tifffile.PHOTOMETRIC.MINISWHITE
    units = FileUnits(units.x_um, units.y_um, None, units.size_words, "single images have none")
    return units, [ZERO_IS_WHITE] if inverted else []
