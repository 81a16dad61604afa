"""The metrics of both models on every window, and the points of the plots."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import Field

from lab.core.params import Params
from lab.evaluate.evaluation_points import (
    CURVES,
    Row,
    benefit_rows,
    calibration_rows,
    confusion_rows,
    curve_rows,
    metric_rows,
    score_rows,
)
from lab.evaluate.measurement import Measured, Window, measure_models, money_of, summary_of
from lab.evaluate.slices import group_rows, name_of, small_groups, unseen_groups
from lab.model_files.manifest import Manifest
from lab.predictions.predictions import LABEL, MODELS, score_column
from lab.stats.core.classification import scored_sample, undefined_metrics
from lab.stats.models.bootstrap import Estimate
from lab.task.money import Money

IN_SAMPLE = "train"
WINDOWS = (IN_SAMPLE, "test", "current")
HELD_OUT = ("test", "current")

Streams = Callable[[str], np.random.Generator]


class EvaluateParams(Params):
    """The number of bootstrap resamples, and the smallest group that is judged."""

    resamples: int = Field(ge=100, le=100_000)
    smallest_group: int = Field(ge=1)


@dataclass(frozen=True)
class Plot:
    """The points of one plot and the fields of its axes."""

    rows: list[Row]
    x: str
    y: str


@dataclass(frozen=True)
class Evaluation:
    """The content of metrics/evaluate.json, and the plots by name."""

    metrics: dict[str, Any]
    plots: dict[str, Plot]


def predictions_of(rows: pa.Table, scores: Mapping[str, Any], *, kept: list[str]) -> pa.Table:
    """Return the kept columns of the feature rows (keys, groups), the label, and the scores of both models."""
    columns = list(dict.fromkeys([*kept, LABEL]))
    table = rows.select(columns)
    for model in MODELS:
        table = table.append_column(score_column(model), pa.array(scores[model], pa.float64()))
    return table


def models_json(manifests: Mapping[str, Manifest]) -> str:
    """Return data/predictions/models.json: the specification of each model, and its threshold with all digits."""
    content = {
        model: {"threshold": manifest.threshold, **manifest.specification.model_dump(mode="json")}
        for model, manifest in manifests.items()
    }
    return json.dumps(content, sort_keys=True, indent=2, allow_nan=False)


def evaluate(
    windows: Mapping[str, Window], *, money: Money, resamples: int, smallest: int, stream_of: Streams
) -> Evaluation:
    """Return the evaluation of both models; results on the training rows are named in-sample."""
    measured = {
        name: measure_models(window, money=money, resamples=resamples, rng=stream_of(name))
        for name, window in windows.items()
    }
    held_out = {name: windows[name] for name in HELD_OUT}
    levels = {group: set(map(name_of, values)) for group, values in windows[IN_SAMPLE].groups.items()}
    rows_of = partial(group_rows, trained_on=levels, money=money, resamples=resamples, smallest=smallest)
    groups = [row for name, seen in held_out.items() for row in _group_rows(name, seen, rows_of, stream_of)]
    named = {_key_of(name): seen for name, seen in measured.items()}
    metrics = _metrics(windows, named, money) | _remarks(windows, groups)
    return Evaluation(metrics=metrics, plots={**_plots(held_out, measured, money), **_tables(named, groups)})


def _metrics(windows: Mapping[str, Window], measured: Mapping[str, Measured], money: Money) -> dict[str, Any]:
    sizes = {_key_of(name): window for name, window in windows.items()}
    return {
        **{
            model: {
                "threshold": windows[IN_SAMPLE].thresholds[model],
                **{name: _summary(seen[model], rows=len(sizes[name].labels)) for name, seen in measured.items()},
            }
            for model in MODELS
        },
        "currency": money.currency,
        "rows": {name: len(window.labels) for name, window in sizes.items()},
        "units": {name: window.unit_count for name, window in sizes.items()},
        "positive_share": {
            name: float(window.labels.mean()) if len(window.labels) else None for name, window in sizes.items()
        },
    }


def _summary(measured: Mapping[str, Estimate], *, rows: int) -> dict[str, Any]:
    return {**summary_of(measured), "money": money_of(measured, rows=rows)}


def _remarks(windows: Mapping[str, Window], groups: list[Row]) -> dict[str, Any]:
    """Return metrics without a value, and groups that are too small or not in training."""
    return {
        "undefined": list(_undefined(windows)),
        "groups_too_small": len(small_groups(groups)),
        "groups_not_in_training": [f"{group}: {level}" for group, level in unseen_groups(groups)],
    }


def _plots(windows: Mapping[str, Window], measured: Mapping[str, Measured], money: Money) -> dict[str, Plot]:
    curves = {name: Plot(curve_rows(name, windows, measured), x, y) for name, (x, y, _, _) in CURVES.items()}
    return {
        **curves,
        "calibration": Plot(calibration_rows(windows, measured), "score", "share_positive"),
        "confusion": Plot(confusion_rows(windows), "decided", "actual"),
        "scores": Plot(score_rows(windows), "start", "share"),
        "benefit": Plot(benefit_rows(windows, money), "threshold", "net_per_row"),
    }


def _tables(measured: Mapping[str, Measured], groups: list[Row]) -> dict[str, Plot]:
    return {"metrics": Plot(metric_rows(measured), "value", "metric"), "groups": Plot(groups, "value", "level")}


def _group_rows(window: str, seen: Window, rows_of: Callable[..., Iterator[Row]], stream_of: Streams) -> Iterator[Row]:
    for row in rows_of(seen, stream_of=lambda part: stream_of(f"{window}/{part}")):
        yield {"window": window, **row}


def _undefined(windows: Mapping[str, Window]) -> Iterator[str]:
    for name, window in windows.items():
        if absent := undefined_metrics(scored_sample(window.labels, window.scores[MODELS[0]])):
            positives = int(window.labels.sum())
            reason = f"{len(window.labels)} rows, {positives} positive"
            yield f"{_key_of(name)}: {', '.join(sorted(absent))} undefined ({reason})"


def _key_of(window: str) -> str:
    return f"{window}_in_sample" if window == IN_SAMPLE else window
