"""The law of a saltatory cell's steps at a frame interval: how likely each length is, given what the cell did before.

A cell rests and moves in turn. A pause is a refractory part and a memoryless one; a movement speeds up, runs and slows
down, at a speed of its own. Both are chains of short stages, so that a cell's future depends on its stage alone and the
joint law of stage and distance after one frame interval follows by many small sub-steps, exactly for what happens
between two frames: two movements in one interval, or one movement cut by a frame.
"""

from dataclasses import dataclass, replace

import numpy as np

REFRACTORY_STAGES = 5
# Speed in each stage of a movement, and of a movement as a whole with its share: whole numbers, so that every sub-step
# goes a whole number of bins. Lengths are independent of the speed, and of cv 0.44 with these six stages.
PROFILE = (2, 4, 3, 2, 1, 1)
SPEEDS = ((2, 0.25), (3, 0.5), (5, 0.25))

# Of a speed of SPEEDS that takes the mean time for the mean length.
_MEAN_SPEED = 1.0 / sum(share / speed for speed, share in SPEEDS)
_BINS_PER_MEAN_SPEED = sum(PROFILE) / len(PROFILE) * _MEAN_SPEED
_FARTHEST = 13  # bins per sub-step: no cell gets further than at twice the mean speed all the time
_LONGEST_SUBSTEP_MIN = 2.0
_SHORT, _TERMS = 0.5, 16  # jumps expected, and how many at most are counted: more come in one of 10^18 cases


@dataclass(frozen=True)
class SaltatoryLaw:
    """How a saltatory cell moves.

    Attributes:
        pause_min: mean pause. refractory_share: part of it that is refractory, in 0..1: 0 is memoryless, and 5/6 as
            regular as it gets (a gamma law of shape 6).
        movement_min: mean duration of a saltation. speed_um_per_h: mean length / mean duration.
    """

    pause_min: float
    refractory_share: float
    movement_min: float
    speed_um_per_h: float

    @property
    def frequency_per_h(self) -> float:
        """Saltations per hour: one in each pause and movement.

        >>> SaltatoryLaw(45.0, 0.5, 15.0, 60.0).frequency_per_h
        1.0
        """
        return 60.0 / (self.pause_min + self.movement_min)

    @property
    def length_um(self) -> float:
        """Mean length of a saltation.

        >>> SaltatoryLaw(45.0, 0.5, 15.0, 60.0).length_um
        15.0
        """
        return self.movement_min * self.speed_um_per_h / 60.0


@dataclass(frozen=True, eq=False)
class StepKernel:
    """Joint law of stage and distance over one step between frames.

    Attributes:
        chance: (D, S, S) probability to be in distance bin d and stage j after the step, from stage i.
        spacing_um: distance from bin to bin. blur_um: sd of a distance above 0 within its sub-steps.
    """

    chance: np.ndarray
    spacing_um: float
    blur_um: float

    @property
    def distance_um(self) -> np.ndarray:
        """(D,) distance of each bin."""
        return self.spacing_um * np.arange(len(self.chance))


def step_kernel(
    law: SaltatoryLaw, step_min: float, *, substeps: int, log_starts: float = 0.0, chances=None
) -> StepKernel:
    """The kernel of a step of `step_min` minutes.

    Args:
        substeps: into how many the step is cut; 2 min each are short enough (`substeps_of`).
        log_starts: each saltation that starts in the step weighs exp(log_starts). The derivative of a log likelihood
            by it, at 0, is the expected number of starts given the data.
        chances: None, or what is called in place of `stage_chances`, such as one that remembers.
    """
    mean_um = law.speed_um_per_h / 60.0 * step_min / substeps
    chance = (chances or stage_chances)(replace(law, speed_um_per_h=1.0), step_min, substeps, log_starts)
    # A movement begins and ends somewhere within a sub-step.
    return StepKernel(chance, mean_um / _BINS_PER_MEAN_SPEED, mean_um / np.sqrt(6.0))


def stage_chances(law: SaltatoryLaw, step_min: float, substeps: int, log_starts: float) -> np.ndarray:
    """(D, S, S), the `chance` of a kernel; bins of distance grow with the speed, so that it has no say in them."""
    moves = _after(step_min / substeps, _rates(law, log_starts))
    bins = _bins_per_substep()
    # Along the distance a sub-step shifts, so that its Fourier transform multiplies: sub-steps are a matrix power.
    length, reach = bins.max() * substeps + 1, _FARTHEST * substeps + 1
    phases = np.exp(-2j * np.pi / length * np.outer(np.arange(length // 2 + 1), bins))
    powers = np.linalg.matrix_power(phases[:, :, None] * moves, substeps)
    chance = np.maximum(np.fft.irfft(powers, n=length, axis=0), 0.0)  # rounding leaves some 1e-17 below 0
    chance[reach - 1] += chance[reach:].sum(axis=0)
    return chance[:reach].copy()  # what lies beyond is let go


def _after(minutes, rates):
    """(S, S) exp(rates * minutes) by uniformisation (Jensen 1953) over a time so short that few terms do, then doubled.

    Every term is positive, so that nothing cancels. `scipy.linalg.expm` has threads solve an equation that is too small
    for them, and waits for them: where other work goes on, ten times as long.
    """
    leaving = -np.diag(rates).min() * minutes
    doublings = max(0, int(np.ceil(np.log2(leaving / _SHORT))))
    expected = leaving / 2**doublings
    jump = np.eye(len(rates)) + rates * (minutes / leaving)
    term = np.exp(-expected) * np.eye(len(rates))
    short = term
    for count in range(1, _TERMS):
        term = term @ jump * (expected / count)
        short = short + term
    return np.linalg.matrix_power(short, 2**doublings)


def substeps_of(minutes_per_frame: float) -> int:
    """How many sub-steps a frame interval takes.

    >>> substeps_of(15)
    8
    """
    return max(1, int(np.ceil(minutes_per_frame / _LONGEST_SUBSTEP_MIN)))


def long_run_stages(law: SaltatoryLaw) -> np.ndarray:
    """(S,) share of the stages at any time."""
    rates = _rates(law, 0.0)
    equations = np.vstack([rates.T, np.ones(len(rates))])
    shares = np.linalg.lstsq(equations, np.append(np.zeros(len(rates)), 1.0), rcond=None)[0]
    return np.clip(shares, 0.0, None)


def _rates(law, log_starts):
    """(S, S) generator of the stages: refractory ones, the memoryless one, then the stages of each speed."""
    first_moving, length = REFRACTORY_STAGES + 1, len(PROFILE)
    rates = np.zeros((first_moving + length * len(SPEEDS),) * 2)
    refractory_min = max(law.refractory_share * law.pause_min, 1e-3)
    memoryless_min = max((1.0 - law.refractory_share) * law.pause_min, 1e-3)
    for stage in range(REFRACTORY_STAGES):
        rates[stage, stage + 1] = REFRACTORY_STAGES / refractory_min
    for kind, (speed, share) in enumerate(SPEEDS):
        begin = first_moving + kind * length
        rates[REFRACTORY_STAGES, begin] = share / memoryless_min
        for stage in range(begin, begin + length):
            following = stage + 1 if stage + 1 < begin + length else 0
            rates[stage, following] = length / law.movement_min * speed / _MEAN_SPEED
    rates -= np.diag(rates.sum(axis=1))
    rates[REFRACTORY_STAGES, first_moving:] *= np.exp(log_starts)
    return rates


def _bins_per_substep():
    moving = [speed * place for speed, _ in SPEEDS for place in PROFILE]
    return np.array([0] * (REFRACTORY_STAGES + 1) + moving)
