"""Folders with one image per frame."""

import cv2
import numpy as np
import pytest
import tifffile

from somaseg.movies.reader import open_movie

FRAME = np.arange(5 * 7, dtype=np.uint16).reshape(5, 7)


def read_all(folder):
    with open_movie(folder, pixels=True) as movie:
        return np.stack(list(movie.frames()))


def test_frames_come_in_natural_order_and_black_ones_are_frames_too(tmp_path):
    for number in (10, 9, 0):
        cv2.imwrite(str(tmp_path / f"t{number}.png"), FRAME * 0 + number)
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    (tmp_path / ".hidden.png").write_bytes(b"x")
    np.testing.assert_array_equal(read_all(tmp_path)[:, 0, 0], [0, 9, 10])


def test_a_jump_in_the_numbers_is_told(tmp_path):
    for number in (1, 2, 3, 5, 6):
        cv2.imwrite(str(tmp_path / f"t{number:03d}.png"), FRAME)
    with open_movie(tmp_path, pixels=True) as movie:
        assert movie.warnings == ["The names jump from t003.png to t005.png (1 such jumps): a frame may be missing."]
    for number in (0, 15, 30):
        (tmp_path / "b").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / "b" / f"min{number}.png"), FRAME)
    with open_movie(tmp_path / "b", pixels=True) as movie:
        assert movie.warnings == []


def test_colour_is_rgb(tmp_path):
    tifffile.imwrite(tmp_path / "0.tif", np.full((4, 4, 3), (200, 100, 50), np.uint8), photometric="rgb")
    assert read_all(tmp_path)[0, 0, 0].tolist() == [200, 100, 50]
    (tmp_path / "b").mkdir()
    cv2.imwrite(str(tmp_path / "b" / "0.png"), np.full((4, 4, 3), (50, 100, 200), np.uint8))  # OpenCV writes BGR
    assert read_all(tmp_path / "b")[0, 0, 0].tolist() == [200, 100, 50]


def test_the_pixel_size_of_the_first_tiff_counts(tmp_path):
    tifffile.imwrite(tmp_path / "0.tif", FRAME, imagej=True, resolution=(2, 2), metadata={"unit": "um"})
    with open_movie(tmp_path, minutes_per_frame=15) as movie:
        assert movie.calibration.um_per_px == 0.5
        assert movie.calibration_source == {"um_per_px": "file", "minutes_per_frame": "flag"}


def test_frames_of_differing_size_are_an_error_that_names_both(tmp_path):
    cv2.imwrite(str(tmp_path / "0.png"), FRAME)
    cv2.imwrite(str(tmp_path / "1.png"), FRAME[:4])
    with pytest.raises(ValueError, match=r"frame 1 cannot be read .1.png is uint16 \(4, 7\), 0.png is uint16 \(5, 7\)"):
        read_all(tmp_path)


def test_what_is_no_folder_of_frames_is_refused(tmp_path):
    with pytest.raises(ValueError, match="there is no image in this folder"):
        open_movie(tmp_path, pixels=True)
    tifffile.imwrite(tmp_path / "movie.tif", np.stack([FRAME, FRAME]), metadata=None)
    with pytest.raises(ValueError, match="movie.tif: it holds 2 images, and a folder of frames has one per file"):
        open_movie(tmp_path, pixels=True)
    cv2.imwrite(str(tmp_path / "0.png"), FRAME)
    with pytest.raises(ValueError, match=r"images of several formats \(1 .png, 1 .tif\)"):
        open_movie(tmp_path, pixels=True)


def test_channels_told_by_the_names_are_not_taken_for_frames(tmp_path):
    for name in ("t0_c0", "t0_c1", "t1_c0", "t1_c1"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), FRAME)
    with pytest.raises(ValueError, match=r"by their names \(c0, 1, ...\) the files are of 2 channels or depths"):
        open_movie(tmp_path, pixels=True)


def test_a_frame_that_is_cut_short_is_an_error(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (32, 32), np.uint8)
    for number in (0, 1):
        cv2.imwrite(str(tmp_path / f"{number}.png"), noise)
    content = (tmp_path / "1.png").read_bytes()
    (tmp_path / "1.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="frame 1 cannot be read"):
        read_all(tmp_path)
