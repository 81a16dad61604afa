"""Test one model of two revisions on the same rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lab.abtest.compare_models import LOWER_IS_BETTER, METRICS, Difference, Pair, compare_models
from lab.abtest.comparison_settings import ComparisonParams
from lab.core.seeds import generator_of
from lab.predictions.columns import numbers_of
from lab.predictions.predictions import LABEL, score_column
from lab.predictions.units import Codes
from lab.stats.core.paired import PairedMeans, compare_means
from lab.stats.models.average_precisions import compare_average_precisions
from lab.stats.models.decisions import MetricDifference
from lab.task.money import Money
from ops.compare.predicted import Predictions
from ops.compare.rows import Matched

Word = Literal["better", "worse", "equivalent", "not distinguishable", "undefined", "the same predictions", "untested"]
Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

AVERAGE_PRECISION, NET = "average_precision", "net_per_row"


@dataclass(frozen=True)
class Judged:
    """A metric of both revisions; the difference is head less base, and better and worse are about the head.

    `margin` is what is too small to matter. Untested ones have no interval and no p-value, and `reason` says why.
    """

    metric: str
    word: Word
    base: float | None
    head: float | None
    difference: float | None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    detectable: float | None = None
    margin: float | None = None
    test: str = ""
    check: str = ""
    check_p_value: float | None = None
    only_base: int | None = None
    only_head: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class ModelDifferences:
    """One model of both revisions: the metrics of the task's own family, and further figures.

    `untested` are the plain numbers of the whole windows, which stand for themselves where rows differ.
    """

    model: str
    same_predictions: bool
    tested: tuple[Judged, ...]
    further: tuple[Judged, ...]
    untested: tuple[Judged, ...]

    def of(self, metric: str) -> Judged:
        """Return a metric: tested where it could be, else as plain numbers."""
        found = [each for each in (*self.tested, *self.untested) if each.metric == metric]
        return found[0] if found else Judged(metric, "untested", None, None, None, reason="no revision names it")


@dataclass(frozen=True)
class _Scored:
    """Both revisions' scores of one model on the rows that can be compared."""

    labels: Flags
    base: Numbers
    head: Numbers
    base_threshold: float
    head_threshold: float
    units: Codes | None

    @property
    def same(self) -> bool:
        return bool(np.array_equal(self.base, self.head)) and self.base_threshold == self.head_threshold


def judge_model(
    model: str,
    base: Predictions,
    head: Predictions,
    matched: Matched,
    *,
    settings: ComparisonParams,
    seed: int,
    money: Money | None,
) -> tuple[bool, tuple[Judged, ...], tuple[Judged, ...]]:
    """Return whether the predictions are the same, every metric judged, and further figures; none without rows.

    Where the predictions are the same the word says so, for nothing was estimated.
    """
    if not matched.rows.compared:
        return False, (), ()
    scored = _scored(model, base, head, matched)
    pair = Pair(scored.labels, scored.base, scored.head, scored.base_threshold, scored.head_threshold, scored.units)
    found = compare_models(
        pair,
        margins=settings.margins,
        significance=settings.significance,
        resamples=settings.resamples,
        rng=generator_of(seed, f"compare/{model}"),
    )
    judged = tuple(_judged(found[metric], margin=settings.margins[metric], same=scored.same) for metric in METRICS)
    return scored.same, judged, _further(scored, settings=settings, money=money)


def plain_differences(
    base: Mapping[str, Any] | None, head: Mapping[str, Any] | None, *, model: str, why: str
) -> tuple[Judged, ...]:
    """Return the differences between two metrics/evaluate.json on the test window, without a test, and why so."""
    old, new = ((found or {}).get(model, {}).get("test", {}) for found in (base, head))
    return tuple(_plain(metric, old.get(metric), new.get(metric), why) for metric in METRICS)


def _plain(metric: str, base: float | None, head: float | None, why: str) -> Judged:
    difference = None if base is None or head is None else head - base
    return Judged(metric, "untested", base, head, difference, reason=why)


def _scored(model: str, base: Predictions, head: Predictions, matched: Matched) -> _Scored:
    column = score_column(model)
    return _Scored(
        labels=(numbers_of(base.table[LABEL]) == 1)[matched.base_places],
        base=numbers_of(base.table[column])[matched.base_places],
        head=numbers_of(head.table[column])[matched.head_places],
        base_threshold=base.thresholds[model],
        head_threshold=head.thresholds[model],
        units=matched.units,
    )


def _judged(found: Difference, *, margin: float, same: bool) -> Judged:
    return Judged(
        metric=found.metric,
        word="the same predictions" if same else found.word,
        base=found.champion,
        head=found.challenger,
        difference=found.difference,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        p_adjusted=found.p_adjusted,
        detectable=found.detectable,
        margin=margin,
        test=found.test,
        check=found.check,
        check_p_value=found.check_p_value,
        only_base=found.only_champion,
        only_head=found.only_challenger,
        reason=found.reason,
    )


def _further(scored: _Scored, *, settings: ComparisonParams, money: Money | None) -> tuple[Judged, ...]:
    found, by_unit = [], "" if scored.units is None else ", by unit"
    if scored.labels.any():
        areas = compare_average_precisions(scored.labels, scored.base, scored.head, units=scored.units)
        test = f"jackknife (paired{by_unit})"
        found.append(_judged_further(AVERAGE_PRECISION, areas, test=test, same=scored.same, settings=settings))
    if money is not None and money.is_set:
        earned = compare_means(
            earned_by_row(scored.labels, scored.base >= scored.base_threshold, money),
            earned_by_row(scored.labels, scored.head >= scored.head_threshold, money),
            units=scored.units,
        )
        found.append(_judged_further(NET, earned, test=f"paired t{by_unit}", same=scored.same, settings=settings))
    return tuple(found)


def _judged_further(
    metric: str, seen: MetricDifference | PairedMeans, *, test: str, same: bool, settings: ComparisonParams
) -> Judged:
    word: Word = "not distinguishable"
    if same:
        word = "the same predictions"
    elif seen.p_value is None:
        word = "undefined"
    elif seen.p_value < settings.significance:
        word = "better" if seen.difference > 0 else "worse"
    return Judged(
        metric,
        word,
        seen.first,
        seen.second,
        seen.difference,
        seen.low,
        seen.high,
        seen.p_value,
        test=test,
        reason=seen.reason,
    )


def earned_by_row(labels: Flags, decided: Flags, money: Money) -> Numbers:
    """Return what each row's decision earned less what it cost, in the task's currency."""
    acted = np.where(labels, money.benefit_of_true_positive, -money.cost_of_false_positive)
    left = np.where(labels, -money.cost_of_false_negative, 0)
    earned: Numbers = np.where(decided, acted, left) / 100
    return earned


def oriented(seen: Judged) -> tuple[float, float, float] | None:
    """Return difference, low and high turned so that more is better; None where there is no interval."""
    if seen.difference is None or seen.low is None or seen.high is None:
        return None
    if seen.metric in LOWER_IS_BETTER:
        return -seen.difference, -seen.high, -seen.low
    return seen.difference, seen.low, seen.high
