"""Two groups of unit means to a difference, a ratio, their intervals and one p-value, all from the same t test.

Unpaired groups are compared by Welch's test, which needs no equal variances; pairs by the paired one. The interval
of the ratio is Fieller's, so it leaves out 1 exactly when the test finds a difference, and needs no logarithm, which
a line without saltations has not.
"""

import math
import warnings
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class MeanComparison:
    """A group of unit means beside the reference.

    Attributes:
        mean, reference_mean: means of the units.
        difference, difference_low, difference_high: mean - reference_mean, with its interval.
        ratio, ratio_low, ratio_high: mean / reference_mean, with its interval; NaN where the reference is not clearly
            of one sign, so that the ratio may be anything.
        p_value, degrees_of_freedom, test: of the t test.
    """

    mean: float
    reference_mean: float
    difference: float
    difference_low: float
    difference_high: float
    ratio: float
    ratio_low: float
    ratio_high: float
    p_value: float
    degrees_of_freedom: float
    test: str


def compare_means(values, reference, *, confidence=0.95) -> MeanComparison:
    """Compare two groups of independent units.

    Args:
        values, reference: (n,), (m,) one number per unit.
        confidence: level of the intervals.

    Returns:
        `MeanComparison`. With fewer than two units in a group, or without any spread in both, intervals and p-value
        are NaN.

    Sources: Welch 1947, Biometrika 34:28; Fieller 1954, J R Stat Soc B 16:175.

    >>> found = compare_means([3.0, 4.0, 5.0], [1.0, 2.0, 3.0])
    >>> found.difference, round(found.p_value, 3), found.test
    (2.0, 0.07, "Welch's t test")
    """
    values, reference = np.asarray(values, float), np.asarray(reference, float)
    own, other = (
        float(np.var(group, ddof=1)) / len(group) if len(group) > 1 else math.nan for group in (values, reference)
    )
    return _compared(values, reference, (own, other, 0.0), "Welch's t test", confidence)


def compare_pairs(values, reference, *, confidence=0.95) -> MeanComparison:
    """Compare two groups of units that belong together in pairs: values[i] with reference[i].

    Args:
        values, reference: (n,) one number per unit.
        confidence: level of the intervals.

    Returns:
        `MeanComparison`; as for `compare_means`.

    Raises:
        ValueError: the two are not equally long.
    """
    values, reference = np.asarray(values, float), np.asarray(reference, float)
    if len(values) != len(reference):
        raise ValueError(f"pairs must be complete, got {len(values)} and {len(reference)} values.")
    count = len(values)
    spread = np.cov(values, reference) / count if count > 1 else np.full((2, 2), math.nan)
    parts = float(spread[0, 0]), float(spread[1, 1]), float(spread[0, 1])
    return _compared(values, reference, parts, "paired t test", confidence)


def _compared(values, reference, variances, test, confidence):
    """`variances`: of the mean, of the reference's mean, and the covariance of the two."""
    mean, base = (float(np.mean(group)) if len(group) else math.nan for group in (values, reference))
    own, other, shared = variances
    numbers = dict.fromkeys(("difference_low", "difference_high", "p_value", "degrees_of_freedom"), math.nan)
    ratio_low = ratio_high = math.nan
    # Rounding leaves a tiny spread in groups of equal numbers.
    if own + other - 2 * shared > (1e-9 * max(abs(mean), abs(base))) ** 2:
        with warnings.catch_warnings():
            # Units that are nearly alike: the numbers are good to the digits that are told.
            warnings.simplefilter("ignore", RuntimeWarning)
            if test == "paired t test":
                found = stats.ttest_rel(values, reference)
            else:
                found = stats.ttest_ind(values, reference, equal_var=False)
        low, high = found.confidence_interval(confidence)
        ratio_low, ratio_high = _fieller(mean, base, variances, stats.t.ppf(0.5 + confidence / 2, found.df))
        told = (low, high, found.pvalue, found.df)
        numbers = {name: float(value) for name, value in zip(numbers, told, strict=True)}
    return MeanComparison(
        mean=mean,
        reference_mean=base,
        difference=mean - base,
        ratio=mean / base if base > 0 else math.nan,
        ratio_low=ratio_low,
        ratio_high=ratio_high,
        test=test,
        **numbers,
    )


def _fieller(mean, base, variances, reach):
    """The ratios r for which mean - r base is within `reach` standard errors of 0."""
    own, other, shared = variances
    a = base**2 - reach**2 * other
    b = mean * base - reach**2 * shared
    c = mean**2 - reach**2 * own
    root = b**2 - a * c
    if not (base > 0 and a > 0 and root >= 0):
        return math.nan, math.nan
    return (b - math.sqrt(root)) / a, (b + math.sqrt(root)) / a
