"""Numbers of a whole movie with what is known of their uncertainty; cells, not frames, are what was sampled."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest
from scipy.stats import t as student


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval (NaN where unknown), and how many cells it rests upon."""

    value: float
    low: float
    high: float
    n: int


NOTHING = Estimate(math.nan, math.nan, math.nan, 0)


def pooled_ratio(numerators, denominators) -> Estimate:
    """Sum of what cells did over sum of what they did it in (saltations per hour, um per saltation), as an estimate.

    R = sum a / sum b. Its variance between samples of cells is n / (n - 1) sum (a_i - R b_i)^2 / (sum b)^2, with
    Student's t at n - 1: the ratio estimator, Cochran 1977, Sampling Techniques, section 6.3. A ratio of lengths and
    times is not below 0. Where all ratios are alike, as when every a_i is 0 or every cell rests all the time, nothing
    is known of how much cells differ, and the limits are NaN.

    Args:
        numerators, denominators: float (N,), one per cell; pairs with a NaN, and with a denominator of 0, are left out.

    >>> estimate = pooled_ratio([2, 4, 3], [1, 2, 2])
    >>> round(estimate.value, 3), round(estimate.low, 3), round(estimate.high, 3), estimate.n
    (1.8, 1.011, 2.589, 3)
    """
    a, b = np.asarray(numerators, float), np.asarray(denominators, float)
    known = np.isfinite(a) & np.isfinite(b) & (b > 0)
    a, b, n = a[known], b[known], int(known.sum())
    if n == 0:
        return NOTHING
    value = float(a.sum() / b.sum())
    if n == 1 or not a.any():
        return Estimate(value, math.nan, math.nan, n)
    error = math.sqrt(n / (n - 1) * float(np.sum((a - value * b) ** 2))) / float(b.sum())
    if error < 1e-9 * value:
        return Estimate(value, math.nan, math.nan, n)
    reach = float(student.ppf(0.975, n - 1)) * error
    return Estimate(value, max(value - reach, 0.0), value + reach, n)


def mean_of_cells(values) -> Estimate:
    """Mean over cells, each counting the same, with Student's interval; NaN is left out.

    >>> mean_of_cells([1.0, 3.0, float("nan")]).value
    2.0
    """
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    if not len(values):
        return NOTHING
    n, mean = len(values), float(values.mean())
    reach = float(student.ppf(0.975, n - 1) * values.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    return Estimate(mean, mean - reach, mean + reach, n)


def share_of_cells(flags) -> Estimate:
    """Share of the cells for which a flag is true, of those for which it is known; interval: Wilson 1927, JASA 22:209.

    >>> share_of_cells([True, False, None, False]).n
    3
    """
    known = [bool(flag) for flag in flags if flag is True or flag is False or isinstance(flag, np.bool_)]
    if not known:
        return NOTHING
    interval = binomtest(sum(known), len(known)).proportion_ci(method="wilson")
    return Estimate(sum(known) / len(known), float(interval.low), float(interval.high), len(known))
