"""Values of decisions agree with a calculation by hand."""

import pytest

from lab.evaluate.business import best_on_these_rows, value_at, value_curve
from lab.stats.core.classification import scored_sample
from lab.task.money import Money

MONEY = Money(benefit_of_true_positive=2500, cost_of_false_positive=800, cost_of_false_negative=100)
COUNTED = scored_sample([1, 1, 1, 0, 0], [0.9, 0.6, 0.2, 0.6, 0.1])


def test_a_threshold_has_the_value_of_its_hits_and_mistakes() -> None:
    value = value_at(COUNTED, MONEY, threshold=0.5)
    assert value.benefit == pytest.approx(2 * 2500 / 5)
    assert value.cost == pytest.approx((800 + 100) / 5)
    assert value.net == pytest.approx(4100 / 5)
    assert value.return_on_cost == pytest.approx(4100 / 900)
    assert value.acted_on == pytest.approx(0.6)


def test_without_action_every_missed_case_has_its_cost() -> None:
    assert value_at(COUNTED, MONEY, threshold=1.0).net == pytest.approx(-3 * 100 / 5)


def test_without_cost_there_is_no_return_on_cost() -> None:
    assert value_at(COUNTED, Money(benefit_of_true_positive=1), threshold=0.5).return_on_cost is None


def test_the_curve_covers_all_thresholds() -> None:
    curve = value_curve(COUNTED, MONEY)
    assert [curve[0].threshold, curve[-1].threshold, len(curve)] == [0.0, 1.0, 101]
    assert curve[0].acted_on == 1
    assert curve[60].acted_on == pytest.approx(0.6)
    assert curve[61].acted_on == pytest.approx(0.2)


def test_the_best_threshold_is_one_of_the_scores() -> None:
    best = best_on_these_rows(COUNTED, MONEY)
    assert (best.threshold, best.net) == pytest.approx((0.2, (3 * 2500 - 800) / 5))


def test_of_equal_values_the_highest_threshold_is_best() -> None:
    assert (
        best_on_these_rows(scored_sample([0, 1, 0], [0.9, 0.5, 0.4]), Money(benefit_of_true_positive=1)).threshold
        == 0.5
    )
