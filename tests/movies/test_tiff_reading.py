"""TIFF in all its forms, whole and cut short, and the units that stand in it."""

import gc
import tracemalloc

import numpy as np
import pytest
import tifffile

from somaseg.movies import Calibration, write_hyperstack
from somaseg.movies.reader import open_movie

STACK = np.random.default_rng(0).integers(0, 60000, (6, 20, 30), np.uint16)


def read_all(path, **arguments):
    with open_movie(path, **({"pixels": True} | arguments)) as movie:
        return np.stack(list(movie.frames()))


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        {"metadata": None},
        {},
        {"compression": "zlib"},
        {"imagej": True, "metadata": {"axes": "TYX"}},
        {"imagej": True, "metadata": {"axes": "TYX"}, "truncate": True},  # as files past 4 GiB are: one directory
        {"imagej": True, "metadata": {"axes": "TYX"}, "byteorder": ">"},
        {"ome": True, "metadata": {"axes": "TYX"}, "compression": "zlib"},
        {"bigtiff": True, "metadata": {"axes": "TYX"}},
        {"rowsperstrip": 7, "metadata": None},
    ],
)
def test_every_way_to_store_frames_gives_the_same_frames(tmp_path, arguments):
    tifffile.imwrite(tmp_path / "a.tif", STACK, **arguments)
    np.testing.assert_array_equal(read_all(tmp_path / "a.tif"), STACK)


def test_frames_in_directories_of_their_own(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        for frame in STACK:
            tif.write(frame, metadata=None, contiguous=False)
    np.testing.assert_array_equal(read_all(tmp_path / "a.tif"), STACK)


def write_one_by_one(path, frames, **options):
    """Each frame as an image of its own, as tifffile writes them in a loop."""
    with tifffile.TiffWriter(path) as tif:
        for frame in frames:
            tif.write(frame, contiguous=False, **options)
    return path


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"resolution": (2, 2)}])
def test_frames_written_one_by_one_are_a_movie(tmp_path, options):
    path = write_one_by_one(tmp_path / "a.tif", STACK, **options)
    np.testing.assert_array_equal(read_all(path), STACK)
    for frame in STACK:
        tifffile.imwrite(tmp_path / "b.tif", frame, append=True)
    np.testing.assert_array_equal(read_all(tmp_path / "b.tif"), STACK)
    colour = write_one_by_one(tmp_path / "c.tif", np.stack([STACK] * 3, -1), photometric="rgb", **options)
    np.testing.assert_array_equal(read_all(colour)[..., 2], STACK)


def test_frames_written_one_by_one_cost_no_memory_each(tmp_path):
    path = write_one_by_one(tmp_path / "a.tif", np.zeros((500, 8, 8), np.uint16), compression="zlib")
    tracemalloc.start()
    try:
        with open_movie(path, pixels=True) as movie:
            gc.collect()
            assert tracemalloc.get_traced_memory()[0] / movie.frame_count < 2000  # 5000 with all tags of each frame
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("share", [0.4, 0.6, 0.9])
def test_frames_written_one_by_one_and_cut_short_are_never_read_silently(tmp_path, share):
    path = cut(write_one_by_one(tmp_path / "a.tif", STACK, compression="zlib"), share)
    with pytest.raises(ValueError, match="cut short"):
        open_movie(path, pixels=True)
    whole = int(len(STACK) * share)
    np.testing.assert_array_equal(read_all(path, allow_truncated=True), STACK[:whole])


def test_stacks_written_one_by_one_are_no_movie(tmp_path):
    path = write_one_by_one(tmp_path / "a.tif", STACK.reshape(3, 2, 20, 30))
    with pytest.raises(ValueError, match=r"it holds 3 images \(0 \(2, 20, 30\), .*or several positions"):
        open_movie(path, pixels=True)


def test_our_own_files_come_back_with_their_units(tmp_path):
    calibration = Calibration(0.65, 7.5)
    for dtype in (np.uint16, np.uint32):  # ImageJ hyperstack, OME-TIFF
        write_hyperstack(tmp_path / "a.tif", STACK.astype(dtype), calibration)
        with open_movie(tmp_path / "a.tif") as movie:
            assert movie.calibration.um_per_px == pytest.approx(0.65, rel=1e-6)
            assert movie.calibration.minutes_per_frame == pytest.approx(7.5)
            np.testing.assert_array_equal(movie.frame(5), STACK[5])


def test_an_imagej_stack_cut_short_tells_how_many_frames_are_whole(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, STACK, imagej=True, metadata={"axes": "TYX"})
    cut(path, 0.6)
    with pytest.raises(ValueError, match="cut short: 3 of 6 frames are whole. Give --allow-truncated to use the 3"):
        open_movie(path, pixels=True)
    np.testing.assert_array_equal(read_all(path, allow_truncated=True), STACK[:3])
    with open_movie(path, pixels=True, allow_truncated=True) as movie:
        assert movie.warnings == ["It is cut short: 3 of 6 frames are whole; the first 3 are used (--allow-truncated)."]


def test_a_hyperstack_cut_short_counts_frames_by_the_planes_that_they_need(tmp_path):
    path, stack = tmp_path / "a.tif", STACK.reshape(3, 2, 20, 30)  # T, C
    tifffile.imwrite(path, stack, imagej=True, metadata={"axes": "TCYX"})
    cut(path, 0.52)  # frame 0, and channel 0 of frame 1
    np.testing.assert_array_equal(read_all(path, channel=0, allow_truncated=True), stack[:2, 0])
    np.testing.assert_array_equal(read_all(path, channel=1, allow_truncated=True), stack[:1, 1])


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_plain_tiff_cut_short_is_never_read_silently(tmp_path, compression):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as tif:
        for frame in STACK:
            tif.write(frame, metadata=None, contiguous=False, compression=compression)
    cut(path, 0.6)
    with pytest.raises(ValueError, match="cut short after 3 whole images. Give --allow-truncated to use the 3"):
        open_movie(path, pixels=True)
    np.testing.assert_array_equal(read_all(path, allow_truncated=True), STACK[:3])


def test_a_directory_damaged_in_the_middle_is_never_read_silently(tmp_path):
    noise = np.random.default_rng(0).integers(0, 1000, (6, 32, 32)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", noise, compression="zlib", metadata={})
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        place = tif.pages[3].offset
    content = bytearray((tmp_path / "a.tif").read_bytes())
    content[place : place + 100] = bytes(100)
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(ValueError, match="--allow-truncated"):
        open_movie(tmp_path / "a.tif", pixels=True)


def test_an_ome_tiff_that_lost_its_description_is_not_read_as_something_else(tmp_path):
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, STACK.reshape(3, 2, 20, 30), ome=True, metadata={"axes": "TCYX"})
    cut(path, 0.97)
    with pytest.raises(ValueError, match="its description is lost with the end, so its axes are not known"):
        open_movie(path, pixels=True, allow_truncated=True)


@pytest.mark.parametrize(
    ("announced", "message", "taken"),
    [(9, "6 of 9 frames are whole", 6), (4, "announces 4 images and it holds 6", 4)],
)
def test_a_description_that_lies_about_the_frames_is_an_error_with_both_counts(tmp_path, announced, message, taken):
    path = tmp_path / "a.tif"
    text = f"ImageJ=1.54f\nimages={announced}\nframes={announced}\n"
    tifffile.imwrite(path, STACK, description=text, metadata=None)
    with pytest.raises(ValueError, match=message):
        open_movie(path, pixels=True)
    np.testing.assert_array_equal(read_all(path, allow_truncated=True), STACK[:taken])


def test_axes_that_cannot_be_told_apart_are_an_error(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", STACK.reshape(3, 2, 20, 30))
    with pytest.raises(ValueError, match=r"axes are QQYX .* which of them is time cannot be told"):
        open_movie(tmp_path / "a.tif", pixels=True)


def test_frames_of_differing_sizes_are_an_error(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        tif.write(STACK[0], metadata=None)
        tif.write(STACK[1, :10], metadata=None)
    with pytest.raises(ValueError, match=r"2 images \(0 \(20, 30\), 1 \(10, 30\)\): frames of differing sizes"):
        open_movie(tmp_path / "a.tif", pixels=True)


def test_an_imagej_order_with_time_before_depth(tmp_path):
    stack = STACK.reshape(2, 3, 20, 30)  # Z, T in the file
    text = "ImageJ=1.54f\nimages=6\nframes=3\nslices=2\norder=ctz\nhyperstack=true\n"
    tifffile.imwrite(tmp_path / "a.tif", stack, description=text, metadata=None, photometric="minisblack")
    np.testing.assert_array_equal(read_all(tmp_path / "a.tif", z=1), stack[1])


IMAGEJ = "ImageJ=1.54f\nimages=6\nframes=6\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("unit=um\nfinterval=900\n", (0.5, 15)),
        ("unit=micron\nfinterval=15\ntunit=min\n", (0.5, 15)),
        ("unit=\\u00B5m\nfinterval=0.25\ntunit=h\n", (0.5, 15)),
        ("unit=nm\nfinterval=60000\ntunit=ms\n", (0.0005, 1)),
        ("unit=mm\nfinterval=60\n", (500, 1)),
        ("unit=um\nfps=0.0011111111\n", (0.5, 15)),
    ],
)
def test_units_of_imagej(tmp_path, text, expected):
    tifffile.imwrite(tmp_path / "a.tif", STACK, description=IMAGEJ + text, metadata=None, resolution=(2, 2))
    with open_movie(tmp_path / "a.tif") as movie:
        calibration = movie.calibration
    assert (calibration.um_per_px, calibration.minutes_per_frame) == pytest.approx(expected)


def test_a_unit_in_latin_1(tmp_path):
    text = (IMAGEJ + "unit=µm\nfinterval=900\n").encode("latin-1")
    tifffile.imwrite(tmp_path / "a.tif", STACK, description=text, metadata=None, resolution=(2, 2))
    with open_movie(tmp_path / "a.tif") as movie:
        assert movie.calibration == Calibration(0.5, 15)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("unit=inch\nfinterval=900\n", "pixel size in um .its unit is 'inch'.. Give --um-per-px,"),
        ("unit=pixel\nfinterval=900\n", "its unit is 'pixel'"),
        ("finterval=900\n", "it has no unit"),
        ("unit=cm\nfinterval=900\n", "5000 um per pixel is the resolution of a print"),
        ("unit=um\nfps=7\n", "time between frames .its fps, 7, is how fast it plays.. Give --minutes-per-frame"),
        ("unit=um\n", "it has no finterval"),
        ("unit=um\nfinterval=0\n", "it has no finterval"),
        ("unit=um\nfinterval=3\ntunit=frame\n", "its finterval is 3 'frame'"),
    ],
)
def test_units_that_mean_nothing_are_missing(tmp_path, text, message):
    tifffile.imwrite(tmp_path / "a.tif", STACK, description=IMAGEJ + text, metadata=None, resolution=(2, 2))
    with pytest.raises(ValueError, match=message):
        open_movie(tmp_path / "a.tif")


def test_resolution_tags_of_a_plain_tiff_count_when_they_are_no_print_resolution(tmp_path):
    for per_cm, expected in ((20000, 0.5), (28.35, None)):
        tifffile.imwrite(
            tmp_path / "a.tif", STACK, metadata=None, resolution=(per_cm, per_cm), resolutionunit="CENTIMETER"
        )
        if expected is None:
            with pytest.raises(ValueError, match="352.7.* um per pixel is the resolution of a print"):
                open_movie(tmp_path / "a.tif", minutes_per_frame=15)
        else:
            with open_movie(tmp_path / "a.tif", minutes_per_frame=15) as movie:
                assert movie.calibration.um_per_px == pytest.approx(expected)


def write_ome(path, **metadata):
    tifffile.imwrite(path, STACK, ome=True, metadata={"axes": "TYX", **metadata})
    return path


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (
            {"PhysicalSizeX": 0.65, "PhysicalSizeY": 0.65, "TimeIncrement": 900.0},
            (0.65, 15),
        ),  # um and s are the default
        (
            {"PhysicalSizeX": 650, "PhysicalSizeXUnit": "nm", "TimeIncrement": 15, "TimeIncrementUnit": "min"},
            (0.65, 15),
        ),
        ({"PhysicalSizeX": 0.65, "Plane": {"DeltaT": [0, 900, 1800, 2700, 3600, 4500]}}, (0.65, 15)),
    ],
)
def test_units_of_ome(tmp_path, metadata, expected):
    with open_movie(write_ome(tmp_path / "a.ome.tif", **metadata)) as movie:
        assert (movie.calibration.um_per_px, movie.calibration.minutes_per_frame) == pytest.approx(expected)
        assert movie.warnings == []
        assert movie.name == "a"


def test_irregular_times_of_ome_are_told(tmp_path):
    times = {"DeltaT": [0, 900, 1800, 3600, 4500, 5400]}
    with open_movie(write_ome(tmp_path / "a.ome.tif", PhysicalSizeX=1, Plane=times)) as movie:
        assert movie.calibration.minutes_per_frame == 15
        assert movie.warnings == ["1 of 5 intervals between frames differ from 15 min by more than 10 %."]


def test_an_ome_unit_of_pixels_is_missing(tmp_path):
    path = write_ome(tmp_path / "a.ome.tif", PhysicalSizeX=1, PhysicalSizeXUnit="pixel", TimeIncrement=900.0)
    with pytest.raises(ValueError, match="its PhysicalSizeX is in 'pixel'"):
        open_movie(path)


def write_ome_set(folder):
    """An OME-TIFF with a file per frame, as some microscopes write it."""
    files = [f"f{t}.ome.tif" for t in range(4)]
    places = "".join(
        f'<TiffData FirstT="{t}" IFD="0" PlaneCount="1"><UUID FileName="{name}">urn:uuid:{t}</UUID></TiffData>'
        for t, name in enumerate(files)
    )
    for t, name in enumerate(files):
        text = (
            f'<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="urn:uuid:{t}"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" '
            f'SizeX="30" SizeY="20" SizeZ="1" SizeC="1" SizeT="4" PhysicalSizeX="0.5" TimeIncrement="600">'
            f'<Channel ID="Channel:0" SamplesPerPixel="1"/>{places}</Pixels></Image></OME>'
        )
        tifffile.imwrite(folder / name, STACK[t], description=text, metadata=None)
    return folder / files[0]


@pytest.mark.filterwarnings("error")
def test_an_ome_tiff_with_a_file_per_frame(tmp_path):
    path = write_ome_set(tmp_path)
    np.testing.assert_array_equal(read_all(path), STACK[:4])
    (tmp_path / "f2.ome.tif").unlink()
    with pytest.raises(ValueError, match="image 2 of 4 is not there; a file of the set may be missing"):
        open_movie(path)
    np.testing.assert_array_equal(read_all(path, allow_truncated=True), STACK[:2])
