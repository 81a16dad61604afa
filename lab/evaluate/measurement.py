"""Measure champion and challenger on the rows of a window, on the same bootstrap resamples."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.evaluate.business import cents_per_row, gain_cents_per_row
from lab.evaluate.large_windows import part_of, rescaled
from lab.predictions.columns import numbers_of
from lab.predictions.predictions import LABEL, MODELS, score_column
from lab.predictions.units import Codes
from lab.stats.core.classification import METRICS, ScoredSample, decide, measure, scored_sample
from lab.stats.core.clusters import count_units, effective_trials, repeated_units
from lab.stats.core.proportions import EffectiveTrials, wilson_interval
from lab.stats.models.bootstrap import Estimate, Measure, estimate, estimate_distance, resample, smaller_class
from lab.task.money import Money

Numbers = NDArray[np.float64]

NET, RETURN = "net_cents_per_row", "return_on_cost"
MONEY = ("benefit_cents_per_row", "cost_cents_per_row", NET, RETURN)
CENTS = 100  # of the currency
POSITIVE_SHARE = "decided_positive_share"
LIFT = "lift"  # precision over the share of positives
GAIN = "gain_cents_per_row"  # above acting on no row and on every row
CALIBRATION_NOISE = "calibration_noise"

Measured = Mapping[str, Mapping[str, Estimate]]


@dataclass(frozen=True)
class Window:
    """The rows of one window: labels, scores and thresholds of each model, groups, and units where these repeat."""

    labels: NDArray[np.bool_]
    scores: dict[str, Numbers]
    thresholds: dict[str, float]
    groups: dict[str, list[Any]]
    units: Codes | None = None

    @property
    def unit_count(self) -> int:
        return count_units(self.units, rows=len(self.labels))

    def sample_of(self, model: str) -> ScoredSample:
        return scored_sample(self.labels, self.scores[model])

    def where(self, rows: NDArray[np.bool_]) -> "Window":
        """Return the selected rows, without their groups."""
        scores = {model: values[rows] for model, values in self.scores.items()}
        units = None if self.units is None else repeated_units(self.units[rows])
        return Window(self.labels[rows], scores, self.thresholds, {}, units)


def window_of(
    predictions: pa.Table, *, thresholds: Mapping[str, float], groups: tuple[str, ...], units: Codes | None
) -> Window:
    """Return the window; `units` are codes of the rows' units."""
    return Window(
        labels=numbers_of(predictions[LABEL]) == 1,
        scores={model: numbers_of(predictions[score_column(model)]) for model in MODELS},
        thresholds=dict(thresholds),
        groups={name: predictions[name].to_pylist() for name in groups},
        units=repeated_units(units),
    )


def measure_models(window: Window, *, money: Money, resamples: int, rng: np.random.Generator) -> Measured:
    """Return every metric of each model with its interval; both models use the same resamples, of units if they repeat.

    A metric that is undefined on the window (one class only, no row) has no value. Of a large window a part is drawn.
    """
    rows, factor = part_of(window.labels, window.units, rng=rng)
    part = window if factor == 1 else window.where(rows)
    whole, measures = (
        [_measure_of(data.sample_of(model), threshold=window.thresholds[model], money=money) for model in MODELS]
        for data in (window, part)
    )
    scores = [part.scores[model] for model in MODELS]
    drawn = resample(part.labels, scores, [of for _, of in measures], resamples=resamples, rng=rng, units=part.units)
    return {
        model: _estimates(
            seen,
            rescaled(resampled, part=seen_in_part, whole=seen, factor=factor),
            trials=_trials_of(window, model),
            rows=smaller_class(window.labels, window.units),
        )
        for model, (seen, _), (seen_in_part, _), resampled in zip(MODELS, whole, measures, drawn, strict=True)
    }


def summary_of(measured: Mapping[str, Estimate]) -> dict[str, Any]:
    """Return each metric under its name, and its 95 % interval as a list under NAME_95."""
    return {
        key: value
        for name, seen in measured.items()
        if name not in MONEY or name == NET
        for key, value in ((name, seen.value), (f"{name}_95", interval_of(seen)))
    }


def money_of(measured: Mapping[str, Estimate], *, rows: int) -> list[dict[str, Any]]:
    """Return benefit, cost and net value in the task's currency, a row and in total, and the return on cost.

    It is a list, since DVC shows every number in a mapping as a metric.
    """
    found: list[dict[str, Any]] = []
    for name in MONEY:
        seen, ends = measured[name], interval_of(measured[name])
        if name == RETURN:
            found.append({"figure": name, "value": seen.value, "value_95": ends})
            continue
        total, total_ends = (_in_currency(value, times=rows) for value in (seen.value, ends))
        row, row_ends = (_in_currency(value) for value in (seen.value, ends))
        figure = name.removesuffix("_cents_per_row")
        found.append({"figure": figure, "per_row": row, "per_row_95": row_ends, "total": total, "total_95": total_ends})
    return found


def interval_of(seen: Estimate) -> list[float] | None:
    """Return the interval as a list, or None where there is none."""
    return None if seen.low is None or seen.high is None else [seen.low, seen.high]


def estimate_in(summary: Mapping[str, Any], name: str) -> Estimate:
    """Return a metric from the output of `summary_of`."""
    low, high = summary[f"{name}_95"] or (None, None)
    return Estimate(summary[name], low, high)


def _measure_of(sample: ScoredSample, *, threshold: float, money: Money) -> tuple[dict[str, Numbers], Measure]:
    """Return the metrics of a sample, and the function that measures resamples of it."""
    of = partial(_measure, threshold=threshold, money=money, gaps=sample.calibration_gaps)
    return of(sample), of


def _measure(sample: ScoredSample, *, threshold: float, money: Money, gaps: Numbers) -> dict[str, Numbers]:
    measured = measure(sample, threshold=threshold)
    if not measured:
        return {}
    decisions = decide(sample, threshold=threshold)
    base_rate = np.asarray((decisions.true_positives + decisions.false_negatives) / decisions.rows)
    return {
        **measured,
        **cents_per_row(decisions, money),
        **({GAIN: gain_cents_per_row(decisions, money)} if money.is_set else {}),
        **({LIFT: decisions.precision / base_rate} if base_rate.all() else {}),
        POSITIVE_SHARE: decisions.positive_share,
        CALIBRATION_NOISE: np.abs(sample.calibration_gaps - gaps).sum(axis=-1),
    }


def _estimates(
    seen: Mapping[str, Numbers], resampled: Mapping[str, Numbers], *, trials: Mapping[str, EffectiveTrials], rows: int
) -> dict[str, Estimate]:
    values = {name: _value_in(seen, name) for name in (*METRICS, *MONEY, POSITIVE_SHARE, LIFT, GAIN)}
    found = {name: _estimate(value, resampled.get(name), rows=rows) for name, value in values.items()}
    shares = {name: _with_width(found[name], trials[name]) for name in trials}
    distances = (resampled.get(name) for name in ("calibration_error", CALIBRATION_NOISE))
    return {**found, **shares, "calibration_error": estimate_distance(values["calibration_error"], *distances)}


def _trials_of(window: Window, model: str) -> dict[str, EffectiveTrials]:
    """Return the metrics that are shares of rows, as (hits, rows)."""
    decided, labels = window.scores[model] >= window.thresholds[model], window.labels
    every = np.ones_like(labels)
    shares = {
        "accuracy": (every, decided == labels),
        "precision": (decided, labels),
        "recall": (labels, decided),
        POSITIVE_SHARE: (every, decided),
    }
    return {
        name: effective_trials(hits[about], None if window.units is None else window.units[about])
        for name, (about, hits) in shares.items()
        if about.any()
    }


def _with_width(seen: Estimate, trials: EffectiveTrials) -> Estimate:
    """Return a share of 0 or 1, which no resample can change, with Wilson's interval in place of none."""
    if seen.low is None or seen.low != seen.high:
        return seen
    return Estimate(seen.value, *wilson_interval(trials))


def _value_in(seen: Mapping[str, Numbers], name: str) -> float | None:
    return float(seen[name]) if name in seen and np.isfinite(seen[name]) else None


def _estimate(value: float | None, resampled: Numbers | None, *, rows: int) -> Estimate:
    """Return the estimate; without an interval where a resample has no value."""
    if value is None or resampled is None or np.isfinite(resampled).all():
        return estimate(value, resampled, rows=rows)
    return Estimate(value, None, None)


def _in_currency(cents: Any, *, times: int = 1) -> Any:
    if isinstance(cents, list):
        return [_in_currency(each, times=times) for each in cents]
    return None if cents is None else cents * times / CENTS
