"""The law of streaming: what an analysis holds in memory does not grow with the length of the movie."""

import multiprocessing
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

from somaseg.analyze import analyze
from somaseg.report import movie_report
from somaseg.report.film import read_film

SIDE, SOMAS = 512, 1200
MB = 2**20

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel tells memory in /proc"),
]


class Squares:
    """In place of a network: bright pixels of a movie that `write_movie` made are somas, each with its own number."""

    def settings(self):
        return {"stub": True}

    def __call__(self, image, *, um_per_px=None, progress=None):
        labels = np.where(image >= 1000, image - 999, 0).astype(np.uint16)
        return SimpleNamespace(labels=labels, probability=(labels > 0).astype(np.float32), network_seconds=0.0)


def write_movie(path, frame_count):
    """Squares of 12 px, each of its own brightness, that wander over grain; `SOMAS` in all frames together."""
    cells = SOMAS // frame_count
    rng = np.random.default_rng(0)
    grain = rng.normal(200, 30, (SIDE, SIDE)).astype(np.uint16)
    place = rng.uniform(0, SIDE - 12, (cells, 2))
    with tifffile.TiffWriter(path) as writer:
        for _ in range(frame_count):
            frame = grain.copy()
            for number, (y, x) in enumerate(place.astype(int)):
                frame[y : y + 12, x : x + 12] = 1000 + number
            place = np.clip(place + rng.normal(0, 1, place.shape), 0, SIDE - 12)
            writer.write(frame, contiguous=True)


def peak_mb(call):
    """Largest memory during a call that cannot be given back: not that of files which the kernel keeps at hand."""
    peak, done = [0.0], threading.Event()

    def watch():
        while not done.is_set():
            lines = Path("/proc/self/status").read_text().splitlines()
            peak[0] = max(peak[0], next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024)
            time.sleep(0.01)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        call()
    finally:
        done.set()
        thread.join()
    return peak[0]


def analysis_peak_mb(path, output):
    # The film in the report may take 8 MB, whatever the length: here so little that both movies reach it.
    movie_report.read_film = partial(read_film, most_bytes=100_000)
    return peak_mb(lambda: analyze(path, output, Squares(), um_per_px=0.65, minutes_per_frame=5.0))


def test_memory_does_not_grow_with_the_length_of_the_movie(tmp_path):
    peaks = {}
    for frame_count in (20, 120):
        write_movie(tmp_path / f"{frame_count}.tif", frame_count)
        # A process of its own: what an analysis gives back, the next one in the same process would have at hand.
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as own_process:
            paths = tmp_path / f"{frame_count}.tif", tmp_path / f"out{frame_count}"
            peaks[frame_count] = own_process.submit(analysis_peak_mb, *paths).result()
    labels_mb = 100 * SIDE * SIDE * 2 / MB  # of the frames that the longer movie has more
    assert labels_mb > 45
    # As many somas in both: their tables, and their links while they are chosen, are all that may grow.
    assert peaks[120] - peaks[20] < 20, peaks
