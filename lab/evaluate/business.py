"""The value of decisions in money, and the threshold with the highest value."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.stats.core.classification import Decisions, ScoredSample, decide, decisions_by_threshold
from lab.task.money import Money

Numbers = NDArray[np.float64]

GRID = np.arange(101) / 100
ABOVE_ALL = 1.000001  # above the highest score: no row is acted on


@dataclass(frozen=True)
class Value:
    """Benefit, cost and net value of the decisions at one threshold, in cents a row.

    `return_on_cost` is the net value per cent of cost, None without cost.
    """

    threshold: float
    benefit: float
    cost: float
    net: float
    return_on_cost: float | None
    acted_on: float


def cents_per_row(decisions: Decisions, money: Money) -> dict[str, Numbers]:
    """Return benefit, cost and net value in cents a row, and the net value per cent of cost (nan without cost).

    Without any action the cost is that of the missed positives.
    """
    benefit, cost = benefit_cents(decisions, money), cost_cents(decisions, money)
    net = benefit - cost
    rates = {"benefit": benefit, "cost": cost, "net": net}
    returns = np.divide(net, cost, out=np.full(np.shape(cost), np.nan), where=np.asarray(cost) > 0)
    return {
        **{f"{name}_cents_per_row": sums / decisions.rows for name, sums in rates.items()},
        "return_on_cost": returns,
    }


def gain_cents_per_row(decisions: Decisions, money: Money) -> Numbers:
    """Return the net value in cents a row above the better of acting on no row and acting on every row."""
    positives = decisions.true_positives + decisions.false_negatives
    nobody = -positives * money.cost_of_false_negative
    everybody = positives * money.benefit_of_true_positive - (decisions.rows - positives) * money.cost_of_false_positive
    net = benefit_cents(decisions, money) - cost_cents(decisions, money)
    return np.asarray((net - np.maximum(nobody, everybody)) / decisions.rows)


def benefit_cents(decisions: Decisions, money: Money) -> Numbers:
    """Return the benefit of true positives, in cents."""
    return decisions.true_positives * money.benefit_of_true_positive


def cost_cents(decisions: Decisions, money: Money) -> Numbers:
    """Return the cost of false positives and false negatives, in cents."""
    return (
        decisions.false_positives * money.cost_of_false_positive
        + decisions.false_negatives * money.cost_of_false_negative
    )


def value_at(sample: ScoredSample, money: Money, *, threshold: float) -> Value:
    """Return the value of the decisions at a threshold; there must be a row."""
    decisions = decide(sample, threshold=threshold)
    benefit, cost, net, returned = (float(value) for value in cents_per_row(decisions, money).values())
    acted_on = float(decisions.positive_share)
    return Value(threshold, benefit, cost, net, None if np.isnan(returned) else returned, acted_on)


def value_curve(sample: ScoredSample, money: Money) -> list[Value]:
    """Return the value of every threshold in steps of 0.01, the same steps for every revision."""
    return [value_at(sample, money, threshold=float(threshold)) for threshold in GRID]


def best_on_these_rows(sample: ScoredSample, money: Money) -> Value:
    """Return the value of the best threshold on these rows; of ties the highest threshold.

    It is chosen on the rows that it is measured on, so it is optimistic: never base a decision on it.
    """
    net = cents_per_row(decisions_by_threshold(sample), money)["net_cents_per_row"]
    best = value_at(sample, money, threshold=float(sample.scores[len(net) - 1 - int(np.argmax(net[::-1]))]))
    no_action = value_at(sample, money, threshold=ABOVE_ALL)
    return best if best.net > no_action.net else no_action
