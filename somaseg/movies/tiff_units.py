"""The pixel size and frame interval that a TIFF tells: ImageJ's description, OME-XML, or the resolution tags."""

import math

import numpy as np
import tifffile

from somaseg.movies.file_units import FileUnits, minutes_per, positive, um_per

# Resolution tags and ImageJ's "cm" often hold the resolution of a print: 72 dpi is 353 um. No soma can be seen at that.
_LARGEST_PRINTED_UM = 20.0
# ImageJ's fps is how fast a movie plays, 0.1 at the slowest that its dialog takes (Animation Options).
_SLOWEST_PLAYED_FPS = 0.1
_IRREGULAR_BEYOND = 0.1  # relative deviation of an interval from the median


def tiff_units(tif):
    """`FileUnits` of an open `tifffile.TiffFile`."""
    if tif.is_ome:
        return _ome_units(tif)
    if tif.is_imagej:
        return _imagej_units(tif.imagej_metadata or {}, *_per_pixel(tif.pages.first))
    return _tag_units(tif.pages.first)


def _imagej_units(told, width, height):
    """ImageJ: a pixel is `width` x `height` of "unit" (the resolution tags count pixels per unit), time in "tunit"."""
    unit = told.get("unit")
    factor, words = um_per(unit), f"its unit is {unit!r}" if unit is not None else "it has no unit"
    x_um, y_um = (None if factor is None or size is None else size * factor for size in (width, height))
    vertical = um_per(told.get("yunit"))
    if vertical is not None and y_um is not None:
        y_um *= vertical / factor
    if factor is not None and factor >= 1e4 and x_um is not None and x_um > _LARGEST_PRINTED_UM:
        words, x_um = f"{x_um:g} um per pixel is the resolution of a print", None
    if x_um is None and factor is not None and width is None:
        words = "it has a unit and no resolution"
    minutes, interval_words = _imagej_interval(told)
    return FileUnits(x_um, y_um if x_um else None, minutes, "" if x_um else words, interval_words)


def _imagej_interval(told):
    unit = told.get("tunit", "sec")  # ImageJ leaves out seconds
    factor, interval, fps = minutes_per(unit), positive(told.get("finterval")), positive(told.get("fps"))
    if interval is not None and factor is None:
        return None, f"its finterval is {interval:g} {unit!r}"
    if interval is not None:
        return interval * factor, ""
    if fps is not None and fps < _SLOWEST_PLAYED_FPS:
        return 1 / fps / 60, ""
    return None, f"its fps, {fps:g}, is how fast it plays" if fps else "it has no finterval"


def _ome_units(tif):
    try:
        pixels = tifffile.xml2dict(tif.ome_metadata)["OME"]["Image"]
        pixels = (pixels[0] if isinstance(pixels, list) else pixels)["Pixels"]
    except (KeyError, TypeError, ValueError, IndexError):
        return FileUnits(size_words="its OME-XML is damaged", interval_words="its OME-XML is damaged")
    return ome_units(pixels)


def ome_units(pixels):
    """`FileUnits` of the attributes of an OME `Pixels` element, and its planes, as `tifffile.xml2dict` gives them.

    Units that are left out are um and seconds (OME schema). Without a TimeIncrement the interval is the median of the
    differences of the planes' DeltaT.
    """
    unit = pixels.get("PhysicalSizeXUnit", "µm")
    sizes = []
    for axis in "XY":
        size, factor = positive(pixels.get(f"PhysicalSize{axis}")), um_per(pixels.get(f"PhysicalSize{axis}Unit", "µm"))
        sizes.append(None if size is None or factor is None else size * factor)
    has_size = pixels.get("PhysicalSizeX") is not None
    size_words = "" if sizes[0] else f"its PhysicalSizeX is in {unit!r}" if has_size else "it has no PhysicalSizeX"
    increment, factor = positive(pixels.get("TimeIncrement")), minutes_per(pixels.get("TimeIncrementUnit", "s"))
    told = None if increment is None or factor is None else increment * factor
    measured, warnings = _measured_interval(pixels)
    if told and measured and abs(measured / told - 1) > _IRREGULAR_BEYOND:
        warnings += (f"The file's TimeIncrement is {told:g} min, its planes are {measured:g} min apart (DeltaT).",)
    minutes = told or measured
    return FileUnits(*sizes, minutes, size_words, "" if minutes else "it has no TimeIncrement", warnings)


def _measured_interval(pixels):
    """(minutes between frames by the planes' DeltaT or None, warnings)."""
    planes = pixels.get("Plane", [])
    planes = planes if isinstance(planes, list) else [planes]
    times = {}
    for plane in planes:
        factor = minutes_per(plane.get("DeltaTUnit", "s"))
        if plane.get("DeltaT") is not None and factor is not None:
            frame, time = int(plane.get("TheT", 0)), float(plane["DeltaT"]) * factor
            times[frame] = min(time, times.get(frame, math.inf))
    frames = sorted(times)
    steps = np.diff([times[frame] for frame in frames]) / np.diff(frames) if len(frames) > 1 else np.zeros(0)
    if not len(steps) or not np.median(steps) > 0:
        return None, ()
    median = float(np.median(steps))
    odd = int(np.sum(np.abs(steps / median - 1) > _IRREGULAR_BEYOND))
    if not odd:
        return median, ()
    return median, (f"{odd} of {len(steps)} intervals between frames differ from {median:g} min by more than 10 %.",)


def _tag_units(page):
    width, height = _per_pixel(page)
    unit = page.tags.valueof("ResolutionUnit")
    if unit != tifffile.RESUNIT.CENTIMETER or width is None:
        return FileUnits(size_words="it is a plain TIFF", interval_words="it is a plain TIFF")
    x_um, y_um = width * 1e4, None if height is None else height * 1e4
    if x_um > _LARGEST_PRINTED_UM:
        return FileUnits(
            size_words=f"{x_um:g} um per pixel is the resolution of a print", interval_words="it is a plain TIFF"
        )
    return FileUnits(x_um, y_um, interval_words="it is a plain TIFF")


def _per_pixel(page):
    """(width, height) of a pixel in the file's unit, None where the resolution tags do not tell."""
    sizes = []
    for name in ("XResolution", "YResolution"):
        value = page.tags.valueof(name)
        try:
            count, per = value
        except (TypeError, ValueError):
            count, per = 0, 0
        sizes.append(per / count if count and per else None)
    return sizes
