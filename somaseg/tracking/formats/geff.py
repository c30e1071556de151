"""GEFF, the graph exchange format for tracking: a zarr folder of somas (nodes) and links (edges).

Specification: https://live-image-tracking-tools.github.io/geff, written by its own package. TrackMate, napari and other
programs read it.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from somaseg.folders import whole_folder

_EXTRA_COLUMNS = ("y_px", "x_px", "y_um", "x_um", "area_um2", "mean_intensity", "probability")


def write_geff(path, result, *, labels="labels.tif", pixels=False):
    """Write the tracks of a result as a GEFF folder, whole or not at all; an existing one is replaced.

    Nodes have t (frame), y and x (in the image, in um), track_id (for GEFF the lineage and the tracklet), and the other
    columns of tracks.csv under their names: y_um and x_um are positions in the tissue, without drift. A value that is
    not known is marked as missing. A gap is an edge over several frames.

    Args:
        path: folder, usually tracks.geff.
        result: `somaseg.tracking.Result`.
        labels: path of the label stack relative to the folder that `path` is in, or None to name none.
        pixels: bool, units are pixels and frames.

    Returns:
        (nodes, edges): int, how many were written.

    Raises:
        ImportError: geff is not installed (extra `geff`).
        ValueError: `path` is a folder that holds something else.
    """
    geff = _geff()
    path = Path(path)
    if path.is_dir() and any(path.iterdir()) and not any((path / name).exists() for name in (".zattrs", "zarr.json")):
        raise ValueError(f"{path} is a folder that holds something else than a GEFF. Give another path.")
    tracks = result.tracks.sort_values(["frame", "track_id"], ignore_index=True)
    edges = _edges(tracks)
    metadata = geff.GeffMetadata(
        directed=True,
        axes=_axes(result.calibration, pixels),
        node_props_metadata={},
        edge_props_metadata={},
        track_node_props={"lineage": "track_id", "tracklet": "track_id"} if len(tracks) else None,
        related_objects=None if labels is None else [_related(labels)],
    )
    with whole_folder(path, ours=["*"], overwrite=True) as partial:
        _write_arrays(partial, tracks, edges, result.calibration.um_per_px, metadata)
    return len(tracks), len(edges)


def read_geff(path):
    """Read a GEFF folder as `write_geff` makes it.

    Returns:
        (nodes, edges): `pandas.DataFrame` node_id and a column for each property, NaN where missing; int (n, 2), ids
        of the nodes at the two ends.

    Raises:
        ImportError: geff is not installed (extra `geff`).
        ValueError: it is no valid GEFF.
    """
    _geff()
    from geff.core_io import read_to_memory

    try:
        graph = read_to_memory(path)
    except Exception as error:  # zarr, pydantic and geff raise many kinds
        raise ValueError(f"{path}: this is no valid GEFF ({error}).") from error
    table = {"node_id": graph["node_ids"]}
    for name, content in graph["node_props"].items():
        missing = content["missing"]
        known = missing is None or not np.any(missing)
        table[name] = content["values"] if known else np.where(missing, np.nan, content["values"])
    return pd.DataFrame(table), np.asarray(graph["edge_ids"]).reshape(-1, 2)


def _edges(tracks):
    """Node ids of each soma and the next of its track, int (n, 2); a node's id is its row."""
    by_track = tracks.sort_values(["track_id", "frame"])
    rows = by_track.index.to_numpy()
    same = np.diff(by_track["track_id"].to_numpy()) == 0
    return np.stack([rows[:-1][same], rows[1:][same]], axis=1) if len(rows) else np.zeros((0, 2), np.int64)


def _axes(calibration, pixels):
    from geff_spec import Axis

    space = "pixel" if pixels else "micrometer"
    time = {} if pixels else {"scale": calibration.minutes_per_frame, "scaled_unit": "minute"}
    return [
        Axis(name="t", type="time", unit="frame", **time),
        *(Axis(name=name, type="space", unit=space) for name in "yx"),
    ]


def _related(labels):
    from geff_spec import RelatedObject

    return RelatedObject(type="labels", path=f"../{labels}", label_prop="track_id")


def _write_arrays(folder, tracks, edges, um_per_px, metadata):
    from geff.core_io import write_arrays

    columns = {
        "t": tracks["frame"].to_numpy(np.int64),
        "y": tracks["y_px"].to_numpy(float) * um_per_px,
        "x": tracks["x_px"].to_numpy(float) * um_per_px,
        "track_id": tracks["track_id"].to_numpy(np.int64),
        **{name: tracks[name].to_numpy(float) for name in _EXTRA_COLUMNS},
    }
    properties = {}
    for name, values in columns.items():
        missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)
        properties[name] = {
            "values": np.where(missing, 0, values) if missing.any() else values,
            "missing": missing if missing.any() else None,
        }
    ids = np.arange(len(tracks), dtype=np.uint64)
    write_arrays(folder, ids, properties, edges.astype(np.uint64), {}, metadata, overwrite=True)


def _geff():
    try:
        import geff
    except ImportError as error:
        raise ImportError("GEFF needs its package: pip install 'somaseg[geff]'.") from error
    return geff
