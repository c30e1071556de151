"""The main job from end to end, with a network that calls bright pixels soma: two squares, one of which moves."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest
import tifffile

from somaseg import analyze as analyze_module
from somaseg import cli
from somaseg.analyze import analyze
from somaseg.movies import Calibration, write_hyperstack
from somaseg.movies.reader import open_movie
from somaseg.segmentation import Segmenter
from somaseg.tracking import read_result

FRAMES = 5  # of the movie


def test_two_cells_are_two_tracks_with_their_units(analysed):
    folder, found = analysed
    assert (found.frames, found.somas, found.tracks) == (FRAMES, 2 * FRAMES, 2)
    result = read_result(folder)
    assert result.calibration == Calibration(0.5, 10.0)
    moving = result.tracks[result.tracks["y_px"] > 30].sort_values("frame")
    assert moving["track_id"].nunique() == 1
    np.testing.assert_allclose(moving["x_px"], 20 + 3 * np.arange(FRAMES))
    np.testing.assert_allclose(moving["x_um"], 0.5 * moving["x_px"])
    np.testing.assert_allclose(moving["time_min"], 10.0 * np.arange(FRAMES))
    np.testing.assert_allclose(moving["area_um2"], 25 * 0.25)
    assert result.labels[3, 40, 29] == moving["track_id"].iloc[0]


def test_every_file_of_the_contract_is_there_and_no_scratch_is_left(analysed):
    folder, _ = analysed
    names = {path.name for path in folder.iterdir()}
    assert names >= {"labels.tif", "tracks.csv", "drift.csv", "summary.json", "run.json", "ctc", "trackmate.xml"}
    assert names >= {"rois.zip", "overlay.mp4", "plots", "report.html"}
    assert {path.name for path in folder.parent.iterdir()} == {"movie.tif", "out"}
    run = json.loads((folder / "run.json").read_text())
    assert run["preset"] == "bright" and run["units_from"] == {"um_per_px": "file", "minutes_per_frame": "file"}
    assert run["time"]["network_seconds"] > 0


def test_a_movie_without_somas_gives_empty_tables(segmenter, tmp_path):
    write_hyperstack(tmp_path / "dark.tif", np.full((3, 64, 64), 10, np.uint8), Calibration(0.5, 10.0))
    found = analyze(tmp_path / "dark.tif", tmp_path / "out", segmenter)
    assert (found.somas, found.tracks) == (0, 0)
    assert not read_result(tmp_path / "out").labels.any()


def test_a_result_that_is_there_is_refused_before_anything_is_read(movie, segmenter, analysed, monkeypatch):
    monkeypatch.setattr(analyze_module, "open_movie", lambda *a, **k: pytest.fail("read"))
    with pytest.raises(FileExistsError, match="--overwrite"):
        analyze(movie, analysed[0], segmenter)


def test_positions_in_um_are_those_of_the_tissue(segmenter, no_report, tmp_path):
    """Everything shifts by 2 px a frame along y: the tissue's grain and a soma that stays in it."""
    rng = np.random.default_rng(0)
    grain = cv2.GaussianBlur(rng.normal(0, 1, (160, 128)).astype(np.float32), (0, 0), 1.5)
    field = np.clip(40 + 60 * grain, 0, 110)
    field[70:76, 60:66] = 250
    stack = np.stack([field[20 - 2 * t : 148 - 2 * t] for t in range(6)]).astype(np.uint8)
    write_hyperstack(tmp_path / "drifts.tif", stack, Calibration(0.5, 10.0))
    analyze(tmp_path / "drifts.tif", tmp_path / "out", segmenter)
    result = read_result(tmp_path / "out")
    np.testing.assert_allclose(result.drift["dy_px"], 2.0 * np.arange(6), atol=0.2)
    np.testing.assert_allclose(result.tracks["y_um"], result.tracks["y_um"].iloc[0], atol=0.1)
    assert np.ptp(result.tracks["y_px"]) == 10


def test_command_line_tells_what_it_did_and_where_to_look(movie, bright_preset, no_report, tmp_path, capsys):
    assert (
        cli.main(["analyze", str(movie), "-o", str(tmp_path / "out"), "--preset", str(bright_preset), "--quiet"]) == 0
    )
    assert "5 frames, 10 somas in 2 tracks" in capsys.readouterr().out
    assert len(pd.read_csv(tmp_path / "out" / "tracks.csv")) == 10


def test_missing_units_stop_the_run_with_the_flags_to_give(bright_preset, tmp_path, capsys):
    tifffile.imwrite(tmp_path / "plain.tif", np.zeros((3, 64, 64), np.uint8))
    arguments = ["analyze", str(tmp_path / "plain.tif"), "-o", str(tmp_path / "out"), "--preset", str(bright_preset)]
    assert cli.main(arguments) == 1
    message = capsys.readouterr().err
    assert "--um-per-px" in message and "--minutes-per-frame" in message and "--pixels" in message
    assert cli.main([*arguments, "--pixels", "--quiet"]) == 0


def test_a_preset_that_goes_by_diameter_takes_that_of_the_first_frame(movie, bright_network, no_report, tmp_path):
    segmenter = Segmenter(bright_network, minimum_area_px=4, diameter_px=30.0, estimates_diameter=True)
    analyze(movie, tmp_path / "out", segmenter)
    scale = json.loads((tmp_path / "out" / "run.json").read_text())["frames_scale"]
    with open_movie(movie) as opened:
        assert scale == {"diameter_px": segmenter.estimate_diameter(opened.frame(0))}
    assert scale["diameter_px"] < 30
