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


S, T, CLOCK = (1, 2), range(12), [f"{day:02}d{hour:02}h{m:02}m" for day in (0, 1) for hour in (0, 9) for m in (0, 30)]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([f"exp_w1Cy5_s{s}_t{t}" for s in S for t in T], r"\(s1, 2, ...\) the files are of 2 positions"),  # MetaMorph
        ([f"s{s}_t{t}" for s in S for t in T][:-5], r"\(s1, 2, ...\) the files are of 2 positions"),
        ([f"s{s}_t{t}" for s in T for t in S], r"\(s0, 1, 2, 3, ...\) the files are of 12 positions"),
        ([f"pos{s}_t{t:03}" for s in S for t in T], r"\(pos1, 2, ...\) the files are of 2 positions"),
        ([f"Pos_{s}_{t:03}" for s in S for t in T], r"\(pos1, 2, ...\) the files are of 2 positions"),
        ([f"t{t:03}xy{s}c1" for s in S for t in T], r"\(xy1, 2, ...\) the files are of 2 positions"),  # Nikon
        ([f"expT{t:03}_XY{s}" for s in S for t in T], r"\(xy1, 2, ...\) the files are of 2 positions"),
        ([f"Exp-01_s{s}t{t:02}_ORG" for s in S for t in T], r"\(s1, 2, ...\) the files are of 2 positions"),  # Zeiss
        ([f"LeicaSeries00{s}_t{t:02}_ch00" for s in S for t in T], r"\(series1, 2, ...\) .* 2 positions"),
        ([f"r01c01f0{s}p01-ch1sk{t}fk1fl1" for s in S for t in T], r"\(f1, 2, ...\) .* 2 positions"),  # Operetta
        ([f"W0001F000{s}T{t:04}Z01C1" for s in S for t in T], "are of the same time"),  # Yokogawa
        ([f"VID12_A1_{s}_{time}" for s in S for time in CLOCK], "VID12_A1_1_00d00h00m and .* are of the same time"),
        ([f"VID12_{w}_1_{time}" for w in ("A1", "B2") for time in CLOCK], r"\(A1, B2, ...\) the files are of 2 wells"),
        ([f"VID12_{w}_1_{time}" for w in ("D1", "D2") for time in CLOCK], "are of the same time"),
        (
            [f"img_channel000_position00{s}_time{t:09}_z000" for s in S for t in T],  # Micro-Manager
            r"\(position1, 2, ...\) the files are of 2 positions",
        ),
        ([f"t{t}_{stain}" for stain in ("GFP", "RFP") for t in T], "t0_GFP and t0_RFP are of the same time"),
    ],
)
def test_positions_told_by_the_names_are_not_taken_for_frames(tmp_path, names, message):
    for name in names:
        (tmp_path / f"{name}.png").touch()
    with pytest.raises(ValueError, match=f"by their names .*{message}.* Put the frames of one"):
        open_movie(tmp_path, pixels=True)


@pytest.mark.parametrize(
    "names",
    [
        [f"exp_s3_t{t}" for t in T],
        [f"s{t}" for t in T],
        [f"Series{t:03}" for t in T],
        [f"pos_{t:03}" for t in T],
        [f"A{t}" for t in T],
        [f"exp_s{t:03}_t{t:03}" for t in T],
        [f"img_channel000_position003_time{t:09}_z000" for t in T],
        [f"t{t:03}xy1c1" for t in T],
        [f"VID12_B3_2_{time}" for time in CLOCK],
        [f"VID12_B3_2_2023y01m{time[1]}d_{time[3:]}" for time in CLOCK],
        [f"D1_{h:02}h{m:02}m" for h in (0, 1) for m in (0, 30)] + ["D2_00h00m"],
        [f"exp_h{h:02}m{m:02}s{s:02}" for h in (0, 1) for m in T for s in (0, 30)],
        [f"2024-01-0{d}_{h:02}-{m:02}-00" for d in S for h in T for m in (0, 15, 30, 45)],
        [f"2024-01-0{d}T{h:02}-{m:02}-00" for d in S for h in T for m in (0, 15, 30, 45)],
        [f"{h:02}-{m:02}" for h in T for m in (0, 30)],
        [f"time_{h:02}-{m:02}" for h in T for m in (0, 30)],
        [f"t={t / 2:.1f}h" for t in T],
        [f"day{d}_t{t:02}" for d in S for t in T],
        [f"20240105_hNPC_P12_D35_C3_p1_t{t}" for t in T],
        [f"t37_A1_{t:03}" for t in T],
    ],
)
def test_a_number_that_stays_or_is_another_in_each_name_tells_of_no_position(tmp_path, names):
    for name in names:
        cv2.imwrite(str(tmp_path / f"{name}.png"), FRAME)
    with open_movie(tmp_path, pixels=True) as movie:
        assert movie.frame_count == len(names)
        assert not [text for text in movie.warnings if "position" in text]


def test_names_that_count_twice_without_a_word_for_it_are_told(tmp_path):
    for name in (f"exp_{i}_{j:03}" for i in (1, 2) for j in range(3)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), FRAME)
    with open_movie(tmp_path, pixels=True) as movie:
        (warning,) = movie.warnings
    assert warning.startswith(
        "The names count twice, 2 times 3 (exp_1_000.png, exp_2_002.png). If one of the numbers is"
    )


def test_frames_in_which_0_is_white_are_told(tmp_path):
    for number in (0, 1):
        tifffile.imwrite(tmp_path / f"{number}.tif", FRAME, photometric="miniswhite")
    with open_movie(tmp_path, pixels=True) as movie:
        assert ["0 is white" in text for text in movie.warnings] == [True]


def test_a_frame_that_is_cut_short_is_an_error(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (32, 32), np.uint8)
    for number in (0, 1):
        cv2.imwrite(str(tmp_path / f"{number}.png"), noise)
    content = (tmp_path / "1.png").read_bytes()
    (tmp_path / "1.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="frame 1 cannot be read"):
        read_all(tmp_path)
