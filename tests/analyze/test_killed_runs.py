"""A run that was killed, or still lives: what it left is taken over by the run that it belongs to, and by no other."""

import inspect
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest
import tifffile

from somaseg.analyze import analyze
from somaseg.segmentation.frame_store import FrameStore

FRAMES = 5  # of the movie


class Threshold:
    """In place of a segmenter: pieces of at least this brightness are somas. It can stop for good at a frame."""

    def __init__(self, least, stops_at=None):
        self.least, self.stops_at, self.calls = least, stops_at, 0

    def settings(self):
        return {"least": self.least}

    def __call__(self, image, **scale):
        if self.calls == self.stops_at:
            os.write(1, b"stopped\n")  # in one piece: two frames are under way at a time
            time.sleep(600)
        self.calls += 1
        labels = cv2.connectedComponents((image >= self.least).astype(np.uint8))[1].astype(np.uint16)
        return SimpleNamespace(labels=labels, probability=None, network_seconds=0.0)


UNITS = {"um_per_px": 0.5, "minutes_per_frame": 10.0}


def start_analysis(path, output, store, before=""):
    """Another process that analyses the movie and stops for good when three frames are in the store."""
    program = f"""
import os, sys, time
from types import SimpleNamespace
import cv2
import numpy as np
from somaseg.analyze import analyze
{inspect.getsource(Threshold)}
{before}
analyze({str(path)!r}, {str(output)!r}, Threshold(128, stops_at=3), **{UNITS})
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "stopped\n"
    deadline = time.monotonic() + 60
    while len(list(store.glob("frame*.npz"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    return process


def kill(process):
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_run_into_one_output_is_refused_while_the_first_lives(movie, no_report, tmp_path):
    output, store = tmp_path / "out", tmp_path / ".out.unfinished"
    process = start_analysis(movie, output, store)
    try:
        before = {path.name: path.read_bytes() for path in store.iterdir()}
        for least in (128, 252):
            second = Threshold(least)
            with pytest.raises(BlockingIOError, match="Another run is writing to .*out. Wait for it, or give another"):
                analyze(movie, output, second, overwrite=True, **UNITS)
            assert second.calls == 0
        assert {path.name: path.read_bytes() for path in store.iterdir()} == before
        assert analyze(movie, tmp_path / "other", Threshold(252), **UNITS).somas == 0
    finally:
        kill(process)
    found = analyze(movie, output, Threshold(252), **UNITS)
    assert found.somas == 0 and any("thrown away" in warning for warning in found.warnings)
    assert {path.name for path in tmp_path.iterdir()} == {"out", "other"}


def test_where_there_are_no_locks_frames_of_other_settings_are_not_taken_over(movie, no_report, monkeypatch, tmp_path):
    """A run of other settings takes the store of a live one, whose later frames come into it."""
    monkeypatch.setattr("somaseg.folders.fcntl", None)
    first = FrameStore(tmp_path / "out", {"least": 128})
    second = FrameStore(tmp_path / "out", {"least": 252})
    first.save(0, np.ones((2, 2), np.uint16), pd.DataFrame({"label": [1]}), 0.0)
    assert 0 in first and 0 not in second


@pytest.fixture(params=["beside the output", "in the folder of frames", "in the OME-Zarr", "parent takes no files"])
def killed(request, movie, tmp_path, monkeypatch):
    """(movie, output, store) of an analysis that was killed; what the store lies in changes with the parameter."""
    stack, output, before = tifffile.imread(movie), tmp_path / "out", ""
    store = tmp_path / ".out.unfinished"
    if request.param == "in the folder of frames":
        movie = tmp_path / "frames"
        movie.mkdir()
        for t, frame in enumerate(stack):
            cv2.imwrite(str(movie / f"{t}.png"), frame)
    elif request.param == "in the OME-Zarr":
        zarr = pytest.importorskip("zarr")
        movie = tmp_path / "movie.zarr"
        group = zarr.open_group(str(movie), mode="w", zarr_format=2)
        axes = [{"name": name} for name in "tyx"]
        group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [{"path": "0"}]}]
        group.create_array("0", shape=stack.shape, dtype=stack.dtype, chunks=(1, 64, 64))[:] = stack
    elif request.param == "parent takes no files":
        output.mkdir()
        (output / "notes.txt").write_text("mine")
        store = output / ".out.unfinished"
        before = f"os.access = lambda path, mode: str(path) != {str(tmp_path)!r}"
        monkeypatch.setattr(os, "access", lambda path, mode: str(path) != str(tmp_path))
    if request.param.startswith("in the"):
        output, store = movie / "result", movie / ".result.unfinished"
    kill(start_analysis(movie, output, store, before))
    assert store.is_dir()
    if request.param == "in the folder of frames":
        (movie / "notes.txt").write_text("mine")
    return movie, output, store


def test_a_killed_run_goes_on_wherever_its_output_lies(killed, analysed, no_report):
    movie, output, store = killed
    output.mkdir(exist_ok=True)
    (output / "notes.txt").write_text("mine")
    goes_on = Threshold(128)
    found = analyze(movie, output, goes_on, **UNITS)
    assert goes_on.calls == FRAMES - 3
    assert not any("thrown away" in warning for warning in found.warnings)
    assert (output / "labels.tif").read_bytes() == (analysed[0] / "labels.tif").read_bytes()
    assert (output / "notes.txt").read_text() == "mine"
    assert not [path for path in output.iterdir() if path.name.startswith(".")]
    assert not store.exists() and not (output.parent / ".out.partial").exists()


def test_a_movie_that_changed_is_analysed_anew(killed, no_report):
    movie, output, _ = killed
    changed = (
        movie if movie.is_file() else next(path for path in (movie / "4.png", movie / "0" / "4.0.0") if path.exists())
    )
    before = changed.stat()
    os.utime(changed, (0, 0))
    try:
        anew = Threshold(128)
        found = analyze(movie, output, anew, **UNITS)
    finally:
        os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert anew.calls == FRAMES
    assert any("thrown away" in warning for warning in found.warnings)
