"""idtracker.ai: what its video shows is what was labelled, and its trajectories are read from safe formats only."""

import tomllib

import cv2
import h5py
import numpy as np
import pandas as pd
import pytest

from somaseg.tracking.formats.idtracker import read_idtracker, write_idtracker


def video_frames(path):
    video, frames = cv2.VideoCapture(str(path)), []
    while True:
        readable, frame = video.read()
        if not readable:
            return np.stack(frames)
        frames.append(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY))


def write(folder, labels, images=None, **arguments):
    image_of = None if images is None else lambda t: images[t]
    return write_idtracker(folder, len(labels), image_of, lambda t: labels[t], **arguments)


@pytest.fixture
def touching():
    """Frames of odd size with three squares; 1 and 2 touch, 3 is away in the last frame."""
    labels = np.zeros((4, 31, 41), np.uint16)
    labels[:, 4:14, 4:14], labels[:, 14:24, 4:14], labels[:3, 8:18, 25:35] = 1, 2, 3
    return labels


def test_the_program_finds_just_the_labels_in_the_video(touching, tmp_path):
    images = np.where(touching > 0, 100 * touching, 3000)  # the ground is brighter than any soma
    settings = write(tmp_path, touching, images)
    frames = video_frames(tmp_path / "somas.avi")
    assert frames.shape == (4, 32, 42)  # made even
    low, high = settings["intensity_ths"]
    for frame, labels in zip(frames, touching):
        found = ((frame >= low) & (frame <= high)).astype(np.uint8)
        count, _, statistics, centres = cv2.connectedComponentsWithStats(found)
        assert count - 1 == len(np.unique(labels)) - 1
        areas = statistics[1:, cv2.CC_STAT_AREA]
        assert areas.min() >= settings["area_ths"][0] and areas.max() <= settings["area_ths"][1]
        for _, centre in zip(areas, centres[1:]):
            assert labels[round(centre[1]), round(centre[0])] > 0
    assert frames[0][8, 8] < frames[0][18, 8] < frames[0][12, 30]  # brightness tells them apart


def test_the_settings_are_toml_that_keeps_to_safe_formats(touching, tmp_path):
    settings = write(tmp_path, touching)
    read = tomllib.loads((tmp_path / "idtracker.toml").read_text())
    assert read == settings and read["number_of_animals"] == 3 and read["track_wo_identities"] is False
    assert read["trajectories_formats"] == ["h5", "csv"] and read["video_paths"] == [str(tmp_path / "somas.avi")]
    assert write(tmp_path, touching, animals=2, identities=False)["track_wo_identities"] is True


def test_nothing_to_follow_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no soma in any frame"):
        write(tmp_path, np.zeros((3, 16, 16), np.uint16))
    with pytest.raises(ValueError, match="animals must be 1 or more, got 0"):
        write(tmp_path, np.ones((3, 16, 16), np.uint16), animals=0)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def session(tmp_path):
    """Two cells in three frames, as idtracker.ai 6 lays them out: (frames, cells, (x, y)); 2 is lost in frame 1."""
    places = np.array([[[1.0, 2.0], [30.0, 40.0]], [[1.5, 2.5], [np.nan, np.nan]], [[2.0, 3.0], [31.0, 41.0]]])
    certainty = np.array([[0.9, 0.8], [0.7, np.nan], [0.6, 0.5]])[..., None]
    folder = tmp_path / "session_somas" / "trajectories"
    (folder / "trajectories_csv").mkdir(parents=True)
    with h5py.File(folder / "trajectories.h5", "w") as file:
        file["trajectories"], file["id_probabilities"] = places, certainty
    seconds = np.arange(3)[:, None] / 10
    for name, columns, head in (
        ("trajectories", places.reshape(3, -1), "time,x1,y1,x2,y2"),
        ("id_probabilities", certainty[..., 0], "time,id_probabilities1,id_probabilities2"),
    ):
        path = folder / "trajectories_csv" / f"{name}.csv"
        np.savetxt(path, np.hstack([seconds, columns]), delimiter=",", header=head, fmt="%.3f", comments="")
    np.save(folder / "trajectories.npy", {"a": 1}, allow_pickle=True)
    return tmp_path / "session_somas"


def test_h5_and_csv_give_the_same_tracks(session):
    by_h5 = read_idtracker(session)
    assert by_h5.to_numpy().tolist() == [
        [1, 0, 2.0, 1.0, 0.9],
        [1, 1, 2.5, 1.5, 0.7],
        [1, 2, 3.0, 2.0, 0.6],
        [2, 0, 40.0, 30.0, 0.8],
        [2, 2, 41.0, 31.0, 0.5],
    ]
    pd.testing.assert_frame_equal(read_idtracker(session / "trajectories" / "trajectories_csv"), by_h5)
    (session / "trajectories" / "trajectories.h5").unlink()
    pd.testing.assert_frame_equal(read_idtracker(session), by_h5)


def test_pickles_are_never_read(session):
    (session / "trajectories" / "trajectories.h5").unlink()
    for path in (session / "trajectories" / "trajectories_csv").iterdir():
        path.unlink()
    (session / "trajectories" / "trajectories_csv").rmdir()
    with pytest.raises(FileNotFoundError, match="can run code"):
        read_idtracker(session)
    with pytest.raises(ValueError, match="trajectories.h5 or trajectories_csv"):
        read_idtracker(session / "trajectories" / "trajectories.npy")


def test_what_a_person_validated_is_taken_first(session):
    with h5py.File(session / "trajectories" / "validated.h5", "w") as file:
        file["trajectories"] = np.ones((3, 1, 2))
    assert read_idtracker(session)["track_id"].tolist() == [1, 1, 1]
    assert read_idtracker(session)["probability"].isna().all()


def test_damaged_trajectories_are_told(session):
    path = session / "trajectories" / "trajectories.h5"
    path.write_bytes(b"not an HDF5 file")
    with pytest.raises(ValueError, match="no trajectories of idtracker.ai"):
        read_idtracker(path)
    with pytest.raises(FileNotFoundError, match="no such session"):
        read_idtracker(session / "nowhere")
