"""Thinned distributions: the largest error of a distance."""

import numpy as np
import pytest

from lab.stats.shift.distributions import distribution_of, rounded_up, thinned
from lab.stats.shift.ranks import kolmogorov_smirnov, merge_distributions, wasserstein_distance
from lab.stats.shift.shifts import measure_against, measure_numbers

RNG = np.random.default_rng(3)
ROWS, POINTS = 200_000, 1000
REFERENCE, CURRENT = RNG.lognormal(0, 1, ROWS), RNG.lognormal(0.05, 1, 50_000)


def test_it_holds_each_value_once_with_the_rows_at_or_below() -> None:
    found = distribution_of([2.0, 1.0, 2.0, np.inf])
    assert (found.values.tolist(), found.below.tolist(), found.rows) == ([1.0, 2.0, np.inf], [1, 3, 4], 4)
    assert found.spread == pytest.approx(np.std([2.0, 1.0, 2.0], ddof=1))


def test_few_values_stay_whole() -> None:
    whole = distribution_of(RNG.poisson(40, ROWS))
    assert thinned(whole, points=POINTS) is whole


def test_a_thinned_one_is_as_small_however_many_rows_there_are() -> None:
    sizes = [len(thinned(distribution_of(RNG.normal(size=rows)), points=POINTS).values) for rows in (20_000, 400_000)]
    assert max(sizes) <= 2 * POINTS
    assert max(sizes) - min(sizes) < POINTS / 2


@pytest.mark.parametrize("current", [CURRENT, CURRENT[:300], np.full(500, 1.2345), CURRENT * 100, -CURRENT])
def test_thinning_can_miss_a_thousandth_of_a_distance_and_makes_none(current: np.ndarray) -> None:
    whole, moved = distribution_of(REFERENCE), distribution_of(current)
    true = kolmogorov_smirnov(merge_distributions(whole, moved)).distance
    seen = kolmogorov_smirnov(merge_distributions(thinned(whole, points=POINTS), moved)).distance
    assert true - 1 / POINTS <= seen <= true + 1e-12


def test_thinning_keeps_every_size_of_a_column_within_a_hundredth_of_its_threshold() -> None:
    spiked = np.where(RNG.random(len(CURRENT)) < 0.02, 0.777, CURRENT)
    whole = measure_numbers(REFERENCE, spiked)
    seen = measure_against(thinned(distribution_of(REFERENCE), points=10_000), 0, spiked)
    assert seen.sizes == pytest.approx(whole.sizes, rel=0.02, abs=3e-4)
    assert seen.bins == whole.bins


def test_tails_stay_exact() -> None:
    whole = distribution_of(REFERENCE)
    fine = thinned(whole, points=POINTS)
    assert fine.values[-200:].tolist() == whole.values[-200:].tolist()
    assert fine.values[:200].tolist() == whole.values[:200].tolist()


def test_a_heavy_value_keeps_its_own_count() -> None:
    sample = np.where(RNG.random(ROWS) < 0.3, 1.5, REFERENCE)
    fine = thinned(distribution_of(sample), points=POINTS)
    counts = dict(zip(fine.values.tolist(), np.diff(fine.below, prepend=0).tolist(), strict=True))
    assert counts[1.5] == np.sum(sample == 1.5)


def test_rounding_up_loses_no_row() -> None:
    moved = rounded_up(distribution_of([0.5, 1.5, 1.7, 9.0]), np.array([1.0, 2.0]))
    assert (moved.values.tolist(), moved.below.tolist()) == ([1.0, 2.0, 9.0], [1, 3, 4])


def test_the_distance_of_a_heavy_tail_survives_thinning() -> None:
    whole, moved = distribution_of(REFERENCE**3), distribution_of(CURRENT**3)
    true = wasserstein_distance(merge_distributions(whole, moved))
    seen = wasserstein_distance(merge_distributions(thinned(whole, points=10_000), moved))
    assert seen == pytest.approx(true, rel=0.05)


@pytest.mark.parametrize("sample", [[], [np.nan, 1.0]])
def test_nothing_and_missing_values_are_refused(sample: list[float]) -> None:
    with pytest.raises(ValueError, match="at least one number and none missing"):
        distribution_of(sample)
