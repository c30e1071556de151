"""Tracks of other programs: the same two cells as each program writes them become one table, units never guessed."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from somaseg.migration.track_files import read_tracks
from somaseg.movies import Calibration
from somaseg.tracking.formats.ctc import write_ctc

# Two cells at 0.5 um per pixel and 10 min per frame; the second is not seen in frame 1.
PLACES_PX = {(1, 0): (4, 10), (1, 1): (4, 14), (1, 2): (6, 14), (2, 0): (20, 8), (2, 2): (16, 8)}
UNITS = {"um_per_px": 0.5, "minutes_per_frame": 10}


def expected():
    rows = [(track, frame, 10.0 * frame, 0.5 * y, 0.5 * x) for (track, frame), (y, x) in PLACES_PX.items()]
    return pd.DataFrame(rows, columns=["track_id", "frame", "time_min", "y_um", "x_um"])


def assert_expected(found):
    names = list(expected())
    pd.testing.assert_frame_equal(found.tracks[names], expected(), check_dtype=False)
    assert found.calibration.minutes_per_frame == 10


TRACKMATE_HEAD = """LABEL,ID,TRACK_ID,QUALITY,POSITION_X,POSITION_Y,POSITION_Z,POSITION_T,FRAME,RADIUS
Label,Spot ID,Track ID,Quality,X,Y,Z,T,Frame,Radius
Label,Spot ID,Track ID,Quality,X,Y,Z,T,Frame,R
,,,(quality),({length}),({length}),({length}),({time}),,({length})
"""


def trackmate_csv(path, *, length="micron", time="sec", um=0.5, seconds=600.0, extra=""):
    rows = [
        f"ID{number},{number},{track - 1},1.0,{um * x},{um * y},0.0,{seconds * frame},{frame},5.0"
        for number, ((track, frame), (y, x)) in enumerate(PLACES_PX.items())
    ]
    path.write_text(TRACKMATE_HEAD.format(length=length, time=time) + "\n".join(rows[::-1]) + "\n" + extra)
    return path


def manual(path, *, head="Track n°,Slice n°,X,Y,Distance,Velocity,Pixel Value", separator=",", encoding="utf-8"):
    """As Fiji saves its results table: a column of row numbers without a name comes first."""
    rows = [
        separator.join(map(str, (number + 1, track, frame + 1, x, y, -1, -1, 120)[: head.count(",") + 2]))
        for number, ((track, frame), (y, x)) in enumerate(PLACES_PX.items())
    ]
    text = "\n".join([" " + separator + head.replace(",", separator), *rows])
    path.write_bytes(text.encode(encoding))
    return path


def test_our_tracks_csv_tells_its_own_units(tmp_path):
    expected().to_csv(tmp_path / "tracks.csv", index=False)
    found = read_tracks(tmp_path / "tracks.csv")
    assert_expected(found)
    assert (found.program, found.units_from) == ("somaseg", {"um_per_px": "um", "minutes_per_frame": "file"})


def test_a_result_folder_tells_its_pixel_size_and_that_it_is_simulated(tmp_path):
    expected().drop(columns="time_min").assign(y_px=1.0, area_um2=9.0).to_csv(tmp_path / "tracks.csv", index=False)
    (tmp_path / "summary.json").write_text(json.dumps({**UNITS, "simulated": True}))
    found = read_tracks(tmp_path)
    assert_expected(found)
    assert found.calibration == Calibration(**UNITS)
    assert found.simulated and (found.tracks["area_um2"] == 9).all()


def test_a_table_in_pixels_asks_for_its_units(tmp_path):
    rows = [(track, frame, y, x) for (track, frame), (y, x) in PLACES_PX.items()]
    pd.DataFrame(rows, columns=["track_id", "frame", "y_px", "x_px"]).to_csv(tmp_path / "a.csv", index=False)
    assert_expected(read_tracks(tmp_path / "a.csv", **UNITS))
    with pytest.raises(ValueError, match="Give --um-per-px and --minutes-per-frame"):
        read_tracks(tmp_path / "a.csv")


def test_trackmates_csv_has_its_own_units(tmp_path):
    assert_expected(read_tracks(trackmate_csv(tmp_path / "spots.csv")))
    assert_expected(read_tracks(trackmate_csv(tmp_path / "mm.csv", length="mm", time="h", um=0.0005, seconds=1 / 6)))
    pixels = trackmate_csv(tmp_path / "px.csv", length="pixel", time="frame", um=1, seconds=1)
    assert_expected(read_tracks(pixels, **UNITS))
    with pytest.raises(ValueError, match=r"its unit of length is 'pixel'.*Give --um-per-px"):
        read_tracks(pixels, minutes_per_frame=10)
    with pytest.raises(ValueError, match=r"its unit of time is 'frame'.*Give --minutes-per-frame"):
        read_tracks(pixels, um_per_px=0.5)


def test_trackmates_spots_without_a_track_are_tracks_of_one_frame(tmp_path):
    path = trackmate_csv(tmp_path / "all.csv", extra="ID9,9,None,1.0,3.0,5.0,0.0,600.0,1,5.0\n")
    tracks = read_tracks(path).tracks
    assert tracks["track_id"].tolist() == [1, 1, 1, 2, 2, 3]
    assert tracks.iloc[-1][["frame", "y_um", "x_um"]].tolist() == [1, 5, 3]


def test_a_trackmate_track_that_splits_asks_for_the_xml(tmp_path):
    path = trackmate_csv(tmp_path / "a.csv", extra="ID9,9,1,1.0,3.0,5.0,0.0,1200.0,2,5.0\n")
    with pytest.raises(ValueError, match="track 1 has several spots in frame 2.*Give TrackMate's XML"):
        read_tracks(path)


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"separator": "\t", "encoding": "latin-1"},
        {"separator": ";", "head": "Track No,Slice No,X,Y"},
        {"head": "Track n¡,Slice n¡,X,Y"},
        {"head": "track,slice,x,y"},
    ],
    ids=["fiji", "ibidi", "semicolons", "from a Mac", "plain"],
)
def test_manual_tracking_counts_slices_from_1_and_is_in_pixels(tmp_path, form):
    path = manual(tmp_path / "a.xls", **form)
    found = read_tracks(path, **UNITS)
    assert_expected(found)
    assert found.program == "Manual Tracking"
    with pytest.raises(ValueError, match=r"its positions are in pixels.*--um-per-px and --minutes-per-frame"):
        read_tracks(path)


def test_decimal_commas_are_read_where_commas_do_not_separate(tmp_path):
    (tmp_path / "a.txt").write_text("Track n°\tSlice n°\tX\tY\n1\t1\t3,5\t4\n1\t2\t5,25\t4\n")
    assert read_tracks(tmp_path / "a.txt", um_per_px=1, minutes_per_frame=10).tracks["x_um"].tolist() == [3.5, 5.25]


def test_marks_of_thousands_never_become_decimals(tmp_path):
    path, units = tmp_path / "a.csv", {"um_per_px": 0.65, "minutes_per_frame": 10}
    table = pd.DataFrame({"Track n°": 1, "Slice n°": [1, 2], "X": [996, 1004], "Y": 50})
    table.assign(X=[f"{x:,}" for x in table["X"]]).to_csv(path)
    assert '"1,004"' in path.read_text()
    with pytest.raises(ValueError, match="column x, row 2: '1,004' is no number. Commas separate the columns"):
        read_tracks(path, **units)
    path.write_text('track_id,frame,y_um,x_um,note\n1,0,4,5,"seen, then lost"\n')
    assert read_tracks(path, minutes_per_frame=10).tracks["x_um"].tolist() == [5]
    path.write_text("track_id;frame;y_um;x_um\n1;0;4,5;1004,25\n")
    assert read_tracks(path, minutes_per_frame=10).tracks["x_um"].tolist() == [1004.25]
    path.write_text("track_id;frame;y_um;x_um\n1;0;4,5;1.004,25\n")
    with pytest.raises(ValueError, match="is no number"):
        read_tracks(path, minutes_per_frame=10)


def test_a_frame_with_a_mark_of_thousands_is_no_heading_of_trackmate(tmp_path):
    text = trackmate_csv(tmp_path / "a.csv").read_text().replace(",1200.0,2,", ',1200.0,"1,002",')
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ValueError, match="column FRAME, row 1: '1,002' is no number"):
        read_tracks(tmp_path / "a.csv")


def test_a_folder_of_the_cell_tracking_challenge_gives_centroids_and_joins_gaps(tmp_path):
    labels = np.zeros((3, 30, 30), np.uint16)
    for (track, frame), (y, x) in PLACES_PX.items():
        labels[frame, y - 1 : y + 2, x - 2 : x + 3] = track
    write_ctc(tmp_path / "ctc", labels)
    assert_expected(read_tracks(tmp_path / "ctc", **UNITS))
    with pytest.raises(ValueError, match="Give --um-per-px and --minutes-per-frame"):
        read_tracks(tmp_path / "ctc")


def test_trajectories_of_idtracker_do_not_tell_the_time_of_the_microscope(tmp_path):
    lines = ["time,x1,y1,x2,y2"]
    for frame in range(3):
        places = [PLACES_PX.get((track, frame)) for track in (1, 2)]
        cells = [f"{place[1]},{place[0]}" if place else "nan,nan" for place in places]
        lines.append(",".join([f"{frame / 10:.3f}", *cells]))
    folder = tmp_path / "session_a/trajectories/trajectories_csv"
    folder.mkdir(parents=True)
    (folder / "trajectories.csv").write_text("\n".join(lines) + "\n")
    for path in (folder / "trajectories.csv", folder, tmp_path / "session_a"):
        assert_expected(read_tracks(path, **UNITS))
        with pytest.raises(ValueError, match="--minutes-per-frame"):
            read_tracks(path, um_per_px=0.5)


def test_pixels_on_purpose(tmp_path):
    found = read_tracks(manual(tmp_path / "a.csv"), pixels=True)
    assert found.calibration == Calibration(1, 1)
    assert found.tracks["x_um"].tolist() == [10, 14, 14, 8, 8]


def test_what_is_wrong_is_told_with_file_column_and_row(tmp_path):
    path = tmp_path / "a.csv"
    for text, told in (
        ("", r"a.csv: the columns \(none\)"),
        ("id,when,where\n1,2,3\n", "the columns id, when, where are of no table of tracks that is known"),
        ("track_id,frame,y_um,x_um\n1,0,4,\n", "a.csv: column x_um, row 1: 'nothing' is no number"),
        ("track_id,frame,y_um,x_um\n1,0,4,5\n1,0,4,6\n", "track 1 is in frame 0 more than once"),
        ("track_id,frame,y_um,x_um\n1,0.5,4,5\n", "frame must be whole numbers, got 0.5"),
        ("Track n°,Slice n°,X,Y\n1,0,4,5\n", "slices are counted from 1"),
        ("track_id,frame,y_um,x_um\n1,0,4,5,2,5\n", "row 1 has 6 cells under 4 heads. Are there decimal commas"),
        ("track_id,frame,y_um,x_um\n1e19,0,4,5\n", "track_id must be 9007199254740992 or less, got 1e[+]19"),
        ("track_id,frame,y_um,x_um\n1,0,4,5\n1,90000000,4,5\n", "its frames reach from 0 to 90000000"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=told):
            read_tracks(path, minutes_per_frame=10)
    path.write_text("track_id,frame,y_um,x_um\n1,0,4,5\n")
    with pytest.raises(ValueError, match="Leave out --um-per-px"):
        read_tracks(path, **UNITS)
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        read_tracks(tmp_path / "none.csv")
    with pytest.raises(FileNotFoundError, match="there is no tracks.csv"):
        read_tracks(tmp_path)


def test_frames_that_are_not_equally_far_apart_are_told(tmp_path):
    path = tmp_path / "tracks.csv"
    frames = pd.DataFrame({"track_id": 1, "frame": range(6), "y_um": 0.0, "x_um": 0.0})
    for numbers, minutes, told in (
        (range(6), [0, 10, 20, 30.2, 40, 50], None),
        (range(6), [0, 10, 20, 55, 65, 75], r"not always the same \(10 to 35 min, mostly 10\)"),
        ([0, 15, 30, 45, 60, 90], [0, 15, 30, 45, 60, 90], r"Frame numbers go by 15 \(0, 15, ...\)"),
        ([4, 5, 6, 7, 9, 10], [40, 50, 60, 70, 90, 100], None),
    ):
        frames.assign(frame=numbers, time_min=minutes).to_csv(path, index=False)
        warnings = read_tracks(path).warnings
        assert len(warnings) == (told is not None)
        if told:
            assert re.search(told, warnings[0])
    seconds = trackmate_csv(tmp_path / "a.csv", extra="ID9,9,1,1.0,3.0,5.0,0.0,9000.0,3,5.0\n")
    assert "not always the same (600 to 7800 sec, mostly 600)" in read_tracks(seconds).warnings[0]


def test_excels_unicode_text_is_read(tmp_path):
    (tmp_path / "a.txt").write_text("track_id\tframe\ty_um\tx_um\n1\t0\t3,5\t4\n", encoding="utf-16")
    assert read_tracks(tmp_path / "a.txt", minutes_per_frame=10).tracks["y_um"].tolist() == [3.5]


def test_a_table_without_rows_is_no_tracks(tmp_path):
    (tmp_path / "tracks.csv").write_text("track_id,frame,time_min,y_um,x_um\n")
    found = read_tracks(tmp_path / "tracks.csv", minutes_per_frame=15)
    assert len(found.tracks) == 0 and list(found.tracks)[:5] == list(expected())


def trackmate_xml(path, *, frames, minutes):
    """One lone spot per frame, in a file that says 0.65 um and 1 min."""
    spots = "".join(
        f'<Spot ID="{number}" FRAME="{frame}" POSITION_X="{number}" POSITION_Y="0" POSITION_T="{time}"/>'
        for number, (frame, time) in enumerate(zip(frames, minutes))
    )
    path.write_text(
        '<TrackMate version="7.0.0"><Model spatialunits="micron" timeunits="min"><AllSpots><SpotsInFrame>'
        f"{spots}</SpotsInFrame></AllSpots><AllTracks/><FilteredTracks/></Model><Settings>"
        '<ImageData pixelwidth="0.65" timeinterval="1.0"/></Settings></TrackMate>'
    )
    return path


def test_flags_that_stand_against_trackmates_xml_are_told(tmp_path):
    path = trackmate_xml(tmp_path / "a.xml", frames=range(5), minutes=range(5))
    found = read_tracks(path)
    assert (found.warnings, set(found.units_from.values())) == ([], {"file"})
    assert read_tracks(path, um_per_px=0.65, minutes_per_frame=1).warnings == []
    found = read_tracks(path, um_per_px=0.3, minutes_per_frame=15)
    assert found.calibration == Calibration(0.3, 15) and set(found.units_from.values()) == {"flag"}
    assert found.warnings == [
        "um_per_px: 0.3 um per pixel was given and is used; the file says 0.65.",
        "minutes_per_frame: 15 minutes per frame was given and is used; the file says 1.",
    ]
    assert set(read_tracks(path, pixels=True).units_from.values()) == {"pixels"}


def test_frames_of_trackmates_xml_that_are_not_equally_far_apart_are_told(tmp_path):
    path = trackmate_xml(tmp_path / "a.xml", frames=range(5), minutes=[0, 1, 2, 9, 10])
    assert "not always the same (1 to 7 min, mostly 1)" in read_tracks(path).warnings[0]
    path = trackmate_xml(tmp_path / "b.xml", frames=range(0, 20, 4), minutes=range(0, 20, 4))
    (warning,) = read_tracks(path).warnings
    assert "Frame numbers go by 4 (0, 4, ...)" in warning


TRACKMATE = Path(__file__).parents[3] / "shared/data/tracking/faketracks/FakeTracks.xml"


@pytest.mark.skipif(not TRACKMATE.exists(), reason="TrackMate's sample file is not here")
def test_trackmates_own_xml():
    with pytest.raises(ValueError, match="Give --um-per-px"):
        read_tracks(TRACKMATE, minutes_per_frame=1)
    found = read_tracks(TRACKMATE, um_per_px=1, minutes_per_frame=15)
    assert found.program == "TrackMate" and found.tracks["track_id"].nunique() > 2
