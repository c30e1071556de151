"""A run that is ended by Ctrl+C or by an error: it ends at once, and the same command goes on from where it was."""

import os
import signal
import threading

import numpy as np
import pytest

from somaseg.analyze import analyze
from somaseg.segmentation import Segmenter
from somaseg.segmentation.frame_store import FrameStore

FRAMES = 5  # of the movie


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
