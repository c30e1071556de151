"""What `open_movie` promises of every kind of file: frames in order, explicit axes, units that were told."""

import numpy as np
import pytest
import tifffile

from somaseg.movies import Calibration
from somaseg.movies.reader import open_movie

STACK = np.arange(6 * 5 * 7, dtype=np.uint16).reshape(6, 5, 7)
HYPERSTACK = np.arange(3 * 4 * 2 * 5 * 7, dtype=np.uint16).reshape(3, 4, 2, 5, 7)  # T, Z, C, Y, X
GIVEN = {"um_per_px": 0.5, "minutes_per_frame": 10}


def write_imagej(path, stack, axes, **metadata):
    resolution = metadata.pop("resolution", (2, 2))
    tifffile.imwrite(path, stack, imagej=True, resolution=resolution, metadata={"axes": axes, **metadata})
    return path


def read_all(path, **arguments):
    with open_movie(path, **arguments) as movie:
        return np.stack(list(movie.frames()))


def test_a_hyperstack_gives_its_frames_units_and_says_where_they_come_from(tmp_path):
    path = write_imagej(tmp_path / "a.tif", STACK, "TYX", unit="um", finterval=900)
    with open_movie(path) as movie:
        np.testing.assert_array_equal(np.stack(list(movie.frames())), STACK)
        np.testing.assert_array_equal(movie.frame(4), STACK[4])
        assert (movie.name, movie.frame_count, movie.height_px, movie.width_px) == ("a", 6, 5, 7)
        assert movie.dtype == np.uint16
        assert not movie.colour
        assert movie.calibration == Calibration(0.5, 15)
        assert movie.calibration_source == {"um_per_px": "file", "minutes_per_frame": "file"}
        assert movie.description == "ImageJ hyperstack, 6 frames of 5 x 7 pixels, uint16"
        assert movie.warnings == []
        with pytest.raises(IndexError, match="no frame 6; it has frames 0 to 5"):
            movie.frame(6)


def test_frames_are_read_one_at_a_time(tmp_path):
    stack = STACK.astype(np.float32)
    stack[5] = np.inf
    path = write_imagej(tmp_path / "a.tif", stack, "TYX")
    with open_movie(path, **GIVEN) as movie:
        frames = movie.frames()
        np.testing.assert_array_equal(next(frames), STACK[0])  # the damage of frame 5 is not met yet


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_no_number_is_an_error_that_names_the_frame(tmp_path, value):
    stack = STACK.astype(np.float32)
    stack[3, 1, 2] = value
    path = write_imagej(tmp_path / "a.tif", stack, "TYX")
    with pytest.raises(ValueError, match="frame 3 holds 1 values that are NaN or infinite"):
        read_all(path, **GIVEN)


def test_several_channels_are_listed_until_one_is_chosen(tmp_path):
    path = tmp_path / "a.ome.tif"
    names = {"Channel": {"Name": ["DAPI", "GFP"]}}
    tifffile.imwrite(path, HYPERSTACK, ome=True, metadata={"axes": "TZCYX", **names})
    with pytest.raises(ValueError, match=r"2 channels: 0 \(DAPI\), 1 \(GFP\). Say which with --channel"):
        open_movie(path, z=0, **GIVEN)
    with pytest.raises(ValueError, match=r"--channel must be one of 0 \(DAPI\), 1 \(GFP\), counted from 0; got 2"):
        open_movie(path, channel=2, z=0, **GIVEN)
    for channel in (1, "1", "gfp"):
        np.testing.assert_array_equal(read_all(path, channel=channel, z=2, **GIVEN), HYPERSTACK[:, 2, 1])


def test_depth_is_never_guessed(tmp_path):
    path = write_imagej(tmp_path / "a.tif", HYPERSTACK, "TZCYX")
    with pytest.raises(ValueError, match="4 slices in depth .* Give --z max .* number from 0 to 3"):
        open_movie(path, channel=0, **GIVEN)
    with pytest.raises(ValueError, match="--z must be one of .* got 4"):
        open_movie(path, channel=0, z=4, **GIVEN)
    with pytest.raises(ValueError, match="--z time is for files without a time axis; this one has 3 frames"):
        open_movie(path, channel=0, z="time", **GIVEN)
    np.testing.assert_array_equal(read_all(path, channel=0, z="max", **GIVEN), HYPERSTACK[:, :, 0].max(axis=1))
    np.testing.assert_array_equal(read_all(path, channel=1, z=3, **GIVEN), HYPERSTACK[:, 3, 1])
    with open_movie(path, channel=1, z=3, **GIVEN) as movie:
        assert movie.description.endswith("channel 1 of 2, slice 3 of 4")


def test_time_that_was_saved_as_depth_is_pointed_out_and_can_be_said(tmp_path):
    path = write_imagej(tmp_path / "a.tif", STACK, "ZYX")
    with pytest.raises(ValueError, match="one time point of 6 slices .* say so with --z time"):
        open_movie(path, **GIVEN)
    np.testing.assert_array_equal(read_all(path, z="time", **GIVEN), STACK)


def test_time_that_was_saved_as_channels_is_pointed_out(tmp_path):
    path = write_imagej(tmp_path / "a.tif", STACK, "CYX")
    with pytest.raises(ValueError, match="6 channels: 0 to 5. .* If they are frames, re-order them in Fiji"):
        open_movie(path, **GIVEN)


def test_a_colour_movie_is_rgb_or_one_of_its_colours(tmp_path):
    colour = np.arange(2 * 5 * 7 * 3, dtype=np.uint8).reshape(2, 5, 7, 3)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, colour, imagej=True, photometric="rgb", metadata={"axes": "TYXS"})
    with open_movie(path, **GIVEN) as movie:
        assert movie.colour
        np.testing.assert_array_equal(movie.frame(1), colour[1])
    np.testing.assert_array_equal(read_all(path, channel="green", **GIVEN), colour[..., 1])


def test_missing_units_stop_with_the_flags_to_give(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, STACK, metadata=None)
    with pytest.raises(ValueError, match="Give --um-per-px and --minutes-per-frame, or --pixels"):
        open_movie(path)
    with pytest.raises(ValueError, match="does not tell the time between frames .* Give --minutes-per-frame, or"):
        open_movie(path, um_per_px=0.5)
    with open_movie(path, **GIVEN) as movie:
        assert movie.calibration == Calibration(0.5, 10)
        assert movie.calibration_source == {"um_per_px": "flag", "minutes_per_frame": "flag"}
    with open_movie(path, pixels=True) as movie:
        assert movie.calibration == Calibration(1, 1)
        assert movie.calibration_source == {"um_per_px": "pixels", "minutes_per_frame": "pixels"}
    with pytest.raises(ValueError, match="--pixels works in pixels and frames; leave out"):
        open_movie(path, pixels=True, um_per_px=0.5)


def test_a_flag_that_contradicts_the_file_wins_and_is_told(tmp_path):
    path = write_imagej(tmp_path / "a.tif", STACK, "TYX", unit="um", finterval=900)
    with open_movie(path, um_per_px=0.65) as movie:
        assert movie.calibration == Calibration(0.65, 15)
        assert movie.calibration_source == {"um_per_px": "flag", "minutes_per_frame": "file"}
        assert movie.warnings == ["um_per_px: 0.65 um per pixel was given and is used; the file says 0.5."]


def test_pixels_that_are_not_square_are_an_error_beyond_one_percent(tmp_path):
    path = write_imagej(tmp_path / "a.tif", STACK, "TYX", unit="um", finterval=900, resolution=(2, 1.9))
    with pytest.raises(ValueError, match="not square: 0.5 um wide and 0.526316 um high"):
        open_movie(path)
    path = write_imagej(tmp_path / "b.tif", STACK, "TYX", unit="um", finterval=900, resolution=(2, 1.99))
    open_movie(path).close()


def test_one_frame_is_read_with_a_warning(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, STACK[0], metadata=None)
    with open_movie(path, **GIVEN) as movie:
        assert movie.frame_count == 1
        assert movie.warnings == ["The movie has one frame: there is nothing to follow."]


def test_what_is_no_movie_is_refused_in_one_line(tmp_path):
    (tmp_path / "empty.tif").write_bytes(b"")
    (tmp_path / "text.tif").write_bytes(b"no image at all" * 20)
    (tmp_path / "a.docx").write_bytes(b"x")
    for name, error, message in (
        ("missing.tif", FileNotFoundError, "there is no such file or folder"),
        ("empty.tif", ValueError, r"the file is empty \(0 bytes\)"),
        ("text.tif", ValueError, "cannot be read; it is cut short, damaged or no TIFF"),
        ("a.docx", ValueError, "files named .docx are not read as movies"),
    ):
        with pytest.raises(error, match=message) as caught:
            open_movie(tmp_path / name, **GIVEN)
        assert "\n" not in str(caught.value)
