"""Pair tests agree with textbook tests, and verdicts follow from them."""

from dataclasses import replace
from itertools import combinations
from typing import get_args

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score
from statsmodels.stats.contingency_tables import cochrans_q, mcnemar
from statsmodels.stats.multitest import multipletests

from lab.model_files.manifest import FoldSize
from lab.select.leaderboard import Standing, rank
from lab.select.pair_sentences import cochran_in_words, headline, limits_of, sentences_of
from lab.select.pairs import Kind, PairTest, Question, compare_all, compare_pairs
from lab.stats.core.areas import area_influences, area_under_curve, compare_areas
from lab.stats.core.paired import compare_means, log_losses
from lab.stats.models.average_precisions import average_precision_of
from tests.lab.select.candidates import LABELS, candidate, scores_of

QUESTION = Question(by="roc_auc", significance=0.05, margin=0.01)
FOLD_ROWS = np.arange(400).reshape(4, 100)


def ranked(*skills: float, by: str = "roc_auc", noise: float = 0.5, threshold: float = 0.5) -> list[Standing]:
    return rank(
        [
            candidate(f"c{place}", skill=skill, noise=noise, seed=place, threshold=threshold)
            for place, skill in enumerate(skills)
        ],
        by=by,
    )


def compared(*skills: float, by: str = "roc_auc", noise: float = 0.5) -> list[PairTest]:
    return compare_pairs(ranked(*skills, by=by, noise=noise), replace(QUESTION, by=by))


def of_kind(tests: list[PairTest], kind: str) -> list[PairTest]:
    return [each for each in tests if each.kind == kind]


def test_every_pair_has_every_test_in_the_order_of_places() -> None:
    tests = compared(2.0, 1.0, 0.0)
    assert [(each.first, each.second, each.kind) for each in tests] == [
        (*pair, kind) for pair in combinations(["c0", "c1", "c2"], 2) for kind in get_args(Kind)
    ]


def test_the_test_on_folds_is_students_with_the_correction_for_overlap() -> None:
    areas = [
        [roc_auc_score(LABELS[rows], scores_of(skill, noise=0.5, seed=place)[rows]) for rows in FOLD_ROWS]
        for place, skill in enumerate((2.0, 1.0))
    ]
    leads = np.array(areas[0]) - np.array(areas[1])
    t = leads.mean() / np.sqrt((1 / 4 + 100 / 300) * leads.var(ddof=1))
    seen = of_kind(compared(2.0, 1.0), "folds")[0]
    assert seen.lead == pytest.approx(leads.mean())
    assert seen.p_value == pytest.approx(2 * stats.t.sf(abs(t), 3))
    assert seen.values == pytest.approx(tuple(np.mean(areas, axis=1)))


def test_the_test_on_rows_is_delongs_for_areas_and_students_for_losses() -> None:
    first, second = (scores_of(skill, noise=0.5, seed=place) for place, skill in enumerate((2.0, 1.0)))
    area = of_kind(compared(2.0, 1.0), "rows")[0]
    assert area.p_value == pytest.approx(compare_areas(LABELS, first, second).p_value)
    assert area.values == pytest.approx((roc_auc_score(LABELS, first), roc_auc_score(LABELS, second)))
    losses = [(scores - LABELS) ** 2 for scores in (first, second)]
    brier = of_kind(compared(2.0, 1.0, by="brier"), "rows")[0]
    assert brier.p_value == pytest.approx(stats.ttest_rel(losses[0], losses[1]).pvalue)
    assert brier.values == pytest.approx(tuple(loss.mean() for loss in losses))


@pytest.mark.parametrize("by", ["roc_auc", "average_precision", "brier", "log_loss"])
def test_a_lead_is_positive_where_the_first_is_better_for_scores_and_losses(by: str) -> None:
    for each in compared(3.0, 0.0, by=by, noise=0.1):
        assert each.lead > 0, each.kind
        assert each.verdict in {"better", "undefined"}
        assert each.low is None or (each.high is not None and each.low < each.lead < each.high)


def test_decisions_are_taken_at_each_candidates_own_threshold() -> None:
    one, other = candidate("a", skill=2.0, threshold=0.5), candidate("b", skill=2.0, threshold=0.9)
    right = [(scores_of(2.0) >= threshold) == LABELS for threshold in (0.5, 0.9)]
    seen = of_kind(compare_pairs(rank([one, other], by="roc_auc"), QUESTION), "decisions")[0]
    only = int(np.sum(right[0] & ~right[1])), int(np.sum(~right[0] & right[1]))
    assert seen.lead == pytest.approx((only[0] - only[1]) / 400)
    assert seen.p_value is not None
    exact = mcnemar([[0, only[0]], [only[1], 0]], exact=True).pvalue
    chance = stats.binom.pmf(min(only), sum(only), 0.5)
    assert seen.p_value == pytest.approx(exact - chance)  # the mid-p


def test_p_values_of_a_kind_are_corrected_for_all_pairs() -> None:
    tests = compared(1.2, 1.0, 0.8, 0.6)
    for kind in get_args(Kind):
        own = of_kind(tests, kind)
        expected = multipletests([each.p_value for each in own], method="holm")[1]
        assert [each.p_adjusted for each in own] == pytest.approx(list(expected))


def test_the_verdict_uses_the_corrected_p_value() -> None:
    tests = of_kind(compared(1.0, 0.8, 0.7, 0.65, 0.5, noise=1.0), "rows")
    only_alone = [each for each in tests if (each.p_value or 1) < 0.05 <= (each.p_adjusted or 0)]
    assert only_alone
    assert {each.verdict for each in only_alone} == {"not distinguishable"}


def test_four_folds_cannot_decide_by_ranks_and_the_reason_says_so() -> None:
    for each in of_kind(compared(3.0, 0.0), "fold ranks"):
        assert (each.p_value, each.verdict) == (0.125, "undefined")
        assert each.reason == "4 folds cannot give a p-value below 0.125"


def test_identical_candidates_are_equivalent_with_p_1() -> None:
    tests = compare_pairs(rank([candidate("a", skill=1.0), candidate("b", skill=1.0)], by="roc_auc"), QUESTION)
    assert [(each.lead, each.p_value, each.p_adjusted) for each in tests] == [(0.0, 1.0, 1.0)] * 4
    assert [each.verdict for each in tests] == ["equivalent", "not distinguishable", "equivalent", "equivalent"]


def test_a_difference_within_the_margin_is_equivalent() -> None:
    tests = compare_pairs(ranked(3.0, 0.0, noise=0.1), replace(QUESTION, margin=1.0))
    assert {each.verdict for each in tests if each.kind != "fold ranks"} == {"equivalent"}


def test_what_is_not_distinguishable_is_not_called_equivalent() -> None:
    folds = of_kind(compared(1.0, 0.95, noise=1.0), "folds")[0]
    assert folds.verdict == "not distinguishable"
    assert folds.detectable is not None
    assert folds.detectable > abs(folds.lead)


def test_the_second_can_be_the_better_one_fold_by_fold() -> None:
    one, other = ranked(1.0, 0.9)
    better = tuple(score + place / 100 for place, score in enumerate(one.by_fold, start=10))
    tests = compare_pairs([one, replace(other, by_fold=better)], QUESTION)
    assert of_kind(tests, "folds")[0].verdict == "worse"
    assert "but c1 is better fold by fold" in headline([one, replace(other, by_fold=better)], tests, QUESTION)


def test_a_difference_without_variance_is_not_testable() -> None:
    one, other = ranked(1.0, 0.5)
    shifted = replace(other, by_fold=tuple(score - 0.25 for score in one.by_fold))
    tests = compare_pairs([one, shifted], QUESTION)
    seen = of_kind(tests, "folds")[0]
    assert (seen.verdict, seen.p_value, seen.p_adjusted) == ("undefined", None, None)
    assert "its variance cannot be estimated" in seen.reason
    assert "is not testable" in headline([one, shifted], tests, QUESTION)


def test_a_single_candidate_is_compared_with_nothing() -> None:
    only = ranked(1.0)
    assert compare_pairs(only, QUESTION) == []
    assert compare_all(only).p_value == 1.0
    said = sentences_of(only, [], QUESTION)
    assert said == ["c0 is the only candidate."]


def test_cochrans_q_is_over_all_candidates() -> None:
    right = [(scores_of(skill, noise=0.5, seed=place) >= 0.5) == LABELS for place, skill in enumerate((2.0, 1.0, 0.0))]
    expected = cochrans_q(np.column_stack(right))
    found = compare_all(ranked(2.0, 1.0, 0.0))
    assert (found.q, found.p_value) == pytest.approx((expected.statistic, expected.pvalue))
    assert "The accuracies of the 3 candidates differ" in cochran_in_words(found, count=3, question=QUESTION)


def test_the_headline_gives_the_significance_of_the_lead() -> None:
    clear, close = ranked(3.0, 0.0, noise=0.1), ranked(1.0, 0.95, noise=1.0)
    twins = rank([candidate("a", skill=1.0), candidate("b", skill=1.0)], by="roc_auc")
    said = [headline(standings, compare_pairs(standings, QUESTION), QUESTION) for standings in (clear, close, twins)]
    assert said[0].startswith("c0 ranks first, significantly better than c1: the mean ROC AUC of c0 over 4 folds is ")
    assert "better in 4 of 4 folds" in said[0]
    assert " ranks first, not distinguishable from " in said[1]
    assert "detectable difference (power 80 %)" in said[1]
    assert said[2] == "a ranks first, and b is equivalent within 0.01: equal in every fold."


def test_the_other_candidates_are_compared_with_the_leader_in_one_sentence() -> None:
    standings = rank([*(candidate(name, skill=3.0) for name in "ab"), candidate("c", skill=0.0)], by="roc_auc")
    said = sentences_of(standings, compare_pairs(standings, QUESTION), QUESTION)[-1]
    assert said == "Fold by fold, compared with a: worse: c; equivalent within the margin: b."


def test_the_power_of_few_folds_is_stated() -> None:
    standings = ranked(1.0, 0.9)
    said = limits_of(standings, compare_pairs(standings, QUESTION))
    assert "The signed rank test of 4 folds cannot give a p-value below 0.125" in said
    assert "does not mean “equal”" in said


def test_six_folds_can_decide_by_ranks() -> None:
    one, other = ranked(2.0, 0.0)
    for each in (one, other):
        assert len(each.candidate.manifest.folds) == 4
    sizes = {"folds": (FoldSize(train=300, validation=100),) * 6}
    six = [
        replace(
            each,
            by_fold=tuple(each.score + place / 100 for place in range(6)),
            candidate=replace(each.candidate, manifest=each.candidate.manifest.model_copy(update=sizes)),
        )
        for each in (one, other)
    ]
    six[0] = replace(six[0], by_fold=tuple(score * 1.01 for score in six[0].by_fold))
    seen = of_kind(compare_pairs(six, QUESTION), "fold ranks")[0]
    assert (seen.p_value, seen.verdict, seen.reason) == (0.03125, "better", "")


OWNERS = np.arange(400) // 4


def of_owners(*skills: float, by: str) -> list[Standing]:
    """Return candidates whose four rows in a row are of one customer."""
    found = []
    for each in ranked(*skills, by=by):
        table = each.candidate.out_of_fold
        place = table.column_names.index("customer_id")
        found.append(replace(each.candidate, out_of_fold=table.set_column(place, "customer_id", [OWNERS])))
    return rank(found, by=by)


def test_rows_of_one_customer_are_tested_together() -> None:
    standings = of_owners(2.0, 1.0, by="roc_auc")
    tests = compare_pairs(standings, QUESTION)
    first, second = (scores_of(skill, noise=0.5, seed=place) for place, skill in enumerate((2.0, 1.0)))
    rows, decisions = of_kind(tests, "rows")[0], of_kind(tests, "decisions")[0]
    assert (standings[0].rows, standings[0].units) == (400, 100)
    assert rows.p_value == pytest.approx(compare_areas(LABELS, first, second, units=OWNERS).p_value)
    right, also = ((scores >= 0.5) == LABELS for scores in (first, second))
    assert decisions.p_value == pytest.approx(compare_means(right, also, units=OWNERS).p_value)
    assert (rows.test, decisions.test) == ("DeLong (paired), by unit", "paired t, by unit")
    overall = compare_all(standings)
    assert overall.p_value == pytest.approx(decisions.p_value)
    assert "Hotelling's T² by unit" in cochran_in_words(overall, count=2, question=QUESTION)


@pytest.mark.parametrize("by", ["roc_auc", "average_precision", "brier", "log_loss"])
def test_the_interval_of_a_score_is_by_customer(by: str) -> None:
    (standing,) = of_owners(1.0, by=by)
    influences = {
        "roc_auc": area_influences(area_under_curve(LABELS, scores_of(1.0, noise=0.5)), LABELS),
        "average_precision": average_precision_of(LABELS, scores_of(1.0, noise=0.5)).influences,
        "brier": ((scores_of(1.0, noise=0.5) - LABELS) ** 2 - standing.score) / 400,
        "log_loss": (log_losses(LABELS, scores_of(1.0, noise=0.5)) - standing.score) / 400,
    }[by]
    sums = influences.reshape(100, 4).sum(axis=1)
    reach = stats.t.ppf(0.975, 99) * np.sqrt((sums**2).sum() * 100 / 99)
    assert (standing.low, standing.high) == pytest.approx((standing.score - reach, standing.score + reach), abs=1e-6)
