"""What decisions are worth in money, and which threshold would be worth most."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.stats.core.classification import Decisions, ScoredSample, decide, decisions_by_threshold
from lab.task.money import Money

Numbers = NDArray[np.float64]

GRID = np.arange(101) / 100
ABOVE_ALL = 1.000001  # one step above the highest score there is: no row is acted on


@dataclass(frozen=True)
class Value:
    """What the decisions at one threshold earn and cost, in cents a row; `net` is what is left.

    `return_on_cost` is net per cent lost or spent, None where there is no cost.
    """

    threshold: float
    benefit: float
    cost: float
    net: float
    return_on_cost: float | None
    acted_on: float


def cents_per_row(decisions: Decisions, money: Money) -> dict[str, Numbers]:
    """Return benefit, cost and net benefit in cents a row, and the net benefit per cent of cost (nan without cost).

    Doing nothing costs the missed cases only.
    """
    benefit, cost = benefit_cents(decisions, money), cost_cents(decisions, money)
    net = benefit - cost
    rates = {"benefit": benefit, "cost": cost, "net": net}
    returns = np.divide(net, cost, out=np.full(np.shape(cost), np.nan), where=np.asarray(cost) > 0)
    return {
        **{f"{name}_cents_per_row": sums / decisions.rows for name, sums in rates.items()},
        "return_on_cost": returns,
    }


def benefit_cents(decisions: Decisions, money: Money) -> Numbers:
    """Return what acting on true positives earns, in cents."""
    return decisions.true_positives * money.benefit_of_true_positive


def cost_cents(decisions: Decisions, money: Money) -> Numbers:
    """Return what false alarms and missed cases cost, in cents."""
    return (
        decisions.false_positives * money.cost_of_false_positive
        + decisions.false_negatives * money.cost_of_false_negative
    )


def value_at(counted: ScoredSample, money: Money, *, threshold: float) -> Value:
    """Return what deciding at a threshold is worth; there must be a row."""
    decisions = decide(counted, threshold=threshold)
    benefit, cost, net, returned = (float(value) for value in cents_per_row(decisions, money).values())
    acted_on = float(decisions.positive_share)
    return Value(threshold, benefit, cost, net, None if np.isnan(returned) else returned, acted_on)


def value_curve(counted: ScoredSample, money: Money) -> list[Value]:
    """Return what every threshold in steps of 0.01 is worth, so that curves of two revisions lie over each other."""
    return [value_at(counted, money, threshold=float(threshold)) for threshold in GRID]


def best_in_hindsight(counted: ScoredSample, money: Money) -> Value:
    """Return what the threshold that these very rows would have wished for is worth; of equal ones the highest.

    It is chosen on the rows that it is judged on, so it promises too much: no decision may rest on it.
    """
    net = cents_per_row(decisions_by_threshold(counted), money)["net_cents_per_row"]
    best = value_at(counted, money, threshold=float(counted.scores[len(net) - 1 - int(np.argmax(net[::-1]))]))
    nobody = value_at(counted, money, threshold=ABOVE_ALL)
    return best if best.net > nobody.net else nobody
