"""A result as layers for napari: labels and tracks. napari itself is not imported."""

import numpy as np


def napari_layers(result, *, pixels=False):
    """Layer data as napari's readers return it.

    Both layers are in pixels and frames, with the scale that turns them into um and minutes, so that they lie on each
    other and on the movie. The tracks are in the image, like the labels: drift is not taken out.

    Args:
        result: `somaseg.tracking.Result`.
        pixels: bool, units are pixels and frames.

    Returns:
        list of (data, arguments, kind): "labels" with integer (T, Y, X), and, when there is any track, "tracks" with
        float (n, 4), rows (id, t, y, x) sorted by id and time. `features` of the tracks hold the table's other columns.

    Example:

    >>> from somaseg.movies import Calibration
    >>> from somaseg.tracking.results import Result
    >>> import pandas as pd
    >>> empty = pd.DataFrame(columns=["track_id", "frame", "y_px", "x_px"])
    >>> layers = napari_layers(Result(Calibration(0.65, 15), np.zeros((2, 4, 4), np.uint16), empty))
    >>> [(kind, arguments["scale"]) for data, arguments, kind in layers]
    [('labels', (15.0, 0.65, 0.65))]
    """
    calibration = result.calibration
    common = {
        "scale": (calibration.minutes_per_frame, calibration.um_per_px, calibration.um_per_px),
        "units": ("pixel",) * 3 if pixels else ("minute", "micrometer", "micrometer"),
        "axis_labels": ("t", "y", "x"),
    }
    layers = [(result.labels, {"name": "somas", **common}, "labels")]
    if len(result.tracks):
        tracks = result.tracks.sort_values(["track_id", "frame"], ignore_index=True)
        columns = ["track_id", "frame", "y_px", "x_px"]
        features = {name: tracks[name].to_numpy() for name in tracks.columns if name not in columns[1:]}
        data = np.ascontiguousarray(tracks[columns].to_numpy(float))
        layers.append((data, {"name": "tracks", "features": features, **common}, "tracks"))
    return layers
