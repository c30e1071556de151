"""CZI, ND2 and LIF: what we ask of bioio, with a stand-in for it (the real one was tried by hand on a CZI)."""

import importlib.machinery
import sys
import types
from datetime import timedelta

import numpy as np
import pytest

from somaseg.movies import Calibration
from somaseg.movies.reader import open_movie

STACK = np.arange(3 * 2 * 4 * 5 * 6, dtype=np.uint16).reshape(3, 2, 4, 5, 6)  # T, C, Z, Y, X


class StandIn:
    """Looks like bioio.BioImage (3.6), as far as we use it."""

    scenes = ("Image:0",)
    dims = types.SimpleNamespace(order="TCZYX", shape=STACK.shape)
    dtype = STACK.dtype
    channel_names = ("DAPI", "GFP")
    physical_pixel_sizes = types.SimpleNamespace(Z=1.0, Y=0.65, X=0.65)
    time_interval = timedelta(minutes=15)

    def __init__(self, path):
        if path.read_bytes() == b"damaged":
            raise RuntimeError("not enough data")

    def get_image_dask_data(self, order, **place):
        assert order == "YX"
        plane = STACK[place["T"], place["C"], place["Z"]]
        return types.SimpleNamespace(compute=lambda: plane)


@pytest.fixture
def path(tmp_path, monkeypatch):
    for name in ("bioio", "bioio_nd2"):
        module = types.ModuleType(name)
        module.__spec__ = importlib.machinery.ModuleSpec(name, None)
        module.BioImage = StandIn
        monkeypatch.setitem(sys.modules, name, module)
    (tmp_path / "a.nd2").write_bytes(b"x")
    return tmp_path / "a.nd2"


def test_frames_channel_depth_and_units(path):
    with open_movie(path, channel="GFP", z=3) as movie:
        np.testing.assert_array_equal(np.stack(list(movie.frames())), STACK[:, 1, 3])
        assert movie.calibration == Calibration(0.65, 15)
        assert movie.description == "ND2 file, 3 frames of 5 x 6 pixels, uint16, channel 1 (GFP) of 2, slice 3 of 4"


def test_units_that_a_plugin_does_not_find_are_missing(path, monkeypatch):
    monkeypatch.setattr(StandIn, "time_interval", None)
    monkeypatch.setattr(StandIn, "physical_pixel_sizes", property(lambda self: 1 / 0))
    with pytest.raises(ValueError, match="Give --um-per-px and --minutes-per-frame"):
        open_movie(path, channel=0, z=0)


def test_of_several_scenes_none_is_guessed(path, monkeypatch):
    monkeypatch.setattr(StandIn, "scenes", ("left", "right"))
    with pytest.raises(ValueError, match=r"it holds 2 scenes \(left, right\)"):
        open_movie(path, channel=0, z=0)


def test_a_damaged_file_is_one_line(path):
    path.write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"cut short or damaged \(not enough data\)"):
        open_movie(path, channel=0, z=0)


def test_without_bioio_or_its_plugin_the_extra_is_named(path, monkeypatch):
    lif = path.with_suffix(".lif")
    lif.write_bytes(b"x")
    with pytest.raises(ImportError, match="need a plugin of bioio: pip install bioio-lif"):
        open_movie(lif)
    monkeypatch.setitem(sys.modules, "bioio", None)
    with pytest.raises(ImportError, match=r"pip install 'somaseg\[bio\]' bioio-nd2"):
        open_movie(path)
