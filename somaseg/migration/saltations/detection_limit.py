"""Saltations too few to be told from errors: where no cell moves, outlines and links make some as well.

Now and then an outline fails or a link goes to another cell, and what that looks like in a movie is a saltation. How
often was measured on simulated movies in which no cell moves (docs/sampling.md). A movie that shows no more than such
errors would make shows none. Tracks without confidences of their links, such as those made by hand, are taken as right.
"""

from dataclasses import replace

import pandas as pd
from scipy import stats

from somaseg.migration.saltations.saltation import Saltations

_STEPS_PER_ERROR = 1300.0
_LEAST_PROBABILITY = 0.1
_MOST_NAMED = 5


def above_errors(saltations: Saltations, tracks: pd.DataFrame) -> tuple[Saltations, list]:
    """The saltations, or none where they are no more than errors make with a probability of 0.1 and more.

    Errors are taken to come independently of each other (Poisson), one in 1300 steps.

    Args:
        saltations: from `find_saltations`.
        tracks: those they were found in; with link_confidence where a program linked them.

    Returns:
        (saltations, list of the one warning that names what is not counted, or of none).

    >>> from somaseg.migration.saltations.saltation import find_saltations
    >>> tracks = pd.DataFrame({"track_id": 1, "frame": range(400), "y_um": 0.0, "x_um": [0.0] * 200 + [12.0] * 200})
    >>> found = find_saltations(tracks, minutes_per_frame=15, noise_um=0.3)
    >>> by_hand, by_a_program = tracks, tracks.assign(link_confidence=0.99)
    >>> len(above_errors(found, by_hand)[0].table), len(above_errors(found, by_a_program)[0].table)
    (1, 0)
    """
    number, steps = len(saltations.table), len(saltations.steps)
    by_a_program = "link_confidence" in tracks and tracks["link_confidence"].notna().any()
    if not number or not by_a_program or stats.poisson.sf(number - 1, steps / _STEPS_PER_ERROR) <= _LEAST_PROBABILITY:
        return saltations, []
    named = [
        f"cell {row.track_id:g} in frames {row.start_frame:g} to {row.end_frame:g}"
        for row in saltations.table.head(_MOST_NAMED).itertuples()
    ]
    more = f" and {number - _MOST_NAMED} more" if number > _MOST_NAMED else ""
    warning = (
        f"{number} saltation{'s are' if number > 1 else ' is'} not counted: in {steps:,} steps wrong links and failed "
        f"outlines make about {steps / _STEPS_PER_ERROR:.1f} where no cell moves. See the film: "
        f"{', '.join(named)}{more}."
    )
    cells = saltations.cells.assign(
        started=0, frequency_per_h=saltations.cells["frequency_per_h"].where(lambda rate: rate.isna(), 0.0)
    )
    none = replace(
        saltations, table=saltations.table.iloc[:0], steps=saltations.steps.assign(moving=False), cells=cells
    )
    return none, [warning]
