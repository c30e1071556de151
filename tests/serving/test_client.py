"""The client: the labels of the local run over both protocols, and what it does when something is in the way."""

import json
import subprocess
import sys
import threading
import time

import keras
import numpy as np
import pytest

from somaseg import Segmenter
from somaseg.data.intensity import normalize_contrast
from somaseg.models.heads import read_maps
from somaseg.serving import (
    Client,
    DeadlineError,
    MissingModelError,
    ServerError,
    TooLargeError,
    UnreachableServerError,
    WrongModelError,
)

BOTH = pytest.mark.parametrize("protocol", ["rest", "grpc"])


def client(server, protocol, model="bright", **options):
    return Client(server.addresses[protocol], model=model, protocol=protocol, **options)


# === The same answer ===


@BOTH
def test_labels_are_those_of_the_local_run_tile_by_tile(server, protocol, somas, bright_network):
    local = Segmenter(bright_network, minimum_area_px=4, tile_px=64)(somas)
    barrier = threading.Barrier(3)
    server.before = lambda: barrier.wait(20) if server.count <= 3 else None  # the first three come together, or never
    remote = client(server, protocol, in_flight=3).segmenter()
    found = remote(somas)
    assert found.labels.max() == 12
    np.testing.assert_array_equal(found.labels, local.labels)
    np.testing.assert_array_equal(found.probability, local.probability)
    assert server.count > 12
    assert server.most_under_way == 3


@BOTH
def test_maps_of_a_batch_are_the_networks(server, protocol, offsets_network):
    batch = np.random.default_rng(0).integers(0, 256, (2, 48, 64, 3)).astype(np.float32)
    expected = read_maps(offsets_network(batch, training=False), "offsets")
    found = client(server, protocol, "offsets")(batch)
    assert list(found) == ["mask", "offset_y", "offset_x"]
    for name, values in expected.items():
        values = keras.ops.convert_to_numpy(values)
        assert found[name].shape == (2, 48, 64, 1)
        # offsets travel in 16 bits, which is what the segmenter keeps of them
        np.testing.assert_allclose(found[name], values, rtol=1e-6 if name == "mask" else 1e-3, atol=1e-5)
    assert found["mask"].dtype == np.float32 and found["offset_y"].dtype == np.float16


@BOTH
def test_the_settings_travel_with_the_model(server, protocol):
    remote = client(server, protocol)
    segmenter = remote.segmenter(threshold=0.7)
    assert remote.description["preset"] == "bright"
    assert (segmenter.threshold, segmenter.minimum_area_px, segmenter.tile_px, segmenter.depth) == (0.7, 4, 64, 2)
    assert segmenter.runtime == "server"
    assert remote.versions() == {1: "AVAILABLE"}


def test_a_tile_goes_as_png_and_comes_back_as_bytes(server, somas):
    tile = np.tile(normalize_contrast(somas), (2, 2, 1))[None, :256, :256]
    client(server, "rest", "offsets")(tile)
    pixels = 256 * 256
    as_lists = len(json.dumps({"instances": tile.tolist()}))
    assert as_lists > 9 * pixels
    assert server.largest["request"] < as_lists / 50
    assert server.largest["answer"] < 4 / 3 * 8 * pixels + 1000  # base64 of 4 + 2 + 2 bytes


def test_rest_needs_no_tensorflow(server):
    code = (
        "import sys; from somaseg.serving import Client; "
        f"Client({server.addresses['rest']!r}, model='bright').segmenter(); "
        "assert not {'tensorflow', 'keras', 'grpc'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# === What is in the way for a moment ===


@BOTH
def test_a_server_that_is_away_twice_is_asked_again(server, model_server, protocol, somas, short_pauses):
    failures = iter(["UNAVAILABLE", "UNAVAILABLE"])

    def away():
        for code in failures:
            raise model_server.Failure(code, "away")

    remote = client(server, protocol)
    server.before = away
    assert remote(normalize_contrast(somas[:40, :40])[None])["mask"].shape == (1, 40, 40, 1)
    assert server.count == 3


@BOTH
def test_a_server_that_stays_away_is_given_up(server, model_server, protocol, somas, short_pauses):
    def away():
        raise model_server.Failure("UNAVAILABLE", "gone fishing")

    remote = client(server, protocol, retries=2)
    server.before = away
    with pytest.raises(UnreachableServerError, match="does not answer after 2 retries: .*gone fishing"):
        remote(normalize_contrast(somas[:40, :40])[None])
    assert server.count == 3


@BOTH
def test_a_server_that_never_answers_meets_the_deadline(server, protocol, somas):
    released = threading.Event()
    remote = client(server, protocol, deadline_s=0.5)
    server.before = lambda: released.wait(20)
    start = time.monotonic()
    with pytest.raises(DeadlineError, match=r"gave no answer within 0.5 s.*--deadline"):
        remote(normalize_contrast(somas[:40, :40])[None])
    assert 0.4 < time.monotonic() - start < 5
    released.set()


@BOTH
def test_a_model_that_is_being_loaded_is_waited_for(server, protocol, short_pauses):
    server.states["bright", 1] = "LOADING"
    threading.Timer(0.05, lambda: server.states.clear()).start()
    assert client(server, protocol, retries=9).depth == 2


@BOTH
def test_a_model_that_came_between_request_and_question_is_asked_again(
    server, model_server, protocol, monkeypatch, short_pauses
):
    later, early = server.servable, iter([True])

    def servable(model, version):
        if next(early, False):
            raise model_server.Failure("NOT_FOUND", "Servable not found for request: Latest(bright)")
        return later(model, version)

    monkeypatch.setattr(server, "servable", servable)
    assert client(server, protocol).depth == 2


@BOTH
def test_requests_that_a_server_batched_with_other_sizes_are_sent_again(server, model_server, protocol, short_pauses):
    remote = client(server, protocol)
    text = "Tensors with name 'image' from different tasks have different shapes and padding is turned off."
    failures = iter([text])

    def batch():
        for failure in failures:
            raise model_server.Failure("FAILED_PRECONDITION", failure)

    server.before = batch
    assert remote(np.zeros((1, 16, 16, 3)))["mask"].shape == (1, 16, 16, 1)
    assert server.count == 2


@BOTH
def test_nobody_there_is_said_with_the_usual_port(server, protocol, short_pauses):
    server.stop()
    with pytest.raises(UnreachableServerError, match=r"127\.0\.0\.1:\d+ does not answer .*usually 850[01]"):
        client(server, protocol, retries=1)


# === What no patience helps with ===


@BOTH
def test_an_absent_model_is_named(server, protocol):
    with pytest.raises(MissingModelError, match="There is no model cells on .* --model"):
        client(server, protocol, "cells")


@BOTH
def test_of_a_wrong_version_those_that_are_there_are_listed(server, protocol):
    with pytest.raises(MissingModelError, match=r"offsets on .* has not version 3; it has 7 \(available\)"):
        client(server, protocol, "offsets", version=3)
    assert client(server, protocol, "offsets", version=7).depth == 3


@BOTH
def test_another_sort_of_model_is_refused(server, servables, protocol):
    server.models["plain"] = servables["plain"]
    with pytest.raises(WrongModelError, match=r"no export of this somaseg .*describe.*somaseg export"):
        client(server, protocol, "plain")


@BOTH
def test_too_large_a_tile_is_told_with_its_size_and_the_flag(model_server, servables, protocol):
    small = model_server.ModelServer(servables, most_bytes=20_000)
    noise = np.random.default_rng(1).integers(0, 256, (1, 512, 512, 3))
    try:
        with pytest.raises(
            TooLargeError, match=r"takes no (request|message) of [01]\.\d MB .*smaller tiles \(--tile\)"
        ):
            client(small, protocol)(noise)
    finally:
        small.stop()


@BOTH
def test_what_the_server_refuses_is_told_in_its_words(server, model_server, protocol):
    def refuse():
        raise model_server.Failure("INVALID_ARGUMENT", "no such luck")

    remote = client(server, protocol)
    server.before = refuse
    with pytest.raises(ServerError, match="refused the request: no such luck"):
        remote(np.zeros((1, 16, 16, 3)))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"protocol": "soap"}, r"protocol must be one of \('rest', 'grpc'\), got 'soap'"),
        ({"version": 0}, "version must be a whole number of at least 1, got 0"),
        ({"deadline_s": 0}, "deadline_s must be more than 0, got 0"),
        ({"in_flight": 0}, "in_flight must be a whole number of at least 1, got 0"),
        ({"retries": -1}, "retries must be a whole number of at least 0, got -1"),
    ],
)
def test_a_wrong_argument_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        Client("127.0.0.1:1", **options)


def test_only_prepared_pixels_are_sent(server):
    remote = client(server, "rest")
    with pytest.raises(ValueError, match="whole numbers in 0..255"):
        remote(np.full((1, 16, 16, 3), 0.5))
    with pytest.raises(ValueError, match=r"shape \(N, H, W, 3\), got \(16, 16\)"):
        remote(np.zeros((16, 16)))
