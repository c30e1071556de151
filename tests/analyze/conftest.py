"""The same small movie for all of these: two squares, one of which moves; bright pixels are soma."""

import numpy as np
import pytest

from somaseg.analyze import analyze
from somaseg.movies import Calibration, write_hyperstack
from somaseg.segmentation import Segmenter

FRAMES = 5


@pytest.fixture(scope="session")
def movie(tmp_path_factory):
    """5 frames of 64 x 64: a square that stays at (10, 10) and one that moves by 3 px a frame along x."""
    stack = np.full((FRAMES, 64, 64), 10, np.uint8)
    for t in range(FRAMES):
        stack[t, 8:13, 8:13] = 250
        stack[t, 38:43, 18 + 3 * t : 23 + 3 * t] = 250
    path = tmp_path_factory.mktemp("analyze") / "movie.tif"
    write_hyperstack(path, stack, Calibration(0.5, 10.0))
    return path


@pytest.fixture(scope="session")
def segmenter(bright_network):
    return Segmenter(bright_network, minimum_area_px=4)


@pytest.fixture(scope="session")
def analysed(movie, segmenter):
    """(folder, Analysis) of the movie, with everything that is written. Not to be written to."""
    folder = movie.parent / "out"
    return folder, analyze(movie, folder, segmenter, run={"preset": "bright"})
