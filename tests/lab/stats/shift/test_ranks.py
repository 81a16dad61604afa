"""Two samples of numbers: against scipy, with ties, spikes and infinities."""

import numpy as np
import pytest
from scipy import stats

from lab.stats.shift.ranks import (
    count_in_bins,
    kolmogorov_smirnov,
    largest_single_change,
    merge,
    quantile_edges,
    tails_test,
    wasserstein_distance,
)

RNG = np.random.default_rng(5)
SMOOTH = RNG.normal(0, 1, 4000), RNG.normal(0.1, 1.2, 3000)
TIED = RNG.poisson(3, 4000), RNG.poisson(3.3, 3000)
NORMAL = np.random.default_rng(6).normal(0, 1, (2, 10_000))

both_kinds = pytest.mark.parametrize("samples", [SMOOTH, TIED], ids=["smooth", "tied"])


@both_kinds
def test_the_distance_of_distribution_functions_agrees_with_scipy(samples: tuple[np.ndarray, np.ndarray]) -> None:
    assert kolmogorov_smirnov(merge(*samples)).distance == pytest.approx(stats.ks_2samp(*samples).statistic)


def test_the_p_value_is_near_the_exact_one() -> None:
    samples = RNG.normal(0, 1, 300), RNG.normal(0.15, 1, 200)
    exact = stats.ks_2samp(*samples, method="exact").pvalue
    assert kolmogorov_smirnov(merge(*samples)).p_value == pytest.approx(exact, rel=0.1)


def test_the_p_value_of_few_rows_has_the_correction_of_stephens() -> None:
    test = kolmogorov_smirnov(merge(np.arange(20), np.arange(30) + 6.5))
    effective = np.sqrt(20 * 30 / 50)
    expected = stats.kstwobign.sf((effective + 0.12 + 0.11 / effective) * test.distance)
    assert test.p_value == pytest.approx(expected, rel=1e-9)


@both_kinds
def test_the_wasserstein_distance_agrees_with_scipy(samples: tuple[np.ndarray, np.ndarray]) -> None:
    assert wasserstein_distance(merge(*samples)) == pytest.approx(stats.wasserstein_distance(*samples))


@both_kinds
def test_swapping_the_samples_changes_no_distance(samples: tuple[np.ndarray, np.ndarray]) -> None:
    forth, back = merge(*samples), merge(*samples[::-1])
    assert kolmogorov_smirnov(forth) == kolmogorov_smirnov(back)
    assert tails_test(forth).outer_change == tails_test(back).outer_change
    assert wasserstein_distance(forth) == pytest.approx(wasserstein_distance(back))


@both_kinds
def test_any_increasing_change_of_scale_leaves_the_rank_tests(samples: tuple[np.ndarray, np.ndarray]) -> None:
    there = merge(*samples)
    scaled = merge(*(np.exp(sample / 4) for sample in samples))
    assert kolmogorov_smirnov(there) == kolmogorov_smirnov(scaled)
    assert tails_test(there) == tails_test(scaled)


def test_the_samples_are_not_changed() -> None:
    sample = np.array([3.0, 1.0, 2.0])
    merge(sample, sample)
    assert sample.tolist() == [3.0, 1.0, 2.0]


def test_two_percent_of_outliers_are_seen_in_the_tails_and_not_by_kolmogorov_smirnov() -> None:
    current = NORMAL[1].copy()
    current[:200] += 10
    merged = merge(NORMAL[0], current)
    assert (kolmogorov_smirnov(merged).p_value or 0) > 0.01
    assert (tails_test(merged).test.p_value or 1) < 1e-20
    assert tails_test(merged).outer_change == pytest.approx(0.02, abs=0.004)


def test_a_clip_is_seen_in_the_tails() -> None:
    merged = merge(NORMAL[0], np.minimum(NORMAL[1], 1.645))
    assert (tails_test(merged).test.p_value or 1) < 1e-10


def test_a_value_filled_in_shows_as_a_change_of_that_one_value() -> None:
    current = NORMAL[1].copy()
    current[:400] = 0.0
    assert largest_single_change(merge(NORMAL[0], current)) == pytest.approx(0.04)


def test_bins_hold_equal_shares_of_the_reference() -> None:
    merged = merge(*NORMAL)
    counts, _ = count_in_bins(merged, quantile_edges(merged))
    assert counts.tolist() == [1000] * 10


def test_ties_leave_fewer_bins_and_lose_no_row() -> None:
    merged = merge(*TIED)
    counts, current = count_in_bins(merged, quantile_edges(merged))
    assert (counts.sum(), current.sum()) == (4000, 3000)
    assert len(counts) < 10
    assert counts.min() > 0


def test_infinite_values_are_ranked() -> None:
    assert kolmogorov_smirnov(merge([1.0, 2.0, np.inf], [-np.inf, 1.0, 2.0])).distance == pytest.approx(1 / 3)


@pytest.mark.parametrize("sample", [[], [1.0, np.nan]])
def test_nothing_and_missing_values_are_refused(sample: list[float]) -> None:
    with pytest.raises(ValueError, match="at least one number and none missing"):
        merge([1.0, 2.0], sample)
