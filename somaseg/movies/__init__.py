"""Files on one side, frames with physical units on the other."""

from somaseg.movies.calibration import Calibration
from somaseg.movies.writer import write_avi, write_hyperstack

__all__ = ["Calibration", "write_avi", "write_hyperstack"]
