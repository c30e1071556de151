"""From the units that a file tells, and the flags a person gives, to one `Calibration`; nothing is ever guessed."""

import math
from dataclasses import dataclass

from somaseg.movies.calibration import Calibration

_LENGTHS = {
    "um µm μm micron microns micrometer micrometers micrometre micrometres": 1.0,
    "nm nanometer nanometers nanometre nanometres": 1e-3,
    "mm millimeter millimeters millimetre millimetres": 1e3,
    "cm centimeter centimeters centimetre centimetres": 1e4,
    "m meter meters metre metres": 1e6,
    "å angstrom angstroms": 1e-4,
}
_TIMES = {
    "s sec secs second seconds": 1 / 60,
    "ms msec millisecond milliseconds": 1 / 60e3,
    "us µs μs microsecond microseconds": 1 / 60e6,
    "min mins minute minutes": 1.0,
    "h hr hrs hour hours": 60.0,
    "d day days": 1440.0,
}
_UM = {name: um for names, um in _LENGTHS.items() for name in names.split()}
_MINUTES = {name: minutes for names, minutes in _TIMES.items() for name in names.split()}
_SQUARE_WITHIN = 0.01  # of a pixel's width and height, relative
_SAME_WITHIN = 0.01  # of a flag and what the file tells, relative


@dataclass(frozen=True)
class FileUnits:
    """What a file tells of its pixel size and frame interval.

    Attributes:
        x_um: float, width of a pixel in um, or None.
        y_um: float, height of a pixel in um, or None.
        minutes: float, time from frame to frame in minutes, or None.
        size_words: str, what stands in the file instead of a pixel size in um ("" for nothing).
        interval_words: str, what stands there instead of an interval.
        warnings: tuple of str.
    """

    x_um: float | None = None
    y_um: float | None = None
    minutes: float | None = None
    size_words: str = ""
    interval_words: str = ""
    warnings: tuple = ()


def um_per(unit):
    """How many um one `unit` is, or None when it is no unit of length that a microscope uses (inch, pixel, none).

    >>> um_per("nm"), um_per("\\\\u00B5m"), um_per("Micron"), um_per("inch")
    (0.001, 1.0, 1.0, None)
    """
    return _UM.get(_plain(unit))


def minutes_per(unit):
    """How many minutes one `unit` is, or None when it is no unit of time.

    >>> minutes_per("h"), minutes_per("min"), minutes_per("frame")
    (60.0, 1.0, None)
    """
    return _MINUTES.get(_plain(unit))


def positive(value):
    """`value` as a float when it is a finite number above 0, else None."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def settle_units(path, found, *, um_per_px=None, minutes_per_frame=None, pixels=False):
    """The calibration of a movie: from flags where given, else from the file.

    Args:
        path: what an error calls the movie.
        found: `FileUnits`.
        um_per_px: float in um, or None.
        minutes_per_frame: float in minutes, or None.
        pixels: bool, work in pixels and frames: 1.0 and 1.0. None where that cannot be had, and no error offers it.

    Returns:
        (calibration, source, warnings): `Calibration`; dict of "um_per_px" and "minutes_per_frame" to "file", "flag" or
        "pixels"; list of str.

    Raises:
        ValueError: a unit is neither in the file nor given, pixels are not square, or `pixels` stands beside a unit.

    Example:

    >>> settle_units("a.tif", FileUnits(0.65, 0.65), minutes_per_frame=15)[:2]
    ... # doctest: +NORMALIZE_WHITESPACE
    (Calibration(um_per_px=0.65, minutes_per_frame=15.0), {'um_per_px': 'file', 'minutes_per_frame': 'flag'})
    """
    if pixels:
        if um_per_px is not None or minutes_per_frame is not None:
            raise ValueError("--pixels works in pixels and frames; leave out --um-per-px and --minutes-per-frame.")
        return Calibration(1.0, 1.0), dict.fromkeys(("um_per_px", "minutes_per_frame"), "pixels"), []
    source = {
        "um_per_px": "file" if um_per_px is None else "flag",
        "minutes_per_frame": "file" if minutes_per_frame is None else "flag",
    }
    warnings = list(found.warnings)
    if um_per_px is None:
        _require_square(path, found)
    else:
        warnings += _contradiction("um_per_px", um_per_px, found.x_um, "um per pixel")
    if minutes_per_frame is not None:
        warnings += _contradiction("minutes_per_frame", minutes_per_frame, found.minutes, "minutes per frame")
    size = found.x_um if um_per_px is None else um_per_px
    interval = found.minutes if minutes_per_frame is None else minutes_per_frame
    _require_both(
        path, found, size, interval, offer="" if pixels is None else ", or --pixels to work in pixels and frames"
    )
    return Calibration(size, interval), source, warnings


def _require_both(path, found, size, interval, offer):
    missing, flags = [], []
    if size is None:
        missing.append("the pixel size in um" + (f" ({found.size_words})" if found.size_words else ""))
        flags.append("--um-per-px")
    if interval is None:
        missing.append("the time between frames" + (f" ({found.interval_words})" if found.interval_words else ""))
        flags.append("--minutes-per-frame")
    if missing:
        raise ValueError(f"{path}: the file does not tell {' and '.join(missing)}. Give {' and '.join(flags)}{offer}.")


def _require_square(path, found):
    if found.x_um and found.y_um and abs(found.x_um / found.y_um - 1) > _SQUARE_WITHIN:
        raise ValueError(
            f"{path}: its pixels are not square: {found.x_um:g} um wide and {found.y_um:g} um high. Resample the "
            "movie, or give --um-per-px if the file is wrong."
        )


def _contradiction(name, given, told, unit):
    if told is None or not isinstance(given, int | float) or abs(given / told - 1) <= _SAME_WITHIN:
        return []
    return [f"{name}: {given:g} {unit} was given and is used; the file says {told:g}."]


def _plain(unit):
    return str(unit or "").replace("\\u00B5", "µ").replace("\\u00b5", "µ").replace("Âµ", "µ").strip().lower()
