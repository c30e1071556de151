"""Samples: what goes in comes out, and what does not fit is refused by name."""

import numpy as np
import pytest
import tifffile

from somaseg.data.datasets import Samples, load_samples


def triple(name="a", shape=(20, 30), dtype=np.uint8):
    rng = np.random.default_rng(len(name))
    image = rng.integers(0, 256, (*shape, 3)).astype(dtype)
    return name, image, rng.integers(0, 4, shape).astype(np.uint16)


def two_samples():
    return Samples.from_arrays([triple("a"), triple("bb", (17, 40))])


def test_arrays_are_packed_with_their_ids():
    samples = two_samples()
    assert len(samples) == 2
    assert samples.ids == ["a", "bb"]
    assert [image.shape for image in samples.images] == [(20, 30, 3), (17, 40, 3)]
    np.testing.assert_array_equal(samples.images[1], triple("bb", (17, 40))[1])
    np.testing.assert_array_equal(samples.instances[1], triple("bb", (17, 40))[2])


def test_gray_images_and_labels_with_a_channel_axis_are_taken():
    _, image, labels = triple()
    samples = Samples.from_arrays([("a", image[..., 0], labels[..., None].astype(np.int64))])
    assert samples.images[0].shape == (20, 30, 3)
    assert samples.instances[0].shape == (20, 30)
    assert samples.instances[0].dtype == np.uint16


def test_images_of_16_bit_are_stretched_when_they_are_added():
    _, image, labels = triple()
    samples = Samples.from_arrays([("8", image, labels), ("16", image.astype(np.uint16) * 99, labels)])
    assert samples.images[1].dtype == np.uint8
    np.testing.assert_array_equal(samples.stretched(1), samples.images[1])
    np.testing.assert_allclose(samples.stretched(1), samples.stretched(0).astype(int), atol=1)


def test_a_mask_of_another_size_is_refused_with_its_id():
    _, image, labels = triple()
    message = r"cell_7: image is \(20, 30\) but its instances are \(19, 30\)"
    with pytest.raises(ValueError, match=message):
        Samples.from_arrays([triple(), ("cell_7", image, labels[1:])])


@pytest.mark.parametrize("label", [65_536, -1])
def test_a_label_that_16_bit_cannot_hold_is_refused_with_its_id(label):
    _, image, labels = triple()
    labels = labels.astype(np.int32)
    labels[3, 4] = label
    with pytest.raises(ValueError, match=f"cell_7: labels must be 0 to 65535, got .*{label}"):
        Samples.from_arrays([("cell_7", image, labels)])


def test_no_image_at_all_is_refused():
    with pytest.raises(ValueError, match="holds no image"):
        Samples.from_arrays([])


def test_save_and_load_give_the_same_samples(tmp_path):
    saved = two_samples()
    saved.save(tmp_path / "train.npz")
    loaded = Samples.load(tmp_path / "train.npz")
    assert loaded.ids == saved.ids
    for key in ("images", "instances", "limits"):
        for ours, theirs in zip(getattr(saved, key), getattr(loaded, key), strict=True):
            np.testing.assert_array_equal(ours, theirs)
            assert ours.dtype == theirs.dtype


def text(path):
    path.write_text("hello")


def nothing(path):
    path.write_bytes(b"")


def foreign_archive(path):
    np.savez(path, a=np.zeros(3))


def bare_array(path):
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))


def pickled(path):
    np.savez(path, ids=np.array([{}], dtype=object))


def cut_off(path):
    two_samples().save(path)
    path.write_bytes(path.read_bytes()[:-100])


def overwritten_in_the_middle(path):
    two_samples().save(path)
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 50] = bytes(50)
    path.write_bytes(whole)


@pytest.mark.parametrize(
    "write",
    [text, nothing, foreign_archive, bare_array, pickled, cut_off, overwritten_in_the_middle],
)
def test_a_foreign_or_corrupt_file_is_refused_with_its_path(write, tmp_path):
    write(tmp_path / "train.npz")
    with pytest.raises(ValueError, match=r"train\.npz is not a data set written by Samples\.save"):
        Samples.load(tmp_path / "train.npz")


def test_load_samples_reads_a_file_or_a_split_of_a_folder(tmp_path):
    Samples.from_arrays([triple("a")]).save(tmp_path / "train.npz")
    Samples.from_arrays([triple("bb")]).save(tmp_path / "validation.npz")
    assert load_samples(tmp_path, "train").ids == ["a"]
    assert load_samples(str(tmp_path), "train").ids == ["a"]
    assert load_samples(str(tmp_path), "validation").ids == ["bb"]


def test_a_labs_data_set_is_built_anew_when_its_files_change(tmp_path):
    pytest.importorskip("tensorflow_datasets")
    where = {"data_dir": tmp_path / "built", "manual_dir": tmp_path / "lab"}

    def add(name):
        (tmp_path / "lab").mkdir(exist_ok=True)
        tifffile.imwrite(tmp_path / "lab" / f"{name}.tif", np.arange(400, dtype=np.uint8).reshape(20, 20))
        tifffile.imwrite(tmp_path / "lab" / f"{name}_masks.tif", np.eye(20, dtype=np.uint16))

    def ids():
        return sorted(
            sum((load_samples("neuron_soma/lab", split, **where).ids for split in ("train", "validation")), [])
        )

    add("one")
    with pytest.raises(ValueError, match="has no image for .*at least two images"):
        ids()
    add("two")
    assert ids() == ["one", "two"]
    add("three")
    assert ids() == ["one", "three", "two"]
    with pytest.raises(FileNotFoundError, match="elsewhere"):
        load_samples("neuron_soma/lab", "train", **{**where, "manual_dir": tmp_path / "elsewhere"})


def test_a_split_that_a_folder_lacks_is_refused_with_those_it_has(tmp_path):
    Samples.from_arrays([triple("a")]).save(tmp_path / "train.npz")
    with pytest.raises(ValueError, match=r"no test\.npz.*train\.npz"):
        load_samples(str(tmp_path), "test")
