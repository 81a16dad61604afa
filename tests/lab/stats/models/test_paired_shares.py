"""The net share of changed rows, with an interval that is never empty."""

import numpy as np
import pytest

from lab.stats.models.paired_shares import net_share


def test_the_interval_is_bonetts_and_prices() -> None:
    turned, back, rows = 15, 5, 100
    seen = net_share([1] * turned + [-1] * back + [0] * (rows - turned - back))
    one, other = (turned + 1) / (rows + 2), (back + 1) / (rows + 2)
    reach = 1.959963984540054 * ((one + other - (one - other) ** 2) / (rows + 2)) ** 0.5
    assert seen.value == pytest.approx(0.1)
    assert (seen.low, seen.high) == pytest.approx((one - other - reach, one - other + reach))


def test_no_turned_row_among_few_does_not_prove_that_none_ever_turns() -> None:
    few, many = net_share(np.zeros(30)), net_share(np.zeros(3000))
    assert few.value == many.value == 0
    assert few.high is not None
    assert many.high is not None
    assert few.high > 3 / 31 * 0.8
    assert many.high < 0.002


def test_the_interval_stays_between_every_row_and_none() -> None:
    seen = net_share([1.0])
    assert (seen.value, seen.high) == (1, 1)


def test_no_rows_have_no_share() -> None:
    assert net_share([]).value is None


def test_rare_turns_are_covered_as_often_as_it_says() -> None:
    drawn = np.random.default_rng(0).choice([1, 0, -1], p=[0.02, 0.97, 0.01], size=(2000, 200))
    ends = [(seen.low, seen.high) for seen in map(net_share, drawn)]
    held = [low <= 0.01 <= high for low, high in ends if low is not None and high is not None]
    assert len(held) == 2000
    assert 0.94 <= np.mean(held) <= 0.99
