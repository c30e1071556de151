"""From a movie file of any kind to frames in order, one at a time, with units that were told and not guessed."""

from pathlib import Path

import numpy as np

from somaseg.movies.file_units import settle_units
from somaseg.movies.plane_choice import PlaneChoice

TIFF_SUFFIXES = (".tif", ".tiff", ".btf", ".tf8", ".stk", ".lsm")
VIDEO_SUFFIXES = (".avi", ".mp4", ".mov", ".m4v")
MICROSCOPE_SUFFIXES = (".czi", ".nd2", ".lif")


def open_movie(
    path,
    *,
    channel=None,
    z=None,
    um_per_px=None,
    minutes_per_frame=None,
    pixels=False,
    allow_truncated=False,
):
    """Open a movie for reading frame by frame; memory does not grow with its length.

    Args:
        path: a TIFF (ImageJ hyperstack, OME, plain), a folder with one image per frame (natural order of names), an
            AVI, MP4 or MOV, an OME-Zarr (extra `zarr`), or a CZI, ND2 or LIF (extra `bio`).
        channel: int from 0 or a channel's name; must be given when there are several. Of a colour movie it picks red
            (0), green (1) or blue (2); without it a frame is (Y, X, 3).
        z: int from 0, "max" for the brightest along z, or "time" when the file took time for depth; must be given when
            there are several slices.
        um_per_px: float, edge of a pixel in um; overrides the file.
        minutes_per_frame: float, time between frames in minutes; overrides the file.
        pixels: bool, work in pixels and frames on purpose: both units are 1.0.
        allow_truncated: bool, take the frames that can be read of a file that is cut short or announces another number.

    Returns:
        `Movie`, also a context manager.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: it is no movie, is damaged or cut short, has several channels or slices and none was chosen, or does
            not tell its units. The message says which flag to give.
        ImportError: the format needs a package that is not installed; the message names the extra.

    Example:

    >>> import pathlib, tempfile, tifffile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.tif"
    >>> tifffile.imwrite(path, np.zeros((5, 8, 9), np.uint16))
    >>> with open_movie(path, um_per_px=0.65, minutes_per_frame=15) as movie:
    ...     print(movie.description)
    ...     print(len(list(movie.frames())))
    plain TIFF, 5 frames of 8 x 9 pixels, uint16
    5
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such file or folder.")
    planes = _open_planes(path)
    try:
        choice = PlaneChoice(path, planes, channel=channel, z=z)
        units = settle_units(
            path, planes.units, um_per_px=um_per_px, minutes_per_frame=minutes_per_frame, pixels=pixels
        )
        return Movie(path, planes, choice, units, allow_truncated=allow_truncated)
    except BaseException:
        planes.close()
        raise


class Movie:
    """A movie that is open for reading; made by `open_movie`.

    Attributes:
        path: `pathlib.Path`.
        name: str, the file's or folder's name without its suffix.
        frame_count: int.
        height_px: int.
        width_px: int.
        colour: bool, frames are (Y, X, 3) RGB and not (Y, X).
        dtype: `numpy.dtype` of the frames.
        calibration: `somaseg.movies.Calibration`.
        calibration_source: dict of "um_per_px" and "minutes_per_frame" to "file", "flag" or "pixels".
        description: str, what it is, which channel and depth were chosen.
        warnings: list of str; what a frame shows only when it is read is added then.
    """

    def __init__(self, path, planes, choice, units, *, allow_truncated):
        self.path = path
        self.name = path.name if path.is_dir() and path.suffix != ".zarr" else path.stem.removesuffix(".ome")
        self._planes, self._choice = planes, choice
        self.calibration, self.calibration_source, unit_warnings = units
        self.warnings = [*planes.warnings, *unit_warnings]
        self.frame_count = self._count_frames(allow_truncated)
        self.height_px, self.width_px = choice.shape[:2]
        self.colour = len(choice.shape) == 3
        self.dtype = np.dtype(planes.dtype)
        size = f"{self.frame_count} frame{'s' * (self.frame_count != 1)} of {self.height_px} x {self.width_px} pixels"
        self.description = ", ".join([planes.kind, size, str(self.dtype), *choice.words])
        if self.frame_count == 1:
            self.warnings.append("The movie has one frame: there is nothing to follow.")

    def frames(self):
        """Every frame in order: an iterator of arrays (Y, X) or (Y, X, 3), each read when it is asked for.

        Raises:
            ValueError: a frame cannot be read, or holds NaN or an infinite value; the message names it.
        """
        for t in range(self.frame_count):
            yield self.frame(t)

    def frame(self, t):
        """Frame `t`, counted from 0, as `frames` gives it.

        Raises:
            IndexError: there is no such frame.
            ValueError: as `frames`.
        """
        if not 0 <= t < self.frame_count:
            raise IndexError(f"{self.path}: there is no frame {t}; it has frames 0 to {self.frame_count - 1}.")
        try:
            image = self._choice.read(t)
        except MemoryError:
            raise
        except Exception as error:  # codecs raise many kinds for damaged data
            raise ValueError(f"{self.path}: frame {t} cannot be read ({error}).") from error
        if image.shape != self._choice.shape:
            raise ValueError(f"{self.path}: frame {t} is {image.shape}, the first {self._choice.shape}.")
        if image.dtype.kind == "f" and not np.isfinite(image).all():
            bad = int(np.count_nonzero(~np.isfinite(image)))
            raise ValueError(
                f"{self.path}: frame {t} holds {bad} values that are NaN or infinite. Replace them first (in Fiji: "
                "Process > Noise > Remove NaNs)."
            )
        return image

    def close(self):
        """Close the file. Twice does no harm."""
        self._planes.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _count_frames(self, allow_truncated):
        announced, whole = self._choice.frames, self._choice.whole
        count = announced if whole.all() else int(np.argmin(whole))
        fault = self._planes.fault
        if count < announced:
            fault = fault or f"it is cut short: {count} of {announced} frames are whole"
        if count == 0:
            raise ValueError(f"{self.path}: {fault or 'it has no frame'}. There is nothing to analyse.")
        if fault and not allow_truncated:
            raise ValueError(f"{self.path}: {fault}. Give --allow-truncated to use the {count} that can be read.")
        if fault:
            self.warnings.append(f"{fault[0].upper()}{fault[1:]}; the first {count} are used (--allow-truncated).")
        return count


def _open_planes(path):
    """`Planes` by the name of the file; each kind is a module of its own, imported where it is used."""
    suffix = path.suffix.lower()
    if suffix == ".zarr" or (path.is_dir() and any((path / name).exists() for name in (".zattrs", "zarr.json"))):
        from somaseg.movies.zarr_planes import open_zarr

        return open_zarr(path)
    if path.is_dir():
        from somaseg.movies.frame_folder import open_frame_folder

        return open_frame_folder(path)
    if path.stat().st_size == 0:
        raise ValueError(f"{path}: the file is empty (0 bytes).")
    if suffix in TIFF_SUFFIXES:
        from somaseg.movies.tiff_planes import open_tiff

        return open_tiff(path)
    if suffix in VIDEO_SUFFIXES:
        from somaseg.movies.video_planes import open_video

        return open_video(path)
    if suffix in MICROSCOPE_SUFFIXES:
        from somaseg.movies.bioio_planes import open_with_bioio

        return open_with_bioio(path)
    readable = ", ".join((*TIFF_SUFFIXES[:2], *VIDEO_SUFFIXES, ".zarr", *MICROSCOPE_SUFFIXES))
    raise ValueError(
        f"{path}: files named {suffix or 'without a suffix'} are not read as movies. Give one of {readable}, or a "
        "folder with one image per frame."
    )
