"""`somaseg migrate`: flags reach the measurement, what was found is told, and a missing unit names its flag."""

import argparse
import json

import pytest

from somaseg.commands import migrate


def run(*arguments):
    parser = argparse.ArgumentParser()
    migrate.add_to(parser.add_subparsers())
    options = parser.parse_args(["migrate", *map(str, arguments)])
    return options.run(options)


@pytest.fixture
def table(tmp_path):
    """Manual Tracking: one cell that rests, jumps 20 px in one frame, and rests."""
    rows = [f"1,{frame + 1},{100 if frame < 12 else 120},50" for frame in range(24)]
    path = tmp_path / "tracks.csv"
    path.write_text("Track n°,Slice n°,X,Y\n" + "\n".join(rows) + "\n", encoding="latin-1")
    return path


def test_tracks_in_and_numbers_out(table, tmp_path, capsys):
    out = tmp_path / "out"
    units = ("--um-per-px", 0.65, "--minutes-per-frame", 10)
    assert run(table, "-o", out, *units, "--axis-deg", 0, "--on-speed", 30, "--quiet") == 0
    told = capsys.readouterr().out
    assert "1 cells, 3.833 h, 1 saltations at 10 min between frames" in told and "warning: " in told
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["saltations"], summary["axis_deg"], summary["on_speed_um_per_h"]) == (1, 0, 30)
    assert summary["saltation_length_um"] == pytest.approx(13)
    assert summary["units_from"] == {"um_per_px": "flag", "minutes_per_frame": "flag"}
    with pytest.raises(FileExistsError, match="--overwrite"):
        run(table, "-o", out, *units)
    assert run(table, "-o", out, *units, "--no-interval-correction", "--overwrite", "--quiet") == 0


def test_a_missing_unit_names_its_flag_and_writes_nothing(table, tmp_path):
    with pytest.raises(ValueError, match=r"Give --minutes-per-frame\.$"):
        run(table, "-o", tmp_path / "out", "--um-per-px", 0.65)
    assert not (tmp_path / "out").exists()


def test_migration_is_not_measured_in_pixels(table, tmp_path, capsys):
    with pytest.raises(ValueError, match="not measured in pixels and frames.*give --um-per-px and --minutes-per-frame"):
        run(table, "-o", tmp_path / "out", "--pixels")
    assert not (tmp_path / "out").exists()
    with pytest.raises(SystemExit):
        run("--help")
    assert "--pixels" not in capsys.readouterr().out


def test_units_that_stand_against_the_file_are_printed_and_kept(tmp_path, capsys):
    spots = "".join(
        f'<Spot ID="{frame}" FRAME="{frame}" POSITION_X="{20.0 * (frame > 12)}" POSITION_Y="0"/>' for frame in range(24)
    )
    edges = "".join(f'<Edge SPOT_SOURCE_ID="{frame}" SPOT_TARGET_ID="{frame + 1}"/>' for frame in range(23))
    (tmp_path / "a.xml").write_text(
        f'<TrackMate><Model spatialunits="micron" timeunits="min"><AllSpots><SpotsInFrame>{spots}'
        f'</SpotsInFrame></AllSpots><AllTracks><Track TRACK_ID="1">{edges}</Track></AllTracks>'
        '<FilteredTracks><TrackID TRACK_ID="1"/></FilteredTracks></Model>'
        '<Settings><ImageData pixelwidth="0.65" timeinterval="1"/></Settings></TrackMate>'
    )
    units = ("--um-per-px", 0.3, "--minutes-per-frame", 15)
    assert run(tmp_path / "a.xml", "-o", tmp_path / "out", *units, "--quiet", "--no-interval-correction") == 0
    told = "um_per_px: 0.3 um per pixel was given and is used; the file says 0.65."
    assert f"warning: {told}" in capsys.readouterr().out
    assert told in json.loads((tmp_path / "out" / "summary.json").read_text())["warnings"]
