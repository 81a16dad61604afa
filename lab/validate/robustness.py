"""What disturbed rows cost a model: noise on numbers, values withheld, and a category that nobody has seen before."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lab.core.columns import numbers_of
from lab.core.schema import FeatureSchema
from lab.models.frames import LARGEST_NUMBER
from lab.stats.models.bootstrap import UNDEFINED, Estimate
from lab.stats.models.paired_shares import net_share

Numbers = NDArray[np.float64]
Truths = NDArray[np.bool_]
Decide = Callable[[pa.Table], Truths]
Streams = Callable[[str], np.random.Generator]

NEVER_SEEN = "never seen"


@dataclass(frozen=True)
class Training:
    """What is known of the training rows: the features, how far the numbers spread, the levels of every category.

    The level of the most rows comes first.
    """

    features: tuple[str, ...]
    spreads: Mapping[str, float]
    levels: Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Disturbed:
    """The rows that are disturbed, with their labels, and what they are decided when nothing is wrong."""

    rows: pa.Table
    labels: Truths
    clean: Truths


@dataclass(frozen=True)
class Loss:
    """The accuracy that a disturbance costs on average over its draws, and in the worst of them."""

    seen: Estimate
    worst: float | None
    draws: int
    rows: int


@dataclass(frozen=True)
class UnseenLoss:
    """What rows lose whose level of a category is replaced by one that was never seen."""

    feature: str
    level: str
    loss: Loss


def training_of(rows: pa.Table, schema: FeatureSchema) -> Training:
    """Return what the disturbances need to know; a number without two values has a spread of 0."""
    kinds = sorted((name, feature.kind) for name, feature in schema.features.items())
    return Training(
        features=tuple(sorted(schema.features)),
        spreads={name: _spread(numbers_of(rows[name])) for name, kind in kinds if kind == "number"},
        levels={name: _levels(rows[name]) for name, kind in kinds if kind == "category"},
    )


def disturbed_of(rows: pa.Table, labels: Truths, *, decide: Decide, most: int, rng: np.random.Generator) -> Disturbed:
    """Return the rows to disturb: all of them, or a sample of so many, in their order."""
    if len(labels) > most:
        kept = np.sort(rng.choice(len(labels), most, replace=False))
        rows, labels = rows.take(pa.array(kept)), labels[kept]
    return Disturbed(rows, labels, decide(rows))


def with_noise(rows: pa.Table, spreads: Mapping[str, float], *, noise: float, rng: np.random.Generator) -> pa.Table:
    """Return the rows with normal noise on every number, so many standard deviations wide; missing stays missing."""
    for name, spread in sorted(spreads.items()):
        values = numbers_of(rows[name])
        usable, moved = _usable(values), rng.normal(0, noise * spread, len(values))
        shaken = values.copy()
        shaken[usable] = (values[usable] + moved[usable]).round(9)
        rows = _with_column(rows, name, pa.array(shaken, mask=np.isnan(shaken)))
    return rows


def with_missing(rows: pa.Table, features: Sequence[str], *, share: float, rng: np.random.Generator) -> pa.Table:
    """Return the rows with so large a share of the values of each feature withheld, by chance and each by itself."""
    for name in sorted(features):
        withheld = pa.array(rng.random(rows.num_rows) < share)
        rows = _with_column(rows, name, pc.if_else(withheld, pa.scalar(None, rows[name].type), rows[name]))
    return rows


def losses_at(
    disturbed: Disturbed,
    levels: Sequence[float],
    disturb: Callable[[pa.Table, float, np.random.Generator], pa.Table],
    *,
    decide: Decide,
    repeats: int,
    stream_of: Callable[[float, int], np.random.Generator],
) -> dict[float, Loss]:
    """Return the accuracy lost at each level of a disturbance, which is drawn anew for each repeat."""
    return {
        level: accuracy_loss(
            disturbed,
            (disturb(disturbed.rows, level, stream_of(level, repeat)) for repeat in range(repeats)),
            decide=decide,
        )
        for level in levels
    }


def losses_when_unseen(
    disturbed: Disturbed, levels: Mapping[str, Sequence[str]], *, decide: Decide, smallest: int
) -> list[UnseenLoss]:
    """Return, for each category, what the rows on its commonest level lose when that level was never seen.

    The level is the commonest of the training rows, so that many rows tell; categories with fewer of them than the
    smallest are left out. The interval of each holds for all of them at once.
    """
    found = []
    for feature, known in sorted(levels.items()):
        if known and (places := _places(disturbed.rows[feature], known[0])).sum() >= smallest:
            rows = disturbed.rows.filter(pa.array(places))
            strange = pa.array([_strange(known)] * rows.num_rows, pa.string())
            found.append((feature, known[0], places, _with_column(rows, feature, strange)))
    level = 1 - 0.05 / max(1, len(found))
    return [
        UnseenLoss(feature, name, accuracy_loss(_part(disturbed, places), [rows], decide=decide, level=level))
        for feature, name, places, rows in found
    ]


def accuracy_loss(disturbed: Disturbed, draws: Iterable[pa.Table], *, decide: Decide, level: float = 0.95) -> Loss:
    """Return what the draws cost; it is positive where they do harm. All draws are decided in one go."""
    tables, rows = list(draws), len(disturbed.labels)
    if not rows:
        return Loss(UNDEFINED, None, len(tables), 0)
    decisions = decide(pa.concat_tables(tables)).reshape(len(tables), rows)
    lost = (disturbed.clean == disturbed.labels).astype(np.float64) - (decisions == disturbed.labels)
    return Loss(net_share(lost.mean(axis=0), level=level), float(lost.mean(axis=1).max()), len(tables), rows)


def _part(disturbed: Disturbed, places: Truths) -> Disturbed:
    return Disturbed(disturbed.rows.filter(pa.array(places)), disturbed.labels[places], disturbed.clean[places])


def _places(column: pa.ChunkedArray, level: str) -> Truths:
    found: Truths = pc.is_in(column.cast(pa.string()), value_set=pa.array([level])).to_numpy()
    return found


def _strange(known: Sequence[str]) -> str:
    """Return a level that is not known."""
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
    """Return which values are there, as a model sees them: it takes what is larger than any number as missing."""
    usable: Truths = np.abs(values) <= LARGEST_NUMBER
    return usable


def _with_column(rows: pa.Table, name: str, column: pa.Array | pa.ChunkedArray) -> pa.Table:
    return rows.set_column(rows.column_names.index(name), name, column)
