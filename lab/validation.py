"""All gates of the stage validate: floors, calibration, fairness, robustness, and not worse than the champion."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pydantic import Field

from lab.errors import SourceError
from lab.gates import Gate, accuracy_gap, ceiling, floor, not_worse
from lab.measurement import Window, estimate_in
from lab.params import Params
from lab.records import read_json
from lab.robustness import Decide, losses_under_noise
from lab.slices import levels_of
from lab.task.gates import GateOverrides

Streams = Callable[[str], np.random.Generator]
CURE = "Cure: dvc repro evaluate"


class Floors(Params):
    """The least that each metric must reach."""

    accuracy: float = Field(ge=0, le=1)
    precision: float = Field(ge=0, le=1)
    recall: float = Field(ge=0, le=1)
    f1: float = Field(ge=0, le=1)
    roc_auc: float = Field(ge=0, le=1)


class Robustness(Params):
    """Noise in standard deviations of the training rows, how often it is drawn, and what it may cost in accuracy."""

    noise: tuple[float, ...] = Field(strict=False)
    repeats: int = Field(ge=1, le=1000)
    accuracy_loss: float = Field(ge=0, le=1)


class AgainstChampion(Params):
    """By how much ROC AUC may be worse than the champion's."""

    margin: float = Field(gt=0, lt=1)
    resamples: int = Field(ge=100, le=100_000)


class ValidateParams(Params):
    """The gates that a challenger must pass."""

    floors: Floors
    calibration_error: float = Field(gt=0, le=1)
    accuracy_gap: float = Field(ge=0, le=1)
    smallest_group: int = Field(ge=1)
    robustness: Robustness
    champion: AgainstChampion


@dataclass(frozen=True)
class Evidence:
    """What the gates look at, all of one window: the challenger's metrics, both models' scores, and the feature rows.

    `spreads` are the standard deviations of the numbers, `decide` says of feature rows which are decided positive.
    """

    measured: Mapping[str, Any]
    window: Window
    rows: pa.Table
    spreads: Mapping[str, float]
    decide: Decide


def read_summary(path: Path, *, model: str, window: str) -> Mapping[str, Any]:
    """Return what metrics/evaluate.json says of a model on a window."""
    try:
        summary: Mapping[str, Any] = read_json(path)[model][window]
    except (FileNotFoundError, KeyError, TypeError, ValueError) as error:
        raise SourceError(f"{path} does not measure the {model} on the window {window}: {error!r}. {CURE}") from error
    return summary


def check_same_rows(rows: pa.Table, predictions: pa.Table, *, keys: Sequence[str]) -> None:
    """Refuse predictions that are not, row for row, those of the feature rows."""
    if not rows.select(list(keys)).equals(predictions.select(list(keys))):
        raise SourceError(
            f"data/predictions has {predictions.num_rows} rows that are not the {rows.num_rows} rows of data/features, "
            f"expected the same {', '.join(keys)} in the same order. {CURE}"
        )


def gates_of(evidence: Evidence, params: ValidateParams, own: GateOverrides, *, stream_of: Streams) -> dict[str, Gate]:
    """Return every gate by name; the task's own floors come before those of params.yaml."""
    floors = {**params.floors.model_dump(), **own.model_dump(exclude_none=True)}
    named = {name: floor(estimate_in(evidence.measured, name), threshold) for name, threshold in floors.items()}
    calibration = ceiling(estimate_in(evidence.measured, "calibration_error"), params.calibration_error)
    return {
        **named,
        "calibration_error": calibration,
        **_fairness(evidence.window, params),
        **_robustness(evidence, params.robustness, stream_of=stream_of),
        "roc_auc_against_champion": _against_champion(evidence.window, params.champion, stream_of=stream_of),
    }


def _fairness(window: Window, params: ValidateParams) -> dict[str, Gate]:
    correct = (window.scores["challenger"] >= window.thresholds["challenger"]) == window.labels
    return {
        f"accuracy_gap_{group}": accuracy_gap(
            correct, levels_of(values), threshold=params.accuracy_gap, smallest=params.smallest_group
        )
        for group, values in window.groups.items()
    }


def _robustness(evidence: Evidence, params: Robustness, *, stream_of: Streams) -> dict[str, Gate]:
    losses = losses_under_noise(
        evidence.rows,
        evidence.window.labels,
        evidence.spreads,
        decide=evidence.decide,
        noise=params.noise,
        repeats=params.repeats,
        stream_of=lambda name: stream_of(f"noise/{name}"),
    )
    return {
        f"accuracy_loss_at_noise_{str(level).replace('.', '_')}": ceiling(seen, params.accuracy_loss)
        for level, seen in losses.items()
    }


def _against_champion(window: Window, params: AgainstChampion, *, stream_of: Streams) -> Gate:
    return not_worse(
        window.labels,
        window.scores["champion"],
        window.scores["challenger"],
        margin=params.margin,
        resamples=params.resamples,
        rng=stream_of("champion"),
    )
