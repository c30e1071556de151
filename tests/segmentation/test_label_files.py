"""Label files: every kind that labs have, pairs by name, and files that are no labels."""

import cv2
import numpy as np
import pytest
import tifffile

from somaseg.segmentation.label_files import pair_label_files, read_label_pairs, read_labels

LABELS = (np.arange(20).reshape(4, 5) // 5).astype(np.uint16)


def write(path, labels=LABELS):
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, labels)
    elif path.suffix == ".png":
        assert cv2.imwrite(str(path), labels)
    else:
        tifffile.imwrite(path, labels, photometric="minisblack")
    return path


@pytest.mark.parametrize("name", ["a.tif", "a.TIFF", "a.png", "a.npy"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_kind_of_file_gives_its_labels(tmp_path, name, dtype):
    if name == "a.TIFF":
        tifffile.imwrite(tmp_path / name, LABELS.astype(dtype), compression="zlib")
    else:
        write(tmp_path / name, LABELS.astype(dtype))
    read = read_labels(tmp_path / name)
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, LABELS)


@pytest.mark.parametrize("name", ["a.tif", "a.npy"])
def test_labels_without_a_soma_floats_that_are_whole_and_stacks_are_read(tmp_path, name):
    assert not read_labels(write(tmp_path / name, LABELS * 0)).any()
    assert read_labels(write(tmp_path / name, LABELS.astype(np.float32))).dtype.kind == "i"
    stack = np.stack([LABELS, LABELS + 1, LABELS * 0, LABELS, LABELS])
    np.testing.assert_array_equal(read_labels(write(tmp_path / name, stack)), stack)


def written_one_by_one(path, planes, **options):
    with tifffile.TiffWriter(path) as tif:
        for plane in planes:
            tif.write(plane, contiguous=False, **options)
    return path


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"metadata": None}])
def test_planes_written_one_by_one_are_a_stack(tmp_path, options):
    stack = np.stack([LABELS, LABELS * 0, LABELS + 1, LABELS, LABELS, LABELS])
    np.testing.assert_array_equal(read_labels(written_one_by_one(tmp_path / "a.tif", stack, **options)), stack)
    for plane in stack:
        tifffile.imwrite(tmp_path / "b.tif", plane, append=True)
    np.testing.assert_array_equal(read_labels(tmp_path / "b.tif"), stack)


def test_planes_of_differing_sizes_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a.tif: it holds 2 images \(uint16 \(4, 5\), uint16 \(2, 5\)\) that are not"):
        read_labels(written_one_by_one(tmp_path / "a.tif", [LABELS, LABELS[:2]]))


def test_an_imagej_stack_cut_short_is_refused(tmp_path):
    stack = np.random.default_rng(0).integers(0, 900, (6, 64, 64)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", stack, imagej=True, metadata={"axes": "TYX"})
    np.testing.assert_array_equal(read_labels(tmp_path / "a.tif"), stack)
    content = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="a.tif: .*cut short"):
        read_labels(tmp_path / "a.tif")


def test_a_png_cut_short_is_refused_and_not_filled_up(tmp_path):
    content = write(tmp_path / "a.png", np.arange(4096, dtype=np.uint16).reshape(64, 64)).read_bytes()
    (tmp_path / "a.png").write_bytes(content[:-40])
    with pytest.raises(ValueError, match="a.png: the file is damaged, cut short, or no PNG"):
        read_labels(tmp_path / "a.png")


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("a.npy", LABELS / 2, "labels are whole numbers, this file holds others"),
        ("a.npy", LABELS.astype(int) - 1, "whole numbers from 0, got int64, smallest -1"),
        ("a.npy", np.array([None]), "cannot be read as .npy"),
        ("a.npy", np.zeros(5, int), "expected labels .*got \\(5,\\)"),
        ("a.npy", np.zeros((9, 9, 3), np.uint8), "looks like colours"),
        ("a.png", np.zeros((9, 9, 3), np.uint8), "3 colours per pixel"),
    ],
)
def test_files_that_hold_no_labels_are_refused(tmp_path, name, content, message):
    with pytest.raises(ValueError, match=f"{name}: .*{message}"):
        read_labels(write(tmp_path / name, content))


def test_colours_in_a_tiff_other_files_and_no_file_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "rgb.tif", np.zeros((9, 9, 3), np.uint8), photometric="rgb")
    with pytest.raises(ValueError, match="in the axes YXS"):
        read_labels(tmp_path / "rgb.tif")
    (tmp_path / "b.tif").write_bytes(b"no image")
    with pytest.raises(ValueError, match="b.tif: the TIFF cannot be read"):
        read_labels(tmp_path / "b.tif")
    with pytest.raises(ValueError, match="labels are read from .tif, .tiff, .png, .npy, not from .jpg"):
        read_labels(tmp_path / "a.jpg")
    with pytest.raises(FileNotFoundError):
        read_labels(tmp_path / "none.tif")


def test_files_are_paired_by_name_whatever_the_suffix(tmp_path):
    for name in ("truth/a_masks.png", "truth/a.png", "truth/b_masks.png", "pred/a_labels.tif", "pred/b_labels.tif"):
        write(tmp_path / name)
    for name in ("pred/a_overlay.png", "pred/c_labels.tif", "pred/objects.csv", "truth/.hidden_masks.png"):
        (tmp_path / name).write_bytes(b"")
    pairs, spare = pair_label_files(tmp_path / "pred", tmp_path / "truth")
    assert [(name, truth.name, prediction.name) for name, truth, prediction in pairs] == [
        ("a", "a_masks.png", "a_labels.tif"),
        ("b", "b_masks.png", "b_labels.tif"),
    ]
    assert [path.name for path in spare] == ["c_labels.tif"]


def test_folders_without_such_names_are_taken_as_they_are_and_two_files_always_pair(tmp_path):
    for name in ("truth/a.png", "pred/a.npy", "pred/a_overlay.png"):
        write(tmp_path / name)
    assert [pair[0] for pair in pair_label_files(tmp_path / "pred", tmp_path / "truth")[0]] == ["a"]
    other = write(tmp_path / "other.tif")
    assert pair_label_files(other, tmp_path / "truth" / "a.png") == ([("a", tmp_path / "truth" / "a.png", other)], [])


def test_what_cannot_be_paired_is_refused(tmp_path):
    for name in ("truth/a.png", "truth/b.png", "pred/a.tif"):
        write(tmp_path / name)
    with pytest.raises(ValueError, match="no prediction for 1 of 2 truths of .*: b. Files are matched by name"):
        pair_label_files(tmp_path / "pred", tmp_path / "truth")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no label image in this folder"):
        pair_label_files(tmp_path / "empty", tmp_path / "truth")
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        pair_label_files(tmp_path / "pred", tmp_path / "nowhere")
    write(tmp_path / "truth" / "a.tif")
    with pytest.raises(ValueError, match="have the same name, a. Take one away"):
        pair_label_files(tmp_path / "pred", tmp_path / "truth")


def test_each_plane_of_a_stack_is_an_image(tmp_path):
    single = [write(tmp_path / name) for name in ("t.tif", "p.tif")]
    stacks = [write(tmp_path / name, np.stack([LABELS, LABELS * 2])) for name in ("ts.tif", "ps.npy")]
    done = []
    found = list(read_label_pairs([("s", *stacks), ("a", *single)], progress=lambda: done.append(1)))
    assert [name for name, *_ in found] == ["s plane 0", "s plane 1", "a"] and len(done) == 2
    np.testing.assert_array_equal(found[1][2], LABELS * 2)
    with pytest.raises(ValueError, match=r"ts.tif is \(2, 4, 5\), .*p.tif is \(4, 5\): not a pair"):
        list(read_label_pairs([("s", stacks[0], single[1])]))
