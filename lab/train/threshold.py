"""Choose the decision threshold on out-of-fold scores."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from lab.core.errors import ParamsError
from lab.core.params import Params
from lab.stats.core.classification import Decisions, ScoredSample, decisions_by_threshold, scored_sample
from lab.task.money import Money

Numbers = NDArray[np.float64]
STEP = 1e-6  # scores have 6 decimals


class ThresholdRule(Params):
    """The rule for the threshold; `value` is used by the rule `fixed` only."""

    rule: Literal["cheapest", "best_f1", "fixed"]
    value: float = Field(default=0.5, ge=0, le=1)


def choose_threshold(labels: NDArray[np.int8], scores: Numbers, rule: ThresholdRule, *, money: Money) -> float:
    """Return the threshold; of ties the highest, which acts on the fewest rows.

    `cheapest` can choose to act on no row: the threshold is then one step above the highest score, even above 1.
    """
    if rule.rule == "fixed":
        return rule.value
    sample = scored_sample(labels, scores)
    decisions = decisions_by_threshold(sample)
    if rule.rule == "best_f1":
        return _best(sample.scores, decisions.f1)
    return _cheapest(sample, decisions, money)


def _cheapest(sample: ScoredSample, decisions: Decisions, money: Money) -> float:
    benefit, alarm = money.benefit_of_true_positive, money.cost_of_false_positive
    miss = money.cost_of_false_negative
    if not (benefit or alarm or miss):
        raise ParamsError(
            "train.threshold.rule is cheapest, but the task's money is all 0, so every threshold costs the same. "
            "Cure: set money in the task file, or choose best_f1."
        )
    worth = decisions.true_positives * benefit - decisions.false_positives * alarm - decisions.false_negatives * miss
    acting_on_none = -miss * sample.positives.sum()
    none = round(float(sample.scores[-1]) + STEP, 6)
    return _best(np.append(sample.scores, none), np.append(worth, acting_on_none))


def _best(thresholds: Numbers, values: Numbers) -> float:
    """Return the highest threshold with the best value; both are sorted by score."""
    return float(thresholds[len(values) - 1 - int(np.argmax(values[::-1]))])
