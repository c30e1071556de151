"""read_image: the stored pixels of every common kind of file, or one line that says why not; never a partial image."""

import io

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from somaseg.segmentation import read_image

RANDOM = np.random.default_rng(0)
GRAY = RANDOM.integers(0, 256, (60, 50), dtype=np.uint8)
RGB = RANDOM.integers(0, 256, (60, 50, 3), dtype=np.uint8)
RGBA = RANDOM.integers(0, 256, (60, 50, 4), dtype=np.uint8)
CHANNELS_FIRST = np.ascontiguousarray(np.moveaxis(RGB, -1, 0))
SMOOTH = cv2.GaussianBlur(cv2.resize(RGB, (160, 120)), (0, 0), 5)  # JPEG keeps it to a few levels

TIFFS = {
    "8 bit": (GRAY, {}),
    "16 bit": (GRAY.astype(np.uint16) * 257, {}),
    "signed": (GRAY.astype(np.int16) - 128, {}),
    "float16": (GRAY.astype(np.float16), {}),
    "float32": (GRAY.astype(np.float32) / 255, {}),
    "float64": (GRAY.astype(np.float64) - 1e6, {}),
    "1 bit": (GRAY > 128, {}),
    "rgb": (RGB, {"photometric": "rgb"}),
    "rgba": (RGBA, {"photometric": "rgb"}),
    "two channels": (RGB[..., :2], {"photometric": "minisblack", "planarconfig": "contig"}),
    "lzw": (GRAY, {"compression": "lzw"}),
    "lzw with predictor, in strips": (RGB, {"compression": "lzw", "predictor": True, "rowsperstrip": 7}),
    "deflate": (GRAY, {"compression": "zlib"}),
    "tiles": (GRAY, {"tile": (16, 32)}),
    "deflated tiles": (RGB, {"tile": (32, 32), "compression": "zlib", "photometric": "rgb"}),
    "BigTIFF": (GRAY, {"bigtiff": True}),
    "big endian": (GRAY.astype(np.uint16), {"byteorder": ">"}),
    "ImageJ": (GRAY, {"imagej": True}),
    "axes of length 1": (GRAY[None, None], {"ome": True, "metadata": {"axes": "TZYX"}}),
}


def write(folder, content, name):
    path = folder / name
    path.write_bytes(content)
    return path


def tiff(folder, image, **options):
    tifffile.imwrite(folder / "a.tif", image, **options)
    return folder / "a.tif"


def saved(image, format, **options):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format, **options)
    return buffer.getvalue()


def refused(path, message=""):
    """read_image refuses the file, in one line that begins with its path."""
    with pytest.raises(ValueError) as caught:
        read_image(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: "), text
    assert "\n" not in text
    assert message in text
    return True


@pytest.mark.parametrize("name", TIFFS)
def test_tiff(tmp_path, name):
    image, options = TIFFS[name]
    found = read_image(tiff(tmp_path, image, **options))
    assert found.dtype == image.dtype
    np.testing.assert_array_equal(found, image.squeeze())


@pytest.mark.parametrize(
    "options",
    [
        {"photometric": "rgb", "planarconfig": "separate"},
        {"imagej": True, "metadata": {"axes": "CYX"}},
        {"ome": True, "metadata": {"axes": "CYX"}},
    ],
    ids=["planar", "ImageJ channels", "OME channels"],
)
def test_tiff_channels_come_last_however_they_are_stored(tmp_path, options):
    np.testing.assert_array_equal(read_image(tiff(tmp_path, CHANNELS_FIRST, **options)), RGB)


@pytest.mark.parametrize("suffix", [".png", ".PNG"])
@pytest.mark.parametrize(
    "image", [GRAY, RGB, RGBA, GRAY.astype(np.uint16) * 257], ids=["gray", "rgb", "rgba", "16 bit"]
)
def test_png(tmp_path, image, suffix):
    found = read_image(write(tmp_path, saved(image, "PNG"), f"a{suffix}"))
    assert found.dtype == image.dtype
    np.testing.assert_array_equal(found, image)


def test_png_of_16_bit_colour(tmp_path):
    image = RGB.astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "a.png"), image[..., ::-1])
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), image)


def test_png_of_a_palette_or_of_1_bit(tmp_path):
    palette = Image.fromarray(RGB).quantize(16)
    palette.save(tmp_path / "palette.png")
    np.testing.assert_array_equal(read_image(tmp_path / "palette.png"), np.asarray(palette.convert("RGB")))
    found = read_image(write(tmp_path, saved(GRAY > 128, "PNG"), "bits.png"))
    np.testing.assert_array_equal(found, np.where(GRAY > 128, 255, 0))


def test_png_of_gray_and_alpha_is_rgba(tmp_path):
    found = read_image(write(tmp_path, saved(RGB[..., :2], "PNG"), "a.png"))
    np.testing.assert_array_equal(found, RGB[..., [0, 0, 0, 1]])


@pytest.mark.parametrize("image", [SMOOTH, SMOOTH[..., 0]], ids=["colour", "gray"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["baseline", "progressive"])
def test_jpeg(tmp_path, image, options):
    found = read_image(write(tmp_path, saved(image, "JPEG", quality=95, **options), "a.jpg"))
    assert found.shape == image.shape
    assert np.abs(found.astype(int) - image).max() < 12


@pytest.mark.parametrize("orientation", [3, 6])
def test_an_orientation_tag_turns_nothing(tmp_path, orientation):
    """Labels lie on the stored rows and columns, in a JPEG as in a TIFF."""
    exif = Image.Exif()
    exif[274] = orientation
    jpeg = write(tmp_path, saved(SMOOTH, "JPEG", quality=95, exif=exif), "a.jpg")
    plain = write(tmp_path, saved(SMOOTH, "JPEG", quality=95), "b.jpg")
    np.testing.assert_array_equal(read_image(jpeg), read_image(plain))
    tag = (274, "H", 1, orientation, True)
    np.testing.assert_array_equal(read_image(tiff(tmp_path, GRAY, extratags=[tag])), GRAY)


def test_the_name_does_not_decide_between_png_and_jpeg(tmp_path):
    np.testing.assert_array_equal(read_image(write(tmp_path, saved(GRAY, "PNG"), "a.jpg")), GRAY)


CUTS = (0.001, 0.05, 0.2, 0.5, 0.8, 0.95, -1)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"rowsperstrip": 4},
        {"tile": (16, 16)},
        {"compression": "lzw"},
        {"compression": "zlib", "rowsperstrip": 4},
        {"compression": "packbits"},
        {"compression": "jpeg"},
        {"bigtiff": True},
    ],
    ids=str,
)
def test_a_cut_tiff_is_refused(tmp_path, options, cut):
    content = tiff(tmp_path, GRAY, **options).read_bytes()
    refused(write(tmp_path, content[: int(cut * len(content)) if cut > 0 else cut], "cut.tif"))


@pytest.mark.parametrize("cut", [*CUTS[:-1], -5])
@pytest.mark.parametrize(
    "name, content",
    [
        ("a.png", saved(GRAY, "PNG")),
        ("a.png", saved(RGB, "PNG")),
        ("a.jpg", saved(RGB, "JPEG")),
        ("a.jpg", saved(RGB, "JPEG", progressive=True)),
        ("a.jpg", saved(GRAY, "JPEG")),
    ],
    ids=["PNG gray", "PNG", "JPEG", "JPEG progressive", "JPEG gray"],
)
def test_a_cut_png_or_jpeg_is_refused(tmp_path, name, content, cut):
    refused(write(tmp_path, content[: int(cut * len(content)) if cut > 0 else cut], name))


@pytest.mark.parametrize("cut", CUTS)
def test_a_cut_jpeg_with_a_thumbnail_is_refused(tmp_path, cut):
    """The thumbnail is a whole JPEG with its own end mark, inside the first segment of the large one."""
    thumbnail, large = saved(SMOOTH[::8, ::8], "JPEG"), saved(SMOOTH, "JPEG")
    segment = b"Exif\0\0" + thumbnail
    header = large[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment
    assert read_image(write(tmp_path, header + large[2:], "whole.jpg")).shape == SMOOTH.shape
    rest = large[2 : int(cut * len(large)) if cut > 0 else cut]
    refused(write(tmp_path, header + rest, "cut.jpg"))


@pytest.mark.parametrize("place", [0.25, 0.5, 0.75])
def test_a_png_with_a_changed_byte_is_refused(tmp_path, place):
    content = bytearray(saved(RGB, "PNG"))
    content[int(place * len(content))] ^= 255
    refused(write(tmp_path, content, "a.png"), "damaged")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
def test_what_is_no_image_is_refused(tmp_path, name):
    refused(write(tmp_path, b"", name), "the file is empty")
    refused(write(tmp_path, b"These are not the cells you look for. " * 9, name))


def test_values_that_cannot_be_segmented_are_refused(tmp_path):
    refused(tiff(tmp_path, np.where(GRAY == 7, np.nan, 1.0)), f"{np.count_nonzero(GRAY == 7)} of 3000 values are NaN")
    refused(tiff(tmp_path, np.full((20, 20), 7, np.uint8)), "every value is 7")
    refused(write(tmp_path, saved(np.zeros((20, 20, 3), np.uint8), "PNG"), "a.png"), "every value is 0")


@pytest.mark.filterwarnings("ignore:.*zero-size array")
def test_a_tiff_without_pixels_is_refused(tmp_path):
    refused(tiff(tmp_path, np.zeros((0, 50), np.uint8)))


@pytest.mark.parametrize(
    "shape, axes, message",
    [
        ((2, 3, 60, 50), "TZYX", "holds (2, 3, 60, 50) in the axes TZYX"),
        ((3, 60, 50), "TYX", "holds (3, 60, 50) in the axes TYX"),
        ((3, 60, 50), "ZYX", "in the axes ZYX"),
        ((5, 60, 50), "CYX", "in the axes CYX"),
    ],
)
def test_a_stack_is_refused_with_its_axes(tmp_path, shape, axes, message):
    stack = RANDOM.integers(0, 256, shape, dtype=np.uint8)
    refused(tiff(tmp_path, stack, ome=True, metadata={"axes": axes}), message)
    assert refused(tmp_path / "a.tif", "Save the planes as single images")


def written_one_by_one(folder, *images, **options):
    """Each image as one of its own, as tifffile writes them in a loop."""
    with tifffile.TiffWriter(folder / "a.tif") as tif:
        for image in images:
            tif.write(image, contiguous=False, **options)
    return folder / "a.tif"


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"metadata": None}], ids=str)
def test_planes_written_one_by_one_are_refused_as_a_stack_is(tmp_path, options):
    refused(
        written_one_by_one(tmp_path, GRAY, GRAY[::-1], GRAY, **options), "one image is wanted, this TIFF holds (3, 60"
    )
    np.testing.assert_array_equal(read_image(written_one_by_one(tmp_path, GRAY, **options)), GRAY)


@pytest.mark.parametrize("options", [{}, {"metadata": None}], ids=str)
def test_images_that_differ_are_refused(tmp_path, options):
    path = written_one_by_one(tmp_path, GRAY[:20, :20], GRAY, **options)
    refused(path, "it holds 2 images (uint8 (20, 20), uint8 (60, 50)) that are not the planes of one stack")
    refused(written_one_by_one(tmp_path, GRAY, GRAY.astype(np.uint16), **options), "uint8 (60, 50), uint16 (60, 50)")


@pytest.mark.parametrize("thumbnail", [GRAY[::2, ::2], GRAY[:20, :20]], ids=["pyramid", "thumbnail"])
@pytest.mark.parametrize("first", [False, True])
def test_a_smaller_copy_that_the_file_names_so_is_left_out(tmp_path, thumbnail, first):
    images = [(GRAY, {}), (thumbnail, {"subfiletype": 1})]
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        for image, options in reversed(images) if first else images:
            tif.write(image, metadata=None, **options)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), GRAY)


def test_levels_within_an_image_are_left_out(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        tif.write(GRAY, subifds=1)
        tif.write(GRAY[::2, ::2], subfiletype=1)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), GRAY)


@pytest.mark.parametrize("photometric, told", [("minisblack", 0), ("miniswhite", 1)])
def test_an_image_in_which_0_is_white_is_told_and_left_as_it_is(tmp_path, photometric, told):
    notes = []
    image = read_image(tiff(tmp_path, GRAY, photometric=photometric), note=notes.append)
    np.testing.assert_array_equal(image, GRAY)
    assert (
        notes == ["The file says that 0 is white; its values are taken as they are, so somas must be high ones."] * told
    )


def test_five_channels_are_refused(tmp_path):
    image = RANDOM.integers(0, 256, (60, 50, 5), dtype=np.uint8)
    refused(tiff(tmp_path, image, photometric="minisblack", planarconfig="contig"), "at most 4 channels")


def test_a_folder_named_like_an_image_is_refused(tmp_path):
    (tmp_path / "a.png").mkdir()
    refused(tmp_path / "a.png", "a folder")


def test_other_files_are_refused_by_their_suffix(tmp_path):
    refused(write(tmp_path, b"BM", "a.bmp"), "files named .bmp are not read, only .png")
    refused(write(tmp_path, b"BM", "a"), "files named without a suffix are not read")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"missing\.png: no such file"):
        read_image(tmp_path / "missing.png")


def test_an_unreadable_file_is_named(tmp_path):
    path = write(tmp_path, saved(GRAY, "PNG"), "a.png")
    path.chmod(0)
    try:
        path.read_bytes()
    except PermissionError:
        with pytest.raises(PermissionError, match=r"a\.png"):
            read_image(path)
    else:
        pytest.skip("this user may read everything")
