"""How often groups are told apart: false positives on equal groups, right signs and power on different ones.

    python benchmarks/studies.py [--studies 100] [--quick] [--measured] [--minutes 15] [--line-cv 0.1] [--models]
                                 [--cache DIR] [--processes 1]

Simulated studies of 3 lines x 4 assembloids x 15 cells x 10 h per condition. Lines differ, and assembloids of a line
(relative sd 0.1 each, or --line-cv and --assembloid-cv). Study "null" has two groups that are the same, "ts" control
and ts_like: saltations 1.5 times as frequent, 0.6 times as long (of moving cells).

Cells are simulated at the level of tracks. Without --measured their numbers are the true ones, so that the statistics
are judged alone. With --measured the tracks get the errors that were measured from pixels at this interval (positions,
missed frames, breaks, false somas: detection_errors.py) and are measured by
`somaseg.migration.measures.measure_migration` at --minutes: about a minute a study. --cache keeps the cells of each
study, so that a run that was stopped goes on.

Columns: "found" is the share of studies with p < 0.05: on null a false positive, on ts the power; "sign" the share with
the right sign of the difference. On null each study counts ten times for the tests on lines, once for each way to
split its six lines into three and three. The test on cells is the wrong one that is usual, here to show what it does.
"""

import argparse
import itertools
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from detection_errors import MeasuredErrors
from scipy import stats

from somaseg.migration.groups.mean_tests import compare_means
from somaseg.migration.groups.models import fit_count_model, fit_mixed_model
from somaseg.migration.groups.quantities import quantity
from somaseg.migration.groups.units import assembloid_values, cell_values, line_values
from somaseg.movies.calibration import Calibration
from somaseg.simulation.motion import simulate_motion
from somaseg.simulation.movie_truth import true_cells
from somaseg.simulation.movies import SimulatedMovie
from somaseg.simulation.studies import STUDIES, draw_study, movie_parameters

ASSEMBLOIDS, CELLS, FIELD_UM = 4, 15, 300.0
ERRORS = Path(__file__).parents[1] / "docs" / "measurements" / "detection_errors.csv"
QUICK = 10
FREQUENCY, LENGTH = "saltation_frequency_per_h", "saltation_length_um"
CORRECTED = ("saltation_frequency_corrected_per_h", "saltation_length_corrected_um")
SIGNS = {FREQUENCY: 1, LENGTH: -1, CORRECTED[0]: 1, CORRECTED[1]: -1}


def study_cells(name, seed, *, minutes, line_cv, assembloid_cv, measured, cache):
    """The cells of one simulated study, with condition, line, assembloid and movie."""
    kind = f"measured_{minutes:g}min" if measured else "true"
    path = cache and Path(cache) / f"{name}_{line_cv:g}_{assembloid_cv:g}_{kind}_{seed}.csv"
    if path and path.exists():
        return pd.read_csv(path)
    design = replace(STUDIES[name], assembloids=ASSEMBLOIDS, line_cv=line_cv, assembloid_cv=assembloid_cv)
    tables = []
    for row in draw_study(design, seed=seed).to_dict("records"):
        parameters = replace(movie_parameters(design, row), minutes_per_frame=minutes)
        # Exactly 15 cells, which are followed wherever they go.
        behaviour = replace(parameters.motion, density_per_field=CELLS, margin_um=0.0, touching_fraction=0.0)
        field = (FIELD_UM, FIELD_UM)
        motion = simulate_motion(behaviour, times_min=parameters.times_min, field_um=field, seed=row["seed"])
        cells = _measured(motion, minutes, row["seed"]) if measured else _true(motion, parameters)
        tables.append(cells.assign(**{key: row[key] for key in ("condition", "line", "assembloid", "movie")}))
    cells = pd.concat(tables, ignore_index=True)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        cells.to_csv(path, index=False, float_format="%.9g")
    return cells


def _true(motion, parameters):
    seen = np.ones(motion.centre_um.shape[:2], bool)
    nothing = np.zeros((parameters.frame_count, 0, 0), np.uint16)
    drift = np.zeros((parameters.frame_count, 2))
    return true_cells(SimulatedMovie(nothing, nothing, motion, drift, seen, (), (), parameters, motion.seed))


def _measured(motion, minutes, seed):
    from somaseg.migration.measures import measure_migration

    errors, seen = MeasuredErrors.read(ERRORS, minutes), np.ones(motion.centre_um.shape[:2], bool)
    table = errors.tracks(motion.centre_um, seen, minutes, np.random.default_rng([seed, 78]))
    return measure_migration(table, Calibration(1.0, minutes)).cells


def p_values(cells, name, *, null, models):
    """{test: [(p, difference), ...]} of one study; the tests on lines of a null study are made for every split."""
    each = quantity(name)
    assembloids, values = assembloid_values(cells, each), cell_values(cells, each)
    first, second = dict.fromkeys(cells["condition"])
    found = {}
    sides = [values.loc[values["condition"] == side, "value"] for side in (second, first)]
    difference = sides[0].mean() - sides[1].mean()
    found["cells, t (wrong)"] = [(stats.ttest_ind(*sides).pvalue, difference)]
    found["assembloid means, Welch"] = [_welch(assembloids, assembloids["condition"] == second)]
    lines = line_values(assembloids)
    splits = list(_splits(lines)) if null else [lines["condition"] == second]
    found["line means, Welch (default)"] = [_welch(lines, split) for split in splits]
    found["line means, Student"] = [_welch(lines, split, equal_var=True) for split in splits]
    if models:
        fit = fit_mixed_model(values, first)
        found["mixed model, t"] = [(fit.p_value, fit.difference)]
        # Of the same fit, as statsmodels and most programs print it: with the normal law.
        t = stats.t.isf(fit.p_value / 2, lines["line"].nunique() - 2)
        found["mixed model, normal law"] = [(2 * stats.norm.sf(t), fit.difference)]
        if name in (FREQUENCY, CORRECTED[0]):
            counted = values.assign(count=values["value"] * values["weight"], hours=values["weight"])
            units = counted.groupby(["condition", "line"])[["count", "hours"]].sum().reset_index()
            counts = fit_count_model(units, first)
            found["counts of lines, quasi-Poisson"] = [(counts.p_value, counts.ratio - 1)]
    return found


def _welch(units, chosen, *, equal_var=False):
    own, base = (units.loc[side, "value"].to_numpy() for side in (chosen, ~chosen))
    if equal_var:
        return stats.ttest_ind(own, base).pvalue, own.mean() - base.mean()
    found = compare_means(own, base)
    return found.p_value, found.difference


def _splits(lines):
    """All ways to make two groups of the lines, each way once."""
    count = len(lines)
    for others in itertools.combinations(range(1, count), count // 2 - 1):
        yield pd.Series(np.isin(np.arange(count), [0, *others]), index=lines.index)


def print_table(name, measured, studies, options):
    quantities = (FREQUENCY, LENGTH, *(CORRECTED if measured else ()))
    make = partial(
        study_cells,
        name,
        minutes=options.minutes,
        line_cv=options.line_cv,
        assembloid_cv=options.assembloid_cv,
        measured=measured,
        cache=options.cache,
    )
    results, ratios = {}, {each: [] for each in quantities}
    if options.processes > 1:
        with ProcessPoolExecutor(options.processes) as pool:
            tables = list(pool.map(make, studies))
    else:
        tables = map(make, studies)
    done = 0
    for cells in tables:
        done += 1
        for each in quantities:
            for test, pairs in p_values(cells, each, null=name == "null", models=options.models).items():
                results.setdefault((each, test), []).append(pairs)
            means = (
                line_values(assembloid_values(cells, quantity(each))).groupby("condition", sort=False)["value"].mean()
            )
            ratios[each].append(means.iloc[1] / means.iloc[0])
    source = f"measured at {options.minutes:g} min" if measured else "true numbers"
    print(f"\nSimulated study {name}, {done} studies, {source}, line sd {options.line_cv:g}\n")
    print("| quantity | ratio of means | test | found | sign |\n|---|---|---|---|---|")
    for (each, test), per_study in results.items():
        share = [np.mean([p < 0.05 for p, _ in pairs]) for pairs in per_study]
        # Splits of one study are not independent; the studies are.
        error = np.std(share, ddof=1) / np.sqrt(done) if done > 1 else np.nan
        sign = np.mean([np.sign(difference) == SIGNS[each] for pairs in per_study for _, difference in pairs])
        print(
            f"| {each} | {np.mean(ratios[each]):.3f} | {test} | {100 * np.mean(share):.1f} +- {100 * error:.1f} % | "
            f"{'' if name == 'null' else f'{100 * sign:.0f} %'} |"
        )
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=100, help="of each kind (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="seed of the first (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} studies of each kind")
    parser.add_argument("--kinds", nargs="+", choices=sorted(STUDIES), default=["null", "ts"])
    parser.add_argument("--measured", action="store_true", help="measure tracks, instead of taking the true numbers")
    parser.add_argument("--models", action="store_true", help="also the mixed model and the counts (seconds a study)")
    parser.add_argument("--minutes", type=float, default=15.0, help="frame interval (default: %(default)s)")
    parser.add_argument("--line-cv", type=float, default=0.1, help="relative sd of lines (default: %(default)s)")
    parser.add_argument("--assembloid-cv", type=float, default=0.1, help="the same of assembloids")
    parser.add_argument("--cache", metavar="DIR", help="folder that keeps the cells of each study")
    parser.add_argument("--processes", type=int, default=1, help="studies at a time (default: %(default)s)")
    options = parser.parse_args()
    count = QUICK if options.quick else options.studies
    for name in options.kinds:
        print_table(name, options.measured, range(options.first, options.first + count), options)


if __name__ == "__main__":
    main()
