"""Draw the contact sheets of docs/simulation.md: python docs/make_simulation_sheets.py (a few minutes)."""

from pathlib import Path

import cv2

from somaseg.report.movie_sheet import draw_movie_sheet
from somaseg.simulation.movie_presets import PRESETS
from somaseg.simulation.movies import simulate_movie

FOLDER = Path(__file__).parent / "images"
# fast_sampling, slow_sampling and control look like typical.
SHOWN = ("easy", "typical", "dense", "dim", "ts_like", "random_walk", "arrested", "blank")

FOLDER.mkdir(exist_ok=True)
for name in SHOWN:
    movie = simulate_movie(PRESETS[name], seed=1)
    title = f"SIMULATED {name}, seed 1: true outlines"
    sheet = draw_movie_sheet(
        movie.frames, movie.labels, movie.parameters.times_min, title=title, tiles=3, columns=3, side_px=400
    )
    cv2.imwrite(str(FOLDER / f"simulated_{name}.jpg"), sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    print(name, flush=True)
