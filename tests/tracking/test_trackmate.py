"""TrackMate's XML: what we write TrackMate can read, and what TrackMate wrote we read as it meant it."""

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from somaseg.movies import Calibration
from somaseg.tracking.formats.trackmate import read_trackmate, read_trackmate_links, write_trackmate
from somaseg.tracking.results import Result
from somaseg.tracking.tables import TRACK_COLUMNS

SHARED = Path(__file__).parents[3] / "shared/data/tracking"
CALIBRATION = Calibration(0.65, 15)


def make_result(placed, shape=(5, 20, 24)):
    """A result of rectangles: (track id, frame, rows, columns)."""
    labels, rows = np.zeros(shape, np.uint16), []
    for track_id, frame, ys, xs in placed:
        labels[frame, ys, xs] = track_id
        y, x = (values.mean() for values in np.nonzero(labels[frame] == track_id))
        area = (labels[frame] == track_id).sum() * 0.65**2
        rows.append((track_id, frame, frame * 15.0, y, x, y * 0.65, x * 0.65, area, 100.0 + frame, 0.75))
    return Result(CALIBRATION, labels, pd.DataFrame(rows, columns=list(TRACK_COLUMNS)))


@pytest.fixture
def result():
    """A track with a gap, one whose somas have one and two pixels, and a track of one soma."""
    block = slice(2, 5), slice(2, 6)
    return make_result(
        [
            (3, 0, *block),
            (3, 1, *block),
            (3, 4, *block),
            (7, 2, slice(0, 1), slice(0, 1)),
            (7, 3, slice(0, 2), slice(0, 1)),
            (10000, 2, slice(10, 11), slice(10, 11)),
        ]
    )


def test_tracks_survive_a_round_trip(tmp_path, result):
    assert write_trackmate(tmp_path / "a.xml", result) == 6
    tracks, calibration = read_trackmate(tmp_path / "a.xml")
    assert calibration == CALIBRATION
    expected = result.tracks.sort_values(["track_id", "frame"], ignore_index=True)
    pd.testing.assert_frame_equal(tracks[list(TRACK_COLUMNS)], expected, check_dtype=False, rtol=1e-8)
    assert tracks["trackmate_track_id"].tolist() == [3, 3, 3, 7, 7, -1]


def test_the_file_has_all_that_trackmates_reader_asks_for(tmp_path, result):
    write_trackmate(tmp_path / "a.xml", result, image="movies/the & movie.tif")
    root = ElementTree.parse(tmp_path / "a.xml").getroot()
    assert int(root.get("version").split(".")[0]) >= 7
    for path in (
        "Model/FilteredTracks",
        "Settings/BasicSettings",
        "Settings/InitialSpotFilter[@value]",
        "Settings/SpotFilterCollection",
        "Settings/TrackFilterCollection",
        "Settings/DetectorSettings[@DETECTOR_NAME='MANUAL_DETECTOR'][@RADIUS]",
        "Settings/TrackerSettings[@TRACKER_NAME='MANUAL_TRACKER']",
        "Settings/AnalyzerCollection/SpotAnalyzers",
        "Settings/AnalyzerCollection/EdgeAnalyzers",
        "Settings/AnalyzerCollection/TrackAnalyzers",
        "GUIState[@state='ConfigureViews']/View",
    ):
        assert root.find(path) is not None, path
    model, image = root.find("Model"), root.find("Settings/ImageData")
    assert (model.get("spatialunits"), model.get("timeunits")) == ("micron", "min")
    assert image.attrib == {
        "filename": "the & movie.tif",
        "folder": "movies/",
        "width": "24",
        "height": "20",
        "nslices": "1",
        "nframes": "5",
        "pixelwidth": "0.65",
        "pixelheight": "0.65",
        "voxeldepth": "1.0",
        "timeinterval": "15",
    }
    assert json.loads(root.find("DisplaySettings").text)["spotTransparencyAlpha"] == 1.0


@pytest.mark.parametrize(("kind", "path"), [("Spot", "Spot"), ("Edge", "Edge"), ("Track", "Track")])
def test_every_feature_is_declared_since_trackmate_cannot_save_others(tmp_path, result, kind, path):
    write_trackmate(tmp_path / "a.xml", result)
    root = ElementTree.parse(tmp_path / "a.xml").getroot()
    declared = {
        element.get("feature") for element in root.iterfind(f"Model/FeatureDeclarations/{kind}Features/Feature")
    }
    used = [set(element.attrib) - {"ID", "name", "ROI_N_POINTS"} for element in root.iter(path)]
    assert used
    assert set.union(*used) == declared


def test_outlines_are_relative_to_the_spot_and_cover_the_pixels(tmp_path, result):
    write_trackmate(tmp_path / "a.xml", result)
    spots = ElementTree.parse(tmp_path / "a.xml").getroot().findall(".//Spot")
    assert len(spots) == 6
    for spot in spots:
        assert spot.text[0] not in " \n"  # TrackMate would read an empty number
        points = np.array(spot.text.split(), float).reshape(-1, 2)
        assert len(points) == int(spot.get("ROI_N_POINTS")) > 2
        x, y = (points + [float(spot.get("POSITION_X")), float(spot.get("POSITION_Y"))]).T / 0.65
        labels = result.labels[int(spot.get("FRAME"))] == int(spot.get("name"))
        rows, columns = np.nonzero(labels)
        assert (y.min(), y.max()) == pytest.approx((rows.min() - 0.5, rows.max() + 0.5))
        assert (x.min(), x.max()) == pytest.approx((columns.min() - 0.5, columns.max() + 0.5))


def test_no_cell(tmp_path):
    empty = make_result([])
    assert write_trackmate(tmp_path / "a.xml", empty) == 0
    tracks, calibration = read_trackmate(tmp_path / "a.xml")
    assert (len(tracks), calibration) == (0, CALIBRATION)
    assert list(tracks)[: len(TRACK_COLUMNS)] == list(TRACK_COLUMNS)
    assert len(read_trackmate_links(tmp_path / "a.xml")) == 0


def test_a_value_that_is_not_known_is_left_out_and_comes_back_empty(tmp_path, result):
    result.tracks.loc[:, ["mean_intensity", "area_um2"]] = np.nan
    write_trackmate(tmp_path / "a.xml", result)
    assert "nan" not in (tmp_path / "a.xml").read_text().lower()
    tracks, _ = read_trackmate(tmp_path / "a.xml")
    assert tracks[["mean_intensity", "area_um2"]].isna().all(axis=None)


def test_pixel_units_are_said_and_must_be_said_again(tmp_path, result):
    result.calibration = Calibration(1, 1)
    write_trackmate(tmp_path / "a.xml", result, pixels=True)
    with pytest.raises(ValueError, match="unit of length is 'pixel'.*Give --um-per-px and --minutes-per-frame"):
        read_trackmate(tmp_path / "a.xml")
    assert read_trackmate(tmp_path / "a.xml", pixels=True)[1] == Calibration(1, 1)


def test_a_file_is_replaced(tmp_path, result):
    write_trackmate(tmp_path / "a.xml", result)
    write_trackmate(tmp_path / "a.xml", make_result([(1, 0, slice(0, 2), slice(0, 2))]))
    assert len(read_trackmate(tmp_path / "a.xml")[0]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.xml"]


SMALL = """<TrackMate version="7.0.0"><Model spatialunits="pixel" timeunits="frame"><AllSpots>{spots}</AllSpots>
<AllTracks>{tracks}</AllTracks><FilteredTracks>{shown}</FilteredTracks></Model>
<Settings><ImageData pixelwidth="2.0" timeinterval="1.0"/></Settings></TrackMate>"""


def write_small(path, spots, tracks, shown):
    """A small file: spots {id: frame}, tracks {id: [(source, target)]}."""
    spot = '<SpotsInFrame frame="{1}"><Spot ID="{0}" FRAME="{1}" POSITION_X="{2}" POSITION_Y="0.0"/></SpotsInFrame>'
    edge = '<Edge SPOT_SOURCE_ID="{}" SPOT_TARGET_ID="{}"/>'
    text = SMALL.format(
        spots="".join(spot.format(number, frame, 10.0 * number) for number, frame in spots.items()),
        tracks="".join(
            f'<Track TRACK_ID="{number}">' + "".join(edge.format(*link) for link in links) + "</Track>"
            for number, links in tracks.items()
        ),
        shown="".join(f'<TrackID TRACK_ID="{number}"/>' for number in shown),
    )
    path.write_text(text)
    return path


def branches(path, **arguments):
    tracks, _ = read_trackmate(path, pixels=True, **arguments)
    return {key: rows["spot_id"].tolist() for key, rows in tracks.groupby("track_id")}


def test_a_track_that_splits_is_cut_into_branches_with_one_soma_per_frame(tmp_path):
    # 1 - 2 - 3 - 5, and 2 - 4 - 6; one link stands the wrong way round, as TrackMate writes them at times
    spots, links = {1: 0, 2: 1, 3: 2, 4: 2, 5: 3, 6: 3}, [(1, 2), (2, 3), (2, 4), (5, 3), (4, 6)]
    path = write_small(tmp_path / "a.xml", spots, {4: links}, [4])
    assert branches(path) == {4: [1, 2], 5: [3, 5], 6: [4, 6]}
    tracks, _ = read_trackmate(path, pixels=True)
    assert set(tracks["trackmate_track_id"]) == {4}
    assert tracks["x_px"].tolist() == [5.0 * number for number in tracks["spot_id"]]  # pixels of 2.0


def test_tracks_counted_from_zero_are_raised_and_spots_without_a_link_are_tracks(tmp_path):
    path = write_small(tmp_path / "a.xml", {1: 0, 2: 1, 3: 0, 4: 1, 9: 1}, {0: [(1, 2)], 1: [(3, 4)]}, [0, 1])
    assert branches(path) == {1: [1, 2], 2: [3, 4], 3: [9]}


def test_what_filters_hide_is_left_out_unless_asked_for(tmp_path):
    path = write_small(tmp_path / "a.xml", {1: 0, 2: 1, 3: 0, 4: 1}, {5: [(1, 2)], 6: [(3, 4)]}, [6])
    assert branches(path) == {6: [3, 4]}
    assert branches(path, hidden=True) == {5: [1, 2], 6: [3, 4]}


def test_what_is_no_trackmate_file_is_refused(tmp_path, result):
    (tmp_path / "a.xml").write_text("<Tracks/>")
    with pytest.raises(ValueError, match="this is no TrackMate file"):
        read_trackmate(tmp_path / "a.xml")
    write_trackmate(tmp_path / "b.xml", result)
    (tmp_path / "b.xml").write_text((tmp_path / "b.xml").read_text()[:3000])
    with pytest.raises(ValueError, match="this is no XML, or it is cut short"):
        read_trackmate(tmp_path / "b.xml")
    path = write_small(tmp_path / "c.xml", {1: 0}, {0: [(1, 2)]}, [0])
    with pytest.raises(ValueError, match="a link names spot 2, which is not there"):
        read_trackmate(path, pixels=True)


def test_many_spots(tmp_path):
    placed = [(track, t, slice(track, track + 1), slice(t, t + 1)) for track in range(1, 60) for t in range(50)]
    many = make_result(placed, shape=(50, 64, 52))
    assert write_trackmate(tmp_path / "a.xml", many) == 59 * 50
    tracks, _ = read_trackmate(tmp_path / "a.xml")
    assert tracks.groupby("track_id").size().tolist() == [50] * 59


def test_an_independent_reader_finds_the_same_graph(tmp_path, result):
    conversion = pytest.importorskip("geff.convert._trackmate_xml")
    geff = pytest.importorskip("geff")
    write_trackmate(tmp_path / "a.xml", result)
    with pytest.warns(UserWarning):  # it wants OME's names of units
        conversion.from_trackmate_xml_to_geff(tmp_path / "a.xml", tmp_path / "a.geff")
    graph, _ = geff.read(tmp_path / "a.geff")
    assert set(graph.edges) == {(0, 1), (1, 5), (2, 4)}
    assert [graph.nodes[node]["FRAME"] for node in range(6)] == [0, 1, 2, 2, 3, 4]
    assert all(len(data["ROI_coords"]) == data["ROI_N_POINTS"] for _, data in graph.nodes(data=True))


NAMES = [f"trackmate_tracks_with_{name}" for name in ("gap_closing", "merging", "splitting", "splitting_merging")]


@pytest.mark.parametrize("name", [*NAMES, "trackmate_tracks_without_gap_closing"])
def test_trackmates_own_files_give_the_links_and_spots_of_its_own_tables(name):
    path = SHARED / "trackmate_links" / f"{name}.xml"
    if not path.exists():
        pytest.skip("TrackMate's files are not here")
    keys = ["track_id", "source_id", "target_id", "cost"]
    edges = pd.read_csv(f"{path.with_suffix('')}_edges.csv", index_col=0)
    edges.columns = ["source_id", "target_id", "cost", "track_id"]
    found = read_trackmate_links(path)[keys].sort_values(keys, ignore_index=True)
    pd.testing.assert_frame_equal(found, edges[keys].sort_values(keys, ignore_index=True))
    tracks, _ = read_trackmate(path, pixels=True)
    spots = pd.read_csv(f"{path.with_suffix('')}_spots.csv", index_col=0)
    both = tracks.merge(spots, left_on="spot_id", right_on="id", validate="one_to_one")
    assert len(both) == len(spots) == len(tracks)
    np.testing.assert_allclose(both["x_px"], both["position_x"])
    np.testing.assert_allclose(both["y_px"], both["position_y"])
    assert (both["frame_x"] == both["frame_y"]).all()
    assert not tracks.duplicated(["track_id", "frame"]).any()


def test_an_old_file_of_trackmate_3():
    path = SHARED / "faketracks/FakeTracks.xml"
    if not path.exists():
        pytest.skip("TrackMate's files are not here")
    tracks, _ = read_trackmate(path, pixels=True)
    assert len(tracks) == 243
    assert tracks.loc[tracks["trackmate_track_id"] >= 0, "trackmate_track_id"].nunique() == 4  # as its log says
