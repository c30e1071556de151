"""Segmenter: any image that microscopes write goes in; the answer depends on contrast, not on units."""

import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import somaseg
from somaseg.data.intensity import noise_level, normalize_contrast
from somaseg.models import UNet
from somaseg.segmentation import Segmenter


@pytest.fixture(scope="module")
def segmenter(bright_network):
    return Segmenter(bright_network, minimum_area_px=4)


def two_squares(dtype=np.uint8, background=10, light=200):
    """32 x 40, with a 5 x 5 and an 8 x 6 square."""
    image = np.full((32, 40), background, dtype)
    image[4:9, 6:11] = image[20:28, 30:36] = light
    return image


def expected_labels():
    labels = np.zeros((32, 40), np.uint16)
    labels[4:9, 6:11], labels[20:28, 30:36] = 1, 2
    return labels


IMAGES = {
    "gray": two_squares(),
    "one channel": two_squares()[..., None],
    "two channels": np.stack([two_squares(), np.full((32, 40), 10, np.uint8)], axis=-1),
    "rgb": np.stack([two_squares()] * 3, axis=-1),
    "rgba": np.dstack([two_squares()] * 3 + [np.full((32, 40), 255, np.uint8)]),
    "uint16": two_squares(np.uint16, 1000, 1900),
    "int32": two_squares(np.int32, -500, 70_000),
    "float32 in 0..1": two_squares(np.float32, 0.01, 0.02),
    "float64": two_squares(np.float64, -1e3, 1e3),
    "bool": two_squares(bool, False, True),
    "a list": two_squares().tolist(),
    "not contiguous": np.asfortranarray(two_squares()),
    "dark on one side": two_squares() + np.linspace(0, 40, 40).astype(np.uint8),
}


@pytest.mark.parametrize("name", IMAGES)
def test_the_somas_are_found_in_every_kind_of_image(segmenter, name):
    found = segmenter(IMAGES[name])
    np.testing.assert_array_equal(found.labels, expected_labels())
    assert found.labels.dtype == np.uint16
    assert found.probability.shape == (32, 40)
    assert found.probability.dtype == np.float32
    assert 0 <= found.probability.min() <= found.probability.max() <= 1
    assert 0 < found.network_seconds <= found.seconds


def test_the_image_is_left_as_it_was(segmenter):
    image = two_squares()
    segmenter(image)
    np.testing.assert_array_equal(image, two_squares())


@pytest.mark.parametrize("height, width", [(16, 16), (17, 33), (16, 150)])
def test_any_size_from_16_up(segmenter, height, width):
    image = np.zeros((height, width), np.uint8)
    image[3:8, 3:8] = 255
    assert len(segmenter(image)) == 1
    assert segmenter(image).labels.shape == (height, width)


def test_gain_and_offset_of_the_camera_do_not_matter(segmenter):
    random = np.random.default_rng(0)
    image = (two_squares(np.uint16, 200, 4000) + random.integers(0, 100, (32, 40))).astype(np.uint16)
    np.testing.assert_array_equal(segmenter(3 * image + np.uint16(100)).labels, segmenter(image).labels)
    assert len(segmenter(image)) == 2


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("noise", ["normal", "poisson", "16 bit"])
def test_a_blank_noisy_frame_holds_no_soma(bright_network, noise, seed):
    random = np.random.default_rng(seed)
    frames = {
        "normal": random.normal(100, 5, (128, 128)).round().astype(np.uint8),
        "poisson": random.poisson(30, (128, 128)).astype(np.uint8),
        "16 bit": random.normal(20_000, 800, (128, 128)).astype(np.uint16),
    }
    assert len(Segmenter(bright_network, minimum_area_px=0)(frames[noise])) == 0


def test_threshold_and_minimum_area_are_used(bright_network):
    image = two_squares()
    image[20:28, 30:36] = 120  # stretched to 148: a probability of 0.96
    assert len(Segmenter(bright_network, threshold=0.9)(image)) == 2
    assert len(Segmenter(bright_network, threshold=0.99)(image)) == 1
    assert len(Segmenter(bright_network, minimum_area_px=25)(two_squares())) == 2
    assert len(Segmenter(bright_network, minimum_area_px=26)(two_squares())) == 1
    assert len(Segmenter(bright_network, minimum_area_px=49)(two_squares())) == 0


def test_tiles_change_nothing(bright_network):
    image = np.random.default_rng(0).integers(0, 256, (100, 90), dtype=np.uint8)
    calls = []
    tiled = Segmenter(bright_network, tile_px=32)(image, progress=lambda *call: calls.append(call))
    np.testing.assert_array_equal(tiled.labels, Segmenter(bright_network)(image).labels)
    assert len(calls) > 1
    assert calls[-1][0] == calls[-1][1]


@pytest.mark.parametrize(
    "image, message",
    [
        (np.zeros((2, 3, 32, 32)), r"shape \(H, W\) or \(H, W, 1 to 4\), got \(2, 3, 32, 32\)"),
        (np.zeros((32, 32, 5)), r"got \(32, 32, 5\)"),
        (np.zeros(32), r"got \(32,\)"),
        (np.zeros((15, 32)), "at least 16 x 16 pixels, got 15 x 32"),
        (np.zeros((0, 0)), "at least 16 x 16 pixels, got 0 x 0"),
        (np.where(np.eye(32) > 0, np.nan, 1.0), "32 of 1024 values are NaN or infinite"),
        (np.where(np.eye(32) > 0, np.inf, 1.0), "32 of 1024 values are NaN or infinite"),
        (np.zeros((32, 32), complex), "real numbers, got complex128"),
        (np.full((32, 32), "a"), "real numbers, got <U1"),
        (None, "real numbers, got object"),
    ],
)
def test_what_is_no_image_is_refused(segmenter, image, message):
    with pytest.raises(ValueError, match=message):
        segmenter(image)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"threshold": 0}, "threshold must be between 0 and 1, got 0"),
        ({"threshold": 1.0}, "threshold must be between 0 and 1, got 1.0"),
        ({"threshold": float("nan")}, "threshold must be between 0 and 1, got nan"),
        ({"minimum_area_px": -1}, "minimum_area_px must be 0 or more, got -1"),
    ],
)
def test_a_bad_setting_is_refused(bright_network, settings, message):
    with pytest.raises(ValueError, match=message):
        Segmenter(bright_network, **settings)


def test_a_network_that_gives_no_logits_is_refused():
    with pytest.raises(ValueError, match="activation=None"):
        Segmenter(UNet(filters=1, depth=2, activation="sigmoid"))


def test_a_network_of_other_channels_is_refused():
    with pytest.raises(ValueError, match="3 input channels, got 1"):
        Segmenter(UNet(filters=1, depth=2, input_channels=1))


def test_a_preset_brings_its_settings_and_a_given_one_replaces_them(bright_preset):
    segmenter = somaseg.Segmenter.from_preset(bright_preset, threshold=0.25)
    assert segmenter.settings() == {
        "threshold": 0.25,
        "minimum_area_px": 4,
        "edge_area_share": 1.0,
        "smoothing_px": 0.0,
        "vote_spread_px": 3.0,
        "tile_px": 1024,
        "diameter_px": None,
        "um_per_px": None,
        "estimates_diameter": False,
        "flips": False,
    }
    np.testing.assert_array_equal(segmenter(two_squares()).labels, expected_labels())


def test_smoothing_takes_the_noise_from_what_the_network_sees_and_zero_leaves_the_image(monkeypatch):
    noisy = np.random.default_rng(0).normal(100, 10, (64, 64)).astype(np.float32)
    seen = {}
    for smoothing in (0.0, 2.0):
        segmenter = Segmenter(UNet(filters=2, depth=2), smoothing_px=smoothing)
        monkeypatch.setattr(
            segmenter, "predict", lambda batch, key=smoothing: {"mask": seen.setdefault(key, batch)[..., :1]}
        )
        segmenter(noisy)
    np.testing.assert_array_equal(seen[0.0][0], normalize_contrast(noisy))
    assert noise_level(seen[2.0][0]) < 0.5 * noise_level(seen[0.0][0])


def test_tiles_change_nothing_of_instances_by_votes(random_unet):
    network = random_unet(seed=1, filters=2, depth=2, heads="offsets")
    image = np.random.default_rng(0).integers(0, 256, (100, 90), dtype=np.uint8)
    settings = {"minimum_area_px": 0, "vote_spread_px": 1.0}
    whole = Segmenter(network, **settings)(image)
    assert len(whole) > 3
    np.testing.assert_array_equal(Segmenter(network, tile_px=32, **settings)(image).labels, whole.labels)


def test_what_the_edge_cuts_may_be_smaller_by_the_share_that_a_segmenter_is_given(bright_preset):
    image = np.zeros((40, 40), np.uint8)
    image[:4, 10:16] = image[20:24, 20:26] = image[30:38, 4:12] = 255
    areas = {share: _areas(bright_preset, image, edge_area_share=share) for share in (1.0, 0.5)}
    assert areas == {1.0: [64], 0.5: [24, 64]}


def _areas(preset, image, **settings):
    segmenter = somaseg.Segmenter.from_preset(preset, minimum_area_px=40, **settings)
    return np.bincount(segmenter(image).labels.ravel())[1:].tolist()


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match=f"edge_area_share must be between 0 and 1, got {share}"):
        Segmenter(UNet(filters=2, depth=2), edge_area_share=share)


@pytest.mark.parametrize("spread", [0.0, -1.0])
def test_a_spread_that_is_none_is_refused(spread):
    with pytest.raises(ValueError, match=f"vote_spread_px must be more than 0, got {spread}"):
        Segmenter(UNet(filters=2, depth=2), vote_spread_px=spread)


def test_a_negative_smoothing_is_refused():
    with pytest.raises(ValueError, match=r"smoothing_px must be 0 or more, got -1"):
        Segmenter(UNet(filters=2, depth=2), smoothing_px=-1)


def test_threads_share_a_segmenter_whose_network_runs_for_one_image_at_a_time(bright_network):
    alone, images = Segmenter(bright_network, minimum_area_px=4), [two_squares(light=level) for level in (90, 150, 250)]
    running, most = threading.Semaphore(0), []

    def predict(batch):
        running.release()
        most.append(running._value)
        time.sleep(0.05)
        running.acquire()
        return alone.predict(batch)

    shared, start = Segmenter(predict=predict, minimum_area_px=4), time.perf_counter()
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(shared, images))
    seconds = time.perf_counter() - start
    assert most == [1, 1, 1]
    assert 0.15 <= sum(each.network_seconds for each in found) <= seconds  # to wait for others is no time in it
    for image, each in zip(images, found):
        np.testing.assert_array_equal(each.labels, alone(image).labels)


def test_a_segmenter_can_be_sent_to_another_process():
    segmenter = Segmenter(predict=_all_background, depth=2)
    again = pickle.loads(pickle.dumps(segmenter))
    assert again.settings() == segmenter.settings()
    assert not again(two_squares()).labels.any()


def _all_background(batch):
    return {"mask": np.zeros((*batch.shape[:3], 1), np.float32)}
