"""What noise on its numbers costs a model: the same rows again, shaken a little, several times."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.columns import numbers_of
from lab.schema import FeatureSchema
from lab.stats.bootstrap import Estimate
from lab.stats.paired import compare_means

Numbers = NDArray[np.float64]
Truths = NDArray[np.bool_]
Decide = Callable[[pa.Table], Truths]


def spreads_of(training: pa.Table, schema: FeatureSchema) -> dict[str, float]:
    """Return the standard deviation of every number among the training rows; a column without two values has 0."""
    names = [name for name, feature in sorted(schema.features.items()) if feature.kind == "number"]
    return {name: _spread(numbers_of(training[name])) for name in names}


def with_noise(rows: pa.Table, spreads: Mapping[str, float], *, noise: float, rng: np.random.Generator) -> pa.Table:
    """Return the rows with normal noise on every number, so many standard deviations wide; missing stays missing."""
    for name, spread in sorted(spreads.items()):
        values = numbers_of(rows[name])
        shaken = (values + rng.normal(0, noise * spread, len(values))).round(9)
        column = pa.array(shaken, mask=np.isnan(shaken))
        rows = rows.set_column(rows.column_names.index(name), name, column)
    return rows


def accuracy_loss(labels: Truths, decisions: Truths, shaken: Sequence[Truths]) -> Estimate:
    """Return how much accuracy the noise costs, on average over its repeats, with the interval of the paired rows.

    It is positive where noise does harm.
    """
    if not len(labels):
        return Estimate(None, None, None)
    correct = np.mean([decided == labels for decided in shaken], axis=0)
    seen = compare_means(correct, decisions == labels)
    return Estimate(seen.difference, seen.low, seen.high)


def losses_under_noise(
    rows: pa.Table,
    labels: Truths,
    spreads: Mapping[str, float],
    *,
    decide: Decide,
    noise: Sequence[float],
    repeats: int,
    stream_of: Callable[[str], np.random.Generator],
) -> dict[float, Estimate]:
    """Return the accuracy lost at each level of noise."""
    clean = decide(rows)
    losses = {}
    for level in noise:
        shaken = [
            decide(with_noise(rows, spreads, noise=level, rng=stream_of(f"{level}/{repeat}")))
            for repeat in range(repeats)
        ]
        losses[level] = accuracy_loss(labels, clean, shaken)
    return losses


def _spread(values: Numbers) -> float:
    present = values[np.isfinite(values)]
    return round(float(present.std()), 9) if present.size else 0.0
