"""write_hyperstack and write_avi: what another program reads back."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from somaseg.movies import Calibration, write_avi, write_hyperstack, writer

CALIBRATION = Calibration(um_per_px=0.65, minutes_per_frame=15)


def random_stack(shape, dtype, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("frames", [1, 5])
def test_a_hyperstack_tells_imagej_units_and_frames(tmp_path, dtype, frames):
    stack = random_stack((frames, 9, 7), dtype)
    write_hyperstack(tmp_path / "a.tif", stack, CALIBRATION)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert tif.is_imagej
        assert tif.imagej_metadata["unit"] == "um"
        assert tif.imagej_metadata["finterval"] == 900
        assert tif.imagej_metadata["images"] == frames
        assert tif.series[0].axes == ("TYX" if frames > 1 else "YX")
        pixels, per_um = tif.pages[0].tags["XResolution"].value
        assert pixels / per_um == pytest.approx(1 / 0.65, rel=1e-6)
        assert tif.pages[0].tags["ResolutionUnit"].value == 1  # no inch, no cm: the unit is the description's
        assert tif.pages[0].compression == 1
        np.testing.assert_array_equal(tif.asarray().reshape(stack.shape), stack)
    assert [path.name for path in tmp_path.iterdir()] == ["a.tif"]


def test_an_rgb_hyperstack_keeps_its_colours(tmp_path):
    stack = random_stack((3, 9, 7, 3), np.uint8)
    write_hyperstack(tmp_path / "a.tif", stack, CALIBRATION, axes="TYXC")
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert tif.series[0].axes == "TYXS"
        assert tif.imagej_metadata["frames"] == 3
        np.testing.assert_array_equal(tif.asarray(), stack)


def test_32_bit_labels_are_an_ome_tiff_with_the_same_units(tmp_path):
    stack = random_stack((3, 9, 7), np.uint32)
    write_hyperstack(tmp_path / "a.tif", stack, CALIBRATION)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        pixels = tifffile.xml2dict(tif.ome_metadata)["OME"]["Image"]["Pixels"]
        assert (pixels["PhysicalSizeX"], pixels["PhysicalSizeXUnit"]) == (0.65, "µm")
        assert (pixels["TimeIncrement"], pixels["TimeIncrementUnit"]) == (900, "s")
        assert tif.pages[0].tags["ResolutionUnit"].value == 3  # per centimetre
        assert np.divide(*tif.pages[0].tags["XResolution"].value) == pytest.approx(1e4 / 0.65, rel=1e-6)
        np.testing.assert_array_equal(tif.asarray(), stack)


def test_a_stack_too_large_for_a_classic_tiff_is_written_in_one_piece(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "_CLASSIC_TIFF_BYTES", 100)
    stack = random_stack((4, 9, 7), np.uint16)
    write_hyperstack(tmp_path / "a.tif", stack, CALIBRATION)
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert len(tif.pages) == 1
        np.testing.assert_array_equal(tif.asarray(), stack)


@pytest.mark.parametrize(
    ("stack", "axes", "message"),
    [
        (np.zeros((2, 3, 4), np.float32), "TYX", "must be of uint8, uint16, uint32, got float32"),
        (np.zeros((2, 3, 4, 3), np.uint16), "TYXC", "must be of uint8, got uint16"),
        (np.zeros((3, 4), np.uint8), "TYX", r"must be \(T, Y, X\) .* got \(3, 4\)"),
        (np.zeros((2, 3, 4, 4), np.uint8), "TYXC", r"must be \(T, Y, X, 3\)"),
        (np.zeros((0, 3, 4), np.uint8), "TYX", "at least one frame"),
        (np.zeros((2, 3, 4), np.uint8), "ZYX", 'axes must be "TYX" or "TYXC"'),
    ],
)
def test_what_is_no_hyperstack_is_refused(tmp_path, stack, axes, message):
    with pytest.raises(ValueError, match=message):
        write_hyperstack(tmp_path / "a.tif", stack, CALIBRATION, axes=axes)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_full_disk_is_told_as_such_and_leaves_no_file(tmp_path, monkeypatch):
    def full(path, stack, **arguments):
        with open("/dev/full", "wb", buffering=0) as file:
            stack.tofile(file)

    monkeypatch.setattr(tifffile, "imwrite", full)
    with pytest.raises(OSError, match="No space left on device.*a.tif"):
        write_hyperstack(tmp_path / "a.tif", np.zeros((2, 64, 64), np.uint16), Calibration(0.5, 10.0))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("size", [(16, 16), (15, 17)])
def test_an_avi_has_every_frame_in_order_and_its_colours(tmp_path, size):
    frames = np.zeros((4, *size, 3), np.uint8)
    frames[..., 0] = np.array([0, 80, 160, 240])[:, None, None]  # red, in RGB
    write_avi(tmp_path / "a.avi", frames, frames_per_second=5)
    video = cv2.VideoCapture(str(tmp_path / "a.avi"))
    assert video.get(cv2.CAP_PROP_FPS) == 5
    for frame in frames:
        readable, seen = video.read()
        assert readable
        assert seen.shape == frame.shape
        inside = np.abs(seen[..., ::-1].astype(int) - frame)[:8, :8]  # OpenCV fades the edges of an odd size
        assert inside.max() <= 12  # lossy
    assert not video.read()[0]


def test_a_grey_avi_of_one_frame(tmp_path):
    write_avi(tmp_path / "a.AVI", np.full((1, 8, 8), 100, np.uint8))
    _, seen = cv2.VideoCapture(str(tmp_path / "a.AVI")).read()
    assert np.abs(seen.astype(int) - 100).max() <= 3


def test_an_avi_that_lost_a_frame_is_an_error_and_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "_frame_sizes", lambda path: [(8, 8)] * 2)
    with pytest.raises(OSError, match="3 frames of 8x8 were written, 2 came back"):
        write_avi(tmp_path / "a.avi", np.zeros((3, 8, 8), np.uint8))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("frames", "name", "speed", "message"),
    [
        (np.zeros((2, 8, 8), np.uint16), "a.avi", 10, "must be uint8 .* got uint16"),
        (np.zeros((0, 8, 8), np.uint8), "a.avi", 10, "at least one frame"),
        (np.zeros((2, 8, 8), np.uint8), "a.mp4", 10, "must end in .avi"),
        (np.zeros((2, 8, 8), np.uint8), "a.avi", 0, "frames_per_second must be positive"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path, frames, name, speed, message):
    with pytest.raises(ValueError, match=message):
        write_avi(tmp_path / name, frames, frames_per_second=speed)
