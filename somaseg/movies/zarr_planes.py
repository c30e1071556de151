"""OME-Zarr (versions 0.4 and 0.5 of OME-NGFF) as planes, at full resolution.

Specification: https://ngff.openmicroscopy.org, "multiscales". A chunk that is not there stands for zeros in zarr, so a
copy that was cut short cannot be told from a dark movie.
"""

import numpy as np

from somaseg.movies.file_units import FileUnits, minutes_per, positive, um_per
from somaseg.movies.planes import Planes, all_available

_AXES = "tczyx"


def open_zarr(path):
    """`Planes` of an OME-Zarr image.

    Raises:
        ImportError: zarr is not installed (extra `zarr`).
        ValueError: it is no OME-Zarr image, holds several images, or has axes other than t, c, z, y, x.
    """
    zarr = _zarr()
    try:
        group = zarr.open_group(str(path), mode="r")
    except Exception as error:  # zarr raises many kinds
        raise ValueError(f"{path}: this is no OME-Zarr image ({error}).") from error
    group, about = _image(path, group)
    image = about["multiscales"][0]
    axes = [axis["name"] if isinstance(axis, dict) else axis for axis in image.get("axes", _AXES)]
    if sorted(set(axes)) != sorted(axes) or not set(axes) <= set(_AXES) or axes[-2:] != ["y", "x"]:
        raise ValueError(
            f"{path}: its axes are {', '.join(axes)}; t, c and z in any order and y, x at the end are read."
        )
    try:
        array = group[image["datasets"][0]["path"]]
    except (KeyError, IndexError) as error:
        raise ValueError(f"{path}: the image that its metadata names is not there ({error}).") from error
    if len(array.shape) != len(axes) or 0 in array.shape or array.dtype.kind not in "buif":
        raise ValueError(f"{path}: its image is {array.dtype} {array.shape} with the axes {', '.join(axes)}.")
    lengths = dict(zip(axes, array.shape))
    dtype = np.dtype(np.uint8) if array.dtype.kind == "b" else array.dtype.newbyteorder("=")

    def read(t, z, c):
        place = {"t": t, "z": z, "c": c}
        return np.asarray(array[tuple(place.get(axis, slice(None)) for axis in axes)]).astype(dtype, copy=False)

    return Planes(
        kind="OME-Zarr",
        available=all_available(*(lengths.get(axis, 1) for axis in "tzc")),
        shape=tuple(array.shape[-2:]),
        dtype=dtype,
        read=read,
        units=_units(image, axes),
        channel_names=tuple(str(one.get("label", "")) for one in about.get("omero", {}).get("channels", [])),
    )


def _image(path, group):
    """(group of the image, its OME metadata); converters put the image into a group of its own."""
    about = _metadata(group)
    if "multiscales" in about:
        return group, about
    inner = [name for name in sorted(group.group_keys()) if "multiscales" in _metadata(group[name])]
    if len(inner) == 1:
        return group[inner[0]], _metadata(group[inner[0]])
    if inner:
        raise ValueError(f"{path}: it holds {len(inner)} images. Give one of them: {path / inner[0]}, ...")
    raise ValueError(f"{path}: this is no OME-Zarr image: its metadata has no multiscales.")


def _metadata(group):
    attributes = dict(group.attrs)
    return attributes.get("ome", attributes)


def _units(image, axes):
    scale = np.ones(len(axes))
    for transformations in (
        image["datasets"][0].get("coordinateTransformations", []),
        image.get("coordinateTransformations", []),
    ):
        for one in transformations:
            if one.get("type") == "scale" and len(one.get("scale", [])) == len(axes):
                scale = scale * np.array(one["scale"], float)
    units = [axis.get("unit") if isinstance(axis, dict) else None for axis in image.get("axes", _AXES)]
    sizes = []
    for axis in "xy":
        factor, size = um_per(units[axes.index(axis)]), positive(scale[axes.index(axis)])
        sizes.append(None if factor is None or size is None else factor * size)
    unit = units[axes.index("t")] if "t" in axes else None
    factor = minutes_per(unit)
    interval = positive(scale[axes.index("t")]) if "t" in axes else None
    return FileUnits(
        *sizes,
        None if factor is None or interval is None else factor * interval,
        f"its x axis has the unit {units[axes.index('x')]!r}",
        f"its t axis has the unit {unit!r}" if "t" in axes else "it has no t axis",
    )


def _zarr():
    try:
        import zarr
    except ImportError as error:
        raise ImportError("OME-Zarr needs the package zarr: pip install 'somaseg[zarr]'.") from error
    return zarr
