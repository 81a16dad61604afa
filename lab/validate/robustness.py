"""The accuracy that a model loses on perturbed rows: noise, missing values, unseen categories."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lab.core.schema import FeatureSchema
from lab.models.frames import LARGEST_NUMBER
from lab.predictions.columns import numbers_of
from lab.predictions.units import Codes
from lab.stats.models.bootstrap import UNDEFINED, Estimate
from lab.stats.models.paired_shares import net_share

Numbers = NDArray[np.float64]
Truths = NDArray[np.bool_]
Decide = Callable[[pa.Table], Truths]
NEVER_SEEN = "never seen"


@dataclass(frozen=True)
class Training:
    """Statistics of the training rows: standard deviations of numbers, and levels of categories by frequency."""

    features: tuple[str, ...]
    spreads: Mapping[str, float]
    levels: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Baseline:
    """The rows to perturb, their labels, the decisions without perturbation, and the units where these repeat."""

    rows: pa.Table
    labels: Truths
    clean: Truths
    units: Codes | None = None


@dataclass(frozen=True)
class Loss:
    """The loss of accuracy on average over all draws, and in the worst draw."""

    estimate: Estimate
    worst: float | None
    draws: int
    rows: int


@dataclass(frozen=True)
class UnseenLoss:
    """The loss on the rows with one level of a category, when an unseen level replaces it."""

    feature: str
    level: str
    loss: Loss


def training_of(rows: pa.Table, schema: FeatureSchema) -> Training:
    """Return the statistics of the training rows; a number with fewer than two values has a spread of 0."""
    kinds = sorted((name, feature.kind) for name, feature in schema.features.items())
    return Training(
        features=tuple(sorted(schema.features)),
        spreads={name: _spread(numbers_of(rows[name])) for name, kind in kinds if kind == "number"},
        levels={name: _levels(rows[name]) for name, kind in kinds if kind == "category"},
    )


def baseline_of(
    rows: pa.Table,
    labels: Truths,
    *,
    decide: Decide,
    most: int,
    rng: np.random.Generator,
    units: Codes | None = None,
) -> Baseline:
    """Return all rows, or a sample of `most` rows in their order."""
    if len(labels) > most:
        kept = np.sort(rng.choice(len(labels), most, replace=False))
        rows, labels, units = rows.take(pa.array(kept)), labels[kept], None if units is None else units[kept]
    return Baseline(rows, labels, decide(rows), units)


def with_noise(rows: pa.Table, spreads: Mapping[str, float], *, noise: float, rng: np.random.Generator) -> pa.Table:
    """Return the rows with normal noise on every number, in standard deviations; missing values stay missing."""
    for name, spread in sorted(spreads.items()):
        values = numbers_of(rows[name])
        usable, added = _usable(values), rng.normal(0, noise * spread, len(values))
        noisy = values.copy()
        noisy[usable] = (values[usable] + added[usable]).round(9)
        rows = _with_column(rows, name, pa.array(noisy, mask=np.isnan(noisy)))
    return rows


def with_missing(rows: pa.Table, features: Sequence[str], *, share: float, rng: np.random.Generator) -> pa.Table:
    """Return the rows with a random share of the values of each feature set to missing."""
    for name in sorted(features):
        withheld = pa.array(rng.random(rows.num_rows) < share)
        rows = _with_column(rows, name, pc.if_else(withheld, pa.scalar(None, rows[name].type), rows[name]))
    return rows


def losses_at(
    baseline: Baseline,
    levels: Sequence[float],
    perturb: Callable[[pa.Table, float, np.random.Generator], pa.Table],
    *,
    decide: Decide,
    repeats: int,
    stream_of: Callable[[float, int], np.random.Generator],
) -> dict[float, Loss]:
    """Return the loss of accuracy at each level of a perturbation, with a new draw for each repeat."""
    return {
        level: accuracy_loss(
            baseline,
            (perturb(baseline.rows, level, stream_of(level, repeat)) for repeat in range(repeats)),
            decide=decide,
        )
        for level in levels
    }


def losses_when_unseen(
    baseline: Baseline, levels: Mapping[str, Sequence[str]], *, decide: Decide, smallest: int
) -> list[UnseenLoss]:
    """Return, for each category, the loss on rows with its most frequent level when an unseen level replaces it.

    The level is the most frequent one of the training rows. Categories with fewer than `smallest` such rows are left
    out. The intervals hold for all categories together (Bonferroni).
    """
    found = []
    for feature, known in sorted(levels.items()):
        if known and (places := _places(baseline.rows[feature], known[0])).sum() >= smallest:
            rows = baseline.rows.filter(pa.array(places))
            unseen = pa.array([_unseen_level(known)] * rows.num_rows, pa.string())
            found.append((feature, known[0], places, _with_column(rows, feature, unseen)))
    level = 1 - 0.05 / max(1, len(found))
    return [
        UnseenLoss(feature, name, accuracy_loss(_part(baseline, places), [rows], decide=decide, level=level))
        for feature, name, places, rows in found
    ]


def accuracy_loss(baseline: Baseline, draws: Iterable[pa.Table], *, decide: Decide, level: float = 0.95) -> Loss:
    """Return the loss of accuracy over all draws; a positive loss is worse. All draws are scored in one call."""
    tables, rows = list(draws), len(baseline.labels)
    if not rows:
        return Loss(UNDEFINED, None, len(tables), 0)
    decisions = decide(pa.concat_tables(tables)).reshape(len(tables), rows)
    lost = (baseline.clean == baseline.labels).astype(np.float64) - (decisions == baseline.labels)
    estimate = net_share(lost.mean(axis=0), units=baseline.units, level=level)
    return Loss(estimate, float(lost.mean(axis=1).max()), len(tables), rows)


def _part(baseline: Baseline, places: Truths) -> Baseline:
    units = None if baseline.units is None else baseline.units[places]
    return Baseline(baseline.rows.filter(pa.array(places)), baseline.labels[places], baseline.clean[places], units)


def _places(column: pa.ChunkedArray, level: str) -> Truths:
    found: Truths = pc.is_in(column.cast(pa.string()), value_set=pa.array([level])).to_numpy()
    return found


def _unseen_level(known: Sequence[str]) -> str:
    name = NEVER_SEEN
    while name in set(known):
        name += "!"
    return name


def _levels(column: pa.ChunkedArray) -> list[str]:
    counts = pc.value_counts(column.cast(pa.string()).drop_null()).to_pylist()
    return [each["values"] for each in sorted(counts, key=lambda each: (-each["counts"], each["values"]))]


def _spread(values: Numbers) -> float:
    usable = values[_usable(values)]
    return round(float(usable.std()), 9) if usable.size else 0.0


def _usable(values: Numbers) -> Truths:
    """Return which values are present for a model, which treats larger numbers as missing."""
    usable: Truths = np.abs(values) <= LARGEST_NUMBER
    return usable


def _with_column(rows: pa.Table, name: str, column: pa.Array | pa.ChunkedArray) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), name, column)
