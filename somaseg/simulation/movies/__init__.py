"""Simulated movies: what a microscope makes of the cells' motion, frame by frame, and the true outlines."""

from somaseg.simulation.movies.movie import SimulatedMovie, simulate_movie
from somaseg.simulation.movies.parameters import MovieParameters

__all__ = ["MovieParameters", "SimulatedMovie", "simulate_movie"]
