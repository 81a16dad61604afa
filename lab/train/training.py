"""Train one specification: search settings, choose calibration and threshold, fit on all rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lab.core.errors import ParamsError
from lab.core.schema import Feature, FeatureSchema
from lab.core.seeds import integer_of
from lab.model_files.manifest import FoldSize, Manifest, TrainingRows, fingerprint_of
from lab.model_files.specification import Specification
from lab.models.frames import frame_of, unusable_numbers
from lab.models.models import Model
from lab.search.result import Progress, SearchResult
from lab.search.rule import SearchRule
from lab.search.search import search
from lab.search.space import CLASS_WEIGHTS, Point, Space
from lab.task.money import Money
from lab.train.calibration import Calibrated, calibrate, with_calibration
from lab.train.estimator_spaces import TREES, check_space, space_of, with_fewer_trees
from lab.train.estimators import with_defaults
from lab.train.fitting import Plan, fit_pipeline
from lab.train.fold_scores import RANKED, Rows, evaluator, measured, variant, with_at_most
from lab.train.folds import split_folds
from lab.train.learning import fit_folds
from lab.train.threshold import ThresholdRule, choose_threshold
from lab.train.workers import Run, run_sequentially

Labels = NDArray[np.int8]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Rules:
    """The settings of training, and of this model's search."""

    folds: int
    threshold: ThresholdRule
    money: Money
    seed: int
    search: SearchRule = field(default_factory=SearchRule)
    learning_curve: tuple[float, ...] = ()


@dataclass(frozen=True)
class FoldScore:
    """The metrics on one fold's validation rows; numbers start at 1."""

    number: int
    count: int
    metrics: dict[str, float]


@dataclass(frozen=True)
class Reports:
    """Callbacks: after each fit of the search, and for each fold of the chosen settings."""

    search: Callable[[Progress], None] = lambda _: None
    fold: Callable[[FoldScore], None] = lambda _: None


@dataclass(frozen=True)
class OutOfFold:
    """The out-of-fold rows in the order of the table: indices, labels, folds from 1, scores."""

    places: NDArray[np.intp]
    labels: Labels
    folds: NDArray[np.int8]
    scores: Numbers


@dataclass(frozen=True)
class Trained:
    """A trained model with its out-of-fold scores and metrics, search, calibration and learning curve.

    Only a perceptron has epochs, with the loss on the training rows after each.
    """

    model: Model
    out_of_fold: pa.Table
    by_fold: list[FoldScore]
    metrics: dict[str, float]
    searched: SearchResult
    calibrated: Calibrated
    learning_curve: list[dict[str, Any]]
    why_fewer_folds: str
    epoch_losses: tuple[float, ...]


SILENT = Reports()


def train_model(
    table: pa.Table,
    schema: FeatureSchema,
    specification: Specification,
    *,
    rules: Rules,
    where: str,
    reports: Reports = SILENT,
    run: Run = run_sequentially,
) -> Trained:
    """Return a specification trained on a table, with searched settings; `run` executes fits, `where` is for messages.

    Seeds do not depend on a candidate's name: equal specifications give equal models, and all have the same folds. All
    choices (settings, calibration, threshold) use out-of-fold scores.
    """
    plan, inputs = _planned(schema, specification, seed=rules.seed, where=where)
    division = split_folds(table, schema, requested=rules.folds, seed=rules.seed)
    rows = Rows(frame_of(table, inputs.features), table["label"].to_numpy().astype(np.int8), division.folds)
    searched = _search(plan, rows, rules, report=reports.search, run=run)
    plan = variant(plan, searched.best)
    learned = fit_folds(plan, rows, rules.learning_curve, by=rules.search.by, seed=rules.seed, run=run)
    raw = _in_order(rows, learned.scores)
    calibrated = calibrate(plan.specification.calibration, raw.labels, raw.scores, raw.folds)
    scored = replace(raw, scores=calibrated.scores)
    threshold = choose_threshold(scored.labels, scored.scores, rules.threshold, money=rules.money)
    manifest = Manifest(
        specification=plan.specification,
        inputs=inputs,
        threshold=threshold,
        threshold_rule=rules.threshold.rule,
        calibration=calibrated.method,
        training=_describe(table, inputs),
        folds=tuple(FoldSize(train=len(fold.train), validation=len(fold.validation)) for fold in division.folds),
    )
    pipeline = fit_pipeline(plan, rows.frame, rows.labels)
    return Trained(
        model=Model(with_calibration(pipeline, calibrated.method, raw.labels, raw.scores), manifest),
        out_of_fold=_table_of(table, schema, scored),
        by_fold=_by_fold(scored, len(division.folds), report=reports.fold),
        metrics=measured(scored.labels, scored.scores, threshold=threshold),
        searched=searched,
        calibrated=calibrated,
        learning_curve=learned.curve,
        why_fewer_folds=division.why_fewer,
        epoch_losses=tuple(getattr(pipeline[-1], "loss_curve_", ())),
    )


def summary_of(trained: Trained, schema: FeatureSchema, table: pa.Table) -> dict[str, object]:
    """Return the content of the candidate's metrics file; lists are not shown by DVC as metrics."""
    manifest = trained.model.manifest
    specification = manifest.specification
    means = {name: float(np.mean([fold.metrics[name] for fold in trained.by_fold])) for name in RANKED}
    return {
        "calibration": {
            "method": manifest.calibration,
            "log_loss": [f"{name}: {loss:.6g}" for name, loss in trained.calibrated.log_losses.items()],
        },
        "class_weights": specification.class_weights,
        "estimator": specification.estimator,
        "features": len(manifest.inputs.features),
        "fold_mean": means,
        "folds": {
            "kind": schema.folds.kind,
            "count": len(trained.by_fold),
            "embargo_days": schema.folds.horizon_days,
            "reason": "; ".join(filter(None, [schema.folds.reason, trained.why_fewer_folds])),
        },
        "out_of_fold": trained.metrics,
        "rows": {
            "train": manifest.training.rows,
            "positive": manifest.training.positives,
            "out_of_fold": trained.out_of_fold.num_rows,
        },
        "search": {"fits": trained.searched.fits, "reason": trained.searched.reason},
        "settings": [f"{name}: {value}" for name, value in sorted(specification.settings.items())],
        "threshold": {"rule": manifest.threshold_rule, "value": manifest.threshold},
        "unusable_numbers": unusable_numbers(table, manifest.inputs.features),
    }


def progress_of(name: str, fold: FoldScore) -> str:
    """Return the line that is printed for each fold."""
    metrics = "  ".join(f"{metric} {fold.metrics[metric]:.4f}" for metric in RANKED)
    return f"{name}  fold {fold.number}/{fold.count}  {metrics}\n"


def _planned(
    schema: FeatureSchema, specification: Specification, *, seed: int, where: str
) -> tuple[Plan, FeatureSchema]:
    written_out = with_defaults(specification, where=where)
    inputs = schema.model_copy(update={"features": _chosen(schema, written_out, where=where)})
    return Plan(written_out, inputs.features, integer_of(seed, "train"), where), inputs


def _chosen(schema: FeatureSchema, specification: Specification, *, where: str) -> dict[str, Feature]:
    expected = specification.features if specification.features is not None else tuple(schema.features)
    if unknown := sorted(set(expected) - set(schema.features)):
        raise ParamsError(
            f"{where}.features names {unknown}, expected only {sorted(schema.features)}. Correct it there."
        )
    return {name: schema.features[name] for name in sorted(expected)}


def _search(plan: Plan, rows: Rows, rules: Rules, *, report: Callable[[Progress], None], run: Run) -> SearchResult:
    rule, where = rules.search, f"{plan.where}.search"
    space: Space = {}
    if rule.method != "none":
        space = rule.space or space_of(plan.specification, where=plan.where)
        check_space(plan.specification, space, where=f"{where}.space")
    own = _own(plan.specification, space)
    cut = with_at_most(rows, rule.most_rows, seed=rules.seed)
    fitted = replace(plan, specification=with_fewer_trees(plan.specification, space, where=plan.where))
    found = search(
        space,
        rule,
        default=own,
        folds=len(rows.folds),
        seed=integer_of(rules.seed, "search"),
        where=where,
        evaluate=evaluator(fitted, cut, own=own, by=rule.by, run=run),
        report=report,
    )
    if not found.fits:
        return found
    limits = []
    if any(len(fold.train) > rule.most_rows for fold in rows.folds):
        limits.append(f"each fit on at most {rule.most_rows} rows")
    if fitted != plan:
        limits.append(f"each fit with {fitted.specification.settings[TREES]} trees")
    return replace(found, reason="; ".join([found.reason, *limits]))


def _own(specification: Specification, space: Space) -> Point:
    """Return the specification's own values of the settings in a space."""
    own = {**specification.settings, CLASS_WEIGHTS: specification.class_weights}
    return {name: own[name] for name in sorted(space)}


def _in_order(rows: Rows, scores: Sequence[Numbers]) -> OutOfFold:
    places = np.concatenate([fold.validation for fold in rows.folds])
    numbers = np.concatenate([np.full(len(fold.validation), number) for number, fold in enumerate(rows.folds, start=1)])
    order = np.argsort(places, kind="stable")
    return OutOfFold(
        places=places[order],
        labels=rows.labels[places[order]],
        folds=numbers[order].astype(np.int8),
        scores=np.concatenate(scores)[order],
    )


def _by_fold(scored: OutOfFold, count: int, *, report: Callable[[FoldScore], None]) -> list[FoldScore]:
    by_fold = []
    for number in range(1, count + 1):
        inside = scored.folds == number
        by_fold.append(FoldScore(number, count, measured(scored.labels[inside], scored.scores[inside])))
        report(by_fold[-1])
    return by_fold


def _table_of(table: pa.Table, schema: FeatureSchema, scored: OutOfFold) -> pa.Table:
    rows = table.select(list(dict.fromkeys([*schema.keys, *schema.unit_columns, "label"]))).take(
        pa.array(scored.places)
    )
    return rows.append_column("fold", pa.array(scored.folds)).append_column("score", pa.array(scored.scores))


def _describe(table: pa.Table, inputs: FeatureSchema) -> TrainingRows:
    moments = pc.min_max(table[inputs.moment]).as_py() if inputs.moment else {"min": None, "max": None}
    return TrainingRows(
        rows=table.num_rows,
        positives=int(pc.sum(table["label"]).as_py()),
        first_moment=moments["min"] and moments["min"].isoformat(),
        last_moment=moments["max"] and moments["max"].isoformat(),
        fingerprint=_fingerprint(table.select(list(dict.fromkeys([*inputs.keys, "label", *inputs.features])))),
    )


def _fingerprint(table: pa.Table) -> str:
    """Return the fingerprint of rows by way of Parquet, which ignores memory under nulls."""
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata(None).combine_chunks(), sink, compression="none")
    return fingerprint_of(sink.getvalue().to_pybytes())
