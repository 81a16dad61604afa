"""How good a classifier's scores and decisions are, on a sample or on many weightings of the same sample at once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lab.stats.core.paired import log_losses, squared_errors

Numbers = NDArray[np.float64]
Places = NDArray[np.intp]

METRICS = (
    "accuracy",
    "average_precision",
    "balanced_accuracy",
    "brier",
    "calibration_error",
    "f1",
    "log_loss",
    "precision",
    "recall",
    "roc_auc",
)
LOWER_IS_BETTER = frozenset({"brier", "calibration_error", "log_loss"})
NEEDS_BOTH_CLASSES = frozenset({"balanced_accuracy", "roc_auc"})
NEEDS_POSITIVES = frozenset({"average_precision", "f1", "recall"})
BIN_EDGES = np.arange(1, 10) / 10  # ten bins of scores: [0, 0.1), [0.1, 0.2) … [0.9, 1]
SMALLEST = np.finfo(np.float64).tiny


@dataclass(frozen=True)
class Scores:
    """The scores of one class, rising, and what follows from them alone, found once for all resamples."""

    values: Numbers
    positive: bool

    @cached_property
    def losses(self) -> Numbers:
        """The log loss and the squared error of each score, side by side; a log loss is kept 5e-7 from certainty."""
        truths = np.full(len(self.values), self.positive)
        return np.stack([log_losses(truths, self.values), squared_errors(truths, self.values)], axis=1)

    @cached_property
    def first_equal(self) -> Places:
        """The place of the first score that equals each."""
        return np.searchsorted(self.values, self.values, side="left")

    @cached_property
    def _filled_bins(self) -> tuple[Places, Places]:
        ends = np.searchsorted(self.values, BIN_EDGES, side="left")  # a score on an edge lies in the bin above
        starts = np.concatenate([[0], ends])
        filled = np.flatnonzero(np.diff(starts, append=len(self.values)))
        return filled, starts[filled]

    def add_up_bins(self, values: Numbers) -> Numbers:
        """Return the sum of values, one a score along the last axis, in each of the ten bins of scores."""
        filled, starts = self._filled_bins
        sums = np.zeros((*values.shape[:-1], len(BIN_EDGES) + 1))
        if len(filled):
            sums[..., filled] = np.add.reduceat(values, starts, axis=-1)
        return sums


@dataclass(frozen=True)
class Scale:
    """The scores of both classes, and how they lie among each other."""

    positives: Scores
    negatives: Scores

    @cached_property
    def distinct(self) -> Numbers:
        """Every score once, rising."""
        return np.unique(np.concatenate([self.positives.values, self.negatives.values]))

    @cached_property
    def below(self) -> Places:
        """How many negative scores lie below each positive one."""
        return np.searchsorted(self.negatives.values, self.positives.values, side="left")

    @cached_property
    def ties(self) -> tuple[Places, Places]:
        """The positive scores that equal a negative one, and how many negative scores lie no higher than each."""
        up_to = np.searchsorted(self.negatives.values, self.positives.values, side="right")
        tied = np.flatnonzero(up_to > self.below)
        return tied, up_to[tied]


@dataclass(frozen=True)
class Tally:
    """How often each row is counted, each class in the order of its scores; the axes before the last run over samples.

    The weights, one a sample, say how much a row of the class is worth: a sample with other shares of the classes.
    """

    scale: Scale
    positives: Numbers
    negatives: Numbers
    positive_weight: Numbers
    negative_weight: Numbers

    @property
    def scores(self) -> Numbers:
        """Every score once, rising."""
        return self.scale.distinct

    @cached_property
    def positive_rows(self) -> Numbers:
        return np.asarray(self.positives.sum(axis=-1))

    @cached_property
    def negative_rows(self) -> Numbers:
        return np.asarray(self.negatives.sum(axis=-1))

    @cached_property
    def rows(self) -> Numbers:
        return self.positive_weight * self.positive_rows + self.negative_weight * self.negative_rows

    @cached_property
    def negatives_up_to(self) -> Numbers:
        """How many negative rows come before each place among the negative scores, and before their end."""
        return _up_to(self.negatives)

    @cached_property
    def negatives_below(self) -> Numbers:
        """How many negative rows score below each positive score."""
        return np.take(self.negatives_up_to, self.scale.below, axis=-1)

    @cached_property
    def calibration_gaps(self) -> Numbers:
        """For each bin of scores, its positive rows less the sum of its scores, as a share of all rows."""
        scale = self.scale
        hopes = scale.positives.add_up_bins(self.positives * (1 - scale.positives.values))
        fears = scale.negatives.add_up_bins(self.negatives * scale.negatives.values)
        gaps = self.positive_weight[..., None] * hopes - self.negative_weight[..., None] * fears
        return _ratio(gaps, self.rows[..., None])


@dataclass(frozen=True)
class Decisions:
    """Rows by decision and truth, one number a sample; a row is decided positive when its score reaches a threshold.

    A ratio with nothing to divide by is 0.
    """

    true_positives: Numbers
    false_positives: Numbers
    false_negatives: Numbers
    true_negatives: Numbers

    @property
    def rows(self) -> Numbers:
        return self.true_positives + self.false_positives + self.false_negatives + self.true_negatives

    @property
    def accuracy(self) -> Numbers:
        return _ratio(self.true_positives + self.true_negatives, self.rows)

    @property
    def precision(self) -> Numbers:
        return _ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> Numbers:
        return _ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def specificity(self) -> Numbers:
        return _ratio(self.true_negatives, self.true_negatives + self.false_positives)

    @property
    def f1(self) -> Numbers:
        return _ratio(2 * self.true_positives, 2 * self.true_positives + self.false_positives + self.false_negatives)

    @property
    def positive_share(self) -> Numbers:
        return _ratio(self.true_positives + self.false_positives, self.rows)


def tally(labels: ArrayLike, scores: ArrayLike) -> Tally:
    """Return the rows of a sample, each counted once; every row needs a score between 0 and 1."""
    positive, numbers = np.asarray(labels).astype(bool), np.asarray(scores, dtype=np.float64)
    if positive.shape != numbers.shape:
        raise ValueError(f"expected a score for every label, got {positive.shape} labels and {numbers.shape} scores")
    if outside := int(np.sum(~((numbers >= 0) & (numbers <= 1)))):
        raise ValueError(f"expected scores between 0 and 1, {outside} of {numbers.size} are not")
    sides = [np.sort(numbers[kind]) for kind in (positive, ~positive)]
    scale = Scale(Scores(sides[0], positive=True), Scores(sides[1], positive=False))
    return Tally(scale, np.ones(len(sides[0])), np.ones(len(sides[1])), np.ones(()), np.ones(()))


def measure(counted: Tally, *, threshold: float) -> dict[str, Numbers]:
    """Return every metric that is defined, by name; a sample without rows has none.

    Recall, F1 and average precision are undefined without a positive row, balanced accuracy and ROC AUC without one
    of each class. Every sample of a tally must have the classes that the others have.

    >>> found = measure(tally([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), threshold=0.4)
    >>> float(found["roc_auc"]), float(found["accuracy"]), round(float(found["average_precision"]), 6)
    (0.75, 0.5, 0.833333)
    """
    undefined = undefined_metrics(counted)
    if len(undefined) == len(METRICS):
        return {}
    decisions = decide(counted, threshold=threshold)
    found = {
        "accuracy": decisions.accuracy,
        "balanced_accuracy": (decisions.recall + decisions.specificity) / 2,
        "calibration_error": calibration_error(counted),
        "f1": decisions.f1,
        "precision": decisions.precision,
        "recall": decisions.recall,
        **areas(counted),
        **losses(counted),
    }
    return {name: found[name] for name in METRICS if name not in undefined}


def undefined_metrics(counted: Tally) -> frozenset[str]:
    """Return the metrics that a sample of such classes cannot have."""
    positives, negatives = bool(counted.positives.any()), bool(counted.negatives.any())
    if not positives:
        return frozenset(METRICS) if not negatives else NEEDS_POSITIVES | NEEDS_BOTH_CLASSES
    return frozenset() if negatives else NEEDS_BOTH_CLASSES


def decide(counted: Tally, *, threshold: float) -> Decisions:
    """Return the decisions at a threshold, which a score reaches when it equals it."""
    first, other = (
        int(np.searchsorted(side.values, threshold, side="left"))
        for side in (counted.scale.positives, counted.scale.negatives)
    )
    return _decisions(counted, counted.positives[..., first:].sum(axis=-1), counted.negatives[..., other:].sum(axis=-1))


def decisions_by_threshold(counted: Tally) -> Decisions:
    """Return the decisions of one sample at every distinct score taken as the threshold, rising."""
    missed, spared = (
        _up_to(counts)[np.searchsorted(side.values, counted.scores, side="left")]
        for counts, side in (
            (counted.positives, counted.scale.positives),
            (counted.negatives, counted.scale.negatives),
        )
    )
    return _decisions(counted, counted.positive_rows - missed, counted.negative_rows - spared)


def areas(counted: Tally) -> dict[str, Numbers]:
    """Return the area under the ROC curve and the average precision by name; both classes needed."""
    return {"roc_auc": area_under_curve(counted), "average_precision": average_precision(counted)}


def area_under_curve(counted: Tally) -> Numbers:
    """Return the area under the ROC curve, ties half; both classes needed."""
    wins = _sum_of_products(counted.positives, counted.negatives_below)
    tied, up_to = counted.scale.ties
    if len(tied):
        equal = counted.negatives_up_to[..., up_to] - counted.negatives_below[..., tied]
        wins = wins + _sum_of_products(counted.positives[..., tied], equal) / 2
    return _ratio(wins, counted.positive_rows * counted.negative_rows)


def average_precision(counted: Tally) -> Numbers:
    """Return the average precision: the mean, over positive rows, of the precision down to their score."""
    rows = counted.positive_rows[..., None]
    hits = rows - np.take(_up_to(counted.positives), counted.scale.positives.first_equal, axis=-1)
    alarms = counted.negative_rows[..., None] - counted.negatives_below
    hit_weight, alarm_weight = counted.positive_weight[..., None], counted.negative_weight[..., None]
    hits *= hit_weight
    alarms *= alarm_weight
    alarms += hits
    precision = np.divide(hits, np.maximum(alarms, SMALLEST, out=alarms), out=hits)
    return _ratio(_sum_of_products(counted.positives, precision), counted.positive_rows)


def losses(counted: Tally) -> dict[str, Numbers]:
    """Return the log loss and the Brier score; log loss keeps scores 5e-7 away from 0 and 1."""
    positives = counted.positives @ counted.scale.positives.losses
    negatives = counted.negatives @ counted.scale.negatives.losses
    sums = counted.positive_weight[..., None] * positives + counted.negative_weight[..., None] * negatives
    found = _ratio(sums, counted.rows[..., None])
    return {"log_loss": found[..., 0], "brier": found[..., 1]}


def calibration_error(counted: Tally) -> Numbers:
    """Return the expected calibration error over ten equal bins of scores: how far shares are from scores, by rows.

    Naeini, Cooper and Hauskrecht (2015), AAAI. Chance alone makes it positive, the more the fewer the rows.
    """
    return np.asarray(np.abs(counted.calibration_gaps).sum(axis=-1))


def _decisions(counted: Tally, hits: Numbers, alarms: Numbers) -> Decisions:
    hit, alarm = counted.positive_weight, counted.negative_weight
    return Decisions(
        true_positives=hit * hits,
        false_positives=alarm * alarms,
        false_negatives=hit * (counted.positive_rows - hits),
        true_negatives=alarm * (counted.negative_rows - alarms),
    )


def _up_to(counts: Numbers) -> Numbers:
    """Return how many rows come before each place, and before the end."""
    sums = np.zeros((*counts.shape[:-1], counts.shape[-1] + 1))
    np.cumsum(counts, axis=-1, out=sums[..., 1:])
    return sums


def _sum_of_products(first: Numbers, second: Numbers) -> Numbers:
    products: Numbers = np.einsum("...i,...i->...", first, second)
    return products


def _ratio(part: Numbers, whole: Numbers) -> Numbers:
    shape = np.broadcast_shapes(np.shape(part), np.shape(whole))
    share: Numbers = np.divide(part, whole, out=np.zeros(shape), where=np.asarray(whole) > 0)
    return share
