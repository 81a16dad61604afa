"""Anomaly thresholds: the guaranteed rate, and the exact exceedance test."""

import numpy as np
import pytest
from scipy import stats

from lab.stats.shift.exceedances import Threshold, calibrate_threshold, exceedance_p_value


def test_a_new_row_passes_as_seldom_as_promised() -> None:
    rng = np.random.default_rng(1)
    passed = 0
    for _ in range(3000):
        threshold = calibrate_threshold(rng.random(99), rate=0.05)
        assert threshold is not None
        passed += rng.random() > threshold.value
    assert passed / 3000 == pytest.approx(0.05, abs=0.012)


@pytest.mark.parametrize("passed", [0, 1, 7, 30, 200])
def test_agrees_with_scipys_beta_binomial(passed: int) -> None:
    threshold = Threshold(0.9, above=9, rows=999)
    expected = stats.betabinom(200, 10, 990).sf(passed - 1)
    assert exceedance_p_value(passed, 200, threshold) == pytest.approx(expected, rel=1e-9)


def test_equal_batches_are_doubted_as_often_as_promised() -> None:
    rng = np.random.default_rng(2)
    doubted = 0
    for _ in range(1000):
        threshold = calibrate_threshold(rng.random(500), rate=0.02)
        assert threshold is not None
        doubted += exceedance_p_value(int(np.sum(rng.random(2000) > threshold.value)), 2000, threshold) < 0.05
    assert doubted / 1000 < 0.07


def test_ties_at_the_threshold_do_not_pass() -> None:
    threshold = calibrate_threshold([1.0] * 100, rate=0.1)
    assert threshold == Threshold(1.0, above=0, rows=100)


def test_too_few_rows_give_no_threshold() -> None:
    assert calibrate_threshold([0.5] * 20, rate=0.01) is None
    assert calibrate_threshold([], rate=0.5) is None
