"""What decisions are worth in money, and which threshold would be worth most."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lab.stats.classification import Decisions, Tally, decide
from lab.task.money import Money

Numbers = NDArray[np.float64]

GRID = np.arange(101) / 100


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


def net_cents_per_row(decisions: Decisions, money: Money) -> Numbers:
    """Return what the decisions are worth after all, in cents a row; doing nothing costs the missed cases only."""
    return (benefit_cents(decisions, money) - cost_cents(decisions, money)) / decisions.rows


def benefit_cents(decisions: Decisions, money: Money) -> Numbers:
    """Return what acting on true positives earns, in cents."""
    return decisions.true_positives * money.benefit_of_true_positive


def cost_cents(decisions: Decisions, money: Money) -> Numbers:
    """Return what false alarms and missed cases cost, in cents."""
    return (
        decisions.false_positives * money.cost_of_false_positive
        + decisions.false_negatives * money.cost_of_false_negative
    )


def value_at(counted: Tally, money: Money, *, threshold: float) -> Value:
    """Return what deciding at a threshold is worth; there must be a row."""
    decisions = decide(counted, threshold=threshold)
    rows = float(decisions.rows)
    benefit, cost = float(benefit_cents(decisions, money)) / rows, float(cost_cents(decisions, money)) / rows
    net = benefit - cost
    return Value(threshold, benefit, cost, net, net / cost if cost else None, float(decisions.positive_share))


def value_curve(counted: Tally, money: Money) -> list[Value]:
    """Return what every threshold in steps of 0.01 is worth, so that curves of two revisions lie over each other."""
    return [value_at(counted, money, threshold=float(threshold)) for threshold in GRID]
