"""Both models are measured on the same resamples, with intervals of the stated coverage."""

from dataclasses import replace

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from benchmarks.coverage import World, coverage, draw, simulate, truth_of
from lab.evaluate.measurement import MONEY, NET, Window, measure_models, money_of, summary_of
from lab.stats.core.classification import METRICS
from lab.task.money import Money

PRICES = Money(benefit_of_true_positive=2500, cost_of_false_positive=800, cost_of_false_negative=100)


def window(rows: int = 400) -> Window:
    return draw(World("", mean=-0.6, threshold=0.5), rows, rng=np.random.default_rng(1))


def measured(seen: Window, *, money: Money = PRICES) -> dict[str, float | None]:
    found = measure_models(seen, money=money, resamples=200, rng=np.random.default_rng(0))["champion"]
    return {name: each.value for name, each in found.items()}


def test_every_metric_and_figure_has_an_interval_around_it() -> None:
    found = measure_models(window(), money=PRICES, resamples=200, rng=np.random.default_rng(0))
    for metrics in found.values():
        assert {*METRICS, *MONEY} <= set(metrics)
        for seen in metrics.values():
            assert seen.value is not None
            assert seen.low is not None
            assert seen.high is not None
            assert seen.low <= seen.value <= seen.high


def test_money_is_in_currency_per_row_and_in_total() -> None:
    seen = window()
    found = measure_models(seen, money=PRICES, resamples=200, rng=np.random.default_rng(0))["champion"]
    decided, was = seen.scores["champion"] >= 0.5, seen.labels
    benefit = 25.0 * np.sum(decided & was)
    cost = 8.0 * np.sum(decided & ~was) + 1.0 * np.sum(~decided & was)
    by_name = {each["figure"]: each for each in money_of(found, rows=400)}
    assert [by_name[name]["total"] for name in ("benefit", "cost", "net")] == pytest.approx(
        [benefit, cost, benefit - cost]
    )
    assert by_name["net"]["per_row"] == pytest.approx((benefit - cost) / 400)
    assert by_name["return_on_cost"]["value"] == pytest.approx((benefit - cost) / cost)
    low, high = by_name["net"]["total_95"]
    assert low < benefit - cost < high
    assert by_name["net"]["per_row_95"] == pytest.approx([low / 400, high / 400])


def test_without_cost_only_the_return_is_undefined() -> None:
    found = measured(window(), money=Money(benefit_of_true_positive=100))
    assert found["return_on_cost"] is None
    assert found[NET] is not None


def test_of_money_only_the_net_value_is_a_metric() -> None:
    found = summary_of(measure_models(window(), money=PRICES, resamples=100, rng=np.random.default_rng(0))["champion"])
    assert {NET, f"{NET}_95"} <= set(found)
    assert not {"benefit_cents_per_row", "cost_cents_per_row", "return_on_cost"} & set(found)


def test_constant_scores_are_measured() -> None:
    labels = np.arange(100) < 30
    scores = {name: np.full(100, 0.3) for name in ("champion", "challenger")}
    found = measure_models(
        Window(labels, scores, dict.fromkeys(scores, 0.5), {}),
        money=PRICES,
        resamples=200,
        rng=np.random.default_rng(0),
    )["challenger"]
    assert (found["roc_auc"].value, found["roc_auc"].low, found["roc_auc"].high) == (0.5, 0.5, 0.5)
    assert (found["precision"].value, found["recall"].value) == (0.0, 0.0)
    assert found["average_precision"].value == pytest.approx(0.3)
    assert found["accuracy"].value == pytest.approx(0.7)
    assert found["calibration_error"].value == pytest.approx(0, abs=1e-12)


def test_ten_hits_of_ten_have_an_interval_below_one() -> None:
    labels = np.arange(40) < 10
    scores = {name: np.where(labels, 0.9, np.linspace(0.1, 0.8, 40)).round(6) for name in ("champion", "challenger")}
    seen = Window(labels, scores, dict.fromkeys(scores, 0.5), {})
    found = measure_models(seen, money=PRICES, resamples=200, rng=np.random.default_rng(0))["champion"]["recall"]
    assert found.value == 1
    assert [found.low, found.high] == pytest.approx(proportion_confint(10, 10, method="wilson"))


def test_rows_of_one_unit_count_once_in_every_interval() -> None:
    seen, copies = window(), np.repeat(np.arange(len(window().labels)), 4)
    scores = {model: values[copies] for model, values in seen.scores.items()}
    repeated = Window(seen.labels[copies], scores, seen.thresholds, {}, copies)
    once, ignored, by_unit = (
        measure_models(each, money=PRICES, resamples=2000, rng=np.random.default_rng(0))["challenger"]
        for each in (seen, replace(repeated, units=None), repeated)
    )
    assert (len(repeated.labels), repeated.unit_count) == (4 * seen.unit_count, len(seen.labels))
    for name in METRICS:
        widths = [(found[name].high or 0) - (found[name].low or 0) for found in (once, ignored, by_unit)]
        assert widths[2] == pytest.approx(widths[0], rel=0.12), name
        assert widths[1] < 0.75 * widths[0], name


def test_a_part_of_a_window_keeps_the_units_that_repeat() -> None:
    seen = window()
    units = np.arange(len(seen.labels)) // 2
    twice = replace(seen, units=units)
    part = twice.where(units % 2 == 0)
    assert part.unit_count == len(part.labels) // 2
    assert twice.where(np.arange(len(units)) % 2 == 0).units is None


@pytest.mark.slow
@pytest.mark.parametrize("world", [World("0.4", -0.62, 0.5), World("0.1", -3.27, 0.24)], ids=lambda world: world.name)
def test_every_interval_has_its_stated_coverage(world: World) -> None:
    truth = truth_of(world, rows=400_000)
    found = coverage(truth, simulate(world, rows=500, tests=300, resamples=400, seed=1))
    covered = {key: 1 - above - below for key, (above, below) in found.items()}
    errors = {key: share for key, share in covered.items() if key[1] == "calibration_error"}
    others = {key: share for key, share in covered.items() if key[1] != "calibration_error"}
    assert min(errors.values()) >= 0.93  # its own interval is cautious
    assert min(others.values()) >= 0.9, others  # the worst of 28, four standard errors of 300 tests below 0.95
    assert max(others.values()) <= 0.99, others
    assert np.mean(list(others.values())) == pytest.approx(0.95, abs=0.02)
