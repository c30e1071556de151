"""Saltations too few to be told from errors: where no cell moves, outlines and links make some as well.

Now and then an outline fails or a link goes to another cell, and what that looks like in a movie is a saltation. How
often was measured on simulated movies in which no cell moves (docs/sampling.md). A movie that shows no more than such
errors would make shows none. Tracks that tell nothing of their links, such as those made by hand, are taken as right.
"""

from dataclasses import replace

from scipy import stats

from somaseg.migration.saltations.saltation import Saltations

_STEPS_PER_ERROR = 1300.0
_LEAST_PROBABILITY = 0.1
_MOST_NAMED = 5


def above_errors(saltations: Saltations, *, by_a_program: bool) -> tuple[Saltations, list]:
    """The saltations, or none where they are no more than errors make with a probability of 0.1 and more.

    Errors are taken to come independently of each other (Poisson), one in 1300 steps.

    Args:
        saltations: from `find_saltations`.
        by_a_program: bool, whether a program linked the tracks: those with a column link_confidence, be it empty.

    Returns:
        (saltations, list of the one warning that names what is not counted, or of none).

    >>> import pandas as pd
    >>> from somaseg.migration.saltations.saltation import find_saltations
    >>> tracks = pd.DataFrame({"track_id": 1, "frame": range(400), "y_um": 0.0, "x_um": [0.0] * 200 + [12.0] * 200})
    >>> found = find_saltations(tracks, minutes_per_frame=15, noise_um=0.3)
    >>> [len(above_errors(found, by_a_program=each)[0].table) for each in (False, True)]
    [1, 0]
    """
    number, steps = len(saltations.table), len(saltations.steps)
    if not number or not by_a_program or stats.poisson.sf(number - 1, steps / _STEPS_PER_ERROR) <= _LEAST_PROBABILITY:
        return saltations, []
    named = [
        f"cell {row.track_id} in frames {int(row.start_frame)} to {int(row.end_frame)}"
        for row in saltations.table.head(_MOST_NAMED).itertuples()
    ]
    more = f" and {number - _MOST_NAMED} more" if number > _MOST_NAMED else ""
    warning = (
        f"{number} saltation{'s are' if number > 1 else ' is'} not counted: in {steps:,} steps wrong links and failed "
        f"outlines make about {steps / _STEPS_PER_ERROR:.1f} where no cell moves. Look at "
        f"{', '.join(named)}{more}."
    )
    cells = saltations.cells.assign(
        started=0, frequency_per_h=saltations.cells["frequency_per_h"].where(lambda rate: rate.isna(), 0.0)
    )
    none = replace(
        saltations, table=saltations.table.iloc[:0], steps=saltations.steps.assign(moving=False), cells=cells
    )
    return none, [warning]
