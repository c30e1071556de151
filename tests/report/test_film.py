"""The overlay movie as pictures of a page."""

import cv2
import numpy as np
import pytest

from somaseg.report.film import read_film

LEVELS = (20, 60, 100, 140, 180, 220)


@pytest.fixture
def video(tmp_path):
    """A movie of 6 frames of 96 x 64, each brighter than the one before, with noise that does not compress."""
    noise = np.random.default_rng(0).normal(0, 15, (64, 96, 3))
    writer = cv2.VideoWriter(str(tmp_path / "a.mp4"), cv2.VideoWriter_fourcc(*"mp4v"), 10.0, (96, 64))
    for level in LEVELS:
        writer.write(np.clip(level + noise, 0, 255).astype(np.uint8))
    writer.release()
    return tmp_path / "a.mp4"


def _levels(film):
    return [cv2.imdecode(np.frombuffer(frame, np.uint8), cv2.IMREAD_COLOR).mean() for frame in film.frames]


def test_all_frames_are_kept_in_order_where_they_fit(video):
    film = read_film(video)
    assert (film.stride, film.frame_count, film.width_px, film.height_px) == (1, 6, 96, 64)
    np.testing.assert_allclose(_levels(film), LEVELS, atol=5)
    assert all(frame[:4] == b"RIFF" and frame[8:12] == b"WEBP" for frame in film.frames)


def test_frames_are_left_out_evenly_where_even_small_ones_do_not_fit(video):
    whole = sum(map(len, read_film(video).frames))
    film = read_film(video, most_bytes=whole // 3)
    assert film.stride in (2, 3) and film.frame_count == 6
    np.testing.assert_allclose(_levels(film), LEVELS[:: film.stride], atol=8)
    assert sum(map(len, film.frames)) <= whole // 3


def test_a_file_that_is_no_video_is_refused(tmp_path):
    (tmp_path / "a.mp4").write_text("no video")
    with pytest.raises(ValueError, match="no frame in it that can be read"):
        read_film(tmp_path / "a.mp4")
