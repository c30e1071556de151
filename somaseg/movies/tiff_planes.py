"""TIFF movies (ImageJ hyperstack, OME, plain) as planes that are read one at a time.

ImageJ keeps all planes in one piece behind the first directory and may write no further directory (files past 4 GiB);
its description gives the numbers of channels, slices and frames, the channel changing fastest. An OME-TIFF names the
directory of each plane. A plain TIFF has one axis at most, which is taken as time; so is the order of the images in a
file that was written frame by frame, each as an image of its own (`tifffile.TiffWriter.write` in a loop).
"""

import math
import struct
import weakref

import numpy as np
import tifffile

from somaseg.movies.planes import Planes, quiet
from somaseg.movies.tiff_units import tiff_units

ZERO_IS_WHITE = "The file says that 0 is white; its values are taken as they are, so somas must be high ones."
_UNKNOWN_AXES = "IQR"  # tifffile's letters for an axis that the file does not name
_NAMES = {"T": "time", "Z": "depth", "C": "channel"}


def open_tiff(path):
    """`Planes` of a TIFF.

    Raises:
        ValueError: it is no TIFF, damaged, holds several images of different sizes or positions, or its axes cannot be
            told apart.
    """
    try:
        with quiet("tifffile"):
            tif = tifffile.TiffFile(path)
            if _is_written_frame_by_frame(tif):
                tif.close()
                tif = tifffile.TiffFile(path, is_shaped=False)  # reads over the description in front of each frame
            try:
                return _planes(path, tif)
            except BaseException:
                tif.close()
                raise
    except (ValueError, OSError, MemoryError) as error:
        if str(error).startswith(str(path)) or isinstance(error, MemoryError):
            raise
        raise ValueError(f"{path}: cannot be read; it is cut short, damaged or no TIFF ({error}).") from error
    except Exception as error:  # tifffile raises many kinds for a damaged file
        raise ValueError(f"{path}: cannot be read; it is damaged ({error}).") from error


def _planes(path, tif):
    if not len(tif.pages):
        raise ValueError(f"{path}: there is no image in it.")
    kind, axes, sizes, source = _layout(path, tif)
    first = source.first
    shape, convert = _plane_shape(path, first)
    lengths = dict(zip(axes, sizes))
    grid = np.arange(source.count).reshape(sizes)
    order = [axes.index(axis) for axis in "TZC" if axis in axes]
    grid = grid.transpose(order).reshape([lengths.get(axis, 1) for axis in "TZC"])
    dtype = np.dtype(np.uint8) if first.dtype == bool else first.dtype.newbyteorder("=")
    warnings = [*source.warnings]
    if first.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
        warnings.append(ZERO_IS_WHITE)
    if first.axes.endswith("S") and first.shape[-1] == 4:
        warnings.append("The fourth sample of each pixel (alpha) is left out.")

    def read(t, z, c):
        with quiet("tifffile"):
            return convert(source.read(int(grid[t, z, c]))).astype(dtype, copy=False)

    return Planes(
        kind=kind,
        available=source.available[grid],
        shape=shape,
        dtype=dtype,
        read=read,
        units=tiff_units(tif),
        channel_names=_channel_names(tif),
        fault=source.fault,
        warnings=warnings,
        close=source.close,
    )


def _is_written_frame_by_frame(tif):
    """tifffile's own description stands in front of every plane, and all planes are alike."""
    if not tif.is_shaped or tif.is_imagej or tif.is_ome:
        return False
    try:
        images = tif.series
    except Exception:  # tifffile raises many kinds for a damaged file; the reading proper tells
        return False
    planes = [one.keyframe for one in images]
    single = all(math.prod(one.shape) == math.prod(plane.shape) for one, plane in zip(images, planes))
    return len(images) > 1 and single and len({plane.hash for plane in planes}) == 1


def _layout(path, tif):
    """(kind in words, axes of the planes, their lengths, `_PlaneSource`)."""
    if tif.is_imagej and not tif.is_ome:
        return _imagej_layout(path, tif)
    if _description_is_lost(tif):
        raise ValueError(
            f"{path}: it is cut short, and its description is lost with the end, so its axes are not known. "
            "Copy it again."
        )
    try:
        series = tif.series
    except tifffile.TiffFileError:
        if tif.is_ome:
            raise
        pages = _readable_pages(tif)
        return "plain TIFF", "T", [len(pages)], _PlaneSource(path, tif, pages[0], len(pages), pages, cut=True)
    if len(series) != 1:
        sizes = ", ".join(f"{one.name or index} {one.shape}" for index, one in enumerate(series[:4]))
        raise ValueError(
            f"{path}: it holds {len(series)} images ({sizes}{', ...' * (len(series) > 4)}): frames of differing sizes "
            "or kinds, or several positions. Save the one to analyse as a file of its own."
        )
    series = series[0]
    pairs = [
        (axis, length)
        for axis, length in zip(series.get_axes(squeeze=False), series.get_shape(squeeze=False))
        if axis not in "YXS" and length != 1
    ]
    axes = _name_axes(path, "".join(axis for axis, _ in pairs), series)
    sizes = [length for _, length in pairs]
    count, page = math.prod(sizes), series.keyframe
    pages = list(series._pages) if len(series._pages) == count else None
    kind = "OME-TIFF" if tif.is_ome else "plain TIFF" if series.kind in ("shaped", "generic", "uniform") else "TIFF"
    source = _PlaneSource(path, tif, page, count, pages)
    if series.kind == "shaped" and len(tif.pages) > count and not source.fault:
        source.fault = f"it holds {len(tif.pages)} images, of which {count} can be read as frames"
    return kind, axes, sizes, source


def _name_axes(path, axes, series):
    unknown = [axis for axis in axes if axis in _UNKNOWN_AXES]
    named = [axis for axis in axes if axis in _NAMES]
    other = [axis for axis in axes if axis not in _UNKNOWN_AXES and axis not in _NAMES]
    if other or len(unknown) > 1 or (unknown and "T" in named):
        raise ValueError(
            f"{path}: its axes are {series.axes} {series.shape}, and which of them is time cannot be told. Save it as "
            "an ImageJ hyperstack or an OME-TIFF with axes T, Z, C, Y, X."
        )
    return "".join("T" if axis in _UNKNOWN_AXES else axis for axis in axes)


def _imagej_layout(path, tif):
    told, page = tif.imagej_metadata or {}, tif.pages.first
    lengths = {axis: told.get(name, 1) for axis, name in (("T", "frames"), ("Z", "slices"), ("C", "channels"))}
    if not all(isinstance(length, int) and length >= 1 for length in lengths.values()):
        raise ValueError(f"{path}: its ImageJ description is damaged: {lengths}.")
    if lengths["C"] == page.samplesperpixel > 1:
        lengths["C"] = 1  # the samples of a colour pixel, told as channels by some writers
    if math.prod(lengths.values()) == 1:
        images = told.get("images", 1)
        lengths["T"] = images if isinstance(images, int) and images > 1 else len(tif.pages)
    order = str(told.get("order", "czt")).upper()
    axes = order[::-1] if sorted(order) == ["C", "T", "Z"] else "TZC"
    sizes = [lengths[axis] for axis in axes]
    return "ImageJ hyperstack", axes, sizes, _PlaneSource(path, tif, page, math.prod(sizes), None)


class _PlaneSource:
    """The planes of one TIFF by number, from directories of their own or from one piece behind the first.

    Attributes:
        first: `tifffile.TiffPage`, what all planes look like.
        count: int, planes announced.
        available: bool (count,).
        fault: str, what is wrong with the number of planes.
    """

    def __init__(self, path, tif, page, count, pages, *, cut=False):
        self.first, self.count, self.fault, self.warnings = page, count, "", []
        self._tif, self._file = tif, None
        self._pages = pages
        if pages is None:
            found = len(tif.pages)
            if found > count:
                self.fault = f"its description announces {count} images and it holds {found}"
            if found >= count or not self._in_one_piece():
                tif.pages.useframes = True
                tif.pages.set_keyframe(page.index if isinstance(page.index, int) else 0)
                self._pages = _readable_pages(tif)[:count]
        if self._pages is None:
            self.available = self._available_in_one_piece(path)
        else:
            self.available = np.zeros(count, bool)
            self.available[: len(self._pages)] = [self._fits(page) for page in self._pages]
        if self._pages is not None and None in self._pages:
            missing = self._pages.index(None)
            self.fault = f"image {missing} of {count} is not there; a file of the set may be missing"
        elif self._pages is not None and len(self._pages) == count and (cut or self._chain_is_broken()):
            whole = count if self.available.all() else int(np.argmin(self.available))
            self.fault = f"it is cut short after {whole} whole image{'s' * (whole != 1)}"
        # Not `self.close`: a finalizer that holds its own object would never run.
        self._finalizer = weakref.finalize(self, tif.close)

    def read(self, number):
        """Plane `number` as it is stored."""
        if self._pages is not None:
            return self._read_page(self._pages[number])
        stored = self.first.dtype.newbyteorder(self._tif.byteorder)
        values = math.prod(self.first.shape)
        self._file.seek(self.first.dataoffsets[0] + number * self.first.nbytes)
        return np.frombuffer(self._file.read(self.first.nbytes), stored, values).reshape(self.first.shape)

    @staticmethod
    def _read_page(page):
        handle = page.parent.filehandle
        if not handle.closed:
            return page.asarray()
        handle.open()  # one file of a set, such as an OME-TIFF with a file per frame; not all can be open at a time
        try:
            return page.asarray()
        finally:
            handle.close()

    def close(self):
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._finalizer()

    def _in_one_piece(self):
        if not self.first.is_final:
            return False
        second = _readable_pages(self._tif, 2)[1:]
        return not second or second[0].dataoffsets[0] == self.first.dataoffsets[0] + self.first.nbytes

    def _available_in_one_piece(self, path):
        self._file = open(path, "rb")  # noqa: SIM115 (open as long as the movie is)
        size = self._file.seek(0, 2)
        whole = max(0, size - self.first.dataoffsets[0]) // self.first.nbytes
        return np.arange(self.count) < whole

    def _fits(self, page):
        if page is None:
            return False
        size = page.parent.filehandle.size
        return all(offset + count <= size for offset, count in zip(page.dataoffsets, page.databytecounts))

    def _chain_is_broken(self):
        """The last directory points to a further one that is not in the file."""
        position = self._tif.pages.next_page_offset
        if position is None:
            return False
        handle, size = self._tif.filehandle, self._tif.tiff.offsetsize
        handle.seek(position)
        content = handle.read(size)
        return len(content) < size or any(content)


def _readable_pages(tif, most=None):
    """The directories up to the first that is damaged."""
    pages = []
    for index in range(len(tif.pages))[:most]:
        try:
            pages.append(tif.pages[index])
        except Exception:  # tifffile raises many kinds for a directory that is cut
            break
    return pages


def _description_is_lost(tif):
    """The first directory points to a description (tag 270) that lies beyond the end of the file."""
    tiff, handle = tif.tiff, tif.filehandle
    handle.seek(tif.pages.first.offset)
    count = int.from_bytes(handle.read(tiff.tagnosize), "little" if tif.byteorder == "<" else "big")
    for entry in range(count):
        handle.seek(tif.pages.first.offset + tiff.tagnosize + entry * tiff.tagsize)
        content = handle.read(tiff.tagsize)
        code, _, length, offset = struct.unpack(tif.byteorder + ("HHII" if tiff.offsetsize == 4 else "HHQQ"), content)
        if code == 270:
            return length > tiff.offsetsize and offset + length > handle.size
    return False


def _plane_shape(path, page):
    """(shape of a frame, function from a stored plane to it)."""
    if page.dtype is None or page.dtype.kind not in "buif":
        raise ValueError(
            f"{path}: its pixels are {page.dtype or 'of an unknown kind'}; whole or real numbers are read."
        )
    if page.axes == "YX":
        return page.shape, lambda image: image
    if page.axes == "YXS" and page.shape[2] in (3, 4):
        return (*page.shape[:2], 3), lambda image: image[..., :3]
    if page.axes == "SYX" and page.shape[0] in (3, 4):
        return (*page.shape[1:], 3), lambda image: np.moveaxis(image[:3], 0, -1)
    raise ValueError(f"{path}: its images are {page.shape} ({page.axes}); grey (Y, X) or RGB (Y, X, 3) ones are read.")


def _channel_names(tif):
    if tif.is_ome:
        try:
            channels = tifffile.xml2dict(tif.ome_metadata)["OME"]["Image"]["Pixels"]["Channel"]
        except (KeyError, TypeError, ValueError):
            return ()
        channels = channels if isinstance(channels, list) else [channels]
        return tuple(str(one.get("Name", "")) if isinstance(one, dict) else "" for one in channels)
    labels = (tif.imagej_metadata or {}).get("Labels", [])
    channels = (tif.imagej_metadata or {}).get("channels", 1)
    return tuple(str(label) for label in labels[:channels]) if isinstance(labels, list | tuple) else ()
