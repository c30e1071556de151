"""Simulated studies: conditions x lines x assembloids x movies with known truth, to test statistics on.

Cells of one assembloid, and assembloids of one line, are more alike than others; a test that takes each cell for
an independent observation finds differences that are not there. So a study draws factors for each line and for each
assembloid, and multiplies the behaviour of all its cells with both.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from somaseg.files import replace_when_whole
from somaseg.simulation.limits import check_limits, integer, number
from somaseg.simulation.motion import simulate_motion
from somaseg.simulation.movie_presets import PRESETS
from somaseg.simulation.movie_saving import save_movie, save_truth_tables
from somaseg.simulation.movies import MovieParameters, SimulatedMovie, simulate_movie

# What the factors multiply, and the limits that the result is kept within: those of MotionParameters.
_VARIED = ("saltation_rate_per_h", "jump_length_um", "jump_speed_um_per_h")


@dataclass(frozen=True)
class StudyDesign:
    """What a simulated study consists of.

    Attributes:
        conditions: name -> `MovieParameters`, in the order of the table. Conditions that differ in their motion alone
            are filmed alike.
        lines: cell lines per condition (a line has one genotype, so it belongs to one condition).
        assembloids: assembloids per line.
        movies: movies per assembloid.
        line_cv, assembloid_cv: relative sd between the lines of a condition, and between the assembloids of a line,
            of the saltation rate, jump length and jump speed, each drawn on its own and lognormal (chosen); 0 is none.
    """

    conditions: Mapping[str, MovieParameters] = field(
        default_factory=lambda: {"control": PRESETS["control"], "ts_like": PRESETS["ts_like"]}
    )
    lines: int = integer(3, 1, 1000)
    assembloids: int = integer(3, 1, 1000)
    movies: int = integer(1, 1, 1000)
    line_cv: float = number(0.1, 0.0, 0.5)
    assembloid_cv: float = number(0.1, 0.0, 0.5)

    def __post_init__(self):
        check_limits(self)
        if not self.conditions:
            raise ValueError("conditions must name at least one, got none.")


STUDIES: dict[str, StudyDesign] = {
    "ts": StudyDesign(),
    # Both groups are the same: what a test finds here is a false positive.
    "null": StudyDesign(conditions={"control_a": PRESETS["control"], "control_b": PRESETS["control"]}),
}


def study(name: str) -> StudyDesign:
    """The design of a study by name.

    Raises:
        ValueError: there is no study of this name.
    """
    if name not in STUDIES:
        raise ValueError(f"study must be one of {', '.join(STUDIES)}, got {name!r}.")
    return STUDIES[name]


def draw_study(design: StudyDesign, *, seed: int) -> pd.DataFrame:
    """The movies of a study, one row each: movie, assembloid, line, condition, seed, and the factors drawn.

    `movie` is the folder's name. The factors (saltation_rate_per_h_factor, ...) are those of line and assembloid
    together. More lines, assembloids or movies leave those that were there as they were.

    >>> draw_study(StudyDesign(lines=1, assembloids=1), seed=0)["movie"].tolist()
    ['control_line1_assembloid1_movie1', 'ts_like_line1_assembloid1_movie1']
    """
    rows = []
    levels = design.lines, design.assembloids, design.movies
    for group, condition in enumerate(design.conditions):
        for line, assembloid, movie in np.ndindex(*levels):
            factors = _factors(design.line_cv, seed, group, line)
            factors = factors * _factors(design.assembloid_cv, seed, group, line, assembloid)
            names = [condition, f"line{line + 1}", f"assembloid{assembloid + 1}", f"movie{movie + 1}"]
            rows.append(
                {
                    "movie": "_".join(names),
                    "assembloid": "_".join(names[:3]),
                    "line": "_".join(names[:2]),
                    "condition": condition,
                    "seed": int(np.random.SeedSequence((seed, group, line, assembloid, movie)).generate_state(1)[0]),
                    **{f"{name}_factor": factor for name, factor in zip(_VARIED, factors)},
                    "simulated": True,
                }
            )
    return pd.DataFrame(rows)


def simulate_study(design: StudyDesign, folder, *, seed: int, pictures: bool = True, progress=None) -> pd.DataFrame:
    """Write a simulated study: study.csv and one folder per movie; one that was stopped goes on where it stopped.

    Args:
        folder: path. A movie's folder that is there already is left as it is.
        seed: whole number from 0 on.
        pictures: bool. False leaves out movie.tif and the labels, which is about 20 times as fast: cells count as seen
            where their centre lies in the field.
        progress: called with (movies done, movies in all) after each movie.

    Returns:
        The table of `draw_study`, as it stands in study.csv.

    Raises:
        ValueError: the folder holds another study.
    """
    folder, table = Path(folder), draw_study(design, seed=seed)
    text = table.to_csv(index=False, float_format="%.9g")
    if (folder / "study.csv").exists():
        if (folder / "study.csv").read_text() != text:
            raise ValueError(f"{folder} holds another study. Give another folder, or the same design and seed.")
    else:
        with replace_when_whole(folder / "study.csv") as partial:
            partial.write_text(text)
    for done, row in enumerate(table.to_dict("records"), start=1):
        if not (folder / row["movie"] / "run.json").exists():
            parameters = movie_parameters(design, row)
            if pictures:
                save_movie(simulate_movie(parameters, seed=row["seed"]), folder / row["movie"])
            else:
                save_truth_tables(_without_pictures(parameters, row["seed"]), folder / row["movie"])
        if progress is not None:
            progress(done, len(table))
    return table


def movie_parameters(design: StudyDesign, row: Mapping) -> MovieParameters:
    """The parameters of one movie of the study: those of its condition, times its factors.

    A saltation rate that would leave the busiest cell no time to pause is lowered to the highest one possible.
    """
    parameters = design.conditions[row["condition"]]
    motion = asdict(parameters.motion)
    changed = {}
    for name in _VARIED:
        factor, value = row[f"{name}_factor"], motion[name]
        changed[name] = tuple(factor * part for part in value) if isinstance(value, tuple) else factor * value
    rate = changed.pop("saltation_rate_per_h")
    changed_motion = replace(parameters.motion, saltation_rate_per_h=0.0, **changed)
    rate = min(rate, changed_motion.highest_rate_per_h)
    return replace(parameters, motion=replace(changed_motion, saltation_rate_per_h=rate))


def _factors(cv, seed, *path):
    """Lognormal factors of mean 1, one per varied number."""
    sigma = np.sqrt(np.log1p(cv**2))
    # The length of the path keeps a line's stream apart from those of its assembloids.
    rng = np.random.default_rng((seed, len(path), *path))
    return np.exp(sigma * rng.standard_normal(len(_VARIED)) - sigma**2 / 2)


def _without_pictures(p, seed):
    """The motion alone: cells are visible where their centre lies in the field, and nothing drifts."""
    motion = simulate_motion(p.motion, times_min=p.times_min, field_um=p.field_um, seed=seed)
    inside = np.all((motion.centre_um >= 0) & (motion.centre_um < np.array(p.field_um)), axis=2)
    empty = np.zeros((p.frame_count, 0, 0), np.uint16)
    return SimulatedMovie(empty, empty, motion, np.zeros((p.frame_count, 2)), inside, (), (), p, seed)
