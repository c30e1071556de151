"""OME-Zarr of both versions, written by hand with zarr alone."""

import sys

import numpy as np
import pytest

from somaseg.movies import Calibration
from somaseg.movies.reader import open_movie

STACK = np.arange(3 * 2 * 4 * 5 * 6, dtype=np.uint16).reshape(3, 2, 4, 5, 6)  # T, C, Z, Y, X


def write_zarr(path, *, version=0.4, stack=STACK, axes="tczyx", units=("minute", "nanometer"), scale=(15, 650)):
    zarr = pytest.importorskip("zarr")
    time, space = units
    unit = {"t": ("time", time), "c": ("channel", None), **dict.fromkeys("zyx", ("space", space))}
    image = {
        "axes": [
            {"name": axis, "type": unit[axis][0], **({"unit": unit[axis][1]} if unit[axis][1] else {})} for axis in axes
        ],
        "datasets": [
            {
                "path": "0",
                "coordinateTransformations": [
                    {"type": "scale", "scale": [{"t": scale[0], "c": 1}.get(axis, scale[1]) for axis in axes]}
                ],
            }
        ],
    }
    about = {"multiscales": [image], "omero": {"channels": [{"label": "DAPI"}, {"label": "GFP"}]}}
    group = zarr.open_group(str(path), mode="w", zarr_format=2 if version == 0.4 else 3)
    group.attrs.update(about if version == 0.4 else {"ome": about | {"version": "0.5"}})
    chunks = (1,) * (stack.ndim - 2) + stack.shape[-2:]
    group.create_array("0", data=stack, chunks=chunks)
    return path


@pytest.mark.parametrize("version", [0.4, 0.5])
def test_frames_channel_depth_and_units(tmp_path, version):
    path = write_zarr(tmp_path / "a.ome.zarr", version=version)
    with open_movie(path, channel="GFP", z=3) as movie:
        np.testing.assert_array_equal(np.stack(list(movie.frames())), STACK[:, 1, 3])
        assert movie.calibration == Calibration(0.65, 15)
        assert (movie.name, movie.dtype) == ("a", np.uint16)
        assert movie.description.startswith("OME-Zarr, 3 frames of 5 x 6 pixels, uint16, channel 1 (GFP) of 2")
    with pytest.raises(ValueError, match=r"2 channels: 0 \(DAPI\), 1 \(GFP\)"):
        open_movie(path, z=3)
    with open_movie(path, channel=0, z="max") as movie:
        np.testing.assert_array_equal(movie.frame(2), STACK[2, 0].max(axis=0))


def test_axes_that_are_left_out(tmp_path):
    path = write_zarr(tmp_path / "a.zarr", stack=STACK[:, 0, 0], axes="tyx")
    with open_movie(path) as movie:
        np.testing.assert_array_equal(movie.frame(1), STACK[1, 0, 0])


def test_units_that_are_left_out_are_missing(tmp_path):
    path = write_zarr(tmp_path / "a.zarr", units=(None, None))
    with pytest.raises(ValueError, match="its x axis has the unit None.*its t axis has the unit None.*--um-per-px"):
        open_movie(path, channel=0, z=0)


def test_an_image_in_a_group_of_its_own_is_found_and_of_several_none_is_guessed(tmp_path):
    zarr = pytest.importorskip("zarr")
    zarr.open_group(str(tmp_path / "a.zarr"), mode="w", zarr_format=2).attrs["bioformats2raw.layout"] = 3
    write_zarr(tmp_path / "a.zarr" / "0")
    with open_movie(tmp_path / "a.zarr", channel=0, z=0) as movie:
        assert movie.frame_count == 3
    write_zarr(tmp_path / "a.zarr" / "1")
    with pytest.raises(ValueError, match="it holds 2 images. Give one of them"):
        open_movie(tmp_path / "a.zarr", channel=0, z=0)


def test_what_is_no_ome_zarr_is_refused(tmp_path):
    zarr = pytest.importorskip("zarr")
    zarr.open_group(str(tmp_path / "a.zarr"), mode="w")
    with pytest.raises(ValueError, match="this is no OME-Zarr image: its metadata has no multiscales"):
        open_movie(tmp_path / "a.zarr", pixels=True)


def test_without_zarr_the_extra_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.zarr").mkdir()
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(ImportError, match=r"pip install 'somaseg\[zarr\]'"):
        open_movie(tmp_path / "a.zarr", pixels=True)
