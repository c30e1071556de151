"""CropBatches: a function of (seed, epoch, index), each example once an epoch, masks that match."""

import numpy as np
import pytest

from somaseg.data.datasets import Samples
from somaseg.data.pipeline import CropBatches, as_tf_dataset


def coordinate_samples(*shapes):
    """Images whose red is the row, green the column and blue the number of the sample.

    The mask is a function of all three, so that a crop tells whether it is the right one.
    """
    ids, images, instances = [], [], []
    for number, (height, width) in enumerate(shapes):
        y, x = np.mgrid[:height, :width]
        ids.append(f"sample_{number}")
        images.append(np.stack([y, x, np.full_like(y, number)], axis=-1).astype(np.uint8))
        instances.append(mask_at(y, x, number).astype(np.uint16))
    identity = np.tile(np.float32([0, 255]), (len(shapes), 1))
    return Samples(ids, images, instances, limits=identity)


def mask_at(y, x, number):
    return (7 * y + 3 * x + 5 * number) % 11 < 4


@pytest.fixture(scope="module")
def samples():
    return coordinate_samples((40, 50), (33, 64), (16, 16), (90, 20), (50, 50), (70, 31))


def passes(batches, epoch=0):
    """All batches of a pass, joined: {"image": (n, H, W, 3), ...}."""
    taken = [batches.batch(epoch, index) for index in range(batches.num_batches)]
    return {key: np.concatenate([batch[key] for batch in taken]) for key in taken[0]}


def numbers(batch):
    return batch["image"][:, 0, 0, 2].astype(int).tolist()


def test_batches_have_the_promised_shapes_and_dtypes(samples):
    batch = CropBatches(samples, batch_size=4, crop_size=32, seed=1)[0]
    assert set(batch) == {"image", "instances"}
    assert (batch["image"].shape, batch["image"].dtype) == ((4, 32, 32, 3), np.float32)
    assert (batch["instances"].shape, batch["instances"].dtype) == ((4, 32, 32, 1), np.int32)


def test_instances_match_image_also_where_it_is_mirrored(samples):
    batch = passes(CropBatches(samples, batch_size=2, crop_size=64, seed=1))
    y, x, number = np.moveaxis(batch["image"], -1, 0)
    np.testing.assert_array_equal(batch["instances"][..., 0], mask_at(y, x, number))
    assert 0.2 < batch["instances"].mean() < 0.6


def test_a_crop_is_a_connected_part_of_its_image():
    batch = CropBatches(coordinate_samples((200, 150)), batch_size=1, crop_size=16, seed=1)[0]
    y, x = batch["image"][0, ..., 0], batch["image"][0, ..., 1]
    assert (np.diff(y, axis=0) == 1).all()
    assert (np.diff(x, axis=1) == 1).all()


def test_crops_reach_every_corner():
    batches = CropBatches(coordinate_samples((18, 18)), batch_size=60, crop_size=16, seed=1)
    corners = {tuple(corner) for corner in batches[0]["image"][:, 0, 0, :2].astype(int)}
    assert corners == {(0, 0)}  # one example, one crop an epoch, however large the batch
    corners = {tuple(batches.batch(e, 0)["image"][0, 0, 0, :2].astype(int)) for e in range(99)}
    assert corners == {(y, x) for y in range(3) for x in range(3)}


def test_an_image_smaller_than_the_crop_is_mirrored():
    batches = CropBatches(coordinate_samples((10, 20)), batch_size=1, crop_size=32, seed=1)
    for epoch in range(10):
        rows = batches.batch(epoch, 0)["image"][0, :, 0, 0].astype(int).tolist()
        forth_and_back = [*range(10), *range(9, -1, -1)] * 4
        assert any(forth_and_back[i : i + 32] == rows for i in range(20))
        assert set(rows) == set(range(10))


def test_a_batch_is_a_function_of_seed_epoch_and_index(samples):
    first = CropBatches(samples, batch_size=3, crop_size=16, seed=1)
    other = CropBatches(samples, batch_size=3, crop_size=16, seed=1)
    other.batch(0, 0), other.batch(5, 1)  # asking for others changes nothing
    for epoch, index in ((0, 0), (0, 1), (3, 1)):
        ours, theirs = first.batch(epoch, index), other.batch(epoch, index)
        for key in ours:
            np.testing.assert_array_equal(ours[key], theirs[key])


def test_epochs_and_seeds_differ_in_order_and_crops(samples):
    one = CropBatches(samples, batch_size=6, crop_size=16, seed=1)
    orders = {tuple(numbers(one.batch(epoch, 0))) for epoch in range(6)}
    assert len(orders) > 3
    corners = {tuple(corner_of(one.batch(epoch, 0), 0)) for epoch in range(6)}
    assert len(corners) > 3
    other = CropBatches(samples, batch_size=6, crop_size=16, seed=2)
    assert (one.batch(0, 0)["image"] != other.batch(0, 0)["image"]).any()


def corner_of(batch, number):
    return batch["image"][numbers(batch).index(number), 0, 0, :2]


def test_keras_passes_move_the_epoch_on(samples):
    batches = CropBatches(samples, batch_size=6, crop_size=16, seed=1, start_epoch=4)
    np.testing.assert_array_equal(batches[0]["image"], batches.batch(4, 0)["image"])
    batches.on_epoch_end()
    np.testing.assert_array_equal(batches[0]["image"], batches.batch(5, 0)["image"])


@pytest.mark.parametrize("batch_size", [1, 2, 3, 6])
def test_every_example_comes_once_an_epoch(samples, batch_size):
    batches = CropBatches(samples, batch_size=batch_size, crop_size=16, seed=1)
    assert len(batches) == 6 // batch_size
    for epoch in range(3):
        assert sorted(numbers(passes(batches, epoch))) == list(range(6))


@pytest.mark.parametrize("batch_size", [4, 13])
def test_the_last_batch_is_filled_up_from_the_beginning_of_the_epoch(samples, batch_size):
    order = numbers(passes(CropBatches(samples, batch_size=batch_size, crop_size=16, seed=1)))
    assert len(order) % batch_size == 0
    assert sorted(order[:6]) == list(range(6))
    assert order[6:] == (order[:6] * 2)[: len(order) - 6]


def test_validation_takes_each_centre_once_and_in_order(samples):
    batch = passes(CropBatches(samples, batch_size=4, crop_size=16))
    assert numbers(batch) == list(range(6))
    for number, instances in enumerate(samples.instances):
        top, left = ((size - 16) // 2 for size in instances.shape)
        assert corner_of(batch, number).tolist() == [top, left]
        expected = instances[top : top + 16, left : left + 16]
        np.testing.assert_array_equal(batch["instances"][number, ..., 0], expected)


def test_threefold_has_each_variant_of_every_example_once(samples):
    batches = CropBatches(samples, batch_size=9, crop_size=16, seed=1, threefold=True)
    assert len(batches) == 2
    batch = passes(batches)
    assert batch["variant"].dtype == np.int32
    pairs = sorted(zip(numbers(batch), batch["variant"].tolist(), strict=True))
    assert pairs == [(number, variant) for number in range(6) for variant in range(3)]


def test_contrast_is_that_of_the_whole_image_and_raw_rate_leaves_it_out():
    image = np.zeros((64, 64), np.uint8)
    image[:, 32:] = np.arange(32) + 20
    samples = Samples.from_arrays([("a", image, image > 30)] * 200)
    stretched = CropBatches(samples, batch_size=200, crop_size=16, seed=1)[0]["image"]
    inside = {value.item() for value in np.unique(samples.stretched(0))}
    assert {value.item() for value in np.unique(stretched)} <= inside
    raw = CropBatches(samples, batch_size=200, crop_size=16, seed=1, raw_rate=0.3)[0]["image"]
    changed = (raw != stretched).any(axis=(1, 2, 3))
    cell = stretched.max(axis=(1, 2, 3)) > 0
    assert raw[changed].max() <= 51
    # A share of 0.3 of those crops that hold any light at all, within five deviations.
    assert changed[cell].mean() == pytest.approx(0.3, abs=5 * np.sqrt(0.21 / cell.sum()))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"crop_size": 100}, "crop_size must be a multiple of 16 pixels, got 100"),
        ({"crop_size": 0}, "crop_size must be a multiple of 16 pixels, got 0"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
    ],
)
def test_a_bad_argument_is_refused_with_its_name_and_value(samples, arguments, message):
    with pytest.raises(ValueError, match=message):
        CropBatches(samples, **{"batch_size": 2, "crop_size": 16, **arguments})


@pytest.mark.parametrize("seed", [1, None])
def test_tf_dataset_yields_the_same_batches_over_all_its_epochs(samples, seed):
    """Batches of 4 from 6: the last is filled up in training and short in validation."""
    batches = CropBatches(samples, batch_size=4, crop_size=16, seed=seed, threefold=seed is not None, start_epoch=2)
    dataset = as_tf_dataset(batches, epochs=4)
    assert dataset.element_spec["image"].shape.as_list() == [4 if seed else None, 16, 16, 3]
    taken = list(dataset.as_numpy_iterator())
    wanted = [batches.batch(epoch, i) for epoch in (2, 3) for i in range(batches.num_batches)]
    for ours, theirs in zip(taken, wanted, strict=True):
        assert set(ours) == set(theirs)
        for key in ours:
            np.testing.assert_array_equal(ours[key], theirs[key])
            assert ours[key].dtype == theirs[key].dtype


def test_a_larger_image_gives_more_crops_an_epoch_one_for_every_256_pixels_of_its_side():
    sizes = [(40, 50), (256, 256), (512, 512), (256, 1024), (1024, 1024)]
    samples = Samples.from_arrays(
        (str(size), np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint16)) for size in sizes
    )
    batches = CropBatches(samples, batch_size=1, crop_size=16, seed=0)
    assert np.bincount(batches.places).tolist() == [1, 1, 2, 2, 4]
    assert CropBatches(samples, batch_size=1, crop_size=16).num_batches == len(sizes)


def test_the_instances_of_a_crop_are_numbered_from_one_whatever_they_were():
    labels = np.zeros((16, 16), np.uint16)
    labels[1:4, 1:4], labels[6:9, 6:9], labels[12:14, 2:5] = 65_535, 300, 7
    samples = Samples(["far"], [np.zeros((16, 16, 3), np.uint8)], [labels], limits=np.float32([[0, 255]]))
    crop = CropBatches(samples, batch_size=1, crop_size=16)[0]["instances"][0, ..., 0]
    assert sorted(np.unique(crop)) == [0, 1, 2, 3]
    assert (crop[labels == 7] == 1).all() and (crop[labels == 300] == 2).all() and (crop[labels == 65_535] == 3).all()


def test_zoom_magnifies_image_and_instances_alike():
    """A disc's area in the crop varies by the square of the zoom, and the instance stays on the bright pixels."""
    y, x = np.mgrid[:128, :128]
    disc = np.hypot(y - 64, x - 64) < 12
    image = np.repeat((200 * disc).astype(np.uint8)[..., None], 3, axis=-1)
    samples = Samples(["disc"], [image], [disc.astype(np.uint16)], limits=np.float32([[0, 255]]))
    batches = CropBatches(samples, batch_size=1, crop_size=112, seed=1, zoom=1.5)
    areas = []
    for epoch in range(40):
        batch = batches.batch(epoch, 0)
        assert batch["image"].shape == (1, 112, 112, 3)
        areas.append(batch["instances"].sum())
        agree = (batch["image"][..., :1] > 100) == (batch["instances"] > 0)
        assert agree.mean() > 0.995
    assert disc.sum() / 1.5**2 * 0.9 < min(areas) < disc.sum() / 1.3**2
    assert disc.sum() * 1.3**2 < max(areas) < disc.sum() * 1.5**2 * 1.1
