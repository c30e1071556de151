"""ROIs for ImageJ, GEFF, and layers for napari: written, read back by their own packages, and the same."""

import sys

import numpy as np
import pandas as pd
import pytest
import roifile

from somaseg.movies import Calibration
from somaseg.tracking.formats.geff import read_geff, write_geff
from somaseg.tracking.formats.imagej import write_rois
from somaseg.tracking.formats.napari import napari_layers
from somaseg.tracking.results import Result
from somaseg.tracking.tables import TRACK_COLUMNS


@pytest.fixture
def result():
    """Track 3 in frames 0, 1 and 4, drifting; track 70000 of one pixel in frame 2."""
    labels, rows = np.zeros((5, 8, 9), np.uint32), []
    for track_id, frame, y, x in ((3, 0, 2, 3), (3, 1, 3, 3), (3, 4, 4, 3), (70000, 2, 7, 8)):
        labels[frame, y : y + (2 if track_id == 3 else 1), x] = track_id
        y += 0.5 * (track_id == 3)
        rows.append((track_id, frame, frame * 15.0, y, x, (y - frame) * 0.65, x * 0.65, 0.8, 50.0, 0.9))
    return Result(Calibration(0.65, 15), labels, pd.DataFrame(rows, columns=list(TRACK_COLUMNS)))


@pytest.fixture
def empty(result):
    return Result(result.calibration, result.labels * 0, result.tracks.iloc[:0])


def test_rois_have_the_somas_pixels_their_names_and_their_time_point(tmp_path, result):
    assert write_rois(tmp_path / "rois.zip", iter(result.labels)) == 4
    rois = roifile.roiread(tmp_path / "rois.zip")
    assert [(roi.name, roi.t_position) for roi in rois] == [
        ("0003_0000", 1),
        ("0003_0001", 2),
        ("70000_0002", 3),
        ("0003_0004", 5),
    ]
    assert {roi.roitype for roi in rois} == {roifile.ROI_TYPE.POLYGON}
    for roi in rois:
        track_id, frame = map(int, roi.name.split("_"))
        rows, columns = np.nonzero(result.labels[frame] == track_id)
        x, y = roi.coordinates().T
        assert (x.min(), x.max()) == (columns.min(), columns.max() + 1)
        assert (y.min(), y.max()) == (rows.min(), rows.max() + 1)


def test_a_roi_zip_is_written_anew_the_same_each_time_and_may_be_empty(tmp_path, result, empty):
    path = tmp_path / "rois.zip"
    write_rois(path, result.labels)
    first = path.read_bytes()
    write_rois(path, result.labels)
    assert path.read_bytes() == first
    assert write_rois(path, empty.labels) == 0
    assert roifile.roiread(path) == []


def test_geff_is_valid_and_holds_the_graph(tmp_path, result):
    geff = pytest.importorskip("geff")
    from geff.core_io import read_to_memory
    from geff.validate.data import ValidationConfig, validate_data

    path = tmp_path / "tracks.geff"
    result.tracks.loc[1, "probability"] = np.nan
    assert write_geff(path, result) == (4, 2)
    assert write_geff(path, result) == (4, 2)  # replaced
    assert [entry.name for entry in tmp_path.iterdir()] == ["tracks.geff"]
    geff.validate_structure(path)
    validate_data(read_to_memory(path), ValidationConfig(graph=True, tracklet=True, lineage=True))
    metadata = geff.GeffMetadata.read(path)
    axes = [(axis.name, axis.type, axis.unit, axis.scale, axis.scaled_unit) for axis in metadata.axes]
    assert axes == [
        ("t", "time", "frame", 15.0, "minute"),
        ("y", "space", "micrometer", None, None),
        ("x", "space", "micrometer", None, None),
    ]
    nodes, edges = read_geff(path)
    tracks = result.tracks.sort_values(["frame", "track_id"], ignore_index=True)
    np.testing.assert_array_equal(nodes["t"], tracks["frame"])
    np.testing.assert_array_equal(nodes["track_id"], tracks["track_id"])
    np.testing.assert_allclose(nodes["y"], tracks["y_px"] * 0.65)  # in the image, to lie on the labels
    for name in ("y_um", "x_um", "area_um2", "probability"):
        np.testing.assert_allclose(nodes[name], tracks[name])
    assert [nodes.loc[list(edge), "t"].tolist() for edge in edges] == [[0, 1], [1, 4]]


def test_geff_of_no_cell(tmp_path, empty):
    geff = pytest.importorskip("geff")
    assert write_geff(tmp_path / "a.geff", empty) == (0, 0)
    geff.validate_structure(tmp_path / "a.geff")
    nodes, edges = read_geff(tmp_path / "a.geff")
    assert (len(nodes), len(edges)) == (0, 0)


def test_geff_replaces_no_other_folder_and_reads_no_other(tmp_path, result):
    pytest.importorskip("geff")
    (tmp_path / "a.geff").mkdir()
    (tmp_path / "a.geff" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="a folder that holds something else than a GEFF"):
        write_geff(tmp_path / "a.geff", result)
    with pytest.raises(ValueError, match="this is no valid GEFF"):
        read_geff(tmp_path / "a.geff")


def test_a_missing_package_is_an_error_that_names_the_extra(tmp_path, result, monkeypatch):
    monkeypatch.setitem(sys.modules, "geff", None)
    with pytest.raises(ImportError, match=r"pip install 'somaseg\[geff\]'"):
        write_geff(tmp_path / "a", result)
    assert list(tmp_path.iterdir()) == []


def test_napari_layers_lie_on_each_other_and_have_scale_and_units(result):
    (labels, about_labels, kind), (tracks, about_tracks, other_kind) = napari_layers(result)
    assert (kind, other_kind) == ("labels", "tracks")
    assert labels is result.labels
    assert tracks.tolist() == [[3, 0, 2.5, 3], [3, 1, 3.5, 3], [3, 4, 4.5, 3], [70000, 2, 7, 8]]
    for about in (about_labels, about_tracks):
        assert about["scale"] == (15, 0.65, 0.65)
        assert about["units"] == ("minute", "micrometer", "micrometer")
    assert about_tracks["features"]["time_min"].tolist() == [0, 15, 60, 30]
    assert "napari" not in sys.modules


def test_napari_layers_of_no_cell_have_no_tracks(empty):
    assert [kind for _, _, kind in napari_layers(empty)] == ["labels"]
