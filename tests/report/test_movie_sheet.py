"""Contact sheets of movies."""

import cv2
import numpy as np
import pytest

from somaseg.report.movie_sheet import draw_movie_sheet, save_simulated_movie_sheet
from somaseg.simulation.motion import MotionParameters
from somaseg.simulation.movies import MovieParameters, simulate_movie

LABELS = np.zeros((4, 32, 32), np.uint16)
LABELS[:, 10:20, 10:20] = 3


def test_outlines_are_drawn_in_colour_on_grey_frames():
    frames = np.tile(np.arange(32, dtype=np.uint16), (4, 32, 1))
    sheets = [
        draw_movie_sheet(frames, labels, range(4), title="a", tiles=4, columns=2, side_px=64)
        for labels in (LABELS, LABELS * 0)
    ]
    with_colour = [np.any(sheet != sheet[..., :1], axis=2) for sheet in sheets]
    assert sheets[0].shape == sheets[1].shape == (28 + 2 * 70, 2 * 70 - 6, 3)
    assert with_colour[0].sum() > 4 * 40 and not with_colour[1].any()


def test_a_stack_that_does_not_fit_its_labels_is_refused():
    with pytest.raises(ValueError, match="frames and labels must both be"):
        draw_movie_sheet(np.zeros((3, 32, 32)), LABELS, range(3), title="a")


def test_the_sheet_of_a_simulated_movie_is_a_png(tmp_path):
    p = MovieParameters(height_px=48, width_px=64, duration_h=0.5, motion=MotionParameters(margin_um=0.0))
    save_simulated_movie_sheet(simulate_movie(p, seed=0), tmp_path / "sheet.png", side_px=128)
    assert cv2.imread(str(tmp_path / "sheet.png")).shape == (28 + 96 + 6, 2 * 134 - 6, 3)
