"""Train one specification: scores of rows it was not fitted on, a threshold chosen on them, and a fit on all rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lab.errors import ParamsError
from lab.estimators import completed
from lab.fitting import Plan, fit_pipeline
from lab.folds import Fold, make_folds
from lab.frames import frame_of, unusable_numbers
from lab.manifest import FoldSize, Manifest, TrainingRows, fingerprint_of
from lab.models import Model
from lab.schema import Feature, FeatureSchema
from lab.scoring import score_frame
from lab.seeds import integer_of
from lab.specification import Specification
from lab.stats.classification import measure, tally
from lab.task.money import Money
from lab.threshold import ThresholdRule, choose_threshold

RANKED = ("roc_auc", "average_precision", "brier", "log_loss")  # what needs no threshold
Labels = NDArray[np.int8]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Rules:
    """What holds for every model of an experiment."""

    folds: int
    threshold: ThresholdRule
    money: Money
    seed: int


@dataclass(frozen=True)
class FoldScore:
    """How good a model is on one fold's validation rows; number counts from 1."""

    number: int
    count: int
    metrics: dict[str, float]


@dataclass(frozen=True)
class Trained:
    """A model, its scores of rows that it was not fitted on, and how good they are, fold by fold and together."""

    model: Model
    out_of_fold: pa.Table
    by_fold: list[FoldScore]
    metrics: dict[str, float]


def train_model(
    table: pa.Table,
    schema: FeatureSchema,
    specification: Specification,
    *,
    rules: Rules,
    where: str,
    report: Callable[[FoldScore], None],
) -> Trained:
    """Return a specification trained on a table; `report` is called after each fold, `where` names it in messages.

    Seeds do not depend on a candidate's name: equal specifications are equal models, and all see the same folds.
    """
    specification = completed(specification, where=where)
    inputs = schema.model_copy(update={"features": _chosen(schema, specification, where=where)})
    plan = Plan(specification, inputs.features, integer_of(rules.seed, "train"), where)
    divided = make_folds(table, schema, count=rules.folds, seed=rules.seed)
    frame, labels = frame_of(table, inputs.features), table["label"].to_numpy().astype(np.int8)
    by_fold, scores = _score_folds(plan, frame, labels, divided, report=report)
    out_of_fold = _out_of_fold(table, schema, divided, scores)
    known, scored = out_of_fold["label"].to_numpy(), out_of_fold["score"].to_numpy()
    threshold = choose_threshold(known, scored, rules.threshold, money=rules.money)
    manifest = Manifest(
        specification=specification,
        inputs=inputs,
        threshold=threshold,
        threshold_rule=rules.threshold.rule,
        training=_describe(table, inputs),
        folds=tuple(FoldSize(train=len(fold.train), validation=len(fold.validation)) for fold in divided),
    )
    model = Model(fit_pipeline(plan, frame, labels), manifest)
    return Trained(model, out_of_fold, by_fold, _measured(known, scored, threshold=threshold))


def summary_of(trained: Trained, schema: FeatureSchema, table: pa.Table) -> dict[str, object]:
    """Return what the metrics file of a candidate says."""
    manifest = trained.model.manifest
    means = {name: float(np.mean([fold.metrics[name] for fold in trained.by_fold])) for name in RANKED}
    return {
        "estimator": manifest.specification.estimator,
        "features": len(manifest.inputs.features),
        "fold_mean": means,
        "folds": {
            "kind": schema.folds.kind,
            "count": len(trained.by_fold),
            "embargo_days": schema.folds.horizon_days,
            "reason": schema.folds.reason,
        },
        "out_of_fold": trained.metrics,
        "rows": {
            "train": manifest.training.rows,
            "positive": manifest.training.positives,
            "out_of_fold": trained.out_of_fold.num_rows,
        },
        "threshold": {"rule": manifest.threshold_rule, "value": manifest.threshold},
        "unusable_numbers": unusable_numbers(table, manifest.inputs.features),
    }


def progress_of(name: str, fold: FoldScore) -> str:
    """Return the line that a person who waits sees after each fold."""
    metrics = "  ".join(f"{metric} {fold.metrics[metric]:.4f}" for metric in RANKED)
    return f"{name}  fold {fold.number}/{fold.count}  {metrics}\n"


def _chosen(schema: FeatureSchema, specification: Specification, *, where: str) -> dict[str, Feature]:
    wanted = specification.features if specification.features is not None else tuple(schema.features)
    if unknown := sorted(set(wanted) - set(schema.features)):
        raise ParamsError(
            f"{where}.features names {unknown}, expected only {sorted(schema.features)}. Correct it there."
        )
    return {name: schema.features[name] for name in sorted(wanted)}


def _score_folds(
    plan: Plan, frame: pd.DataFrame, labels: Labels, folds: Sequence[Fold], *, report: Callable[[FoldScore], None]
) -> tuple[list[FoldScore], list[Numbers]]:
    by_fold, scores = [], []
    for number, fold in enumerate(folds, start=1):
        pipeline = fit_pipeline(plan, frame.iloc[fold.train], labels[fold.train])
        scores.append(score_frame(pipeline, frame.iloc[fold.validation]))
        metrics = _measured(labels[fold.validation], scores[-1], threshold=None)
        by_fold.append(FoldScore(number, len(folds), metrics))
        report(by_fold[-1])
    return by_fold, scores


def _measured(labels: Labels, scores: Numbers, *, threshold: float | None) -> dict[str, float]:
    """Return every metric at a threshold; without one, those that need none."""
    found = measure(tally(labels, scores), threshold=threshold if threshold is not None else 0.5)
    return {name: float(value) for name, value in found.items() if threshold is not None or name in RANKED}


def _out_of_fold(table: pa.Table, schema: FeatureSchema, folds: Sequence[Fold], scores: Sequence[Numbers]) -> pa.Table:
    """Return the rows that were scored, in the order of the table, with fold (from 1) and score."""
    places = np.concatenate([fold.validation for fold in folds])
    numbers = np.concatenate([np.full(len(fold.validation), number) for number, fold in enumerate(folds, start=1)])
    order = np.argsort(places, kind="stable")
    keys = [*schema.unit, *([schema.moment] if schema.moment else [])]
    scored = table.select([*keys, "label"]).take(pa.array(places[order]))
    scored = scored.append_column("fold", pa.array(numbers[order].astype(np.int8)))
    return scored.append_column("score", pa.array(np.concatenate(scores)[order]))


def _describe(table: pa.Table, inputs: FeatureSchema) -> TrainingRows:
    moments = pc.min_max(table[inputs.moment]).as_py() if inputs.moment else {"min": None, "max": None}
    keys = [*inputs.unit, *([inputs.moment] if inputs.moment else [])]
    return TrainingRows(
        rows=table.num_rows,
        positives=int(pc.sum(table["label"]).as_py()),
        first_moment=moments["min"] and moments["min"].isoformat(),
        last_moment=moments["max"] and moments["max"].isoformat(),
        fingerprint=_fingerprint(table.select(list(dict.fromkeys([*keys, "label", *inputs.features])))),
    )


def _fingerprint(table: pa.Table) -> str:
    """Return the fingerprint of rows; by way of Parquet, which leaves out what lies in memory under a null."""
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(None).combine_chunks(), sink, compression="none")
    return fingerprint_of(sink.getvalue().to_pybytes())
