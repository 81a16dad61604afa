"""Tests and intervals for rows that share units, such as several rows of one customer."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lab.stats.core.probabilities import normal_quantile, student_log10_p, student_p_value, student_quantile

Codes = NDArray[np.int64]
Values = NDArray[np.float64] | NDArray[np.bool_]
Correlations = Mapping[frozenset[str], float]  # of the means of two groups, by their names

FEWEST = 6  # units; with fewer there is no test
ROUGH = 20  # units; with fewer the interval is rough


@dataclass(frozen=True)
class ClusteredTest:
    """The t-test of an estimate against 0, on `units` − 1 degrees of freedom.

    Without a variance (fewer than six units, or an estimate that no unit changes) the other fields are None, and
    `reason` says why. It also says that an interval from fewer than twenty units is rough.
    """

    standard_error: float | None
    degrees: int
    t: float | None
    p_value: float | None
    log10_p: float | None
    low: float | None
    high: float | None
    reason: str


def repeated_units(units: ArrayLike | None) -> Codes | None:
    """Return a code from 0 for the unit of each row; None without units, or where every row is its own unit.

    >>> repeated_units([7, 3, 7]).tolist(), repeated_units([7, 3, 5])
    ([1, 0, 1], None)
    """
    if units is None:
        return None
    distinct, codes = np.unique(np.asarray(units), return_inverse=True)
    return None if len(distinct) == len(codes) else codes.astype(np.int64)


def count_units(units: ArrayLike | None, *, rows: int) -> int:
    """Return the number of units behind a number of rows; `units` is None where every row is its own unit.

    >>> count_units([7, 3, 7], rows=3), count_units(None, rows=3)
    (2, 3)
    """
    return rows if units is None else len(np.unique(np.asarray(units)))


def variance_by_unit(influences: ArrayLike, units: Codes) -> float | None:
    """Return the variance of an estimate from the influences of its rows, which sum to 0; None below two units.

    The influences are added up within each unit (Liang and Zeger, 1986, Biometrika 73), with the factor C / (C − 1)
    for C units, which have the codes from 0 to C − 1.

    >>> variance_by_unit([0.5, 0.5, -1.0], np.array([0, 0, 1]))
    4.0
    """
    sums = np.bincount(units, weights=np.asarray(influences, dtype=np.float64))
    return float(np.sum(sums**2)) * len(sums) / (len(sums) - 1) if len(sums) > 1 else None


def clustered_test(estimate: float, influences: ArrayLike, units: Codes, *, level: float = 0.95) -> ClusteredTest:
    """Return the t-test and the interval of an estimate from the influences of its rows, summed by unit."""
    count, variance = int(units.max()) + 1, variance_by_unit(influences, units)
    if count < FEWEST or variance is None:
        return _untested(count, f"{count} units: a test by unit needs {FEWEST} or more")
    error = math.sqrt(variance)
    if error == 0:
        if estimate:
            return _untested(count, "the same in every unit: its variance cannot be estimated")
        return ClusteredTest(0.0, count - 1, 0.0, 1.0, 0.0, 0.0, 0.0, "equal in every unit")
    t, half_width = estimate / error, student_quantile((1 + level) / 2, count - 1) * error
    return ClusteredTest(
        standard_error=error,
        degrees=count - 1,
        t=t,
        p_value=student_p_value(t, count - 1),
        log10_p=student_log10_p(t, count - 1) if t else 0.0,
        low=estimate - half_width,
        high=estimate + half_width,
        reason=f"only {count} units: the interval is rough" if count < ROUGH else "",
    )


def correlations_by_unit(groups: Mapping[str, tuple[Values, Codes]]) -> Correlations:
    """Return the correlation of the means of every two groups that share units; each is (values, units) of its rows.

    It is that of the sums of the rows' influences within each unit. Pairs without a correlation are left out.

    >>> once = np.array([0, 1])
    >>> found = correlations_by_unit({"a": (np.array([1.0, 0.0]), once), "b": (np.array([2.0, 0.0]), once)})
    >>> round(found[frozenset("ab")], 6)
    1.0
    """
    count = max((int(units.max()) for _, units in groups.values()), default=0) + 1
    sums = {name: np.bincount(units, values - np.mean(values), count) for name, (values, units) in groups.items()}
    products = {pair: float(np.sum(sums[pair[0]] * sums[pair[1]])) for pair in combinations(sums, 2)}
    lengths = {name: math.sqrt(float(np.sum(each**2))) for name, each in sums.items()}
    return {
        frozenset(pair): max(-1.0, min(1.0, product / (lengths[pair[0]] * lengths[pair[1]])))
        for pair, product in products.items()
        if product
    }


def effective_trials(hits: ArrayLike, units: ArrayLike | None, *, level: float = 0.95) -> tuple[float, float]:
    """Return (hits, rows) of independent rows that would give a share the same variance as these rows of units.

    The rows are divided by the design effect of the share, and by the ratio of Student's to the normal quantile (Korn
    and Graubard, 1998, Survey Methodology 24). Where no unit differs from another, the units count as rows.

    >>> effective_trials([True, False, True], None)
    (2, 3)
    """
    found, codes = np.asarray(hits, dtype=np.float64), repeated_units(units)
    rows, total = len(found), int(found.sum())
    if codes is None:
        return total, rows
    count, share = int(codes.max()) + 1, total / rows
    variance = variance_by_unit((found - share) / rows, codes)
    if not variance:
        return share * count, count
    ratio = normal_quantile((1 + level) / 2) / student_quantile((1 + level) / 2, count - 1)
    effective = min(float(rows), share * (1 - share) / variance * ratio**2)
    return share * effective, effective


def _untested(count: int, reason: str) -> ClusteredTest:
    return ClusteredTest(None, count - 1, None, None, None, None, None, reason)
