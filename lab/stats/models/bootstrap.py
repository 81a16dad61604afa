"""Resample rows within their class, and tell how much a metric moves."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from lab.stats.core.classification import Scale, Tally, tally
from lab.stats.core.probabilities import normal_quantile, student_quantile

Numbers = NDArray[np.float64]
Places = NDArray[np.intp]
Draws = NDArray[np.uint32]
Measure = Callable[[Tally], Mapping[str, Numbers]]

LEVEL = 0.95
CELLS_PER_BLOCK = 40_000  # of a block of resamples, so that its arrays stay in the cache


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
) -> list[dict[str, Numbers]]:
    """Return, for each model's scores of the same rows, its metrics on the same resamples of those rows.

    Each class is drawn from by itself (the stratified bootstrap), and how many rows of a sample of this size would
    have been positive is drawn besides: the classes weigh as much as that, so what varies is who was seen and how many
    of them were positive. Models share the draws: their differences are paired.
    """
    positive = np.asarray(labels).astype(bool)
    order = np.argsort(np.asarray(scores[0], dtype=np.float64), kind="stable")  # the first model's rows stay in place
    models = [_ranked(positive[order], np.asarray(model, dtype=np.float64)[order]) for model in scores]
    classes = int(positive.sum()), int((~positive).sum())
    weights = draw_weights(*classes, resamples=resamples, rng=rng)
    found: list[dict[str, list[Numbers]]] = [{} for _ in scores]
    start = 0
    for drawn in draw_rows(*classes, resamples=resamples, rng=rng):
        counts = [_count(rows) for rows in drawn]
        lines = slice(start, start + len(counts[0]))
        start = lines.stop
        for model, measured, metrics in zip(models, measures, found, strict=True):
            for name, values in measured(model.recount(counts, [weight[lines] for weight in weights])).items():
                metrics.setdefault(name, []).append(values)
    return [{name: np.concatenate(blocks) for name, blocks in metrics.items()} for metrics in found]


def draw_rows(
    *classes: int, resamples: int, rng: np.random.Generator, cells: int = CELLS_PER_BLOCK
) -> Iterator[tuple[Draws, ...]]:
    """Yield blocks of resamples: for each class, given by its rows, the rows drawn, a line a resample.

    How many resamples fit into a block leaves no trace in what is drawn.
    """
    streams = rng.spawn(len(classes))
    block = max(1, cells // max(1, sum(classes)))
    for start in range(0, resamples, block):
        lines = min(block, resamples - start)
        yield tuple(_draw(rows, stream, lines) for rows, stream in zip(classes, streams, strict=True))


def draw_weights(
    positives: int, negatives: int, *, resamples: int, rng: np.random.Generator
) -> tuple[Numbers, Numbers]:
    """Return what a positive and a negative row weigh in each resample, so that the classes have the drawn shares.

    The number of positives is binomial at the share seen, and there is one of each class at least; a sample of one
    class stays as it is.
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

    `rows` are those of the smaller class: resamples of few rows vary too little, so the interval is widened as a
    Student interval is (Hesterberg, 2015, The American Statistician 69); one row tells no spread, and all resamples
    are inside. Equal resamples give an interval of width 0.

    >>> estimate(2.0, np.array([1.0, 2.0, 3.0]), level=0.5)
    Estimate(value=2.0, low=1.5, high=2.5)
    """
    if value is None or resampled is None:
        return UNDEFINED
    shares = _shares(value, resampled, reach=_reach(rows, level=level))
    low, high = np.quantile(resampled, shares)
    return Estimate(value, float(low), float(high))


def estimate_distance(value: float | None, resampled: Numbers | None, noise: Numbers | None) -> Estimate:
    """Return a sum of absolute gaps, which chance alone makes positive, with an interval that allows for that.

    `noise` is the same sum of what each resample's gaps differ from those seen. The gaps' own noise cannot lower or
    raise the sum by more than its own sum (the triangle inequality), which gives the lower end; on average it raises
    it, so the upper end lies as far above the value as the low resamples lie below their mean. It covers the truth at
    least as often as it says, where the percentile interval of such a sum may never do.
    """
    if value is None or resampled is None or noise is None:
        return UNDEFINED
    tail = (1 - LEVEL) / 2
    low = max(0.0, value - float(np.quantile(noise, 1 - tail)))
    return Estimate(value, low, value + float(resampled.mean() - np.quantile(resampled, tail)))


def _reach(rows: int | None, *, level: float) -> float:
    """Return how many standard deviations an interval of the level reaches to either side."""
    if rows is None:
        return normal_quantile((1 + level) / 2)
    if rows < 2:
        return math.inf
    return student_quantile((1 + level) / 2, rows - 1) * math.sqrt(rows / (rows - 1))


def _shares(value: float, resampled: Numbers, *, reach: float) -> Numbers:
    """Return which shares of the resamples lie below the two ends, moved by how far the value is from their middle."""
    below = float(np.mean(resampled < value) + np.mean(resampled <= value)) / 2
    most = 1 - 1 / (2 * len(resampled))  # no further than the resamples can tell
    middle = normal_quantile(min(max(below, 1 - most), most))
    shares: Numbers = special.ndtr(2 * middle + np.array([-reach, reach]))
    return shares


@dataclass(frozen=True)
class _Ranked:
    """A model's scores of each class, rising, and which of the class's rows has each."""

    scale: Scale
    orders: tuple[Places, Places]

    def recount(self, counts: Sequence[Numbers], weights: Sequence[Numbers]) -> Tally:
        placed = (_placed(count, order) for count, order in zip(counts, self.orders, strict=True))
        return Tally(self.scale, *placed, *weights)


def _ranked(positive: NDArray[np.bool_], scores: Numbers) -> _Ranked:
    first, second = (np.argsort(scores[kind], kind="stable") for kind in (positive, ~positive))
    return _Ranked(tally(positive, scores).scale, (first, second))


def _placed(counts: Numbers, order: Places) -> Numbers:
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
