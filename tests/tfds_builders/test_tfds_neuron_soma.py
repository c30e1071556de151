"""The layouts of a lab's images, their split, and what is read from each kind of file."""

import collections
import sys

import cv2
import numpy as np
import pytest
import tifffile
from etils import epath

from tfds_builders.neuron_soma import lab, pixels, simulated

SOMA = np.uint8([[255, 255, 0, 0], [0, 0, 0, 0]])
OTHER = np.uint8([[0, 0, 0, 0], [0, 0, 0, 255]])
IMAGE = np.arange(8, dtype=np.uint8).reshape(2, 4)


def write(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        assert cv2.imwrite(str(path), array)
    else:
        tifffile.imwrite(path, array, **options)


def read_labels(lab_image, shape=(2, 4)):
    repairs = collections.Counter()
    labels = pixels.read_instances(lab_image, shape, repairs)
    return labels.tolist(), {kind: count for kind, count in repairs.items() if count}


@pytest.mark.parametrize("image", ["a/images/a.png", "a/images/frame 1.tif", "a/scan.tiff"])
def test_folder_with_a_mask_per_soma(image, tmp_path):
    write(tmp_path / image, IMAGE)
    write(tmp_path / "a/masks/1.png", SOMA)
    write(tmp_path / "a/masks/2.png", OTHER)
    (found,) = lab.find_images(epath.Path(tmp_path))
    assert found.id == "a" and found.image == epath.Path(tmp_path / image)
    assert read_labels(found)[0] == [[1, 1, 0, 0], [0, 0, 0, 2]]


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_pair_of_image_and_label_image(suffix, tmp_path):
    write(tmp_path / "x.tif", IMAGE)
    write(tmp_path / f"x_masks.{suffix}", np.uint16([[9, 9, 0, 0], [0, 0, 0, 300]]))
    (found,) = lab.find_images(epath.Path(tmp_path))
    assert found.id == "x"
    assert read_labels(found) == ([[1, 1, 0, 0], [0, 0, 0, 2]], {})


def test_thresholded_label_image_is_split_into_somas(tmp_path):
    write(tmp_path / "x_masks.png", SOMA | OTHER)
    found = lab.LabImage("x", None, labels=epath.Path(tmp_path / "x_masks.png"))
    assert read_labels(found) == ([[1, 1, 0, 0], [0, 0, 0, 2]], {"label_images_split": 1})


def test_label_image_of_one_soma_is_no_repair(tmp_path):
    write(tmp_path / "x_masks.png", SOMA)
    found = lab.LabImage("x", None, labels=epath.Path(tmp_path / "x_masks.png"))
    assert read_labels(found) == ([[1, 1, 0, 0], [0, 0, 0, 0]], {})


@pytest.mark.parametrize("kind", ["masks", "label image"])
def test_image_without_a_soma_is_kept(kind, tmp_path):
    path = epath.Path(tmp_path / "black.png")
    write(path, SOMA * 0)
    found = lab.LabImage("x", None, masks=(path,))
    if kind == "label image":
        found = lab.LabImage("x", None, labels=path)
    assert read_labels(found)[0] == [[0, 0, 0, 0], [0, 0, 0, 0]]


def test_mask_that_is_black_on_white_is_refused(tmp_path):
    path = epath.Path(tmp_path / "inverted.png")
    write(path, 255 - OTHER)
    with pytest.raises(ValueError, match=r"inverted\.png is not black in 88%"):
        read_labels(lab.LabImage("x", None, masks=(path,)))


def test_coloured_label_image_is_refused(tmp_path):
    path = epath.Path(tmp_path / "x_masks.png")
    write(path, np.dstack([SOMA, OTHER, OTHER]))
    with pytest.raises(ValueError, match=r"x_masks\.png has shape \(2, 4, 3\)"):
        read_labels(lab.LabImage("x", None, labels=path))


def test_folder_without_images_tells_the_layouts(tmp_path):
    (tmp_path / "notes.txt").touch()
    (tmp_path / "train").mkdir()
    with pytest.raises(FileNotFoundError, match="(?s)no annotated image found.*<id>_masks.tif") as error:
        lab.find_splits(tmp_path)
    assert str(tmp_path) in str(error.value)


def test_images_without_masks_are_named(tmp_path):
    write(tmp_path / "pair.tif", IMAGE)
    write(tmp_path / "folder/images/a.tif", IMAGE)
    with pytest.raises(FileNotFoundError, match="pair, folder without masks"):
        lab.find_splits(tmp_path)


def test_label_image_without_its_image_is_named(tmp_path):
    write(tmp_path / "x_masks.tif", IMAGE)
    with pytest.raises(FileNotFoundError, match=r"x_masks\.tif has no image"):
        lab.find_splits(tmp_path)


@pytest.mark.parametrize("images", [[], ["1.tif", "2.tif"]])
def test_image_folder_has_exactly_one_image(images, tmp_path):
    for name in images:
        write(tmp_path / "a" / "images" / name, IMAGE)
    write(tmp_path / "a" / "masks" / "1.png", SOMA)
    with pytest.raises(FileNotFoundError, match=f"{len(images)} images found, expected one"):
        lab.find_splits(tmp_path)


def write_pair(folder, name):
    write(folder / f"{name}.tif", IMAGE)
    write(folder / f"{name}_masks.tif", SOMA)


def test_sub_folders_decide_the_split(tmp_path):
    for folder, name in (("train", "a"), ("train", "b"), ("validation", "c")):
        write_pair(tmp_path / folder, name)
    splits = lab.find_splits(tmp_path)
    assert {split: [image.id for image in images] for split, images in splits.items()} == {
        "train": ["a", "b"],
        "validation": ["c"],
    }


def test_image_beside_the_sub_folders_is_refused(tmp_path):
    write_pair(tmp_path / "train", "a")
    write_pair(tmp_path, "stray")
    with pytest.raises(ValueError, match="stray beside train/"):
        lab.find_splits(tmp_path)


def test_id_that_occurs_twice_is_refused(tmp_path):
    write_pair(tmp_path / "train", "a")
    write_pair(tmp_path / "validation", "a")
    with pytest.raises(ValueError, match="a occurs twice"):
        lab.find_splits(tmp_path)


def test_adding_an_image_moves_no_other(tmp_path):
    before = {}
    write_pair(tmp_path, "slice_2")  # this one validates
    for number in (1, 0, *range(3, 12)):
        write_pair(tmp_path, f"slice_{number}")
        splits = lab.find_splits(tmp_path)
        now = {image.id: split for split, images in splits.items() for image in images}
        assert before.items() <= now.items()
        before = now


def test_of_few_images_one_validates(tmp_path):
    names = [name for name in "abcdefghijklmnop" if lab.split_of(name) == "train"][:4]
    for name in names:
        write_pair(tmp_path, name)
    splits = lab.find_splits(tmp_path)
    assert {split: len(images) for split, images in splits.items()} == {"train": 3, "validation": 1}


def test_a_fingerprint_changes_with_the_files(tmp_path):
    write_pair(tmp_path / "one", "a")
    before = lab.fingerprint(tmp_path / "one")
    assert lab.fingerprint(str(tmp_path / "one")) == before
    write_pair(tmp_path / "one", "b")
    assert lab.fingerprint(tmp_path / "one") != before


def test_about_15_percent_of_ids_validate():
    count = sum(lab.split_of(f"image_{number}") == "validation" for number in range(4000))
    assert 0.13 < count / 4000 < 0.17


@pytest.mark.parametrize("name", ["x.tif", "x.png"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_values_and_depth_stay_as_in_the_file(name, dtype, tmp_path):
    gray = (IMAGE.astype(dtype) + 1) * (30 if dtype == np.uint8 else 8000)
    write(tmp_path / name, gray)
    image = pixels.read_image(epath.Path(tmp_path / name))
    assert image.dtype == dtype
    assert image.tolist() == np.dstack([gray] * 3).tolist()


@pytest.mark.parametrize("channels", [3, 4])
def test_colours_keep_their_order_and_alpha_goes(channels, tmp_path):
    colours = np.arange(8 * channels, dtype=np.uint8).reshape(2, 4, channels)
    write(tmp_path / "x.tif", colours, photometric="rgb")
    image = pixels.read_image(epath.Path(tmp_path / "x.tif"))
    assert image.tolist() == colours[..., :3].tolist()


def test_imagej_composite_has_its_channels_moved_last(tmp_path):
    composite = np.arange(24, dtype=np.uint16).reshape(3, 2, 4)
    write(tmp_path / "x.tif", composite, imagej=True, metadata={"axes": "CYX"})
    image = pixels.read_image(epath.Path(tmp_path / "x.tif"))
    assert image.tolist() == np.moveaxis(composite, 0, -1).tolist()


def test_movie_is_refused_as_an_image(tmp_path):
    write(tmp_path / "x.tif", np.zeros((3, 2, 4), np.uint8), imagej=True, metadata={"axes": "TYX"})
    with pytest.raises(ValueError, match=r"x\.tif has axes TYX"):
        pixels.read_image(epath.Path(tmp_path / "x.tif"))


def test_float_image_is_refused(tmp_path):
    write(tmp_path / "x.tif", np.zeros((2, 4), np.float32))
    with pytest.raises(ValueError, match=r"x\.tif has float32"):
        pixels.read_image(epath.Path(tmp_path / "x.tif"))


@pytest.mark.parametrize("name", ["x.tif", "x.png"])
@pytest.mark.parametrize("data", [b"", b"not a picture"])
def test_file_that_is_no_image_is_named(name, data, tmp_path):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=f"{name} cannot be read"):
        pixels.read_image(epath.Path(tmp_path / name))


def test_simulated_images_are_composed_as_in_the_paper():
    pytest.importorskip("somaseg.simulation")
    stills = simulated.list_stills()
    looks = collections.Counter(look for _, look, _ in stills["train"])
    assert looks["green_on_black"] == 20 and sum(looks.values()) == 32
    assert [look for _, look, _ in stills["validation"]] == ["green_on_black"] * 5
    assert [look for _, look, _ in stills["test"]] == ["green_on_black"] * 50
    ids = [still_id for split in stills.values() for still_id, _, _ in split]
    assert len(set(ids)) == 87
    assert ids[0] == "simulated_green_on_black_000" and ids[-1] == "simulated_green_on_black_074"


def test_simulated_image_is_the_same_each_time():
    pytest.importorskip("somaseg.simulation")
    once, again = (simulated.simulate("green_on_black", (230, 0)) for _ in range(2))
    assert np.array_equal(once[0], again[0]) and np.array_equal(once[1], again[1])
    assert once[0].shape == (256, 256, 3) and once[0].dtype == np.uint8


def test_simulated_without_somaseg_says_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "somaseg", None)
    with pytest.raises(ImportError, match="Install somaseg"):
        simulated.list_stills()
