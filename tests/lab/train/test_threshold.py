"""The chosen threshold is the best of all thresholds."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, f1_score

from lab.core.errors import ParamsError
from lab.task.money import Money
from lab.train.threshold import ThresholdRule, choose_threshold

NO_MONEY = Money()
MONEY = Money(benefit_of_true_positive=2500, cost_of_false_positive=800, cost_of_false_negative=100)
RNG = np.random.default_rng(5)
SCORES = RNG.beta(2, 3, 400).round(2)
LABELS = (RNG.random(400) < SCORES).astype(np.int8)


def choose(rule: str, *, money: Money = NO_MONEY, value: float = 0.5) -> float:
    return choose_threshold(LABELS, SCORES, ThresholdRule.model_validate({"rule": rule, "value": value}), money=money)


def decisions(threshold: float) -> NDArray[np.bool_]:
    reached: NDArray[np.bool_] = np.greater_equal(SCORES, threshold)
    return reached


def worth(threshold: float, money: Money) -> float:
    (_, alarms), (misses, hits) = confusion_matrix(LABELS, decisions(threshold))
    gain = hits * money.benefit_of_true_positive
    return float(gain - alarms * money.cost_of_false_positive - misses * money.cost_of_false_negative)


def test_best_f1_is_the_best_of_all_thresholds() -> None:
    found = choose("best_f1")
    assert f1_score(LABELS, decisions(found)) == max(f1_score(LABELS, decisions(score)) for score in np.unique(SCORES))


def test_cheapest_has_the_highest_value_of_all_thresholds() -> None:
    found = choose("cheapest", money=MONEY)
    assert worth(found, MONEY) == max(worth(score, MONEY) for score in [*np.unique(SCORES), 2.0])


def test_cheapest_acts_on_no_row_when_action_never_pays() -> None:
    assert choose("cheapest", money=Money(cost_of_false_positive=1)) == pytest.approx(SCORES.max() + 1e-6)


def test_cheapest_acts_on_all_rows_when_only_misses_cost() -> None:
    found = choose("cheapest", money=Money(cost_of_false_negative=1))
    assert found == SCORES[LABELS == 1].min()


def test_cheapest_without_any_money_is_refused() -> None:
    with pytest.raises(ParamsError, match="the task's money is all 0"):
        choose("cheapest")


def test_of_ties_the_highest_threshold_is_chosen() -> None:
    rule = ThresholdRule(rule="best_f1")
    labels, scores = np.array([0, 1, 0, 0, 1], dtype=np.int8), np.array([0.1, 0.2, 0.3, 0.4, 0.9])
    # From 0.9 on: 1 hit, 1 miss: 2/3. From 0.2 on: 2 hits, 2 alarms: 4/6.
    assert choose_threshold(labels, scores, rule, money=NO_MONEY) == 0.9


def test_a_fixed_threshold_is_used() -> None:
    assert choose("fixed", value=0.37) == 0.37
