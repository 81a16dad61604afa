"""Compare champion and challenger on the same rows: paired tests of every metric."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.predictions.columns import numbers_of
from lab.predictions.predictions import LABEL
from lab.predictions.units import Codes
from lab.stats.core.areas import AreaComparison, compare_areas
from lab.stats.core.clusters import count_units, repeated_units
from lab.stats.core.corrections import holm
from lab.stats.core.paired import PairedMeans, compare_means, log_losses, squared_errors
from lab.stats.core.probabilities import normal_quantile
from lab.stats.models.decisions import (
    MetricDifference,
    compare_decisions,
    compare_decisions_by_unit,
    count_decisions,
)
from lab.stats.models.mcnemar import McNemarTest, compare_correctness
from lab.stats.models.signed_ranks import signed_rank_test

Numbers = NDArray[np.float64]
Word = Literal["better", "worse", "equivalent", "not distinguishable", "undefined"]

METRICS = ("accuracy", "brier", "f1", "log_loss", "precision", "recall", "roc_auc")
RATIOS = ("f1", "precision", "recall")
LOWER_IS_BETTER = frozenset({"brier", "log_loss"})
POWER = 0.8


@dataclass(frozen=True)
class Difference:
    """A metric of both models; the difference is challenger minus champion, with its 95 % interval.

    `better` and `worse` refer to the challenger, after Holm's correction over the metrics of the window; `equivalent`
    means that the whole interval is within the margin; `undefined` means that no test is possible, `reason` says why.
    `detectable` is the minimum detectable difference at a power of 80 %, before correction. `check` is a second test of
    the same hypothesis; `only_champion` and `only_challenger` count the rows on which only that model is correct.
    `units` counts the units of the rows: where it is smaller, every test is by unit.
    """

    metric: str
    test: str
    champion: float | None
    challenger: float | None
    difference: float | None
    low: float | None
    high: float | None
    p_value: float | None
    p_adjusted: float | None
    detectable: float | None
    word: Word
    reason: str
    check: str = ""
    check_p_value: float | None = None
    only_champion: int | None = None
    only_challenger: int | None = None
    rows: int = 0
    units: int = 0


@dataclass(frozen=True)
class Pair:
    """Both models' scores of the same rows, their decision thresholds, and the unit of each row if units repeat."""

    labels: NDArray[np.bool_]
    champion: Numbers
    challenger: Numbers
    champion_threshold: float
    challenger_threshold: float
    units: Codes | None = None

    @classmethod
    def of(cls, predictions: pa.Table, *, thresholds: Mapping[str, float], units: Codes | None) -> Self:
        return cls(
            numbers_of(predictions[LABEL]) == 1,
            numbers_of(predictions["champion_score"]),
            numbers_of(predictions["challenger_score"]),
            thresholds["champion"],
            thresholds["challenger"],
            repeated_units(units),
        )

    @property
    def decisions(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """The rows that each model predicts positive."""
        return self.champion >= self.champion_threshold, self.challenger >= self.challenger_threshold


def compare_models(
    pair: Pair, *, margins: Mapping[str, float], significance: float, resamples: int, rng: np.random.Generator
) -> dict[str, Difference]:
    """Return the difference in every metric by name."""
    if len(pair.labels) == 0:
        return {metric: _undefined(metric, "no row") for metric in METRICS}
    found = [*_of_decisions(pair, resamples=resamples, rng=rng), *_of_losses(pair), _of_area(pair)]
    adjusted = _adjusted(sorted(found, key=lambda difference: difference.metric))
    rows = len(pair.labels)
    units = count_units(pair.units, rows=rows)
    return {
        each.metric: replace(
            each, word=_word(each, margin=margins[each.metric], significance=significance), rows=rows, units=units
        )
        for each in adjusted
    }


def answer_of(differences: Mapping[str, Difference], metric: str, *, window: str) -> dict[str, object]:
    """Return the result of the primary metric, which is chosen beforehand."""
    found = differences[metric]
    return {
        "metric": metric,
        "window": window,
        "challenger": found.word,
        "difference": found.difference,
        "low": found.low,
        "high": found.high,
        "rows": found.rows,
        "units": found.units,
    }


def summary(differences: Mapping[str, Difference]) -> list[dict[str, Any]]:
    """Return the differences for a metrics file, as a list, which DVC does not show as metrics."""
    return [{"metric": metric, **_as_record(difference)} for metric, difference in differences.items()]


def difference_rows(windows: Mapping[str, Mapping[str, Difference]]) -> list[dict[str, Any]]:
    """Return one row per window and metric, for plots/abtest/differences.csv."""
    return [
        {"window": window, "metric": metric, **_as_record(difference), "reason": difference.reason}
        for window, differences in windows.items()
        for metric, difference in differences.items()
    ]


def _of_decisions(pair: Pair, *, resamples: int, rng: np.random.Generator) -> list[Difference]:
    first, second = pair.decisions
    correctness = compare_correctness(first == pair.labels, second == pair.labels)
    if pair.units is not None:
        by_unit = compare_decisions_by_unit(pair.labels, first, second, pair.units)
        tested = [_difference(name, by_unit[name], test="delta method (by unit)") for name in RATIOS]
        accuracy = _difference("accuracy", by_unit["accuracy"], test="paired t (by unit)")
    else:
        ratios = compare_decisions(count_decisions(pair.labels, first, second), resamples=resamples, rng=rng)
        tested = [_difference(name, ratios[name], test="paired bootstrap") for name in RATIOS]
        accuracy = replace(
            _difference("accuracy", correctness, test="McNemar (mid-p)"),
            check="McNemar (exact)",
            check_p_value=correctness.exact_p_value,
        )
    return [replace(accuracy, only_champion=correctness.only_first, only_challenger=correctness.only_second), *tested]


def _of_losses(pair: Pair) -> list[Difference]:
    """Return the paired t-tests of both losses, with Wilcoxon's test, which is robust to outliers, as a check."""
    found, by_unit = [], pair.units is not None
    for metric, loss in (("log_loss", log_losses), ("brier", squared_errors)):
        champion, challenger = (loss(pair.labels, scores) for scores in (pair.champion, pair.challenger))
        means = compare_means(champion, challenger, units=pair.units)
        difference = _difference(metric, means, test="paired t (by unit)" if by_unit else "paired t")
        losses = challenger - champion
        ranks = signed_rank_test(losses if pair.units is None else np.bincount(pair.units, weights=losses))
        check = "Wilcoxon (signed ranks of sums by unit)" if by_unit else "Wilcoxon (signed ranks)"
        found.append(replace(difference, check=check, check_p_value=ranks.p_value))
    return found


def _of_area(pair: Pair) -> Difference:
    if pair.labels.all() or not pair.labels.any():
        return _undefined("roc_auc", "one class only")
    areas = compare_areas(pair.labels, pair.champion, pair.challenger, units=pair.units)
    return _difference("roc_auc", areas, test="DeLong (paired)" if pair.units is None else "DeLong (paired, by unit)")


def _difference(
    metric: str, seen: McNemarTest | MetricDifference | PairedMeans | AreaComparison, *, test: str
) -> Difference:
    return Difference(
        metric=metric,
        test=test,
        champion=seen.first,
        challenger=seen.second,
        difference=seen.difference,
        low=seen.low,
        high=seen.high,
        p_value=seen.p_value,
        p_adjusted=None,
        detectable=_detectable(seen.standard_error),
        word="undefined",
        reason=seen.reason,
    )


def _undefined(metric: str, reason: str) -> Difference:
    nothing: dict[str, Any] = dict.fromkeys(
        ("champion", "challenger", "difference", "low", "high", "p_value", "p_adjusted", "detectable")
    )
    return Difference(metric=metric, test="none", **nothing, word="undefined", reason=reason)


def _detectable(standard_error: float | None) -> float | None:
    if not standard_error:
        return None
    return (normal_quantile(0.975) + normal_quantile(POWER)) * standard_error


def _adjusted(differences: list[Difference]) -> list[Difference]:
    tested = {each.metric: each.p_value for each in differences if each.p_value is not None}
    adjusted = dict(zip(tested, holm(list(tested.values())), strict=True))
    return [replace(each, p_adjusted=adjusted.get(each.metric)) for each in differences]


def _word(seen: Difference, *, margin: float, significance: float) -> Word:
    if seen.difference is None or seen.low is None or seen.high is None or seen.p_adjusted is None:
        return "undefined"
    if -margin <= seen.low and seen.high <= margin:
        return "equivalent"
    if seen.p_adjusted >= significance:
        return "not distinguishable"
    return "better" if (seen.difference < 0) == (seen.metric in LOWER_IS_BETTER) else "worse"


def _as_record(difference: Difference) -> dict[str, Any]:
    return {
        "champion": difference.champion,
        "challenger": difference.challenger,
        "difference": difference.difference,
        "low": difference.low,
        "high": difference.high,
        "p_value": difference.p_value,
        "p_adjusted": difference.p_adjusted,
        "detectable": difference.detectable,
        "verdict": difference.word,
        "test": difference.test,
        "check": difference.check,
        "check_p_value": difference.check_p_value,
        "only_champion": difference.only_champion,
        "only_challenger": difference.only_challenger,
        "rows": difference.rows,
        "units": difference.units,
    }
