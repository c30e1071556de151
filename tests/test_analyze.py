"""The main job from end to end, with a network that calls bright pixels soma: two squares, one of which moves."""

import inspect
import json
import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest
import tifffile

from somaseg import analyze as analyze_module
from somaseg import cli
from somaseg.analyze import analyze
from somaseg.movies import Calibration, write_hyperstack
from somaseg.movies.reader import open_movie
from somaseg.segmentation import Segmenter
from somaseg.segmentation.frame_store import FrameStore
from somaseg.tracking import read_result

FRAMES = 5


@pytest.fixture(scope="module")
def movie(tmp_path_factory):
    """5 frames of 64 x 64: a square that stays at (10, 10) and one that moves by 3 px a frame along x."""
    stack = np.full((FRAMES, 64, 64), 10, np.uint8)
    for t in range(FRAMES):
        stack[t, 8:13, 8:13] = 250
        stack[t, 38:43, 18 + 3 * t : 23 + 3 * t] = 250
    path = tmp_path_factory.mktemp("analyze") / "movie.tif"
    write_hyperstack(path, stack, Calibration(0.5, 10.0))
    return path


@pytest.fixture(scope="module")
def segmenter(bright_network):
    return Segmenter(bright_network, minimum_area_px=4)


@pytest.fixture(scope="module")
def analysed(movie, segmenter):
    """(folder, Analysis) of the movie, with everything that is written. Not to be written to."""
    folder = movie.parent / "out"
    return folder, analyze(movie, folder, segmenter, run={"preset": "bright"})


def test_two_cells_are_two_tracks_with_their_units(analysed):
    folder, found = analysed
    assert (found.frames, found.somas, found.tracks) == (FRAMES, 2 * FRAMES, 2)
    result = read_result(folder)
    assert result.calibration == Calibration(0.5, 10.0)
    moving = result.tracks[result.tracks["y_px"] > 30].sort_values("frame")
    assert moving["track_id"].nunique() == 1
    np.testing.assert_allclose(moving["x_px"], 20 + 3 * np.arange(FRAMES))
    np.testing.assert_allclose(moving["x_um"], 0.5 * moving["x_px"])
    np.testing.assert_allclose(moving["time_min"], 10.0 * np.arange(FRAMES))
    np.testing.assert_allclose(moving["area_um2"], 25 * 0.25)
    assert result.labels[3, 40, 29] == moving["track_id"].iloc[0]


def test_every_file_of_the_contract_is_there_and_no_scratch_is_left(analysed):
    folder, _ = analysed
    names = {path.name for path in folder.iterdir()}
    assert names >= {"labels.tif", "tracks.csv", "drift.csv", "summary.json", "run.json", "ctc", "trackmate.xml"}
    assert names >= {"rois.zip", "overlay.mp4", "plots", "report.html"}
    assert {path.name for path in folder.parent.iterdir()} == {"movie.tif", "out"}
    run = json.loads((folder / "run.json").read_text())
    assert run["preset"] == "bright" and run["units_from"] == {"um_per_px": "file", "minutes_per_frame": "file"}
    assert run["time"]["network_seconds"] > 0


class Counting:
    """The segmenter, with a count of how often it was asked."""

    def __init__(self, segmenter):
        self.segmenter, self.calls = segmenter, 0

    def settings(self):
        return self.segmenter.settings()

    def __call__(self, image, **arguments):
        self.calls += 1
        return self.segmenter(image, **arguments)


def test_an_interrupted_run_goes_on_without_segmenting_frames_again(movie, segmenter, analysed, no_report, tmp_path):
    def stop(stage, done, total):
        if (stage, done) == ("segment", 1):
            raise KeyboardInterrupt

    first, second = Counting(segmenter), Counting(segmenter)
    with pytest.raises(KeyboardInterrupt):
        analyze(movie, tmp_path / "out", first, progress=stop)
    assert not (tmp_path / "out").exists()
    kept = len(list(tmp_path.glob(".*/frame*.npz")))
    analyze(movie, tmp_path / "out", second)
    assert 1 <= kept <= first.calls < FRAMES
    assert second.calls == FRAMES - kept
    for name in ("tracks.csv", "labels.tif", "drift.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (analysed[0] / name).read_bytes()


def test_frames_are_taken_in_order_whichever_is_labelled_first(movie, segmenter, analysed, no_report, tmp_path):
    second_is_done = threading.Event()

    class Late(Counting):
        def __call__(self, image, **arguments):
            found = super().__call__(image, **arguments)
            frame = (np.argmax(image[40] > 100) - 18) // 3  # told by where the moving square is
            if frame == 0:
                assert second_is_done.wait(60)
            if frame == 1:
                second_is_done.set()
            return found

    analyze(movie, tmp_path / "out", Late(segmenter))
    for name in ("tracks.csv", "labels.tif", "drift.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (analysed[0] / name).read_bytes()


@pytest.fixture
def ctrl_c():
    """Press Ctrl+C half a second from now. A suite started in the background ignores it unless it is told otherwise."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    yield timer.start
    timer.cancel()
    signal.signal(signal.SIGINT, handler)


class Hanging(Counting):
    """A segmenter whose network hangs for 20 s: it asks now and then whether it is still wanted, or it does not."""

    def __init__(self, segmenter, *, asks):
        super().__init__(segmenter)
        self.asks, self.released = asks, threading.Event()
        self.late = threading.Timer(20.0, self.released.set)  # what is heard only then fails instead of hanging
        self.late.daemon = True
        self.late.start()

    def __call__(self, image, *, progress, **arguments):
        self.calls += 1
        while not self.released.wait(0.01):
            if self.asks:
                progress(0, 1)

    def release(self):
        """Whether it still hung; it ends now."""
        hung = not self.released.is_set()
        self.late.cancel()
        self.released.set()
        return hung


@pytest.mark.parametrize("asks", [True, False])
def test_a_network_that_hangs_does_not_keep_the_user_from_ending_it(
    movie, segmenter, no_report, tmp_path, ctrl_c, asks
):
    hanging = Hanging(segmenter, asks=asks)
    ctrl_c()
    with pytest.raises(KeyboardInterrupt):
        analyze(movie, tmp_path / "out", hanging)
    calls = hanging.calls
    assert hanging.release()
    assert calls <= 2
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals go to one thread here")
def test_ctrl_c_is_heard_when_the_system_tells_another_thread(movie, segmenter, no_report, tmp_path, ctrl_c):
    hanging = Hanging(segmenter, asks=False)
    ctrl_c()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        with pytest.raises(KeyboardInterrupt):
            analyze(movie, tmp_path / "out", hanging)
        assert hanging.release()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])


def test_an_error_while_a_frame_is_stored_stops_the_run_and_loses_none_before(
    movie, segmenter, no_report, monkeypatch, tmp_path
):
    save = FrameStore.save

    def full(store, frame, *arguments):
        if frame == 2:
            raise OSError(28, "No space left on device")
        save(store, frame, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(FrameStore, "save", full)
        with pytest.raises(OSError, match="No space left"):
            analyze(movie, tmp_path / "out", segmenter)
    second = Counting(segmenter)
    analyze(movie, tmp_path / "out", second)
    assert 1 <= second.calls <= FRAMES - 2


def test_frames_of_other_settings_are_not_taken_over(movie, segmenter, bright_network, no_report, tmp_path):
    def stop(stage, done, total):
        if (stage, done) == ("segment", 1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        analyze(movie, tmp_path / "out", segmenter, progress=stop)
    found = analyze(movie, tmp_path / "out", Segmenter(bright_network, minimum_area_px=26))
    assert found.somas == 0
    assert any("thrown away" in warning for warning in found.warnings)


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


def test_a_movie_without_somas_gives_empty_tables(segmenter, tmp_path):
    write_hyperstack(tmp_path / "dark.tif", np.full((3, 64, 64), 10, np.uint8), Calibration(0.5, 10.0))
    found = analyze(tmp_path / "dark.tif", tmp_path / "out", segmenter)
    assert (found.somas, found.tracks) == (0, 0)
    assert not read_result(tmp_path / "out").labels.any()


def test_a_result_that_is_there_is_refused_before_anything_is_read(movie, segmenter, analysed, monkeypatch):
    monkeypatch.setattr(analyze_module, "open_movie", lambda *a, **k: pytest.fail("read"))
    with pytest.raises(FileExistsError, match="--overwrite"):
        analyze(movie, analysed[0], segmenter)


def test_positions_in_um_are_those_of_the_tissue(segmenter, no_report, tmp_path):
    """Everything shifts by 2 px a frame along y: the tissue's grain and a soma that stays in it."""
    rng = np.random.default_rng(0)
    grain = cv2.GaussianBlur(rng.normal(0, 1, (160, 128)).astype(np.float32), (0, 0), 1.5)
    field = np.clip(40 + 60 * grain, 0, 110)
    field[70:76, 60:66] = 250
    stack = np.stack([field[20 - 2 * t : 148 - 2 * t] for t in range(6)]).astype(np.uint8)
    write_hyperstack(tmp_path / "drifts.tif", stack, Calibration(0.5, 10.0))
    analyze(tmp_path / "drifts.tif", tmp_path / "out", segmenter)
    result = read_result(tmp_path / "out")
    np.testing.assert_allclose(result.drift["dy_px"], 2.0 * np.arange(6), atol=0.2)
    np.testing.assert_allclose(result.tracks["y_um"], result.tracks["y_um"].iloc[0], atol=0.1)
    assert np.ptp(result.tracks["y_px"]) == 10


def test_command_line_tells_what_it_did_and_where_to_look(movie, bright_preset, no_report, tmp_path, capsys):
    assert (
        cli.main(["analyze", str(movie), "-o", str(tmp_path / "out"), "--preset", str(bright_preset), "--quiet"]) == 0
    )
    assert "5 frames, 10 somas in 2 tracks" in capsys.readouterr().out
    assert len(pd.read_csv(tmp_path / "out" / "tracks.csv")) == 10


def test_missing_units_stop_the_run_with_the_flags_to_give(bright_preset, tmp_path, capsys):
    tifffile.imwrite(tmp_path / "plain.tif", np.zeros((3, 64, 64), np.uint8))
    arguments = ["analyze", str(tmp_path / "plain.tif"), "-o", str(tmp_path / "out"), "--preset", str(bright_preset)]
    assert cli.main(arguments) == 1
    message = capsys.readouterr().err
    assert "--um-per-px" in message and "--minutes-per-frame" in message and "--pixels" in message
    assert cli.main([*arguments, "--pixels", "--quiet"]) == 0


def test_a_preset_that_goes_by_diameter_takes_that_of_the_first_frame(movie, bright_network, no_report, tmp_path):
    segmenter = Segmenter(bright_network, minimum_area_px=4, diameter_px=30.0, estimates_diameter=True)
    analyze(movie, tmp_path / "out", segmenter)
    scale = json.loads((tmp_path / "out" / "run.json").read_text())["frames_scale"]
    with open_movie(movie) as opened:
        assert scale == {"diameter_px": segmenter.estimate_diameter(opened.frame(0))}
    assert scale["diameter_px"] < 30
