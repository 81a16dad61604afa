"""Compare every two candidates on the same rows: by folds, by rows, and by decisions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, Protocol

import numpy as np
from pydantic import Field

from lab.core.params import Params
from lab.predictions.units import Codes
from lab.select.leaderboard import LOSSES, Numbers, Standing, Truths, labels_and_scores, repeated_units_of
from lab.stats.core.areas import AreaComparison, compare_areas
from lab.stats.core.classification import LOWER_IS_BETTER
from lab.stats.core.corrections import holm
from lab.stats.core.paired import PairedMeans, compare_means
from lab.stats.core.probabilities import normal_quantile
from lab.stats.core.resampled_folds import POWER, corrected_difference
from lab.stats.models.average_precisions import compare_average_precisions
from lab.stats.models.cochran import CochranTest, cochran_test
from lab.stats.models.decisions import MetricDifference
from lab.stats.models.mcnemar import McNemarTest, compare_correctness
from lab.stats.models.signed_ranks import signed_rank_test

Kind = Literal["folds", "fold ranks", "rows", "decisions"]
Verdict = Literal["better", "worse", "equivalent", "not distinguishable", "undefined"]
Pair = tuple[Standing, Standing]

ROW_TESTS = {
    "roc_auc": "DeLong (paired)",
    "average_precision": "infinitesimal jackknife (paired)",
    "brier": "paired t",
    "log_loss": "paired t",
}


class SelectParams(Params):
    """The score that ranks the candidates, and the rules of significance and equivalence."""

    by: Literal["roc_auc", "average_precision", "brier", "log_loss"]
    significance: float = Field(default=0.05, gt=0, lt=1)
    # Candidates are equivalent when the whole interval of their difference is within this margin.
    margin: float = Field(default=0.01, ge=0)


@dataclass(frozen=True)
class PairTest:
    """One test of two candidates, of which the first ranks higher; `lead` is how much better the first is.

    The lead is positive where the first has the higher area or the lower loss. The interval is of 95 %. `p_adjusted`
    has Holm's correction for all pairs of this kind of test. `detectable` is the lead that the test finds with a power
    of 80 %, without that correction. The verdict is about the first; it is `undefined` where the test cannot decide
    (four folds give no signed-rank p-value below 0.125), and `reason` says why.
    """

    first: str
    second: str
    kind: Kind
    test: str
    metric: str
    values: tuple[float, float]
    lead: float
    low: float | None
    high: float | None
    p_value: float | None
    detectable: float | None
    reason: str
    blind: bool = False
    p_adjusted: float | None = None
    verdict: Verdict = "undefined"


class TwoSampleResult(Protocol):
    """The common fields of all tests of two samples."""

    @property
    def difference(self) -> float: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def p_value(self) -> float | None: ...
    @property
    def reason(self) -> str: ...


@dataclass(frozen=True)
class Question:
    """The score to compare by, the significance level, and the margin of equivalence."""

    by: str
    significance: float
    margin: float


def compare_pairs(standings: Sequence[Standing], question: Question) -> list[PairTest]:
    """Return every test of every two candidates, in the order of the leaderboard."""
    pairs = list(combinations(standings, 2))
    kinds = [
        [_on_folds(pair, question.by) for pair in pairs],
        [_on_fold_ranks(pair, question) for pair in pairs],
        [_on_rows(pair, question.by) for pair in pairs],
        [_on_decisions(pair) for pair in pairs],
    ]
    judged = [[replace(each, verdict=_verdict(each, question)) for each in _adjusted(tests)] for tests in kinds]
    return [each for tests in zip(*judged, strict=True) for each in tests]


def compare_all(standings: Sequence[Standing]) -> CochranTest:
    """Return Cochran's Q test: whether the accuracies of all candidates are equal, each at its own threshold."""
    if len(standings) == 1:
        return CochranTest(0.0, 0, 1.0, "only one candidate")
    units = repeated_units_of(standings[0].candidate)
    return cochran_test(np.column_stack([_correct(standing) for standing in standings]), units=units)


def folds_won(first: Standing, second: Standing, *, by: str) -> int:
    """Return the number of folds in which the first candidate is better."""
    return sum(lead > 0 for lead in _leads(first, second, by))


def _on_folds(pair: Pair, by: str) -> PairTest:
    sizes = pair[0].candidate.manifest.folds
    found = corrected_difference(
        _leads(*pair, by),
        train_rows=[size.train for size in sizes],
        validation_rows=[size.validation for size in sizes],
    )
    return _pair_test(
        pair,
        found,
        kind="folds",
        test="corrected resampled t (Nadeau and Bengio)",
        metric=by,
        values=(pair[0].folds.mean, pair[1].folds.mean),
        detectable=found.detectable,
    )


def _on_fold_ranks(pair: Pair, question: Question) -> PairTest:
    found = signed_rank_test(_leads(*pair, question.by))
    blind = found.count > 0 and found.smallest_p_value >= question.significance
    too_few = f"{found.count} folds cannot give a p-value below {found.smallest_p_value:g}"
    return replace(
        _on_folds(pair, question.by),
        kind="fold ranks",
        test=f"Wilcoxon signed rank ({'exact' if found.exact else 'normal limit'})",
        low=None,
        high=None,
        p_value=found.p_value,
        detectable=None,
        blind=blind,
        reason=too_few if blind else found.reason,
    )


def _on_rows(pair: Pair, by: str) -> PairTest:
    labels, first = labels_and_scores(pair[0].candidate.out_of_fold)
    _, second = labels_and_scores(pair[1].candidate.out_of_fold)
    units = repeated_units_of(pair[0].candidate)
    found = _row_test(labels, first, second, by, units=units)
    # Each test is second minus first, so the higher-ranking candidate is second where higher is better.
    values = (found.first, found.second) if by in LOSSES else (found.second, found.first)
    detectable = _detectable(found.standard_error)
    test = ROW_TESTS[by] if units is None else f"{ROW_TESTS[by]}, by unit"
    return _pair_test(pair, found, kind="rows", test=test, metric=by, values=values, detectable=detectable)


def _row_test(
    labels: Truths, first: Numbers, second: Numbers, by: str, *, units: Codes | None
) -> PairedMeans | MetricDifference | AreaComparison:
    if by in LOSSES:
        return compare_means(LOSSES[by](labels, first), LOSSES[by](labels, second), units=units)
    if by == "average_precision":
        return compare_average_precisions(labels, second, first, units=units)
    return compare_areas(labels, second, first, units=units)


def _on_decisions(pair: Pair) -> PairTest:
    first, second = map(_correct, pair)
    units = repeated_units_of(pair[0].candidate)
    found: McNemarTest | PairedMeans = (
        compare_correctness(second, first) if units is None else compare_means(second, first, units=units)
    )
    return _pair_test(
        pair,
        found,
        kind="decisions",
        test="McNemar (mid-p)" if units is None else "paired t, by unit",
        metric="accuracy",
        values=(found.second, found.first),
        detectable=_detectable(found.standard_error),
    )


def _pair_test(
    pair: Pair,
    found: TwoSampleResult,
    *,
    kind: Kind,
    test: str,
    metric: str,
    values: tuple[float, float],
    detectable: float | None,
) -> PairTest:
    return PairTest(
        first=pair[0].name,
        second=pair[1].name,
        kind=kind,
        test=test,
        metric=metric,
        values=values,
        lead=found.difference,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        detectable=detectable,
        reason=found.reason,
    )


def _leads(first: Standing, second: Standing, by: str) -> list[float]:
    sign = -1 if by in LOWER_IS_BETTER else 1
    return [sign * (one - two) for one, two in zip(first.by_fold, second.by_fold, strict=True)]


def _correct(standing: Standing) -> Truths:
    labels, scores = labels_and_scores(standing.candidate.out_of_fold)
    return np.asarray((scores >= standing.candidate.manifest.threshold) == labels)


def _detectable(standard_error: float | None) -> float | None:
    return (normal_quantile(0.975) + normal_quantile(POWER)) * standard_error if standard_error else None


def _adjusted(tests: Sequence[PairTest]) -> list[PairTest]:
    """Return the tests of one kind with p-values corrected for all of them."""
    adjusted = iter(holm([each.p_value for each in tests if each.p_value is not None]))
    return [replace(each, p_adjusted=next(adjusted)) if each.p_value is not None else each for each in tests]


def _verdict(found: PairTest, question: Question) -> Verdict:
    if found.p_adjusted is None or found.blind:
        return "undefined"
    if found.low is not None and found.high is not None and max(-found.low, found.high) <= question.margin:
        return "equivalent"
    if found.p_adjusted >= question.significance:
        return "not distinguishable"
    return "better" if found.lead > 0 else "worse"
