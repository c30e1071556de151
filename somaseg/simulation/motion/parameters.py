"""How simulated interneurons behave: named numbers, each with its unit, its limits and where it comes from."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from somaseg.simulation.limits import check_limits, number, pair, refuse_unknown


@dataclass(frozen=True)
class MotionParameters:
    """Behaviour of the cells of a simulated movie; no optics. Each element can be switched off alone.

    A pair `(low, high)` is a uniform range drawn anew for each event. Sources: [B] Birey 2017 and 2022; [S] Schaar &
    McConnell 2005; [N] Nam 2007; [R] the range of the field, 5-60 um/h, 0.3-2 jumps/h of 10-25 um that last 5-20 min;
    "chosen" marks a number with no measurement behind it.

    Population
        density_per_field: cells per 300 x 300 um, 20 (5-80).
        margin_um: width of the tissue outside the seen field that is filled too, from where cells enter (chosen: what a
            migrating cell covers in 13 h; fast cells or longer movies want more). It does not follow the length of the
            movie, so that a longer movie of the same seed begins the same.
        spacing_um: least distance of two soma centres at time 0 (chosen). Paths may cross later. 0 is off.
        soma_length_um, soma_width_um: the resting soma, 12 x 8: how far the rear lags, and what "touching" means.
        touching_fraction: share of the cells that are placed so that they meet another one: 0.2, one per five cells
            (in the tissue; the seen field has its share). 0 is off.
        touching_min: how long both stand still together, where there is such a time: 45, 3 frames of 15 min.
        touching_within_h: the meeting lies between time 0 and this, 8 (chosen).
        arrested_fraction: share that never moves, 0.3 [B]. exploring_fraction: share that only explores around a home
            point, 0.1 [N: one third of the motile]. random_walk_fraction: share *of the other cells* that make a
            persistent random walk in place of jumps, 0 (a control, not biology).
    Saltations of the migrating cells
        saltation_rate_per_h: mean number of saltations per hour, 1.0 (0.3-2) [R]; comes out as asked, since the mean
            pause is what the cycle leaves. 0 is no saltations.
        pause_shape: shape of the gamma law of a pause beyond the refractory time (chosen; the literature gives none);
            1 is memoryless, large is regular. refractory_min: least pause, 10 (chosen); 0 is off.
        jump_length_um, jump_length_cv: lognormal, 15 and 0.4 [R]; a cv of 0 makes all alike.
        jump_speed_um_per_h: 60-120 [R], mean speed of the soma's front over its jump: length / speed is the time of
            the jump. The centre is on its way until the rear has arrived, so that its own speed is lower: at the
            defaults 53 um/h in the mean.
        stretch: peak length of the jumping soma relative to rest, 1.3-1.6 [S]; (1, 1) is off. It is less in a jump too
            short for it.
        rear_delay_min: how much later than the front the rear arrives, 0-15 [B]; (0, 0) is off.
        swelling_lead_min: how long before a jump its swelling appears, 10-20 [S]; at most the pause; (0, 0) is off.
        swelling_ahead_um: how far ahead of the soma's front it lies, 2-8 [S].
        rate_cell_cv, length_cell_cv, speed_cell_cv: relative sd between cells of the rate, mean length and mean speed
            (chosen); drawn uniform about 1, so bounded; 0 is off.
    Headings
        axis_deg: direction of migration; 0 is right, counter-clockwise as seen on screen.
        heading_concentration: rho, the mean resultant length of the jumps' headings, 0.6; their law is a wrapped
            Cauchy about the axis; 0 is uniform, the control without direction.
        turn_sd_deg: sd of the turn a cell tries between two jumps, 30; away from the axis it fails at times, so
            that the sd of the turns made is smaller, 25 at rho 0.6. 0 is off.
        reversal_probability: share of the jumps that go back instead, 0.05; 0 is off.
    Small movements
        wobble_um: sd along each axis of the wobble of a pausing or arrested soma (chosen); 0 is off.
            wobble_time_min: its time constant (chosen).
        exploring_radius_um: an explorer never goes further from home (chosen). exploring_time_min: its time constant
            (chosen).
        walk_speed_um_per_h: root mean square speed S, 15, as that of the jumping cells. walk_persistence_min: P
            (chosen). MSD(t) = 2 S^2 P (t - P (1 - exp(-t/P))) (Fuerth 1920).
        heading_time_min: how slowly the leading process of an explorer or walker follows its velocity (chosen); 0 is
            at once.
    Depth
        depth_sd_um: sd of the cells' depth about the focal plane (chosen).
        excursion_fraction: share of the cells that leave the focus now and then, 0.1; 0 is off.
        excursion_duration_min: time out of focus, 15-60: 1-4 frames of 15 min. excursion_interval_h: mean time in focus
            between two of them, 4 (chosen), the first after time 0.
        excursion_depth_um: how far they go, up or down (chosen).

    Raises:
        ValueError: a value outside its limits, or values that cannot be true together (a rate that leaves no time to
            pause, more reversals than the concentration allows, more cells than the spacing allows).

    >>> MotionParameters(wobble_um=0.0).saltation_rate_per_h
    1.0
    >>> MotionParameters(arrested_fraction=1.5)
    Traceback (most recent call last):
    ...
    ValueError: arrested_fraction must be a number from 0.0 to 1.0, got 1.5.
    """

    density_per_field: float = number(20.0, 0.0, 500.0)
    margin_um: float = number(200.0, 0.0, 5000.0)
    spacing_um: float = number(16.0, 0.0, 200.0)
    soma_length_um: float = number(12.0, 1.0, 100.0)
    soma_width_um: float = number(8.0, 1.0, 100.0)
    touching_fraction: float = number(0.2, 0.0, 0.5)
    touching_min: float = number(45.0, 0.0, 1000.0)
    touching_within_h: float = number(8.0, 0.1, 1000.0)
    arrested_fraction: float = number(0.3, 0.0, 1.0)
    exploring_fraction: float = number(0.1, 0.0, 1.0)
    random_walk_fraction: float = number(0.0, 0.0, 1.0)

    saltation_rate_per_h: float = number(1.0, 0.0, 60.0)
    pause_shape: float = number(2.0, 0.2, 1000.0)
    refractory_min: float = number(10.0, 0.0, 1000.0)
    jump_length_um: float = number(15.0, 0.1, 500.0)
    jump_length_cv: float = number(0.4, 0.0, 2.0)
    jump_speed_um_per_h: tuple[float, float] = pair((60.0, 120.0), 1.0, 10_000.0)
    stretch: tuple[float, float] = pair((1.3, 1.6), 1.0, 3.0)
    rear_delay_min: tuple[float, float] = pair((0.0, 15.0), 0.0, 1000.0)
    swelling_lead_min: tuple[float, float] = pair((10.0, 20.0), 0.0, 1000.0)
    swelling_ahead_um: tuple[float, float] = pair((2.0, 8.0), 0.0, 100.0)
    rate_cell_cv: float = number(0.2, 0.0, 0.5)
    length_cell_cv: float = number(0.1, 0.0, 0.5)
    speed_cell_cv: float = number(0.1, 0.0, 0.5)

    axis_deg: float = number(0.0, -360.0, 360.0)
    heading_concentration: float = number(0.6, 0.0, 0.99)
    turn_sd_deg: float = number(30.0, 0.0, 360.0)
    reversal_probability: float = number(0.05, 0.0, 1.0)

    wobble_um: float = number(0.3, 0.0, 10.0)
    wobble_time_min: float = number(10.0, 1.0, 1000.0)
    exploring_radius_um: float = number(15.0, 0.0, 500.0)
    exploring_time_min: float = number(40.0, 1.0, 1000.0)
    walk_speed_um_per_h: float = number(15.0, 0.0, 10_000.0)
    walk_persistence_min: float = number(60.0, 1.0, 1000.0)
    heading_time_min: float = number(90.0, 0.0, 1000.0)

    depth_sd_um: float = number(4.0, 0.0, 200.0)
    excursion_fraction: float = number(0.1, 0.0, 1.0)
    excursion_duration_min: tuple[float, float] = pair((15.0, 60.0), 0.0, 10_000.0)
    excursion_interval_h: float = number(4.0, 0.1, 1000.0)
    excursion_depth_um: tuple[float, float] = pair((25.0, 50.0), 0.0, 500.0)

    def __post_init__(self):
        check_limits(self)
        for check in (_check_shares, _check_rate, _check_reversals, _check_spacing):
            check(self)

    @classmethod
    def from_dict(cls, values: Mapping) -> "MotionParameters":
        """Build from a mapping, as `dataclasses.asdict` or JSON gives; refuse an unknown key."""
        refuse_unknown(cls, values, "motion parameters")
        return cls(**values)

    @property
    def has_rear_delay(self) -> bool:
        """Whether the rear arrives after the front: a soma that does not stretch has no rear of its own."""
        return self.stretch[1] > 1.0

    def mean_saltation_min(self, length_factor=1.0, speed_factor=1.0):
        """Mean duration in min of a saltation, jump and rear together, of a cell with these factors.

        >>> round(MotionParameters().mean_saltation_min(), 2)
        17.9
        """
        low, high = self.jump_speed_um_per_h
        # The mean of 1 / speed is not 1 / mean speed.
        hours_per_um = 1.0 / low if low == high else math.log(high / low) / (high - low)
        rear_min = sum(self.rear_delay_min) / 2 if self.has_rear_delay else 0.0
        return 60.0 * self.jump_length_um * hours_per_um * length_factor / speed_factor + rear_min

    @property
    def highest_rate_per_h(self) -> float:
        """The highest `saltation_rate_per_h` at which the busiest possible cell still has time to pause."""
        longest_min = self.mean_saltation_min(*cell_factor([1.0, 0.0], [self.length_cell_cv, self.speed_cell_cv]))
        return 60.0 / (self.refractory_min + longest_min) / cell_factor([1.0], [self.rate_cell_cv])[0]

    @property
    def highest_reversal_probability(self) -> float:
        """The largest share of reversals that leaves the law of the headings as it is.

        As many cells turn back from the axis as towards it, so it is twice the share of the headings that point more
        than 90 degrees away from the axis.
        """
        rho = self.heading_concentration
        return 2.0 * (1.0 - 2.0 / math.pi * math.atan((1.0 + rho) / (1.0 - rho)))


def timothy_like(
    parameters: MotionParameters, *, frequency: float = 1.5, length: float = 0.6, speed: float = 0.7
) -> MotionParameters:
    """Behaviour like that of Timothy syndrome cells: more frequent, shorter and slower saltations.

    The directions are from the literature (Birey 2017, Nature 545:54); the three factors are invented. The delay of the
    rear is scaled with the time of the jump, so that the speed over a whole saltation changes by just `speed`.

    >>> changed = timothy_like(MotionParameters())
    >>> changed.saltation_rate_per_h, changed.jump_length_um
    (1.5, 9.0)
    """
    return replace(
        parameters,
        saltation_rate_per_h=parameters.saltation_rate_per_h * frequency,
        jump_length_um=parameters.jump_length_um * length,
        jump_speed_um_per_h=tuple(value * speed for value in parameters.jump_speed_um_per_h),
        rear_delay_min=tuple(value * length / speed for value in parameters.rear_delay_min),
    )


def cell_factor(uniform, cv) -> list[float]:
    """Factors of mean 1 and relative sd `cv` from uniform numbers in 0..1; themselves uniform, so bounded.

    >>> cell_factor([0.5, 1.0], [0.2, 0.0])
    [1.0, 1.0]
    """
    return [1.0 + math.sqrt(12.0) * (u - 0.5) * spread for u, spread in zip(uniform, cv, strict=True)]


def _check_shares(p):
    if p.arrested_fraction + p.exploring_fraction > 1.0:
        raise ValueError(
            "arrested_fraction + exploring_fraction must be at most 1, "
            f"got {p.arrested_fraction} + {p.exploring_fraction}."
        )


def _check_rate(p):
    if p.saltation_rate_per_h > p.highest_rate_per_h:
        raise ValueError(
            f"saltation_rate_per_h must be at most {p.highest_rate_per_h:.4g}, so that the busiest cell has time to "
            f"pause, got {p.saltation_rate_per_h}. Lower it, jump_length_um, rear_delay_min, refractory_min or one of "
            "the three cell_cv, or raise jump_speed_um_per_h."
        )


def _check_reversals(p):
    if p.reversal_probability > p.highest_reversal_probability:
        raise ValueError(
            f"reversal_probability must be at most {p.highest_reversal_probability:.4g} at heading_concentration "
            f"{p.heading_concentration}, got {p.reversal_probability}. Lower one of the two."
        )


def _check_spacing(p):
    # Random placing of discs jams at a covered share of 0.547 (Feder 1980) and is slow before that.
    covered = p.density_per_field / 300.0**2 * math.pi / 4 * p.spacing_um**2
    if covered > 0.45:
        raise ValueError(
            f"spacing_um must be at most {p.spacing_um * math.sqrt(0.45 / covered):.4g} at density_per_field "
            f"{p.density_per_field}, got {p.spacing_um}. Lower one of the two."
        )
