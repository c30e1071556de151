"""Two small exported networks on a server that speaks TensorFlow Serving's interfaces."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

from somaseg.export.saved_model import export_saved_model, save_plain

pytest.importorskip("tensorflow_serving")


@pytest.fixture(scope="session")
def model_server():
    """The module of the server, which lies beside this file."""
    spec = importlib.util.spec_from_file_location("model_server", Path(__file__).parent / "model_server.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def offsets_network(random_unet):
    return random_unet(seed=5, filters=4, depth=3, heads="offsets")


@pytest.fixture(scope="session")
def served(bright_network, offsets_network, tmp_path_factory):
    """A folder of exported models: bright/1, which knows somas by their brightness, and offsets/7, random.

    Beside them plain/1, the first network without what a server needs around it.
    """
    folder = tmp_path_factory.mktemp("served")
    settings = {"threshold": 0.5, "minimum_area_px": 4, "tile_px": 64, "diameter_px": 8.0}
    facts = {"preset": "bright", "weights_sha256": "0" * 64, "preprocessor": settings}
    export_saved_model(bright_network, folder / "bright", description=facts)
    export_saved_model(offsets_network, folder / "offsets", version=7)
    save_plain(bright_network, folder / "plain" / "1")
    return folder


@pytest.fixture(scope="session")
def servables(model_server, served):
    """The models, loaded by the session loader."""
    return {
        "bright": {1: model_server.Servable(served / "bright" / "1")},
        "offsets": {7: model_server.Servable(served / "offsets" / "7")},
        "plain": {1: model_server.Servable(served / "plain" / "1")},
    }


@pytest.fixture
def server(model_server, servables):
    running = model_server.ModelServer(dict(servables))
    yield running
    running.stop()


@pytest.fixture
def short_pauses(monkeypatch):
    monkeypatch.setattr("somaseg.serving.retrying.FIRST_PAUSE_S", 0.01)


@pytest.fixture(scope="session")
def somas():
    """An image of 150 x 203 pixels, longer than two tiles, with 12 bright somas of 8 x 8 pixels."""
    image = np.full((150, 203), 20, np.uint8)
    for y in (5, 60, 110):
        for x in (10, 57, 100, 190):
            image[y : y + 8, x : x + 8] = 230
    return image


@pytest.fixture
def images(somas, tmp_path):
    """A folder of four PNG files; the k-th lacks the k left columns."""
    folder = tmp_path / "images"
    folder.mkdir()
    for k in range(4):
        cv2.imwrite(str(folder / f"{k}.png"), somas[:, k:])
    return folder
