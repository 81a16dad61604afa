"""Decisions are priced as a person would with pencil and paper."""

import pytest

from lab.evaluate.business import best_in_hindsight, value_at, value_curve
from lab.stats.core.classification import scored_sample
from lab.task.money import Money

MONEY = Money(benefit_of_true_positive=2500, cost_of_false_positive=800, cost_of_false_negative=100)
COUNTED = scored_sample([1, 1, 1, 0, 0], [0.9, 0.6, 0.2, 0.6, 0.1])


def test_a_threshold_earns_its_hits_and_pays_for_its_mistakes() -> None:
    value = value_at(COUNTED, MONEY, threshold=0.5)
    assert value.benefit == pytest.approx(2 * 2500 / 5)
    assert value.cost == pytest.approx((800 + 100) / 5)
    assert value.net == pytest.approx(4100 / 5)
    assert value.return_on_cost == pytest.approx(4100 / 900)
    assert value.acted_on == pytest.approx(0.6)


def test_acting_on_no_one_still_pays_for_every_missed_case() -> None:
    assert value_at(COUNTED, MONEY, threshold=1.0).net == pytest.approx(-3 * 100 / 5)


def test_where_nothing_costs_there_is_no_return_on_cost() -> None:
    assert value_at(COUNTED, Money(benefit_of_true_positive=1), threshold=0.5).return_on_cost is None


def test_the_curve_runs_from_acting_on_everyone_to_the_highest_scores() -> None:
    curve = value_curve(COUNTED, MONEY)
    assert [curve[0].threshold, curve[-1].threshold, len(curve)] == [0.0, 1.0, 101]
    assert curve[0].acted_on == 1
    assert curve[60].acted_on == pytest.approx(0.6)
    assert curve[61].acted_on == pytest.approx(0.2)


def test_the_best_in_hindsight_is_found_among_the_scores_themselves() -> None:
    best = best_in_hindsight(COUNTED, MONEY)
    assert (best.threshold, best.net) == pytest.approx((0.2, (3 * 2500 - 800) / 5))


def test_equal_worth_acts_on_the_fewest() -> None:
    assert (
        best_in_hindsight(scored_sample([0, 1, 0], [0.9, 0.5, 0.4]), Money(benefit_of_true_positive=1)).threshold == 0.5
    )
