"""Tracks of too few frames are left out of a result, and it is told."""

import numpy as np
import pandas as pd
import tifffile

from somaseg.movies.calibration import Calibration
from somaseg.track import track
from somaseg.tracking import read_result
from somaseg.tracking.link_tracks import linking_of_tracks, without_brief_tracks
from somaseg.tracking.linking_parameters import LinkingParameters

SOMAS = pd.DataFrame({"frame": [0, 0, 1, 1, 2], "y_um": [5.0, 50, 6, 80, 7], "x_um": 9.0})


def linked(ids):
    return linking_of_tracks(SOMAS, ids, calibration=Calibration(0.65, 15))


def test_links_and_somas_still_belong_together():
    somas, linking = without_brief_tracks(SOMAS, linked([1, 2, 1, 3, 1]), least_frames=2)
    assert somas["y_um"].tolist() == [5.0, 6.0, 7.0]
    assert linking.track_ids.tolist() == [1, 1, 1]
    assert linking.links[["row", "next_row"]].values.tolist() == [[0, 1], [1, 2]]
    assert linking.quality["somas_left_out"] == 2
    assert linking.warnings[0].startswith("2 of 5 somas are left out")


def test_nothing_is_left_out_where_one_frame_is_enough():
    somas, linking = without_brief_tracks(SOMAS, linked([1, 2, 1, 3, 1]), least_frames=1)
    assert len(somas) == 5 and linking.quality["somas_left_out"] == 0
    assert not any("left out" in warning for warning in linking.warnings)


def test_all_may_be_left_out():
    somas, linking = without_brief_tracks(SOMAS, linked([1, 2, 3, 4, 5]), least_frames=2)
    assert len(somas) == len(linking.track_ids) == len(linking.links) == 0


def test_a_result_is_without_them(tmp_path, no_report):
    labels = np.zeros((3, 32, 32), np.uint16)
    labels[:, 4:10, 4:10] = 1
    labels[1, 20:26, 20:26] = 2
    tifffile.imwrite(tmp_path / "labels.tif", labels, imagej=True, metadata={"axes": "TYX"})
    units = {"um_per_px": 0.65, "minutes_per_frame": 15.0}
    track(tmp_path / "labels.tif", tmp_path / "all", **units)
    track(tmp_path / "labels.tif", tmp_path / "long", linking=LinkingParameters(least_frames=2), **units)
    every, long = read_result(tmp_path / "all"), read_result(tmp_path / "long")
    assert every.tracks["track_id"].nunique() == 2 and long.tracks["track_id"].nunique() == 1
    assert (long.labels[1] > 0).sum() == 36 and (every.labels[1] > 0).sum() == 72
    assert long.summary["somas_left_out"] == 1


def test_a_movie_of_one_frame_keeps_its_somas(tmp_path, no_report):
    labels = np.zeros((1, 32, 32), np.uint16)
    labels[:, 4:10, 4:10] = 1
    tifffile.imwrite(tmp_path / "labels.tif", labels, imagej=True, metadata={"axes": "TYX"})
    units = {"um_per_px": 0.65, "minutes_per_frame": 15.0}
    track(tmp_path / "labels.tif", tmp_path / "one", linking=LinkingParameters(least_frames=2), **units)
    assert len(read_result(tmp_path / "one").tracks) == 1
