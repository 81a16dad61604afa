"""All gates of stage validate: metrics, calibration, fairness, robustness, comparison with the champion."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import Field

from lab.core.errors import SourceError
from lab.core.params import Params
from lab.core.result_files import read_result
from lab.evaluate.measurement import GAIN, LIFT, NET, POSITIVE_SHARE, Window, estimate_in
from lab.evaluate.slices import levels_of, name_of
from lab.task.gates import Count, Floor, GateOverrides, Margin, Measure, Noise, Positive, Repeats, Resamples, Share
from lab.validate.fairness import (
    ACCURACY,
    CALIBRATION,
    PRECISION,
    RECALL,
    SELECTION,
    Groups,
    Predictions,
    fairness_gates,
)
from lab.validate.gates import Gate, NamedGate, judge, not_judged, not_worse, worst
from lab.validate.robustness import (
    Decide,
    Loss,
    Training,
    UnseenLoss,
    baseline_of,
    losses_at,
    losses_when_unseen,
    with_missing,
    with_noise,
)

Streams = Callable[[str], np.random.Generator]
CURE = "Cure: dvc repro evaluate"
MODEL = "challenger"
PERFORMANCE, CALIBRATED, FAIRNESS = "performance", "calibration", "fairness"
ROBUSTNESS, CHAMPION = "robustness", "champion"
REPORTED: tuple[Measure, ...] = ("selection_ratio", "recall_gap", "precision_gap", "unseen_category")


class Floors(Params):
    """The minimum of each metric; `none` is no minimum."""

    accuracy: Floor
    precision: Floor
    recall: Floor
    f1: Floor
    roc_auc: Floor


class Robustness(Params):
    """How rows are perturbed, how often and how many of them, and the largest accepted loss of accuracy.

    Noise is in standard deviations of the training rows; missing is the share of values set to missing.
    """

    noise: tuple[Noise, ...] = Field(strict=False)
    missing: tuple[Positive, ...] = Field(default=(0.1,), strict=False)
    accuracy_loss: Share
    repeats: Repeats
    most_rows: Count = 5000


class AgainstChampion(Params):
    """The non-inferiority margin of ROC AUC against the champion."""

    margin: Margin
    resamples: Resamples


class ValidateParams(Params):
    """The settings of all gates; those in `reported` are informational and never block."""

    floors: Floors
    calibration_error: Positive
    accuracy_gap: Share
    selection_ratio: Share = 0.8
    recall_gap: Share = 0.1
    precision_gap: Share = 0.1
    calibration_gap: Share = 0.1
    smallest_group: Count
    robustness: Robustness
    champion: AgainstChampion
    reported: tuple[Measure, ...] = Field(default=REPORTED, strict=False)


@dataclass(frozen=True)
class Evidence:
    """The inputs of the gates for one window: metrics, scores and feature rows.

    `training` and `trained_on` describe the training rows; `decide` returns which feature rows are predicted positive.
    """

    measured: Mapping[str, Any]
    window: Window
    rows: pa.Table
    training: Training
    trained_on: Mapping[str, frozenset[str]]
    decide: Decide


def read_summary(path: Path, *, model: str, window: str) -> Mapping[str, Any]:
    """Return the metrics of a model on a window from metrics/evaluate.json."""
    try:
        summary: Mapping[str, Any] = read_result(path)[model][window]
    except (FileNotFoundError, KeyError, TypeError, ValueError) as error:
        raise SourceError(f"{path} has no metrics of the {model} on the window {window}: {error!r}. {CURE}") from error
    return summary


def check_same_rows(rows: pa.Table, predictions: pa.Table, *, keys: Sequence[str]) -> None:
    """Refuse predictions whose keys differ from those of the feature rows."""
    if not rows.select(list(keys)).equals(predictions.select(list(keys))):
        raise SourceError(
            f"data/predictions has {predictions.num_rows} rows that are not the {rows.num_rows} rows of data/features, "
            f"expected the same {', '.join(keys)} in the same order. {CURE}"
        )


def groups_of(training: pa.Table, groups: Sequence[str]) -> dict[str, frozenset[str]]:
    """Return the names of the groups in the training rows, by group column."""
    return {group: frozenset(map(name_of, training[group].unique().to_pylist())) for group in groups}


def with_task_gates(params: ValidateParams, own: GateOverrides) -> ValidateParams:
    """Return the gates with the overrides of the task."""
    differing = own.model_dump(exclude_none=True)
    floors = {name: differing.pop(name) for name in Floors.model_fields if name in differing}
    merged = {**params.model_dump(), **differing}
    for part, changes in (("floors", floors), *((name, differing.get(name, {})) for name in (ROBUSTNESS, CHAMPION))):
        merged[part] = {**params.model_dump()[part], **changes}
    return ValidateParams.model_validate(merged)


def gates_of(evidence: Evidence, params: ValidateParams, *, stream_of: Streams) -> list[NamedGate]:
    """Return every gate in display order."""
    return [
        NamedGate(name, about, measure not in params.reported, gate)
        for about, judged in (
            (PERFORMANCE, _performance),
            (CALIBRATED, _calibration),
            (FAIRNESS, _fairness),
            (ROBUSTNESS, _robustness),
            (CHAMPION, _against_champion),
        )
        for measure, name, gate in judged(evidence, params, stream_of)
    ]


Gates = Iterator[tuple[str, str, Gate]]  # the measure as in `reported`, the name of the gate, the gate


def _performance(evidence: Evidence, params: ValidateParams, _: Streams) -> Gates:
    for name, threshold in params.floors.model_dump().items():
        if threshold != "none":
            yield name, name, judge(estimate_in(evidence.measured, name), "at least", threshold)
    yield from _without_skill(evidence.measured)


def _without_skill(measured: Mapping[str, Any]) -> Gates:
    """Yield the gates whose limit is what a model without skill reaches: they hold for every task."""
    yield "chance", "roc_auc_above_chance", judge(estimate_in(measured, "roc_auc"), "above", 0.5)
    lift, gain = estimate_in(measured, LIFT), estimate_in(measured, GAIN)
    yield (
        "lift",
        "precision_over_base_rate",
        not_judged("above", 1, "no row is predicted positive; train.threshold sets the threshold")
        if measured[POSITIVE_SHARE] == 0
        else judge(lift, "above", 1),
    )
    yield (
        "net_value",
        "gain_over_acting_on_none_or_all",
        not_judged("above", 0, "the task gives decisions no value in money")
        if gain.value is None and measured[NET] is not None
        else judge(gain, "above", 0, note=", in cents a row"),
    )


def _calibration(evidence: Evidence, params: ValidateParams, _: Streams) -> Gates:
    name = "calibration_error"
    yield name, name, judge(estimate_in(evidence.measured, name), "at most", params.calibration_error)


def _fairness(evidence: Evidence, params: ValidateParams, _: Streams) -> Gates:
    window = evidence.window
    scores = window.scores[MODEL]
    predicted = Predictions(window.labels, scores, scores >= window.thresholds[MODEL])
    limits = {
        ACCURACY: params.accuracy_gap,
        SELECTION: params.selection_ratio,
        RECALL: params.recall_gap,
        PRECISION: params.precision_gap,
        CALIBRATION: params.calibration_gap,
    }
    found = {}
    for group, values in window.groups.items():
        unseen = set(map(name_of, values)) - evidence.trained_on[group]
        found[group] = fairness_gates(
            predicted, Groups(levels_of(values), unseen, params.smallest_group, window.units), limits
        )
    for measure in limits:
        for group, gates in found.items():
            yield measure, f"{measure}_{group}", gates[measure]


def _robustness(evidence: Evidence, params: ValidateParams, stream_of: Streams) -> Gates:
    rules, decide = params.robustness, evidence.decide
    window = evidence.window
    rows = baseline_of(
        evidence.rows,
        window.labels,
        decide=decide,
        most=rules.most_rows,
        rng=stream_of("rows"),
        units=window.units,
    )
    spreads = evidence.training.spreads
    features = [*evidence.training.features]
    perturbations = {
        "noise": (rules.noise, lambda rows, level, rng: with_noise(rows, spreads, noise=level, rng=rng)),
        "missing": (rules.missing, lambda rows, share, rng: with_missing(rows, features, share=share, rng=rng)),
    }
    for measure, (levels, perturb) in perturbations.items():
        streams = partial(_stream, stream_of, measure)
        losses = losses_at(rows, levels, perturb, decide=decide, repeats=rules.repeats, stream_of=streams)
        for level, loss in losses.items():
            name = f"accuracy_loss_at_{measure}_{str(level).replace('.', '_')}"
            yield measure, name, _loss_gate(loss, rules.accuracy_loss, of=len(window.labels))
    unseen = losses_when_unseen(rows, evidence.training.levels, decide=decide, smallest=params.smallest_group)
    yield "unseen_category", "accuracy_loss_at_unseen_category", _unseen_gate(unseen, params)


def _stream(stream_of: Streams, measure: str, level: float, repeat: int) -> np.random.Generator:
    return stream_of(f"{measure}/{level}/{repeat}")


def _against_champion(evidence: Evidence, params: ValidateParams, stream_of: Streams) -> Gates:
    window, rules = evidence.window, params.champion
    gate = not_worse(
        window.labels,
        window.scores["champion"],
        window.scores[MODEL],
        margin=rules.margin,
        resamples=rules.resamples,
        rng=stream_of("champion"),
        units=window.units,
    )
    yield "champion", "roc_auc_against_champion", gate


def _loss_gate(loss: Loss, limit: float, *, of: int) -> Gate:
    sample = f", on a sample of {loss.rows:,} of {of:,} rows" if loss.rows < of else ""
    drawn = "" if loss.worst is None else f"; {loss.worst:.4f} in the worst of {loss.draws} draws{sample}"
    return judge(loss.estimate, "at most", limit, note=drawn)


def _unseen_gate(losses: Sequence[UnseenLoss], params: ValidateParams) -> Gate:
    limit, smallest = params.robustness.accuracy_loss, params.smallest_group
    judged = [each for each in losses if each.loss.estimate.value is not None]
    if not judged:
        return not_judged("at most", limit, f"no category has a common level of at least {smallest} rows")
    return worst(judge(each.loss.estimate, "at most", limit, note=_where(each, of=len(judged))) for each in judged)


def _where(unseen: UnseenLoss, *, of: int) -> str:
    return f"; {unseen.feature}, the worst of {of}: its {unseen.loss.rows:,} rows on {unseen.level}"
