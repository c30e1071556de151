"""The movie to look at: as many frames as the movie, outlines in a track's colour, tails that move with the tissue."""

import cv2
import numpy as np
import pandas as pd
import pytest

from somaseg.movies import Calibration, overlay_movie
from somaseg.movies.overlay_movie import write_overlay_movie

CALIBRATION = Calibration(0.5, 15)
SHAPE = (40, 60)


def moving_square(frame_count, drift=(0, 0)):
    """(frames, labels, tracks) of one square that stands still in a tissue that drifts by `drift` px per frame."""
    frames = np.full((frame_count, *SHAPE), 20, np.uint16)
    labels, rows = np.zeros(frames.shape, np.uint16), []
    for t in range(frame_count):
        y, x = 8 + drift[0] * t, 8 + drift[1] * t
        labels[t, y : y + 7, x : x + 7] = 3
        rows.append((3, t, y + 3, x + 3, 11 * 0.5, 11 * 0.5))
    return frames, labels, pd.DataFrame(rows, columns=["track_id", "frame", "y_px", "x_px", "y_um", "x_um"])


def decode(path):
    video, frames = cv2.VideoCapture(str(path)), []
    while (read := video.read())[0]:
        frames.append(read[1])
    return frames


def test_it_has_a_frame_for_each_frame_and_is_enlarged_by_a_whole_factor(tmp_path):
    frames, labels, tracks = moving_square(4)
    told = []
    path = tmp_path / "a.mp4"
    path.write_bytes(b"older")
    assert write_overlay_movie(path, iter(frames), iter(labels), tracks, CALIBRATION, progress=told.append) == 4
    assert told == [1, 2, 3, 4]
    found = decode(path)
    assert [frame.shape for frame in found] == [(160, 240, 3)] * 4
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_the_outline_has_the_tracks_colour_and_stands_where_the_soma_is(tmp_path):
    frames, labels, tracks = moving_square(1)
    write_overlay_movie(tmp_path / "a.mp4", frames, labels, tracks, CALIBRATION)
    picture = decode(tmp_path / "a.mp4")[0][..., ::-1].astype(int)
    coloured = np.argwhere(np.ptp(picture, axis=2) > 60)
    low, high = coloured.min(axis=0), coloured.max(axis=0)
    assert np.abs(low - 8 * 4).max() <= 2  # factor 4
    assert np.abs(high - (15 * 4 - 1)).max() <= 2
    colour = overlay_movie.track_colours([3])[0].astype(int)
    assert np.abs(picture[32:36, 34:58].reshape(-1, 3) - colour).sum(axis=1).min() < 90  # lossy


def test_a_tail_follows_the_tissue():
    _, _, tracks = moving_square(12, drift=(1, 2))
    tails = dict(overlay_movie._Tails(tracks, 0.5).of_frame(11))
    assert tails[3].shape == (overlay_movie.TAIL_FRAMES, 2)
    np.testing.assert_allclose(tails[3], [[22, 33]] * 10)  # the cell never moved in the tissue
    tracks["y_um"] = tracks["frame"] * 0.5  # now it does, one pixel per frame
    tail = dict(overlay_movie._Tails(tracks, 0.5).of_frame(11))[3]
    np.testing.assert_allclose(tail[:, 0], np.arange(13, 23))


def test_a_track_without_a_past_or_that_is_not_there_has_no_tail():
    _, _, tracks = moving_square(3)
    tails = overlay_movie._Tails(tracks, 0.5)
    assert list(tails.of_frame(0)) == []
    assert list(tails.of_frame(3)) == []
    assert list(overlay_movie._Tails(tracks.iloc[:0], 0.5).of_frame(1)) == []


def test_no_cell_and_colour_frames_and_odd_sizes(tmp_path):
    frames = np.random.default_rng(0).integers(0, 255, (2, 33, 47, 3), np.uint8)
    _, _, tracks = moving_square(1)
    labels = np.zeros((2, 33, 47), np.uint32)
    arguments = {"title": "SIMULATED", "pixels": True}
    assert write_overlay_movie(tmp_path / "a.mp4", frames, labels, tracks.iloc[:0], CALIBRATION, **arguments) == 2
    assert decode(tmp_path / "a.mp4")[0].shape == (132, 188, 3)


def test_large_frames_are_shrunk_to_even_sides():
    assert overlay_movie._factor(2001, 1000) == pytest.approx(1280 / 2001)
    assert overlay_movie._factor(100, 600) == 2  # not beyond 1280
    assert overlay_movie._factor(512, 512) == 1
    assert overlay_movie._Painter((2001, 999), moving_square(1)[2], CALIBRATION, title=None, pixels=False).size == (
        638,
        1280,
    )


@pytest.mark.parametrize(("most", "length"), [(0.7, 0.5), (1, 1), (24.9, 20), (60, 50), (199, 100), (200, 200)])
def test_the_scale_bar_has_a_round_length(most, length):
    assert overlay_movie._round_length(most) == pytest.approx(length)


def test_frames_and_labels_must_be_as_many_and_no_file_is_left(tmp_path):
    frames, labels, tracks = moving_square(3)
    with pytest.raises(ValueError, match="There are 2 labels and more frames"):
        write_overlay_movie(tmp_path / "a.mp4", frames, labels[:2], tracks, CALIBRATION)
    with pytest.raises(ValueError, match=r"Frame 0 is \(40, 60\) and its labels \(40, 59\)"):
        write_overlay_movie(tmp_path / "a.mp4", frames, labels[:, :, 1:], tracks, CALIBRATION)
    with pytest.raises(ValueError, match="there is no frame to write"):
        write_overlay_movie(tmp_path / "a.mp4", [], [], tracks, CALIBRATION)
    with pytest.raises(ValueError, match="must end in .mp4"):
        write_overlay_movie(tmp_path / "a.avi", frames, labels, tracks, CALIBRATION)
    assert list(tmp_path.iterdir()) == []


def test_a_lost_frame_is_an_error_and_leaves_no_file(tmp_path, monkeypatch):
    frames, labels, tracks = moving_square(2)
    short = overlay_movie.count_frames.__globals__["FrameCount"](2, 1, (160, 240, 3), True)
    monkeypatch.setattr(overlay_movie, "count_frames", lambda path: short)
    with pytest.raises(OSError, match="2 frames were written, 1 came back"):
        write_overlay_movie(tmp_path / "a.mp4", frames, labels, tracks, CALIBRATION)
    assert list(tmp_path.iterdir()) == []
