"""CZI, ND2 and LIF as planes, through bioio and its plugins, each an installation of its own.

bioio gives pixel sizes in um and the time between frames as a timedelta for these formats (read in the source of
bioio-czi 3.0, bioio-nd2 2.6 and bioio-lif 2.0). bioio-czi is under the GPL, the other two under BSD.
"""

import importlib.util
from datetime import timedelta

import numpy as np

from somaseg.movies.file_units import FileUnits, positive
from somaseg.movies.planes import Planes, all_available, quiet


def open_with_bioio(path):
    """`Planes` of a CZI, ND2 or LIF file with one scene.

    Raises:
        ImportError: bioio or its plugin for the format is not installed.
        ValueError: the file cannot be read, or holds several scenes.
    """
    plugin = f"bioio-{path.suffix[1:].lower()}"
    image = _open(path, plugin)
    if len(image.scenes) != 1:
        names = ", ".join(map(str, image.scenes[:4])) + ", ..." * (len(image.scenes) > 4)
        raise ValueError(
            f"{path}: it holds {len(image.scenes)} scenes ({names}). Save the one to analyse as a file of its own, "
            "such as an OME-TIFF from Fiji."
        )
    lengths = dict(zip(image.dims.order, image.dims.shape))
    if set(lengths) - set("TCZYXS") or lengths.get("S", 1) not in (1, 3, 4):
        raise ValueError(f"{path}: its axes are {image.dims.order} {image.dims.shape}; T, C, Z, Y, X are read.")
    colour = lengths.get("S", 1) >= 3

    def read(t, z, c):
        plane = image.get_image_dask_data("YXS" if colour else "YX", T=t, C=c, Z=z).compute()
        return np.ascontiguousarray(plane[..., :3]) if colour else plane

    return Planes(
        kind=f"{path.suffix[1:].upper()} file",
        available=all_available(*(lengths.get(axis, 1) for axis in "TZC")),
        shape=(lengths["Y"], lengths["X"], 3) if colour else (lengths["Y"], lengths["X"]),
        dtype=np.dtype(image.dtype),
        read=read,
        units=_units(image),
        channel_names=tuple(str(name) for name in image.channel_names or ()),
    )


def _open(path, plugin):
    try:
        import bioio
    except ImportError as error:
        raise ImportError(f"{path.suffix} files need bioio: pip install 'somaseg[bio]' {plugin}.") from error
    if importlib.util.find_spec(plugin.replace("-", "_")) is None:
        raise ImportError(f"{path.suffix} files need a plugin of bioio: pip install {plugin}.")
    try:
        with quiet("bioio.bio_image"):
            image = bioio.BioImage(path)
            image.dims  # noqa: B018 (read here, so that a damaged file is met here)
            return image
    except Exception as error:  # bioio and its plugins raise many kinds
        reason = str(error).split(". ")[0].rstrip(".")
        raise ValueError(f"{path}: cannot be read; it is cut short or damaged ({reason}).") from error


def _units(image):
    sizes, interval = (_told(image, name) for name in ("physical_pixel_sizes", "time_interval"))
    minutes = positive(interval.total_seconds() / 60) if isinstance(interval, timedelta) else None
    x_um, y_um = (positive(getattr(sizes, axis, None)) for axis in "XY")
    return FileUnits(
        x_um,
        y_um,
        minutes,
        "" if x_um else "it has no pixel size",
        "" if minutes else "bioio finds no interval in it",
    )


def _told(image, name):
    """What a plugin tells, None where it raises because the file does not say."""
    try:
        return getattr(image, name)
    except Exception:  # plugins raise kinds of their own
        return None
