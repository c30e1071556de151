"""Simulated images and movies of migrating interneurons with known truth."""

from somaseg.simulation.movie_presets import PRESETS as MOVIE_PRESETS
from somaseg.simulation.movie_saving import save_movie
from somaseg.simulation.movies import MovieParameters, SimulatedMovie, simulate_movie
from somaseg.simulation.stills import (
    LOOKS,
    Still,
    StillParameters,
    draw_parameters,
    simulate_still,
)

__all__ = [
    "LOOKS",
    "MOVIE_PRESETS",
    "MovieParameters",
    "SimulatedMovie",
    "Still",
    "StillParameters",
    "draw_parameters",
    "save_movie",
    "simulate_movie",
    "simulate_still",
]
