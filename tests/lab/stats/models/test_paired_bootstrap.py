"""The bootstrap of a mean against every resample there is, and against scipy's."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import stats

from lab.stats.models.paired_bootstrap import bootstrap_mean, ideal_bootstrap

ROWS = np.random.default_rng(3).exponential(1, 40) - 0.6


def test_the_ideal_bootstrap_is_every_resample() -> None:
    rows = [0.3, -0.2, 0.0, 0.7, -0.2]
    means = np.array([np.mean(resample) for resample in product(rows, repeat=5)])
    found = ideal_bootstrap(rows)
    assert (found.mean, found.standard_error) == pytest.approx((means.mean(), means.std()))
    assert found.at_most_zero == pytest.approx(np.mean(means < 1e-12))
    assert found.below_zero == pytest.approx(np.mean(means < -1e-12))


def test_intervals_agree_with_scipy() -> None:
    found = bootstrap_mean(ROWS, resamples=40_000, rng=np.random.default_rng(1))
    intervals: list[tuple[Any, tuple[float, float]]] = [
        ("percentile", (found.low, found.high)),
        ("BCa", (found.corrected_low, found.corrected_high)),
    ]
    for method, ends in intervals:
        expected = stats.bootstrap(
            (ROWS,), np.mean, n_resamples=40_000, method=method, vectorized=True, rng=np.random.default_rng(2)
        )
        assert ends == pytest.approx(tuple(expected.confidence_interval), abs=0.012)
    assert found.ideal_error == pytest.approx(ROWS.std() / np.sqrt(40))


def test_batches_do_not_change_the_draws() -> None:
    small = bootstrap_mean(ROWS, resamples=500, rng=np.random.default_rng(1))
    assert small == bootstrap_mean(ROWS, resamples=500, rng=np.random.default_rng(1))
    assert small != bootstrap_mean(ROWS, resamples=500, rng=np.random.default_rng(2))


@pytest.mark.parametrize(("value", "p_value"), [(0.0, 1.0), (0.5, 2 / 101)])
def test_equal_rows_have_no_spread_and_say_so(value: float, p_value: float) -> None:
    found = bootstrap_mean([value] * 4, resamples=100, rng=np.random.default_rng(1))
    assert (found.low, found.corrected_high, found.p_value) == (value, value, p_value)
    assert found.reason == "the same in every row"


def test_too_many_rows_to_weigh_every_resample_are_refused() -> None:
    with pytest.raises(ValueError, match="ten rows at most, got 40: draw resamples"):
        ideal_bootstrap(ROWS)
