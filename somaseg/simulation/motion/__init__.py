"""How the simulated cells behave: where each is, its shape and what it is doing, at any time; nothing is drawn."""

from somaseg.simulation.motion.movers import CLOCK_MIN
from somaseg.simulation.motion.parameters import MotionParameters, timothy_like
from somaseg.simulation.motion.population import Motion, simulate_motion
from somaseg.simulation.motion.saltatory import STATES

__all__ = ["CLOCK_MIN", "STATES", "Motion", "MotionParameters", "simulate_motion", "timothy_like"]
