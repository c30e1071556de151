"""TrackMate's XML: written so that TrackMate opens it with outlines, tracks and image; read from any TrackMate.

The format has no schema; what must be there follows from TrackMate's own reader and writer (fiji.plugin.trackmate.io,
TmXmlReader and TmXmlWriter): every spot feature declared, FilteredTracks, all filter and analyzer elements, a detector
and a tracker it knows. Positions are those in the image, in um, with pixel centres at whole multiples of a pixel's
size; the points of an outline are relative to their spot (SpotRoi) and run along the edges of pixels (MaskUtils).
"""

import json
import math
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from somaseg import __version__
from somaseg.files import replace_when_whole
from somaseg.tracking.formats.trackmate_reading import OUR_TRACK_ID, read_trackmate, read_trackmate_links
from somaseg.tracking.outlines import outline_polygons

__all__ = ["read_trackmate", "read_trackmate_links", "write_trackmate"]

_FORMAT_VERSION = "7.14.0"  # whose reader and writer this follows
_DRAWN_WITHOUT_AREA_UM2 = 1.0

# (feature, name, short name, dimension, whole number)
_SPOT_FEATURES = (
    ("QUALITY", "Quality", "Quality", "QUALITY", False),
    ("POSITION_X", "X", "X", "POSITION", False),
    ("POSITION_Y", "Y", "Y", "POSITION", False),
    ("POSITION_Z", "Z", "Z", "POSITION", False),
    ("POSITION_T", "T", "T", "TIME", False),
    ("FRAME", "Frame", "Frame", "NONE", True),
    ("RADIUS", "Radius", "R", "LENGTH", False),
    ("VISIBILITY", "Visibility", "Visibility", "NONE", True),
    ("MEAN_INTENSITY_CH1", "Mean intensity ch1", "Mean ch1", "INTENSITY", False),
    ("AREA", "Area", "Area", "AREA", False),
    (OUR_TRACK_ID, "somaseg track ID", "somaseg ID", "NONE", True),
)
_EDGE_FEATURES = (
    ("SPOT_SOURCE_ID", "Source spot ID", "Source ID", "NONE", True),
    ("SPOT_TARGET_ID", "Target spot ID", "Target ID", "NONE", True),
    ("LINK_COST", "Edge cost", "Cost", "COST", False),
    ("DISPLACEMENT", "Displacement", "Disp.", "LENGTH", False),
)
_TRACK_FEATURES = (
    ("TRACK_ID", "Track ID", "ID", "NONE", True),
    ("TRACK_INDEX", "Track index", "Index", "NONE", True),
    ("NUMBER_SPOTS", "Number of spots in track", "N spots", "NONE", True),
    ("NUMBER_GAPS", "Number of gaps", "N gaps", "NONE", True),
    ("LONGEST_GAP", "Longest gap", "Lgst gap", "NONE", True),
    ("TRACK_DURATION", "Track duration", "Duration", "TIME", False),
    ("TRACK_START", "Track start", "Track start", "TIME", False),
    ("TRACK_STOP", "Track stop", "Track stop", "TIME", False),
    ("TRACK_DISPLACEMENT", "Track displacement", "Track disp.", "LENGTH", False),
)
# All of TrackMate 7's keys: one that is missing would be read as zero (an opacity of 0 hides the spots).
_DISPLAY = {
    "name": "somaseg",
    "spotUniformColor": "204, 51, 204, 255",
    "spotColorByType": "TRACKS",
    "spotColorByFeature": "TRACK_INDEX",
    "spotDisplayRadius": 1.0,
    "spotDisplayedAsRoi": True,
    "spotMin": 0.0,
    "spotMax": 10.0,
    "spotShowName": False,
    "trackMin": 0.0,
    "trackMax": 10.0,
    "trackColorByType": "TRACKS",
    "trackColorByFeature": "TRACK_INDEX",
    "trackUniformColor": "204, 204, 51, 255",
    "undefinedValueColor": "0, 0, 0, 255",
    "missingValueColor": "89, 89, 89, 255",
    "highlightColor": "51, 230, 51, 255",
    "trackDisplayMode": "LOCAL_BACKWARD",
    "colormap": "Jet",
    "limitZDrawingDepth": False,
    "drawingZDepth": 10.0,
    "fadeTracks": True,
    "fadeTrackRange": 10,
    "useAntialiasing": True,
    "spotVisible": True,
    "trackVisible": True,
    "font": {"name": "Arial", "style": 1, "size": 12, "pointSize": 12.0, "fontSerializedDataVersion": 1},
    "lineThickness": 1.0,
    "selectionLineThickness": 4.0,
    "trackschemeBackgroundColor1": "128, 128, 128, 255",
    "trackschemeBackgroundColor2": "192, 192, 192, 255",
    "trackschemeForegroundColor": "0, 0, 0, 255",
    "trackschemeDecorationColor": "0, 0, 0, 255",
    "trackschemeFillBox": False,
    "spotFilled": False,
    "spotTransparencyAlpha": 1.0,
}


def write_trackmate(path, result, *, image="labels.tif", pixels=False):
    """Write a result as a TrackMate XML file, whole or not at all; an existing file is replaced.

    A track of one soma becomes a spot without a track, since TrackMate has no such tracks; its id is kept in the spot
    feature SOMASEG_TRACK_ID. A gap becomes a link over several frames. The outline of a soma is that of its largest
    piece.

    Args:
        path: file, usually trackmate.xml.
        result: `somaseg.tracking.Result`.
        image: path of the image that TrackMate shall open, as it is or relative to the file; a file name alone is
            looked for beside the XML.
        pixels: bool, units are pixels and frames.

    Returns:
        int, number of spots.
    """
    spots = result.tracks.sort_values(["frame", "track_id"], ignore_index=True)
    units = ("pixel", "frame") if pixels else ("micron", "min")
    with replace_when_whole(path) as partial, open(partial, "w", encoding="utf-8", newline="\n") as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        file.write(f'<TrackMate version="{_FORMAT_VERSION}">\n')
        file.write(f"  <Log>Written by somaseg {__version__}.</Log>\n")
        file.write(f'  <Model spatialunits="{units[0]}" timeunits="{units[1]}">\n')
        _write_declarations(file)
        _write_spots(file, spots, result)
        _write_tracks(file, spots, result.calibration)
        file.write("  </Model>\n")
        _write_settings(file, spots, result, image)
        file.write('  <GUIState state="ConfigureViews">\n    <View key="HYPERSTACKDISPLAYER" />\n  </GUIState>\n')
        file.write(f"  <DisplaySettings>{escape(json.dumps(_DISPLAY))}</DisplaySettings>\n")
        file.write("</TrackMate>\n")
    return len(spots)


def _write_declarations(file):
    file.write("    <FeatureDeclarations>\n")
    for kind, features in (("Spot", _SPOT_FEATURES), ("Edge", _EDGE_FEATURES), ("Track", _TRACK_FEATURES)):
        file.write(f"      <{kind}Features>\n")
        for feature, name, short, dimension, whole in features:
            file.write(
                f'        <Feature feature="{feature}" name="{name}" shortname="{short}" dimension="{dimension}" '
                f'isint="{str(whole).lower()}" />\n'
            )
        file.write(f"      </{kind}Features>\n")
    file.write("    </FeatureDeclarations>\n")


def _write_spots(file, spots, result):
    um, minutes = result.calibration.um_per_px, result.calibration.minutes_per_frame
    columns = {name: spots[name].to_numpy() for name in ("track_id", "frame", "y_px", "x_px")}
    extra = {name: spots[name].to_numpy(float) for name in ("area_um2", "mean_intensity", "probability")}
    ends = np.searchsorted(columns["frame"], np.arange(len(result.labels) + 1))
    file.write(f'    <AllSpots nspots="{len(spots)}">\n')
    for frame, labels in enumerate(result.labels):
        if ends[frame] == ends[frame + 1]:
            continue
        polygons = dict(outline_polygons(labels))
        file.write(f'      <SpotsInFrame frame="{frame}">\n')
        for row in range(ends[frame], ends[frame + 1]):
            track_id = int(columns["track_id"][row])
            y, x = columns["y_px"][row] * um, columns["x_px"][row] * um
            area = extra["area_um2"][row]
            values = {
                "QUALITY": extra["probability"][row] if np.isfinite(extra["probability"][row]) else 1.0,
                "POSITION_X": x,
                "POSITION_Y": y,
                "POSITION_Z": 0.0,
                "POSITION_T": frame * minutes,
                "RADIUS": math.sqrt((area if area > 0 else _DRAWN_WITHOUT_AREA_UM2) / math.pi),
                "MEAN_INTENSITY_CH1": extra["mean_intensity"][row],
                "AREA": area,
            }
            attributes = " ".join(f'{key}="{value:.9g}"' for key, value in values.items() if np.isfinite(value))
            points, outline = polygons.get(track_id), ""
            if points is not None:
                relative = (points - 0.5) * um - (y, x)
                # No space in front: TrackMate splits the text at spaces and reads the first piece as a number.
                outline = " ".join(f"{px:.6g} {py:.6g}" for py, px in relative.tolist())
                attributes += f' ROI_N_POINTS="{len(points)}"'
            file.write(
                f'        <Spot ID="{row}" name="{track_id}" FRAME="{frame}" VISIBILITY="1" '
                f'{OUR_TRACK_ID}="{track_id}" {attributes}>{outline}</Spot>\n'
            )
        file.write("      </SpotsInFrame>\n")
    file.write("    </AllSpots>\n")


def _write_tracks(file, spots, calibration):
    tracks = [(track_id, rows) for track_id, rows in spots.groupby("track_id", sort=True) if len(rows) > 1]
    file.write("    <AllTracks>\n")
    for index, (track_id, rows) in enumerate(tracks):
        _write_track(file, index, track_id, rows.sort_values("frame"), calibration)
    file.write("    </AllTracks>\n    <FilteredTracks>\n")
    for track_id, _ in tracks:
        file.write(f'      <TrackID TRACK_ID="{track_id}" />\n')
    file.write("    </FilteredTracks>\n")


def _write_track(file, index, track_id, rows, calibration):
    frame, ids = rows["frame"].to_numpy(), rows.index.to_numpy()
    position = rows[["y_px", "x_px"]].to_numpy(float) * calibration.um_per_px
    start, stop = frame[[0, -1]] * calibration.minutes_per_frame
    missed = np.diff(frame) - 1
    lengths = np.linalg.norm(np.diff(position, axis=0), axis=1)
    values = {
        "TRACK_ID": track_id,
        "TRACK_INDEX": index,
        "NUMBER_SPOTS": len(rows),
        "NUMBER_GAPS": int((missed > 0).sum()),
        "LONGEST_GAP": int(missed.max()),
        "TRACK_DURATION": f"{stop - start:.9g}",
        "TRACK_START": f"{start:.9g}",
        "TRACK_STOP": f"{stop:.9g}",
        "TRACK_DISPLACEMENT": f"{np.linalg.norm(position[-1] - position[0]):.9g}",
    }
    attributes = " ".join(f'{key}="{value}"' for key, value in values.items())
    file.write(f'      <Track name="Track_{track_id}" {attributes}>\n')
    for source, target, length in zip(ids[:-1], ids[1:], lengths):
        file.write(
            f'        <Edge SPOT_SOURCE_ID="{source}" SPOT_TARGET_ID="{target}" LINK_COST="-1.0" '
            f'DISPLACEMENT="{length:.9g}" />\n'
        )
    file.write("      </Track>\n")


def _write_settings(file, spots, result, image):
    frames, height, width = result.labels.shape
    um = result.calibration.um_per_px
    folder, _, name = str(image).replace("\\", "/").rpartition("/")
    area = spots["area_um2"].median() if len(spots) else math.nan
    radius = math.sqrt((area if area > 0 else _DRAWN_WITHOUT_AREA_UM2) / math.pi)
    quality = 'feature="QUALITY" value="0.0" isabove="true"'
    image_data = {
        "filename": name,
        "folder": f"{folder}/" if folder else "",
        "width": width,
        "height": height,
        "nslices": 1,
        "nframes": frames,
        "pixelwidth": f"{um:.9g}",
        "pixelheight": f"{um:.9g}",
        "voxeldepth": "1.0",
        "timeinterval": f"{result.calibration.minutes_per_frame:.9g}",
    }
    attributes = " ".join(f"{key}={quoteattr(str(value))}" for key, value in image_data.items())
    file.write(
        "  <Settings>\n"
        f"    <ImageData {attributes} />\n"
        f'    <BasicSettings xstart="0" xend="{width - 1}" ystart="0" yend="{height - 1}" zstart="0" zend="0" '
        f'tstart="0" tend="{frames - 1}" />\n'
        f'    <DetectorSettings DETECTOR_NAME="MANUAL_DETECTOR" RADIUS="{radius:.6g}" />\n'
        f"    <InitialSpotFilter {quality} />\n"
        "    <SpotFilterCollection />\n"
        '    <TrackerSettings TRACKER_NAME="MANUAL_TRACKER" />\n'
        "    <TrackFilterCollection />\n"
        "    <AnalyzerCollection>\n      <SpotAnalyzers />\n      <EdgeAnalyzers />\n      <TrackAnalyzers />\n"
        "    </AnalyzerCollection>\n"
        "  </Settings>\n"
    )
