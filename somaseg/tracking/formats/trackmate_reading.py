"""TrackMate's XML as a table of tracks, and as a table of links."""

from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from somaseg.movies.calibration import Calibration
from somaseg.movies.file_units import FileUnits, minutes_per, positive, settle_units, um_per

OUR_TRACK_ID = "SOMASEG_TRACK_ID"
_LINK_COLUMNS = ("track_id", "source_id", "target_id", "cost")


@dataclass(frozen=True, eq=False)
class TrackMateTracks:
    """Tracks of a TrackMate XML file and what it tells of units.

    Attributes:
        tracks, calibration: as of `read_trackmate`.
        units_from: dict of "um_per_px" and "minutes_per_frame" to "file", "flag" or "pixels".
        warnings: list of str, where a flag and the file say different things.
        times: (n,) time of each row of `tracks` as the file tells it, NaN where it does not.
        time_unit: str, the file's unit of time ("" for none).
    """

    tracks: pd.DataFrame
    calibration: Calibration
    units_from: dict
    warnings: list
    times: np.ndarray
    time_unit: str


def read_trackmate(path, *, um_per_px=None, minutes_per_frame=None, pixels=False, hidden=False):
    """Read the tracks of a TrackMate XML file, as TrackMate or `write_trackmate` writes it.

    A track that splits or merges is cut there into branches, so that each has one soma per frame: the branch that
    begins first keeps the track's id, the others get new ids; `trackmate_track_id` tells what they come from. Spots
    without a link are tracks of one soma. TrackMate counts tracks from 0: where 0 occurs all ids are raised by one.

    Args:
        path: file.
        um_per_px: float, edge of a pixel in um; overrides the file.
        minutes_per_frame: float, overrides the file.
        pixels: bool, work in pixels and frames.
        hidden: bool, also what filters hide in TrackMate: tracks that are not in FilteredTracks, spots that are not
            visible.

    Returns:
        (tracks, calibration): `pandas.DataFrame` with the columns of tracks.csv and spot_id and trackmate_track_id (-1
        for spots without a link), sorted by track and frame; and a `Calibration`. Positions in um are those in the
        image: no drift is known. mean_intensity, area_um2 and probability are empty where the file has none.

    Raises:
        ValueError: it is no TrackMate file or damaged, or it does not tell its units.
    """
    found = read_trackmate_with_units(
        path, um_per_px=um_per_px, minutes_per_frame=minutes_per_frame, pixels=pixels, hidden=hidden
    )
    return found.tracks, found.calibration


def read_trackmate_with_units(
    path, *, um_per_px=None, minutes_per_frame=None, pixels=False, hidden=False
) -> TrackMateTracks:
    """As `read_trackmate`, together with where the units came from and what the file tells of time."""
    root = _parse(path)
    spots, links = _spots(path, root), _links(path, root)
    unknown = set(links["source_id"]) | set(links["target_id"])
    unknown -= set(spots["spot_id"])
    if unknown:
        raise ValueError(f"{path}: a link names spot {min(unknown)}, which is not there ({len(unknown)} such spots).")
    if not hidden:
        shown = {int(element.get("TRACK_ID", -1)) for element in root.iterfind("Model/FilteredTracks/TrackID")}
        spots = _without_hidden(spots, links, shown)
        links = links[links["track_id"].isin(shown)]
    pixel, (calibration, units_from, warnings) = _units(path, root, um_per_px, minutes_per_frame, pixels)
    spots = _branches(spots, links)
    y_px, x_px = spots["POSITION_Y"] / pixel, spots["POSITION_X"] / pixel
    um = calibration.um_per_px
    table = pd.DataFrame(
        {
            "track_id": spots["track_id"],
            "frame": spots["FRAME"].astype(np.int64),
            "time_min": spots["FRAME"] * calibration.minutes_per_frame,
            "y_px": y_px,
            "x_px": x_px,
            "y_um": y_px * um,
            "x_um": x_px * um,
            "area_um2": spots["AREA"] * (um / pixel) ** 2,
            "mean_intensity": spots["MEAN_INTENSITY_CH1"].fillna(spots["MEAN_INTENSITY"]),
            "probability": spots["QUALITY"].where(spots[OUR_TRACK_ID].notna()),
            "spot_id": spots["spot_id"],
            "trackmate_track_id": spots["lineage"],
        }
    )
    table = table.sort_values(["track_id", "frame"])
    times = spots["POSITION_T"].loc[table.index].to_numpy()
    time_unit = root.find("Model").get("timeunits") or ""
    return TrackMateTracks(table.reset_index(drop=True), calibration, units_from, warnings, times, time_unit)


def read_trackmate_links(path):
    """The links of a TrackMate XML file as they stand there: a table of track_id, source_id, target_id, cost."""
    return _links(path, _parse(path))


def _parse(path):
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise ValueError(f"{path}: this is no XML, or it is cut short ({error}).") from error
    if root.tag != "TrackMate" or root.find("Model/AllSpots") is None or root.find("Model/AllTracks") is None:
        raise ValueError(f"{path}: this is no TrackMate file: it has no spots and tracks in <TrackMate><Model>.")
    return root


def _spots(path, root):
    names = (
        *("POSITION_X", "POSITION_Y", "POSITION_T", "FRAME", "VISIBILITY", "QUALITY", "AREA"),
        *("MEAN_INTENSITY_CH1", "MEAN_INTENSITY", OUR_TRACK_ID),
    )
    elements = list(root.iterfind("Model/AllSpots/SpotsInFrame/Spot"))
    table = pd.DataFrame(
        {name: _numbers(path, elements, name) for name in names}, index=range(len(elements)), dtype=float
    )
    table.insert(0, "spot_id", _numbers(path, elements, "ID"))
    for name in ("spot_id", "POSITION_X", "POSITION_Y", "FRAME"):
        if not np.isfinite(table[name]).all():
            raise ValueError(f"{path}: {int((~np.isfinite(table[name])).sum())} spots have no {name}.")
    table["spot_id"] = table["spot_id"].astype(np.int64)
    return table


def _links(path, root):
    elements = [(track.get("TRACK_ID"), edge) for track in root.iterfind("Model/AllTracks/Track") for edge in track]
    edges = [edge for _, edge in elements]
    try:
        columns = (
            np.array([int(track) for track, _ in elements], np.int64),
            np.array([int(edge.get("SPOT_SOURCE_ID")) for edge in edges], np.int64),
            np.array([int(edge.get("SPOT_TARGET_ID")) for edge in edges], np.int64),
        )
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: a track or link has no whole number for its id ({error}).") from error
    return pd.DataFrame(dict(zip(_LINK_COLUMNS, (*columns, _numbers(path, edges, "LINK_COST")))))


def _numbers(path, elements, name):
    try:
        return np.array([float(element.get(name, "nan")) for element in elements], float)
    except ValueError as error:
        raise ValueError(f"{path}: a {name} is no number ({error}).") from error


def _without_hidden(spots, links, shown):
    linked = set(links["source_id"]) | set(links["target_id"])
    in_shown = links[links["track_id"].isin(shown)]
    visible_tracks = spots["spot_id"].isin(set(in_shown["source_id"]) | set(in_shown["target_id"]))
    alone = ~spots["spot_id"].isin(linked) & (spots["VISIBILITY"].fillna(1) != 0)
    return spots[visible_tracks | alone].reset_index(drop=True)


def _branches(spots, links):
    """`spots` with track_id (a branch without splits and merges) and lineage (TrackMate's track, -1 for none)."""
    row = pd.Series(np.arange(len(spots)), index=spots["spot_id"])
    source, target = row.loc[links["source_id"]].to_numpy(), row.loc[links["target_id"]].to_numpy()
    frame = spots["FRAME"].to_numpy()
    late = frame[source] > frame[target]  # TrackMate's links have no direction
    source, target = np.where(late, target, source), np.where(late, source, target)
    plain = (np.bincount(source, minlength=len(spots)) == 1)[source]
    plain &= (np.bincount(target, minlength=len(spots)) == 1)[target]
    graph = coo_array((np.ones(plain.sum()), (source[plain], target[plain])), shape=(len(spots),) * 2)
    branch = connected_components(graph, directed=False)[1] if len(spots) else np.zeros(0, int)
    lineage = np.full(len(spots), -1, np.int64)
    lineage[source] = lineage[target] = links["track_id"].to_numpy()
    table = spots.assign(branch=branch, lineage=lineage)
    first = table.sort_values(["FRAME", "spot_id"], kind="stable").drop_duplicates("branch")
    raised = int((lineage == 0).any())
    wanted = np.where(first["lineage"] >= 0, first["lineage"] + raised, first[OUR_TRACK_ID].fillna(0)).astype(np.int64)
    # Those of a track come before lone spots, whose old id may be a track's by now.
    order = np.lexsort((np.arange(len(first)), first["lineage"].to_numpy() < 0))
    taken, ids, unused = set(), {}, int(max(lineage.max(initial=0) + raised, wanted.max(initial=0))) + 1
    for position in order.tolist():
        track_id = int(wanted[position])
        if track_id < 1 or track_id in taken:
            track_id, unused = unused, unused + 1
        taken.add(track_id)
        ids[int(first["branch"].iloc[position])] = track_id
    table["track_id"] = table["branch"].map(ids).astype(np.int64)
    return table


def _units(path, root, um_per_px, minutes_per_frame, pixels):
    """(size of a pixel in the file's own unit of length, what `settle_units` returns)."""
    model, image = root.find("Model"), root.find("Settings/ImageData")
    pixel = positive(image.get("pixelwidth")) if image is not None else None
    length, time = um_per(model.get("spatialunits")), minutes_per(model.get("timeunits"))
    interval = positive(image.get("timeinterval")) if image is not None else None
    found = FileUnits(
        x_um=None if length is None or pixel is None else pixel * length,
        minutes=None if time is None or interval is None else interval * time,
        size_words=f"its unit of length is {model.get('spatialunits')!r}",
        interval_words=f"its unit of time is {model.get('timeunits')!r}",
    )
    settled = settle_units(path, found, um_per_px=um_per_px, minutes_per_frame=minutes_per_frame, pixels=pixels)
    return pixel or 1.0, settled
