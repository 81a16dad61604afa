"""Tests by unit against statsmodels, and on copies of rows, which add nothing."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import ttest_rel

from lab.stats.core.areas import compare_areas
from lab.stats.core.clusters import (
    clustered_test,
    correlations_by_unit,
    count_units,
    effective_trials,
    repeated_units,
)
from lab.stats.core.paired import compare_means
from lab.stats.core.proportions import wilson_interval
from lab.stats.models.average_precisions import compare_average_precisions
from lab.stats.models.cochran import cochran_test
from lab.stats.models.decisions import compare_decisions_by_unit
from lab.stats.models.gaps import mean_gaps, share_gaps, share_ratios
from lab.stats.models.paired_shares import net_share

RNG = np.random.default_rng(46)
UNITS = np.repeat(np.arange(120), RNG.integers(1, 6, 120))
LABELS = RNG.random(len(UNITS)) < 0.4
FIRST, SECOND = (LABELS + RNG.normal(0, 1, 120)[UNITS] + RNG.normal(0, 1, len(UNITS)) for _ in range(2))
DECIDED, ALSO = FIRST > 0.5, SECOND > 0.5
TRUE_GAP, TRUE_RATIO = 0.0901, 0.8474  # of shares with log-odds N(0.6, 2²) and N(0, 2²), from 5 million draws
COPIES = np.repeat(np.arange(len(LABELS)), 4)


def test_the_error_of_a_mean_is_that_of_statsmodels() -> None:
    groups = {"groups": UNITS, "use_correction": True}
    fitted = sm.OLS(SECOND - FIRST, np.ones(len(UNITS))).fit(cov_type="cluster", cov_kwds=groups, use_t=True)
    seen = compare_means(FIRST, SECOND, units=UNITS)
    assert (seen.standard_error, seen.t, seen.p_value) == pytest.approx(
        (fitted.bse[0], fitted.tvalues[0], fitted.pvalues[0])
    )
    assert (seen.low, seen.high) == pytest.approx(tuple(fitted.conf_int()[0]))
    assert seen.degrees == 119


def test_the_names_of_units_do_not_matter() -> None:
    names = np.char.add("unit ", (UNITS * 7 % 120).astype(str))
    assert compare_areas(LABELS, FIRST, SECOND, units=names).p_value == pytest.approx(
        compare_areas(LABELS, FIRST, SECOND, units=UNITS).p_value
    )


def test_units_that_do_not_repeat_change_no_bit() -> None:
    rows = np.arange(len(LABELS))
    for compare in (compare_areas, compare_average_precisions):
        assert compare(LABELS, FIRST, SECOND, units=rows) == compare(LABELS, FIRST, SECOND)
    assert compare_means(FIRST, SECOND, units=rows) == compare_means(FIRST, SECOND)


def test_copies_of_rows_add_nothing_to_a_comparison() -> None:
    columns = [column[COPIES] for column in (LABELS, FIRST, SECOND)]
    areas, precisions = (
        (compare(LABELS, FIRST, SECOND), compare(*columns), compare(*columns, units=COPIES))
        for compare in (compare_areas, compare_average_precisions)
    )
    means = (
        compare_means(FIRST, SECOND),
        compare_means(*columns[1:]),
        compare_means(*columns[1:], units=COPIES),
    )
    for found in (areas, precisions, means):
        once, ignored, by_unit = (each.standard_error or 0 for each in found)
        assert by_unit == pytest.approx(once, rel=0.01)
        assert ignored == pytest.approx(once / 2, rel=0.01)


def test_the_error_of_each_decision_metric_is_that_of_drawing_units() -> None:
    rng, draws = np.random.default_rng(3), 4000
    weights = rng.multinomial(120, np.full(120, 1 / 120), draws)[:, UNITS]
    seen = compare_decisions_by_unit(LABELS, DECIDED, ALSO, UNITS)

    def f1(decided: np.ndarray) -> np.ndarray:
        hits = weights @ (LABELS & decided)
        return np.asarray(2 * hits / (weights @ LABELS + weights @ decided))

    def precision(decided: np.ndarray) -> np.ndarray:
        return np.asarray((weights @ (LABELS & decided)) / (weights @ decided))

    def recall(decided: np.ndarray) -> np.ndarray:
        return np.asarray((weights @ (LABELS & decided)) / (weights @ LABELS))

    for name, metric in (("f1", f1), ("precision", precision), ("recall", recall)):
        assert seen[name].standard_error == pytest.approx(np.std(metric(ALSO) - metric(DECIDED)), rel=0.06)


def test_accuracy_by_unit_is_the_mean_of_correct_rows() -> None:
    seen = compare_decisions_by_unit(LABELS, DECIDED, ALSO, UNITS)["accuracy"]
    wanted = compare_means(DECIDED == LABELS, ALSO == LABELS, units=UNITS)
    assert (seen.difference, seen.p_value, seen.low, seen.high) == pytest.approx(
        (wanted.difference, wanted.p_value, wanted.low, wanted.high)
    )


def test_a_ratio_without_denominator_is_0_by_unit_too() -> None:
    seen = compare_decisions_by_unit(LABELS, np.zeros_like(LABELS), ALSO, UNITS)["precision"]
    assert (seen.first, seen.reason) == (0.0, "denominator 0, ratio set to 0")


def test_several_accuracies_by_unit_are_the_t_test_for_two_models() -> None:
    correct = np.column_stack([DECIDED == LABELS, ALSO == LABELS])
    seen, wanted = cochran_test(correct, units=UNITS), compare_means(correct[:, 0], correct[:, 1], units=UNITS)
    assert (seen.q, seen.p_value) == pytest.approx(((wanted.t or 0) ** 2, wanted.p_value))


def test_a_copy_of_a_model_does_not_change_the_test_of_several() -> None:
    two = np.column_stack([DECIDED == LABELS, ALSO == LABELS])
    three = np.column_stack([two, two[:, 1]])
    assert cochran_test(three, units=UNITS).p_value == pytest.approx(cochran_test(two, units=UNITS).p_value)


def test_too_few_units_are_not_tested_and_few_are_named() -> None:
    five, ten = (np.arange(len(LABELS)) % count for count in (5, 10))
    for found in (
        compare_areas(LABELS, FIRST, SECOND, units=five),
        compare_means(FIRST, SECOND, units=five),
        compare_average_precisions(LABELS, FIRST, SECOND, units=five),
        compare_decisions_by_unit(LABELS, DECIDED, ALSO, five)["f1"],
    ):
        assert (found.p_value, found.low, found.reason) == (None, None, "5 units: a test by unit needs 6 or more")
    assert cochran_test(np.column_stack([DECIDED, ALSO]), units=five).p_value is None
    assert compare_means(FIRST, SECOND, units=ten).reason == "only 10 units: the interval is rough"


def test_equal_models_do_not_differ_by_unit() -> None:
    for found in (
        compare_areas(LABELS, FIRST, FIRST, units=UNITS),
        compare_average_precisions(LABELS, FIRST, FIRST, units=UNITS),
        compare_decisions_by_unit(LABELS, DECIDED, DECIDED, UNITS)["f1"],
    ):
        assert (found.difference, found.p_value, found.low, found.high) == (0.0, 1.0, 0.0, 0.0)


def test_an_estimate_that_no_unit_changes_is_not_tested() -> None:
    found = clustered_test(0.3, np.zeros(len(UNITS)), UNITS)
    assert (found.p_value, found.reason) == (None, "the same in every unit: its variance cannot be estimated")


def test_copies_of_rows_count_once_in_a_share() -> None:
    hits = RNG.random(400) < 0.3
    units = np.repeat(np.arange(400), 4)
    effective = effective_trials(hits[units], units)
    assert effective == pytest.approx((hits.sum(), 400), rel=0.02)
    assert wilson_interval(effective) == pytest.approx(wilson_interval((int(hits.sum()), 400)), rel=0.01)


def test_rows_that_all_agree_count_as_units() -> None:
    assert effective_trials(np.ones(40, dtype=bool), np.arange(40) // 4) == (10, 10)
    assert effective_trials(np.zeros(40, dtype=bool), np.arange(40) // 4) == (0, 10)


def test_correlated_rows_never_count_more_than_rows() -> None:
    alternating = np.tile([True, False], 100)  # each unit has both: the share does not vary
    assert effective_trials(alternating, np.arange(200) // 2) == (50, 100)
    assert effective_trials(RNG.random(200) < 0.5, np.arange(200) // 2)[1] <= 200


def test_copies_of_rows_add_nothing_to_gaps_and_net_shares() -> None:
    groups = {"a": RNG.normal(0, 1, 300), "b": RNG.normal(1, 2, 200)}
    copied = {name: np.repeat(values, 3) for name, values in groups.items()}
    units = {"a": np.repeat(np.arange(300), 3), "b": np.repeat(np.arange(300, 500), 3)}
    (once,), (by_unit,) = mean_gaps(groups), mean_gaps(copied, units=units)
    assert (by_unit.low, by_unit.high) == pytest.approx((once.low, once.high), rel=0.01)
    changes = RNG.choice([-1, 0, 1], 500, p=[0.1, 0.8, 0.1])
    plain, clustered = net_share(changes), net_share(np.repeat(changes, 3), units=np.repeat(np.arange(500), 3))
    assert (clustered.low, clustered.high) == pytest.approx((plain.low, plain.high), abs=0.002)


def test_units_in_two_groups_correlate_their_means() -> None:
    once = np.arange(300)
    first = RNG.normal(0, 1, 300)
    second = first + RNG.normal(0.5, 0.5, 300)
    (gap,) = mean_gaps({"a": first, "b": second}, units={"a": once, "b": once})
    expected = ttest_rel(second, first).confidence_interval(0.95)
    assert (gap.low, gap.high) == pytest.approx((expected.low, expected.high), rel=0.01)
    assert correlations_by_unit({"a": (first, once), "b": (second, once)})[frozenset("ab")] == pytest.approx(
        np.corrcoef(first, second)[0, 1]
    )
    assert correlations_by_unit({"a": (first, once), "b": (second, once + 300)}) == {}


def test_a_share_of_the_same_units_in_two_groups_has_the_width_that_it_states() -> None:
    rng, covered = np.random.default_rng(5), np.zeros(3)
    units = np.tile(np.arange(200), 2)
    for _ in range(400):
        level = rng.normal(0, 2, 200)
        hits = rng.random((2, 200)) < 1 / (1 + np.exp(-level - np.array([[0.6], [0.0]])))
        samples = {"a": (hits[0], units[:200]), "b": (hits[1], units[200:])}
        trials, shared = (
            {name: (int(each.sum()), 200) for name, (each, _) in samples.items()},
            correlations_by_unit(samples),
        )
        gap, ratio = (each(trials, correlations=shared)[0] for each in (share_gaps, share_ratios))
        (apart,) = share_gaps(trials)
        sign = 1 if gap.larger == "a" else -1
        covered += [
            gap.low <= sign * TRUE_GAP <= gap.high,
            ratio.low <= TRUE_RATIO**sign <= ratio.high,
            apart.low <= sign * TRUE_GAP <= apart.high,
        ]
    assert covered[:2] / 400 == pytest.approx(0.95, abs=0.03)
    assert covered[2] / 400 > 0.98  # as if the groups were independent: too wide


def test_units_are_counted() -> None:
    assert repeated_units(None) is None
    assert count_units(UNITS, rows=len(UNITS)) == 120
