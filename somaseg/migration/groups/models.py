"""Models of all cells at once, beside the test on means: a mixed model of any quantity, a count model of saltations.

Both come from statsmodels. Their intervals use Student's t with as many degrees of freedom as there are lines to spare,
where the usual normal law would take half a dozen lines for infinitely many.
"""

import math
import warnings
from dataclasses import dataclass

import numpy as np
from scipy import stats

# The default of statsmodels 0.15 (bfgs) may stop short of the maximum and say that it converged, two times in three in
# the data of the tests. Of these two optimizers one or the other found it each time; the higher likelihood is taken.
_OPTIMIZERS = ("nm", "lbfgs")


@dataclass(frozen=True)
class MixedModel:
    """A linear mixed model: a fixed difference between two conditions, random effects nested in each other.

    Attributes:
        difference, difference_low, difference_high, p_value: condition - reference.
        sd_lines, sd_assembloids, sd_movies, sd_cells: standard deviations between lines of a condition, assembloids of
            a line, movies of an assembloid (NaN with one movie each) and cells.
        note: "" or why there is no result.
    """

    difference: float = math.nan
    difference_low: float = math.nan
    difference_high: float = math.nan
    p_value: float = math.nan
    sd_lines: float = math.nan
    sd_assembloids: float = math.nan
    sd_movies: float = math.nan
    sd_cells: float = math.nan
    note: str = ""


@dataclass(frozen=True)
class CountModel:
    """A quasi-Poisson model of the saltation counts of units with the log of the observed hours as offset.

    Attributes:
        ratio, ratio_low, ratio_high, p_value: frequency of the condition / of the reference.
        overdispersion: variance of the units' counts relative to Poisson's; 1 where saltations come by chance alone.
        note: "" or why there is no result.
    """

    ratio: float = math.nan
    ratio_low: float = math.nan
    ratio_high: float = math.nan
    p_value: float = math.nan
    overdispersion: float = math.nan
    note: str = ""


def fit_mixed_model(cells, reference, *, paired=False, confidence=0.95) -> MixedModel:
    """Fit value ~ condition with lines, assembloids in lines, and movies in assembloids as random effects (REML).

    Args:
        cells: `pandas.DataFrame` of two conditions with condition, line, assembloid, movie, value, and with `paired`
            block, the pair that a line belongs to.
        reference: name of the condition to compare with.
        paired: bool, lines of a pair share a random effect of their own.
        confidence: level of the interval.

    Returns:
        `MixedModel`. Degrees of freedom: lines - 2, or pairs - 1; assembloids instead of lines where a condition has
        one line. The weights of cells are not used: each cell counts the same here.

    Raises:
        ImportError: statsmodels is not installed.
    """
    mixedlm = _statsmodels("statsmodels.formula.api").mixedlm
    table = _keyed(cells, reference, paired)
    freedom, outer, parts = _structure(table, paired)
    if freedom < 1:
        return MixedModel(note="too few lines for a mixed model")
    if not table["value"].std() > 0:
        return MixedModel(note="all cells have the same value")
    try:
        with warnings.catch_warnings():
            # Variances of 0 are usual with few lines; what matters of the warnings is told by `converged`.
            warnings.simplefilter("ignore")
            terms = {name: f"0 + C({name}_key)" for name in parts} or None
            model = mixedlm("value ~ other", table, groups=table[f"{outer}_key"], re_formula="1", vc_formula=terms)
            fits = [model.fit(method=[method]) for method in _OPTIMIZERS]
    except (np.linalg.LinAlgError, ValueError) as error:
        return MixedModel(note=f"the mixed model could not be fitted ({str(error).splitlines()[0]})")
    found = max((fit for fit in fits if fit.converged), key=lambda fit: fit.llf, default=fits[0])
    difference, error = float(found.params["other"]), float(found.bse["other"])
    if not (found.converged and math.isfinite(error) and error > 0):
        return MixedModel(note="the mixed model did not converge")
    variances = {outer: float(found.cov_re.iloc[0, 0]), **dict(zip(found.model.exog_vc.names, found.vcomp))}
    deviations = {name: math.sqrt(max(float(variance), 0.0)) for name, variance in variances.items()}
    reach = stats.t.ppf(0.5 + confidence / 2, freedom) * error
    return MixedModel(
        difference=difference,
        difference_low=difference - reach,
        difference_high=difference + reach,
        p_value=float(2 * stats.t.sf(abs(difference) / error, freedom)),
        sd_lines=deviations.get("line", math.nan),
        sd_assembloids=deviations.get("assembloid", math.nan),
        sd_movies=deviations.get("movie", math.nan),
        sd_cells=math.sqrt(found.scale),
    )


def fit_count_model(units, reference, *, confidence=0.95) -> CountModel:
    """Fit log(count) ~ condition + log(hours) to the saltation counts of whole units, with their own overdispersion.

    Counts are added up over a unit, so cells of one line count once; the overdispersion measured between the units
    (Pearson) and Student's t with units - conditions degrees of freedom make the interval.

    Args:
        units: `pandas.DataFrame` of two conditions with condition, count and hours, one row per unit. A count may be
            broken, as a corrected frequency times hours is.
        reference: name of the condition to compare with.
        confidence: level of the interval.

    Raises:
        ImportError: statsmodels is not installed.
    """
    api = _statsmodels("statsmodels.api")
    other = (units["condition"] != reference).to_numpy(float)
    counts, hours = units["count"].to_numpy(float), units["hours"].to_numpy(float)
    if len(units) < 4 or min(np.sum(other), np.sum(1 - other)) < 2:
        return CountModel(note="too few units for a count model")
    if not (counts[other == 1].sum() > 0 and counts[other == 0].sum() > 0):
        return CountModel(note="a group without saltations has no ratio")
    model = api.GLM(counts, np.column_stack([np.ones(len(units)), other]), api.families.Poisson(), offset=np.log(hours))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = model.fit(scale="X2", use_t=True)
    if not found.scale > 1e-12:
        return CountModel(note="the units do not differ, so there is no interval")
    low, high = found.conf_int(alpha=1 - confidence)[1]
    return CountModel(
        *(float(np.exp(value)) for value in (found.params[1], low, high)), float(found.pvalues[1]), float(found.scale)
    )


def _keyed(cells, reference, paired):
    """The cells with a key of each unit that is unique in the study, and `other`: 0 in the reference, else 1.

    The index starts anew: MixedLM mixes up rows that share an index.
    """
    table = cells.reset_index(drop=True)
    table["other"] = (table["condition"] != reference).astype(float)
    for name, names in (
        ("line", ["condition", "line"]),
        ("assembloid", ["condition", "line", "assembloid"]),
        ("movie", ["movie"]),
        ("pair", ["block"] if paired else []),
    ):
        if names:
            table[f"{name}_key"] = table.groupby(names, sort=False).ngroup()
    return table


def _structure(table, paired):
    """(degrees of freedom, the outermost random effect, those within it)."""
    if paired:
        outer, freedom = "pair", table["pair_key"].nunique() - 1
        inner = ["line", "assembloid"] if table["line_key"].nunique() > table["pair_key"].nunique() else ["assembloid"]
    elif table.groupby("condition")["line_key"].nunique().min() > 1:
        outer, freedom, inner = "line", table["line_key"].nunique() - 2, ["assembloid"]
    else:
        outer, freedom, inner = "assembloid", table["assembloid_key"].nunique() - 2, []
    if table["movie_key"].nunique() > table["assembloid_key"].nunique():
        inner = [*inner, "movie"]
    # A level without replicates within the next is no effect of its own.
    if "assembloid" in inner and table["assembloid_key"].nunique() == table["line_key"].nunique():
        inner.remove("assembloid")
    return freedom, outer, inner


def _statsmodels(name):
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError("Models need statsmodels: pip install 'somaseg[stats]', or give --no-models.") from error
