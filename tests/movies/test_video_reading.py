"""Videos: decoded in order, counted, and believed only as far as they decode."""

import cv2
import numpy as np
import pytest

from somaseg.movies import video_planes, write_avi
from somaseg.movies.reader import open_movie

LEVELS = [10, 60, 110, 160, 210]


def write_video(path, codec="mp4v", colour=False):
    video = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 10, (32, 16))
    for level in LEVELS:
        video.write(np.full((16, 32, 3), (0, level, 0) if colour else level, np.uint8))
    video.release()
    return path


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "mp4v"), ("a.mov", "mp4v"), ("a.avi", "MJPG")])
def test_a_grey_video_gives_its_frames_in_order(tmp_path, name, codec):
    with open_movie(write_video(tmp_path / name, codec), pixels=True) as movie:
        assert (movie.frame_count, movie.height_px, movie.width_px, movie.colour) == (5, 16, 32, False)
        found = np.stack(list(movie.frames()))
        assert np.abs(found.mean(axis=(1, 2)) - LEVELS).max() < 4  # lossy
        assert movie.frame(3).mean() == found[3].mean()
        assert movie.frame(1).mean() == found[1].mean()  # backwards: decoded again from the start


def test_a_green_video_is_rgb(tmp_path):
    path = write_video(tmp_path / "a.mp4", colour=True)
    with open_movie(path, pixels=True) as movie:
        assert movie.colour
        red, green, blue = movie.frame(4).reshape(-1, 3).mean(axis=0)
        assert green > 180 > 60 > max(red, blue)
    with open_movie(path, pixels=True, channel=1) as movie:
        assert movie.frame(4).mean() == pytest.approx(green)


def test_a_video_has_no_units_of_its_own(tmp_path):
    with pytest.raises(ValueError, match="their frame rate is how fast they play.*Give --um-per-px and --minutes"):
        open_movie(write_video(tmp_path / "a.mp4"))


def test_a_header_that_lies_is_an_error_with_both_counts(tmp_path):
    path = tmp_path / "a.avi"
    write_avi(path, np.random.default_rng(0).integers(0, 255, (6, 32, 32), np.uint8))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    found = video_planes.count_frames(path)
    assert (found.announced, 0 < found.decoded < 6) == (6, True)
    with pytest.raises(ValueError, match=f"announces 6 frames and {found.decoded} can be decoded.*--allow-truncated"):
        open_movie(path, pixels=True)
    with open_movie(path, pixels=True, allow_truncated=True) as movie:
        assert len(list(movie.frames())) == found.decoded
        assert "announces 6 frames" in movie.warnings[0]


def test_what_cannot_be_decoded_is_an_error(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"no video" * 100)
    with pytest.raises(ValueError, match="no frame can be decoded"):
        open_movie(tmp_path / "a.mp4", pixels=True)
