"""Bootstrap of classification metrics by class or by unit, with bias-corrected intervals."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lab.stats.core.classification import ScoredSample, SortedScores, scored_sample
from lab.stats.core.clusters import Codes, repeated_units
from lab.stats.core.probabilities import normal_quantile, student_quantile

Numbers = NDArray[np.float64]
Indices = NDArray[np.intp]
Draws = NDArray[np.uint32]
Measure = Callable[[ScoredSample], Mapping[str, Numbers]]
_Resamples = tuple[Sequence[Numbers], Sequence[Numbers]]  # the counts of the rows and the weight of each class

LEVEL = 0.95
CELLS_PER_BLOCK = 40_000  # so that the arrays of a block of resamples fit into the CPU cache


@dataclass(frozen=True)
class Estimate:
    """A value with its interval; all None where the value is undefined."""

    value: float | None
    low: float | None
    high: float | None


UNDEFINED = Estimate(None, None, None)


def resample(
    labels: ArrayLike,
    scores: Sequence[ArrayLike],
    measures: Sequence[Measure],
    *,
    resamples: int,
    rng: np.random.Generator,
    units: ArrayLike | None = None,
) -> list[dict[str, Numbers]]:
    """Return each model's metrics on the same resamples of the rows.

    Rows are drawn within their class (the stratified bootstrap). The number of positives is drawn too, and gives the
    classes their weights: both the rows and the share of positives vary. All models use the same draws, so their
    differences are paired. Where units repeat, whole units are drawn, and the share of positives varies with them.
    """
    positive = np.asarray(labels).astype(bool)
    order = np.argsort(np.asarray(scores[0], dtype=np.float64), kind="stable")  # so that one model needs no reordering
    models = [_ranked(positive[order], np.asarray(model, dtype=np.float64)[order]) for model in scores]
    codes = repeated_units(units)
    drawn = (
        _draws_of_rows(positive, resamples=resamples, rng=rng)
        if codes is None
        else _draws_of_units(positive[order], codes[order], resamples=resamples, rng=rng)
    )
    found: list[dict[str, list[Numbers]]] = [{} for _ in scores]
    for counts, weights in drawn:
        for model, measured, metrics in zip(models, measures, found, strict=True):
            for name, values in measured(model.recount(counts, weights)).items():
                metrics.setdefault(name, []).append(values)
    return [{name: np.concatenate(blocks) for name, blocks in metrics.items()} for metrics in found]


def draw_units(
    units: Codes, positive: ArrayLike, *, resamples: int, rng: np.random.Generator, cells: int = CELLS_PER_BLOCK
) -> Iterator[Numbers]:
    """Yield blocks of resamples: how often each unit is drawn, one line per resample.

    A resample without a row of a class that the sample has is drawn again. The block size does not change what is
    drawn.
    """
    flags, count = np.asarray(positive).astype(bool), int(units.max()) + 1
    held = [np.bincount(units[rows], minlength=count) > 0 for rows in (flags, ~flags)]
    held = [units_of_class for units_of_class in held if units_of_class.any()]
    first, again = rng.spawn(2)
    block = max(1, cells // len(units))
    for start in range(0, resamples, block):
        counts = _count(_draw(count, first, min(block, resamples - start)))
        for line in counts:
            while not all(line[units_of_class].any() for units_of_class in held):
                line[:] = _count(_draw(count, again, 1))[0]
        yield counts


def _draws_of_rows(positive: NDArray[np.bool_], *, resamples: int, rng: np.random.Generator) -> Iterator[_Resamples]:
    classes = int(positive.sum()), int((~positive).sum())
    weights = draw_weights(*classes, resamples=resamples, rng=rng)
    start = 0
    for drawn in draw_rows(*classes, resamples=resamples, rng=rng):
        lines = slice(start, start + len(drawn[0]))
        start = lines.stop
        yield [_count(rows) for rows in drawn], [weight[lines] for weight in weights]


def _draws_of_units(
    positive: NDArray[np.bool_], units: Codes, *, resamples: int, rng: np.random.Generator
) -> Iterator[_Resamples]:
    for counts in draw_units(units, positive, resamples=resamples, rng=rng):
        ones = np.ones(len(counts))
        yield [np.take(counts, units[rows], axis=-1) for rows in (positive, ~positive)], [ones, ones]


def draw_rows(
    *classes: int, resamples: int, rng: np.random.Generator, cells: int = CELLS_PER_BLOCK
) -> Iterator[tuple[Draws, ...]]:
    """Yield blocks of resamples: for each class, given by its row count, the drawn rows, one line per resample.

    The block size does not change what is drawn.
    """
    streams = rng.spawn(len(classes))
    block = max(1, cells // max(1, sum(classes)))
    for start in range(0, resamples, block):
        lines = min(block, resamples - start)
        yield tuple(_draw(rows, stream, lines) for rows, stream in zip(classes, streams, strict=True))


def draw_weights(
    positives: int, negatives: int, *, resamples: int, rng: np.random.Generator
) -> tuple[Numbers, Numbers]:
    """Return the weight of a positive and of a negative row in each resample.

    The number of positives is binomial at the observed share, with at least one row of each class. A sample of only
    one class has weights 1.
    """
    rows = positives + negatives
    if not positives or not negatives:
        return np.ones(resamples), np.ones(resamples)
    (stream,) = rng.spawn(1)
    drawn = np.clip(stream.binomial(rows, positives / rows, size=resamples), 1, rows - 1)
    return drawn / positives, (rows - drawn) / negatives


def estimate(
    value: float | None, resampled: Numbers | None, *, rows: int | None = None, level: float = LEVEL
) -> Estimate:
    """Return a value with the bias-corrected percentile interval of its resamples (Efron, 1987, JASA 82).

    `rows` is the size of the smaller class, in units where these are drawn. Resamples of few rows vary too little, so
    the interval is widened like a Student interval (Hesterberg, 2015, The American Statistician 69); for one row it
    contains all resamples. Equal resamples give an interval of width 0.

    >>> estimate(2.0, np.array([1.0, 2.0, 3.0]), level=0.5)
    Estimate(value=2.0, low=1.5, high=2.5)
    """
    if value is None or resampled is None:
        return UNDEFINED
    shares = _shares(value, resampled, errors=_standard_errors(rows, level=level))
    low, high = np.quantile(resampled, shares)
    return Estimate(value, float(low), float(high))


def smaller_class(labels: ArrayLike, units: ArrayLike | None = None) -> int:
    """Return the number of rows of the smaller class that has rows; of their units where units are given.

    >>> smaller_class([1, 0, 0, 0], [3, 4, 4, 5])
    1
    """
    positive = np.asarray(labels).astype(bool)
    codes = np.arange(positive.size) if units is None else np.asarray(units)
    found = [len(np.unique(codes[rows])) for rows in (positive, ~positive) if rows.any()]
    return min(found, default=0)


def estimate_distance(value: float | None, resampled: Numbers | None, noise: Numbers | None) -> Estimate:
    """Return a sum of absolute gaps with an interval that accounts for its bias: chance alone makes it positive.

    `noise` is, for each resample, the sum of absolute differences between its gaps and the observed ones. By the
    triangle inequality noise cannot change the sum by more than that: this gives the lower end. On average noise
    raises the sum, so the upper end is as far above the value as the low resamples are below their mean. The interval
    is conservative; a percentile interval of such a sum may never cover the truth.
    """
    if value is None or resampled is None or noise is None:
        return UNDEFINED
    tail = (1 - LEVEL) / 2
    low = max(0.0, value - float(np.quantile(noise, 1 - tail)))
    return Estimate(value, low, value + float(resampled.mean() - np.quantile(resampled, tail)))


def _standard_errors(rows: int | None, *, level: float) -> float:
    """Return the half-width of an interval in standard errors."""
    if rows is None:
        return normal_quantile((1 + level) / 2)
    if rows < 2:
        return math.inf
    return student_quantile((1 + level) / 2, rows - 1) * math.sqrt(rows / (rows - 1))


def _shares(value: float, resampled: Numbers, *, errors: float) -> Numbers:
    """Return the shares of the resamples below the two ends, with Efron's correction for bias."""
    below = float(np.mean(resampled < value) + np.mean(resampled <= value)) / 2
    most = 1 - 1 / (2 * len(resampled))  # the resolution of the resamples
    bias = normal_quantile(min(max(below, 1 - most), most))
    shares: Numbers = special.ndtr(2 * bias + np.array([-errors, errors]))
    return shares


@dataclass(frozen=True)
class _Ranked:
    """A model's sorted scores of each class, and the row of each score."""

    sorted_scores: SortedScores
    orders: tuple[Indices, Indices]

    def recount(self, counts: Sequence[Numbers], weights: Sequence[Numbers]) -> ScoredSample:
        ordered = (_reordered(count, order) for count, order in zip(counts, self.orders, strict=True))
        return ScoredSample(self.sorted_scores, *ordered, *weights)


def _ranked(positive: NDArray[np.bool_], scores: Numbers) -> _Ranked:
    first, second = (np.argsort(scores[kind], kind="stable") for kind in (positive, ~positive))
    return _Ranked(scored_sample(positive, scores).sorted_scores, (first, second))


def _reordered(counts: Numbers, order: Indices) -> Numbers:
    return counts if np.array_equal(order, np.arange(len(order))) else np.take(counts, order, axis=-1)


def _draw(rows: int, stream: np.random.Generator, lines: int) -> Draws:
    if rows == 0:
        return np.zeros((lines, 0), dtype=np.uint32)
    return stream.integers(0, rows, size=(lines, rows), dtype=np.uint32)


def _count(drawn: Draws) -> Numbers:
    """Return how often each row was drawn in each resample."""
    counts = np.empty(drawn.shape)
    for line, picks in zip(counts, drawn, strict=True):
        line[:] = np.bincount(picks, minlength=len(picks))
    return counts
