"""Files on one side, frames with physical units on the other."""

from somaseg.movies.calibration import Calibration
from somaseg.movies.overlay_movie import write_overlay_movie
from somaseg.movies.reader import Movie, open_movie
from somaseg.movies.writer import write_avi, write_hyperstack

__all__ = ["Calibration", "Movie", "open_movie", "write_avi", "write_hyperstack", "write_overlay_movie"]
