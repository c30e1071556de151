"""Networks whose answer is known: one that segments by brightness alone, and random ones for comparisons; a command."""

import contextlib

import keras
import numpy as np
import pytest

from somaseg import cli
from somaseg.models import UNet


@pytest.fixture(scope="session", autouse=True)
def _converted_models(tmp_path_factory):
    """Presets that are converted for a runtime are kept for this session only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOMASEG_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def run(capsys):
    """Run a command in this process: (exit code, standard output, standard error)."""

    def run(*arguments):
        code = cli.main([str(x) for x in arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


class _NoPlots(contextlib.nullcontext):
    """In place of `somaseg.report.plotting.Plotting`."""

    def __enter__(self):
        return self

    def start(self):
        pass

    def draw(self, migration, result):
        pass

    def finish(self, folder):
        pass


@pytest.fixture
def no_report(monkeypatch):
    """Result folders are written without plots and report, whose drawing takes longer than all the rest."""
    monkeypatch.setattr("somaseg.following.Plotting", _NoPlots)
    monkeypatch.setattr("somaseg.following.write_report", lambda *arguments, **options: None)


@pytest.fixture(scope="session")
def bright_network():
    """A U-Net that calls a pixel soma when its intensity is above 127.5: it only carries the first channel through."""
    network = UNet(filters=1, depth=2)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([np.ones(n) if i in (0, 3) else np.zeros(n) for i, n in _sizes(layer)])
        elif layer.weights:
            layer.set_weights([np.zeros(weight.shape) for weight in layer.weights])
    for group in ("encoder_1", "decoder_3"):
        for i in (1, 2):
            _carry_first_channel(network.get_layer(f"{group}_convolution_{i}"))
    network.get_layer("head_convolution").set_weights([np.full((1, 1, 1, 1), 40.0), np.array([-20.0])])
    return network


@pytest.fixture(scope="session")
def bright_preset(bright_network, tmp_path_factory):
    """The folder of a preset of `bright_network`; regions of less than 4 pixels are dropped."""
    folder = tmp_path_factory.mktemp("presets") / "bright"
    bright_network.save_to_preset(folder, preprocessor={"threshold": 0.5, "minimum_area_px": 4})
    return folder


@pytest.fixture(scope="session")
def random_unet():
    """Function from UNet's arguments to a network with random weights and batch norm statistics."""
    return _random_unet


def _random_unet(seed=0, **arguments):
    keras.utils.set_random_seed(seed)
    network = UNet(**arguments)
    random = np.random.default_rng(seed)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = (weight.shape for weight in layer.weights)
            layer.set_weights(
                [
                    random.uniform(0.5, 1.5, gamma),
                    random.uniform(0, 0.6, beta),  # keeps units from being off everywhere
                    random.normal(0, 0.3, mean),
                    random.uniform(0.5, 2, variance),
                ]
            )
    return network


def _sizes(layer):
    return enumerate(weight.shape[0] for weight in layer.weights)


def _carry_first_channel(layer):
    kernel, *bias = layer.get_weights()
    kernel[...] = 0
    kernel[1, 1, 0, 0] = 1
    layer.set_weights([kernel, *bias])
