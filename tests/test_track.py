"""Tracks from label images: the same result folder as an analysis makes, and identities of another program."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest
import tifffile

from somaseg import following
from somaseg.idtracker_exchange import export_idtracker, import_idtracker, import_idtracker_tracks
from somaseg.movies import Calibration, write_hyperstack
from somaseg.track import track
from somaseg.tracking import read_result
from somaseg.tracking.formats.idtracker import read_idtracker

FRAMES, UNITS = 6, Calibration(0.5, 10.0)


@pytest.fixture
def folder(tmp_path):
    """labels.tif, numbered anew in each frame, of a square that stays and one that goes 3 px a frame; and movie.tif."""
    labels = np.zeros((FRAMES, 64, 64), np.uint16)
    for t in range(FRAMES):
        labels[t, 8:13, 8:13] = 1 + t % 2
        labels[t, 38:43, 18 + 3 * t : 23 + 3 * t] = 2 - t % 2
    write_hyperstack(tmp_path / "labels.tif", labels, UNITS)
    write_hyperstack(tmp_path / "movie.tif", np.where(labels > 0, 200, 10).astype(np.uint8), UNITS)
    return tmp_path


def of_mover(tracks):
    return tracks[tracks["y_px"] > 30].sort_values("frame")


def test_label_images_alone_become_tracks_with_units(folder):
    found = track(folder / "labels.tif", folder / "out")
    assert (found.frames, found.somas, found.tracks) == (FRAMES, 2 * FRAMES, 2)
    result = read_result(folder / "out")
    mover = of_mover(result.tracks)
    assert mover["track_id"].nunique() == 1 and result.calibration == UNITS
    np.testing.assert_allclose(mover["x_um"], 0.5 * (20 + 3 * np.arange(FRAMES)))
    assert result.tracks[["mean_intensity", "probability"]].isna().all(axis=None)
    assert result.labels[3, 40, 29] == mover["track_id"].iloc[0]
    names = {path.name for path in (folder / "out").iterdir()}
    assert names >= {"ctc", "trackmate.xml", "rois.zip", "overlay.mp4", "summary.json", "run.json", "drift.csv"}
    assert names >= {"plots", "report.html"}
    run = json.loads((folder / "out" / "run.json").read_text())
    assert run["movie"] is None and run["linker"] == "somaseg" and run["time"]["seconds_until_writing"] > 0
    assert {path.name for path in folder.iterdir()} == {"labels.tif", "movie.tif", "out"}  # no scratch is left


def test_images_give_intensities(folder, no_report):
    track(folder / "labels.tif", folder / "out", images=folder / "movie.tif")
    assert (read_result(folder / "out").tracks["mean_intensity"] == 200).all()
    assert json.loads((folder / "out" / "run.json").read_text())["drift_corrected"] is True


def test_ids_that_are_consistent_may_be_kept(folder, no_report):
    track(folder / "labels.tif", folder / "first")
    stack = read_result(folder / "first").labels * 30
    np.save(folder / "kept.npy", stack)
    track(folder / "kept.npy", folder / "out", um_per_px=0.5, minutes_per_frame=10, linker="labels")
    np.testing.assert_array_equal(read_result(folder / "out").labels, stack)


def test_labels_of_another_movie_are_refused(folder):
    write_hyperstack(folder / "short.tif", np.zeros((FRAMES - 1, 64, 64), np.uint8), UNITS)
    with pytest.raises(ValueError, match="6 frames of 64 x 64.*5 frames of 64 x 64"):
        track(folder / "labels.tif", folder / "out", images=folder / "short.tif")
    assert not (folder / "out").exists()


def segmented(folder):
    """The labels as `somaseg segment` leaves them beside its overlays and images; frames 8, 9, 10, ...."""
    labels = tifffile.imread(folder / "labels.tif")
    (folder / "segmented").mkdir()
    for t, image in enumerate(labels):
        name = folder / "segmented" / f"t{t + 8}"
        tifffile.imwrite(f"{name}_labels.tif", image, metadata={"axes": "YX"})
        tifffile.imwrite(f"{name}.tif", np.where(image > 0, 200, 10).astype(np.uint8))
        cv2.imwrite(f"{name}_overlay.png", np.zeros((64, 64, 3), np.uint8))
    return folder / "segmented"


def test_a_folder_that_segment_wrote_is_tracked(folder, no_report):
    track(folder / "labels.tif", folder / "expected")
    units = {"um_per_px": 0.5, "minutes_per_frame": 10}
    found = track(segmented(folder), folder / "out", **units)
    assert (found.frames, found.tracks) == (FRAMES, 2)
    result, expected = read_result(folder / "out"), read_result(folder / "expected")
    np.testing.assert_array_equal(result.labels, expected.labels)
    run = json.loads((folder / "out" / "run.json").read_text())
    assert run["labels"] == str(folder / "segmented")
    (folder / "segmented" / "t10_labels.tif").unlink()
    found = track(folder / "segmented", folder / "out", overwrite=True, **units)
    assert any("jump from t9_labels.tif to t11_labels.tif" in text for text in found.warnings)
    with pytest.raises(ValueError, match="--um-per-px and --minutes-per-frame"):
        track(folder / "segmented", folder / "none")


@pytest.mark.parametrize(("axes", "told"), [("CYX", "6 channels"), ("TZYX", r"3 slices in depth \(z\)")])
def test_labels_of_several_planes_say_what_to_do_and_name_no_flag_of_the_images(folder, axes, told):
    labels = np.ones((6, 64, 64) if axes == "CYX" else (2, 3, 64, 64), np.uint16)
    tifffile.imwrite(folder / "planes.tif", labels, imagej=True, metadata={"axes": axes})
    with pytest.raises(ValueError, match=f"it has {told}, and labels are one image per frame.*axes TYX") as refused:
        track(folder / "planes.tif", folder / "out", pixels=True)
    assert "Say which" not in str(refused.value) and "Give --z" not in str(refused.value)


def test_slices_that_are_frames_ask_for_their_units(folder):
    tifffile.imwrite(folder / "z.tif", np.ones((6, 64, 64), np.uint16), imagej=True, metadata={"axes": "ZYX"})
    with pytest.raises(ValueError, match="Give --um-per-px and --minutes-per-frame"):
        track(folder / "z.tif", folder / "out")


def test_what_needs_images_is_refused_without(folder):
    with pytest.raises(ValueError, match="--images"):
        track(folder / "labels.tif", folder / "out", correct_drift=True)
    with pytest.raises(ValueError, match="--images"):
        track(folder / "labels.tif", folder / "out", channel=1)


def test_a_linker_that_is_not_there_is_told_before_any_frame_is_read(folder, monkeypatch):
    monkeypatch.setattr(following, "_label", lambda *a: pytest.fail("read"))
    with pytest.raises(ValueError, match="linker must be one of"):
        track(folder / "labels.tif", folder / "out", linker="nobody")


def test_a_movie_without_somas_gives_empty_tables(folder):
    np.save(folder / "dark.npy", np.zeros((3, 32, 32), np.uint16))
    found = track(folder / "dark.npy", folder / "out", pixels=True)
    assert (found.somas, found.tracks) == (0, 0) and not read_result(folder / "out").labels.any()


def idtracker_session(folder, places):
    (folder / "trajectories_csv").mkdir(parents=True)
    columns = np.column_stack([np.arange(len(places)) / 10, places.reshape(len(places), -1)])
    names = ["time", *(f"{axis}{cell + 1}" for cell in range(places.shape[1]) for axis in "xy")]
    pd.DataFrame(columns, columns=names).to_csv(folder / "trajectories_csv" / "trajectories.csv", index=False)
    return folder


def test_a_result_goes_to_idtracker_and_comes_back_with_its_identities(folder, no_report):
    track(folder / "labels.tif", folder / "result", images=folder / "movie.tif")
    settings = export_idtracker(folder / "result", folder / "video")
    assert settings["number_of_animals"] == 2
    with pytest.raises(FileExistsError, match="--overwrite"):
        export_idtracker(folder / "result", folder / "video")
    # What the program found: the identities change places in frame 3, and the resting cell is lost in the last.
    rests, goes = np.full((FRAMES, 2), 10.4), np.stack([20.0 + 3 * np.arange(FRAMES), np.full(FRAMES, 39.7)], axis=1)
    places = np.stack([rests, goes], axis=1)
    places[3:] = places[3:, ::-1]
    places[-1, 1] = np.nan
    session = idtracker_session(folder / "session_a", places)
    import_idtracker(session, folder / "out", labels=folder / "result")
    back = read_result(folder / "out").tracks
    assert of_mover(back)["track_id"].tolist() == [2, 2, 2, 1, 1, 1]
    rested = back[back["y_px"] < 30].sort_values("frame")["track_id"].tolist()
    assert rested == [1, 1, 1, 2, 2, 3]  # without an identity it is a track of its own
    assert (back["mean_intensity"] == 200).all()


def test_trajectories_alone_become_a_table(folder):
    places = np.array([[[4.0, 2.0]], [[np.nan, np.nan]], [[6.0, 3.0]]])
    session = idtracker_session(folder / "session_a", places)
    with pytest.raises(ValueError, match="--um-per-px"):
        import_idtracker_tracks(session, folder / "out")
    tracks = import_idtracker_tracks(session, folder / "out", um_per_px=0.5, minutes_per_frame=10)
    assert tracks[["frame", "time_min", "y_um", "x_um"]].to_numpy().tolist() == [[0, 0, 1, 2], [2, 20, 1.5, 3]]
    pd.testing.assert_frame_equal(pd.read_csv(folder / "out" / "tracks.csv"), tracks, check_dtype=False)
    assert len(read_idtracker(session)) == 2
