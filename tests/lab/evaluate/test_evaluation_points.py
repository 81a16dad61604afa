"""Plot points agree with scikit-learn and with calculations by hand."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from lab.evaluate.evaluation_points import (
    benefit_rows,
    calibration_bins,
    calibration_rows,
    confusion_rows,
    curve_rows,
    lift_label,
    score_rows,
)
from lab.evaluate.measurement import Window, measure_models
from lab.stats.core.classification import scored_sample
from lab.task.money import Money

MONEY = Money(benefit_of_true_positive=2500, cost_of_false_positive=800)


def window(seed: int = 0, *, rows: int = 300) -> Window:
    rng = np.random.default_rng(seed)
    labels = rng.random(rows) < 0.4
    scores = {name: rng.random(rows).round(6) for name in ("champion", "challenger")}
    return Window(labels, scores, {"champion": 0.5, "challenger": 0.3}, {})


def of(rows: list[dict[str, Any]], **wanted: Any) -> list[dict[str, Any]]:
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def measured(windows: dict[str, Window]) -> Any:
    return {
        name: measure_models(seen, money=MONEY, resamples=100, rng=np.random.default_rng(0))
        for name, seen in windows.items()
    }


@pytest.mark.parametrize("model", ["champion", "challenger"])
def test_the_confusion_matrix_is_scikit_learns(model: str) -> None:
    seen = window()
    rows = of(confusion_rows({"test": seen}), window="test", model=model)
    expected = confusion_matrix(seen.labels, seen.scores[model] >= seen.thresholds[model])
    for actual, line in zip(("negative", "positive"), expected, strict=True):
        for decided, count in zip(("negative", "positive"), line, strict=True):
            (cell,) = of(rows, actual=actual, decided=decided)
            assert cell["rows"] == count
            assert cell["share_of_actual"] == pytest.approx(count / line.sum())


def test_the_chosen_threshold_is_marked_once_for_each_model() -> None:
    seen = window()
    rows = benefit_rows({"test": seen}, MONEY)
    assert [(row["model"], row["threshold"]) for row in of(rows, mark="chosen")] == [
        ("champion", 0.5),
        ("challenger", 0.3),
    ]
    decided, (chosen,) = seen.scores["challenger"] >= 0.3, of(rows, mark="chosen", model="challenger")
    assert chosen["benefit_per_row"] == pytest.approx(25 * np.mean(decided & seen.labels))
    assert chosen["cost_per_row"] == pytest.approx(8 * np.mean(decided & ~seen.labels))
    assert chosen["net_per_row"] == pytest.approx(chosen["benefit_per_row"] - chosen["cost_per_row"])
    assert chosen["currency"] == "EUR"


@pytest.mark.parametrize("model", ["champion", "challenger"])
def test_the_best_threshold_has_the_highest_value(model: str) -> None:
    seen = window()
    (best,) = of(benefit_rows({"test": seen}, MONEY), mark="best in hindsight", model=model)
    worths = {
        score: np.sum((seen.scores[model] >= score) * np.where(seen.labels, 25, -8)) / 300
        for score in [*np.unique(seen.scores[model]), 2.0]
    }
    assert best["net_per_row"] == pytest.approx(max(worths.values()))
    assert worths[best["threshold"]] == max(worths.values())


def test_where_action_never_pays_the_best_threshold_acts_on_no_row() -> None:
    seen = window()
    (best, _) = of(benefit_rows({"test": seen}, Money(cost_of_false_positive=1)), mark="best in hindsight")
    assert (best["share_acted_on"], best["net_per_row"]) == (0, 0)


def test_the_lowest_threshold_acts_on_all_rows_and_the_highest_on_none() -> None:
    seen = window()
    first, *_, last = of(benefit_rows({"test": seen}, MONEY), model="champion", mark="")
    assert (first["threshold"], first["share_acted_on"], last["threshold"]) == (0, 1, 1)
    assert first["net_per_row"] == pytest.approx(np.mean(np.where(seen.labels, 25, -8)))
    assert (last["share_acted_on"], last["net_per_row"]) == (0, 0)


def test_lift_is_one_where_all_rows_are_acted_on() -> None:
    windows = {"test": window()}
    rows = curve_rows("lift", windows, measured(windows))
    points = of(rows, model="challenger")
    assert points[-1]["lift"] == pytest.approx(1)
    assert points[0]["share_acted_on"] >= 0.01
    assert [row["lift"] for row in of(rows, model="chance")] == [1, 1]


def test_a_curve_has_a_label_and_a_line_of_chance() -> None:
    windows = {"test": window(), "current": window(1)}
    rows = curve_rows("precision_recall", windows, measured(windows))
    assert {row["window"] for row in rows} == {"test", "current"}
    assert [row["precision"] for row in of(rows, model="chance", window="test")] == [windows["test"].labels.mean()] * 2
    (label,) = {row["label"] for row in of(rows, model="champion", window="test")}
    value = measured(windows)["test"]["champion"]["average_precision"].value
    assert label.startswith(f"{value:.3f} (")


def test_a_window_of_one_class_has_no_curve() -> None:
    seen = window()
    one_class = Window(np.ones_like(seen.labels), seen.scores, seen.thresholds, {})
    assert curve_rows("roc", {"test": one_class}, measured({"test": one_class})) == []


def test_every_row_is_in_one_bin_of_its_class() -> None:
    seen = window()
    for model in seen.scores:
        bins = of(score_rows({"test": seen}), model=model)
        assert sum(row["rows"] for row in of(bins, actual="positive")) == seen.labels.sum()
        assert sum(row["share"] for row in of(bins, actual="negative")) == pytest.approx(1)
        calibrated = of(calibration_rows({"test": seen}, measured({"test": seen})), model=model)
        assert sum(row["rows"] for row in calibrated) == len(seen.labels)


def test_the_label_of_lift_is_of_the_best_tenth() -> None:
    assert lift_label(scored_sample(np.arange(20) < 5, np.linspace(1, 0, 20).round(6))) == "lift 4.00"


def test_bins_of_calibration_count_the_rows_of_a_unit_once() -> None:
    seen, copies = window(), np.repeat(np.arange(300), 4)
    scores = {model: values[copies] for model, values in seen.scores.items()}
    repeated = Window(seen.labels[copies], scores, seen.thresholds, {}, copies)
    for once, by_unit in zip(*(calibration_bins(each, "champion") for each in (seen, repeated)), strict=True):
        assert by_unit.rows == 4 * once.rows
        assert (by_unit.low, by_unit.high) == pytest.approx((once.low, once.high), abs=0.02)
