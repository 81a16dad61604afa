"""The retraining rules: their false alarm rates, and the naive ones."""

from pathlib import Path

import numpy as np
import pytest

from lab.drift.policies import FALSE_ALARMS, MEANINGS, furthest_rolling_mean, rates_for, read_false_alarms
from tests.lab.drift.world import SETTINGS
from tests.project import ROOT


def test_the_committed_rates_name_every_rule_that_chance_can_fire() -> None:
    known = read_false_alarms(ROOT / FALSE_ALARMS)
    assert known["conditions"]["command"] == "python -m benchmarks.drift rules"
    for rates in known["rates"].values():
        assert set(rates) == set(MEANINGS) - {"age"}
        assert all(found["low"] <= found["rate"] <= found["high"] for found in rates.values())


def test_every_rule_of_the_settings_has_its_words() -> None:
    assert set(MEANINGS) == set(SETTINGS["policies"])


@pytest.mark.parametrize(("rows", "nearest"), [(1, "few"), (600, "few"), (700, "many"), (10**7, "many")])
def test_a_batch_gets_the_rates_of_batches_of_about_its_size(rows: int, nearest: str) -> None:
    assert rates_for(rows, {200: {"rule": "few"}, 2000: {"rule": "many"}}) == {"rule": nearest}


def test_without_measured_rates_none_are_given() -> None:
    assert rates_for(100, {}) == {}


def test_the_rolling_mean_is_that_of_twenty_rows() -> None:
    scores = np.concatenate([np.full(100, 0.4), np.full(20, 0.7), np.full(100, 0.4)])
    assert furthest_rolling_mean(scores, 0.4) == pytest.approx(0.3)
    assert furthest_rolling_mean(scores[:19], 0.4) is None


def test_the_false_alarm_rate_of_a_naive_rolling_mean_is_reported() -> None:
    rates = read_false_alarms(Path(ROOT / FALSE_ALARMS))["rates"]
    assert rates[2000]["naive_rolling_mean"]["rate"] > 0.9
    assert rates[2000]["drifted_columns"]["high"] < 0.05
