"""Plot points of stage evaluate, both models in each file."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from lab.evaluate.business import Value, best_on_these_rows, value_at, value_curve
from lab.evaluate.measurement import CENTS, Measured, Window
from lab.predictions.predictions import MODELS
from lab.stats.core.classification import BIN_EDGES, ScoredSample, decide
from lab.stats.core.clusters import effective_trials
from lab.stats.core.proportions import wilson_interval
from lab.stats.models.bootstrap import Estimate
from lab.stats.models.curves import (
    CalibrationBin,
    Point,
    calibration_curve,
    gain_curve,
    lift_at,
    lift_curve,
    precision_recall_curve,
    roc_curve,
    score_bins,
)
from lab.task.money import Money

Row = dict[str, Any]

CHANCE, PERFECT = "chance", "perfect"
CHOSEN, HINDSIGHT = "chosen", "best in hindsight"
BEST_TENTH = 0.1

# By name: x axis, y axis, the metric in the label of each line, and the function of the curve.
CURVES: dict[str, tuple[str, str, str, Callable[[ScoredSample], list[Point]]]] = {
    "roc": ("false_positive_rate", "true_positive_rate", "roc_auc", roc_curve),
    "precision_recall": ("recall", "precision", "average_precision", precision_recall_curve),
    "gain": ("share_acted_on", "share_found", "", gain_curve),
    "lift": ("share_acted_on", "lift", "", lift_curve),
}


def curve_rows(name: str, windows: Mapping[str, Window], measured: Mapping[str, Measured]) -> list[Row]:
    """Return the rows of one of `CURVES`; a window with one class only has none."""
    x, y, metric, curve = CURVES[name]
    rows = []
    for window, data in windows.items():
        if not has_both_classes(data):
            continue
        for model in MODELS:
            sample = data.sample_of(model)
            label = short(measured[window][model][metric]) if metric else lift_label(sample)
            rows += [_point(window, model, {x: p.x, y: p.y}, p.threshold, label) for p in curve(sample)]
        share = float(data.labels.mean())
        start, end = {"precision_recall": (share, share), "lift": (1.0, 1.0)}.get(name, (0.0, 1.0))
        rows += [_point(window, CHANCE, {x: a, y: b}, None, "") for a, b in ((0.0, start), (1.0, end))]
    return rows


def calibration_rows(windows: Mapping[str, Window], measured: Mapping[str, Measured]) -> list[Row]:
    """Return each bin of scores with its observed share of positives, and the line of a perfect model."""
    rows = []
    for window, data in windows.items():
        for model in MODELS:
            label = short(measured[window][model]["calibration_error"])
            rows += [
                _bin(window, model, (each.score, each.share, each.low, each.high, each.rows), label)
                for each in calibration_bins(data, model)
            ]
        rows += [_bin(window, PERFECT, (end, end, end, end, 0), "") for end in (0.0, 1.0)]
    return rows


def calibration_bins(data: Window, model: str) -> list[CalibrationBin]:
    """Return the bins of the calibration curve, with intervals by unit where units repeat."""
    bins = calibration_curve(data.sample_of(model))
    if data.units is None:
        return bins
    places = np.searchsorted(BIN_EDGES, data.scores[model], side="right")
    ends = [
        wilson_interval(effective_trials(data.labels[places == place], data.units[places == place]))
        for place in np.unique(places)
    ]
    return [replace(each, low=low, high=high) for each, (low, high) in zip(bins, ends, strict=True)]


def confusion_rows(windows: Mapping[str, Window]) -> list[Row]:
    """Return the cells of each confusion matrix, with their share of the true class."""
    rows = []
    for window, model, data in _each(windows):
        found = decide(data.sample_of(model), threshold=data.thresholds[model])
        cells = {
            ("positive", "positive"): found.true_positives,
            ("positive", "negative"): found.false_negatives,
            ("negative", "positive"): found.false_positives,
            ("negative", "negative"): found.true_negatives,
        }
        totals = {"positive": int(data.labels.sum()), "negative": int((~data.labels).sum())}
        for (actual, decided), count in cells.items():
            share = float(count) / totals[actual] if totals[actual] else None
            row = {"actual": actual, "decided": decided, "rows": int(count), "share_of_actual": share}
            rows.append({"window": window, "model": model, **row})
    return rows


def score_rows(windows: Mapping[str, Window]) -> list[Row]:
    """Return the rows of each class in each of twenty bins of scores, and their share of the class."""
    rows = []
    for window, model, data in _each(windows):
        totals = {"positive": int(data.labels.sum()), "negative": int((~data.labels).sum())}
        for each in score_bins(data.sample_of(model)):
            for actual, count in (("positive", each.positives), ("negative", each.negatives)):
                share = count / totals[actual] if totals[actual] else None
                place = {"start": each.start, "end": each.end}
                rows.append(
                    {"window": window, "model": model, "actual": actual, **place, "rows": count, "share": share}
                )
    return rows


def benefit_rows(windows: Mapping[str, Window], money: Money) -> list[Row]:
    """Return benefit and cost of every threshold, a row and in currency, from acting on all rows to acting on none.

    Two thresholds are marked: the chosen one, and the best one on these rows, which is known only afterwards.
    """
    rows = []
    for window, model, data in _each(windows):
        if not len(data.labels):
            continue
        sample, place = data.sample_of(model), {"window": window, "model": model}
        rows += [{**place, **_value_row(value, money)} for value in value_curve(sample, money)]
        chosen = value_at(sample, money, threshold=data.thresholds[model])
        rows.append({**place, **_value_row(chosen, money, mark=CHOSEN)})
        rows.append({**place, **_value_row(best_on_these_rows(sample, money), money, mark=HINDSIGHT)})
    return rows


def metric_rows(measured: Mapping[str, Measured]) -> list[Row]:
    return [
        {"window": window, "model": model, "metric": metric, **asdict(data)}
        for window, models in measured.items()
        for model, metrics in models.items()
        for metric, data in metrics.items()
    ]


def has_both_classes(window: Window) -> bool:
    return bool(window.labels.any()) and not window.labels.all()


def short(data: Estimate) -> str:
    """Return a value with its interval as the label of a line."""
    if data.value is None or data.low is None or data.high is None:
        return "undefined"
    return f"{data.value:.3f} ({data.low:.3f}–{data.high:.3f})"


def lift_label(sample: ScoredSample) -> str:
    """Return the lift of the best-scored tenth as the label of a line."""
    return f"lift {lift_at(sample, BEST_TENTH):.2f}"


def _each(windows: Mapping[str, Window]) -> Iterator[tuple[str, str, Window]]:
    for name, window in windows.items():
        for model in MODELS:
            yield name, model, window


def _point(window: str, model: str, place: Row, threshold: float | None, label: str) -> Row:
    return {"window": window, "model": model, **place, "threshold": threshold, "label": label}


def _bin(window: str, model: str, values: tuple[float, float, float, float, int], label: str) -> Row:
    names = ("score", "share_positive", "low", "high", "rows")
    return {"window": window, "model": model, **dict(zip(names, values, strict=True)), "label": label}


def _value_row(value: Value, money: Money, *, mark: str = "") -> Row:
    return {
        "threshold": min(value.threshold, 1.0),
        "benefit_per_row": value.benefit / CENTS,
        "cost_per_row": value.cost / CENTS,
        "net_per_row": value.net / CENTS,
        "share_acted_on": value.acted_on,
        "currency": money.currency,
        "mark": mark,
    }
