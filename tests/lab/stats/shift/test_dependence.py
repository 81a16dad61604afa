"""Design effects of correlated rows restore the significance level."""

from collections.abc import Callable

import numpy as np
import pytest
from statsmodels.regression.mixed_linear_model import MixedLM

from lab.stats.core.contingency import compare_counts
from lab.stats.shift import dependence
from lab.stats.shift.ranks import kolmogorov_smirnov, merge

RUNS = 300
Draw = Callable[[np.random.Generator], np.ndarray]


def chain(rng: np.random.Generator, rows: int, correlation: float = 0.5) -> np.ndarray:
    """Return a first-order chain that starts in its balance."""
    noise = rng.normal(0, np.sqrt(1 - correlation**2), rows)
    values = np.empty(rows)
    values[0] = rng.normal()
    for place in range(1, rows):
        values[place] = correlation * values[place - 1] + noise[place]
    return values


def repeated(rng: np.random.Generator, units: int) -> tuple[np.ndarray, np.ndarray]:
    """Return three rows for each unit, that share most of what they are."""
    own = rng.normal(size=units)
    values = np.repeat(own, 3) + 0.5 * rng.normal(size=3 * units)
    return values, np.repeat(np.arange(units), 3)


def alarms(p_value: Callable[[np.random.Generator], float]) -> float:
    rng = np.random.default_rng(11)
    return float(np.mean([p_value(rng) < 0.05 for _ in range(RUNS)]))


def test_rows_that_follow_one_another_keep_the_level_once_corrected() -> None:
    def draw(rng: np.random.Generator, *, corrected: bool) -> float:
        samples = chain(rng, 600), chain(rng, 600)
        factors = [dependence.inflation_in_time(dependence.midranks(sample)) for sample in samples]
        inflation = (factors[0], factors[1]) if corrected else dependence.NO_INFLATION
        return kolmogorov_smirnov(merge(*samples), inflation=inflation).p_value

    assert alarms(lambda rng: draw(rng, corrected=False)) > 0.15
    assert alarms(lambda rng: draw(rng, corrected=True)) < 0.085


def test_rows_of_the_same_unit_keep_the_level_once_corrected() -> None:
    def draw(rng: np.random.Generator, *, corrected: bool) -> float:
        samples = [repeated(rng, 200) for _ in range(2)]
        factors = [dependence.inflation_by_unit(dependence.midranks(values), units) for values, units in samples]
        inflation = (factors[0], factors[1]) if corrected else dependence.NO_INFLATION
        return kolmogorov_smirnov(merge(samples[0][0], samples[1][0]), inflation=inflation).p_value

    assert alarms(lambda rng: draw(rng, corrected=False)) > 0.15
    assert alarms(lambda rng: draw(rng, corrected=True)) < 0.085


def test_levels_of_the_same_unit_keep_the_level_once_corrected() -> None:
    def draw(rng: np.random.Generator, *, corrected: bool) -> float:
        levels = [np.repeat(rng.integers(0, 5, 200), 3) for _ in range(2)]
        units = np.repeat(np.arange(200), 3)
        factors = tuple(dependence.inflation_by_unit_of_levels(each, units) for each in levels)
        joint = dependence.joint_inflation([600, 600], (factors[0], factors[1])) if corrected else 1.0
        table = np.stack([np.bincount(each, minlength=5) for each in levels])
        return compare_counts(table, inflation=joint).p_value or 1.0

    assert alarms(lambda rng: draw(rng, corrected=False)) > 0.15
    assert 0.02 < alarms(lambda rng: draw(rng, corrected=True)) < 0.085


def test_the_correlation_within_units_agrees_with_a_mixed_model() -> None:
    values, units = repeated(np.random.default_rng(2), 300)
    fitted = MixedLM(values, np.ones((len(values), 1)), groups=units).fit(reml=True)
    between, within = float(np.asarray(fitted.cov_re)[0, 0]), float(fitted.scale)
    assert dependence.inflation_by_unit(values, units) == pytest.approx(1 + 2 * between / (between + within), rel=1e-4)


def test_rows_that_are_copies_count_once() -> None:
    values = np.repeat(np.random.default_rng(1).normal(size=500), 4)
    units = np.repeat(np.arange(500), 4)
    assert dependence.inflation_by_unit(values, units) == pytest.approx(4)
    assert dependence.inflation_by_unit_of_levels(units % 7, units) == pytest.approx(4)


def test_independent_rows_are_left_alone() -> None:
    rng = np.random.default_rng(5)
    ranks, levels = dependence.midranks(rng.normal(size=3000)), rng.integers(0, 3, 3000)
    assert dependence.inflation_by_unit(ranks, np.arange(3000)) == 1
    assert dependence.inflation_by_unit(ranks, np.arange(3000) // 2) == pytest.approx(1, abs=0.06)
    assert dependence.inflation_in_time(ranks) == pytest.approx(1, abs=0.12)
    assert dependence.inflation_in_time_of_levels(levels) == pytest.approx(1, abs=0.12)


@pytest.mark.parametrize("values", [np.zeros(0), np.zeros(1), np.zeros(50)])
def test_nothing_and_constants_inflate_nothing(values: np.ndarray) -> None:
    units, levels = np.arange(len(values)) // 2, np.zeros(len(values), dtype=np.int64)
    assert dependence.inflation_in_time(values) == 1
    assert dependence.inflation_in_time_of_levels(levels) == 1
    assert dependence.inflation_by_unit(values, units) == 1


def test_constant_levels_inflate_nothing() -> None:
    assert dependence.inflation_by_unit_of_levels(np.zeros(50, dtype=np.int64), np.arange(50) // 2) == 1


def test_the_unit_names_do_not_matter() -> None:
    values, units = repeated(np.random.default_rng(2), 100)
    assert dependence.inflation_by_unit(values, units) == pytest.approx(
        dependence.inflation_by_unit(values, -7 * units)
    )


def test_what_two_samples_share_undoes_the_inflation_and_no_more() -> None:
    rows, inflation = (1000, 2000), (1.0, 2.0)
    alone = dependence.reduced_for_shared_units(rows, inflation, correlation=0.9, pairs=0)
    shared = dependence.reduced_for_shared_units(rows, inflation, correlation=1.0, pairs=2000)
    partly = dependence.reduced_for_shared_units(rows, inflation, correlation=0.5, pairs=500)
    assert alone == inflation
    assert dependence.joint_inflation(rows, shared) == pytest.approx(1.0)
    assert 1 < dependence.joint_inflation(rows, partly) < dependence.joint_inflation(rows, inflation)


def test_shares_of_units_in_both_samples_vary_as_the_relieved_inflation_says() -> None:
    """Half of the units stand in both samples, and twice in the second: the variance of the difference by chance."""
    rng, differences = np.random.default_rng(3), []
    for _ in range(3000):
        own = rng.normal(size=150)
        differences.append(own[:100].mean() - np.repeat(own[50:], 2).mean())
    rows = (100, 200)
    reduced_for_shared_units = dependence.reduced_for_shared_units(rows, (1.0, 2.0), correlation=1.0, pairs=100)
    assert dependence.joint_inflation(rows, reduced_for_shared_units) * (1 / 100 + 1 / 200) == pytest.approx(
        max(np.var(differences), 1 / 100 + 1 / 200), rel=0.1
    )


def test_pairs_correlate_by_rank_and_levels_beyond_chance() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(size=500)
    assert dependence.correlation_of_pairs(values, np.exp(values)) == pytest.approx(1)
    assert dependence.correlation_of_pairs(values, rng.normal(size=500)) == pytest.approx(0, abs=0.15)
    levels = rng.integers(0, 3, 500)
    assert dependence.correlation_of_levels(levels, levels) == pytest.approx(1)
    assert dependence.correlation_of_levels(levels, rng.integers(0, 3, 500)) == pytest.approx(0, abs=0.15)
