"""Classification metrics of one sample, or of many resamples of it at once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lab.stats.core.paired import log_losses, squared_errors

Numbers = NDArray[np.float64]
Indices = NDArray[np.intp]

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
class ClassScores:
    """The sorted scores of one class, and what is computed from them once for all resamples."""

    values: Numbers
    positive: bool

    @cached_property
    def losses(self) -> Numbers:
        """The log loss and the squared error of each score, as two columns."""
        truths = np.full(len(self.values), self.positive)
        return np.stack([log_losses(truths, self.values), squared_errors(truths, self.values)], axis=1)

    @cached_property
    def first_equal(self) -> Indices:
        """For each score, the index of the first score equal to it."""
        return np.searchsorted(self.values, self.values, side="left")

    @cached_property
    def _filled_bins(self) -> tuple[Indices, Indices]:
        ends = np.searchsorted(self.values, BIN_EDGES, side="left")  # a score on an edge belongs to the bin above
        starts = np.concatenate([[0], ends])
        filled = np.flatnonzero(np.diff(starts, append=len(self.values)))
        return filled, starts[filled]

    def sum_by_bin(self, values: Numbers) -> Numbers:
        """Return the sums of values (one per score, along the last axis) in each of the ten bins of scores."""
        filled, starts = self._filled_bins
        sums = np.zeros((*values.shape[:-1], len(BIN_EDGES) + 1))
        if len(filled):
            sums[..., filled] = np.add.reduceat(values, starts, axis=-1)
        return sums


@dataclass(frozen=True)
class SortedScores:
    """The sorted scores of both classes, and the order between the classes."""

    positives: ClassScores
    negatives: ClassScores

    @cached_property
    def distinct(self) -> Numbers:
        """The distinct scores, ascending."""
        return np.unique(np.concatenate([self.positives.values, self.negatives.values]))

    @cached_property
    def below(self) -> Indices:
        """For each positive score, the number of negative scores below it."""
        return np.searchsorted(self.negatives.values, self.positives.values, side="left")

    @cached_property
    def ties(self) -> tuple[Indices, Indices]:
        """The positive scores equal to a negative one, and how many negative scores are at most each of them."""
        up_to = np.searchsorted(self.negatives.values, self.positives.values, side="right")
        tied = np.flatnonzero(up_to > self.below)
        return tied, up_to[tied]


@dataclass(frozen=True)
class ScoredSample:
    """How often each row is counted, per class in the order of its scores; leading axes run over resamples.

    The weights, one per resample, scale the rows of each class, to give the classes other shares.
    """

    sorted_scores: SortedScores
    positives: Numbers
    negatives: Numbers
    positive_weight: Numbers
    negative_weight: Numbers

    @property
    def scores(self) -> Numbers:
        """The distinct scores, ascending."""
        return self.sorted_scores.distinct

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
        """The number of negative rows before each negative score, and in total."""
        return _counts_before(self.negatives)

    @cached_property
    def negatives_below(self) -> Numbers:
        """For each positive score, the number of negative rows below it."""
        return np.take(self.negatives_up_to, self.sorted_scores.below, axis=-1)

    @cached_property
    def calibration_gaps(self) -> Numbers:
        """For each bin of scores, its positive rows minus the sum of its scores, as a share of all rows."""
        positives, negatives = self.sorted_scores.positives, self.sorted_scores.negatives
        above = positives.sum_by_bin(self.positives * (1 - positives.values))
        below = negatives.sum_by_bin(self.negatives * negatives.values)
        gaps = self.positive_weight[..., None] * above - self.negative_weight[..., None] * below
        return _ratio(gaps, self.rows[..., None])


@dataclass(frozen=True)
class Decisions:
    """The confusion matrix of each sample; a row is predicted positive when its score is at least the threshold.

    A ratio with denominator 0 is 0.
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


def scored_sample(labels: ArrayLike, scores: ArrayLike) -> ScoredSample:
    """Return a sample whose rows are counted once each; every row needs a score between 0 and 1."""
    positive, numbers = np.asarray(labels).astype(bool), np.asarray(scores, dtype=np.float64)
    if positive.shape != numbers.shape:
        raise ValueError(f"expected a score for every label, got {positive.shape} labels and {numbers.shape} scores")
    if outside := int(np.sum(~((numbers >= 0) & (numbers <= 1)))):
        raise ValueError(f"expected scores between 0 and 1, got {outside} of {numbers.size} outside")
    positives, negatives = (ClassScores(np.sort(numbers[positive == kind]), positive=kind) for kind in (True, False))
    counts = np.ones(len(positives.values)), np.ones(len(negatives.values))
    return ScoredSample(SortedScores(positives, negatives), *counts, np.ones(()), np.ones(()))


def measure(sample: ScoredSample, *, threshold: float) -> dict[str, Numbers]:
    """Return every defined metric by name; a sample without rows has none.

    Recall, F1 and average precision need a positive row, balanced accuracy and ROC AUC rows of both classes. All
    resamples must contain the same classes.

    >>> found = measure(scored_sample([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), threshold=0.4)
    >>> float(found["roc_auc"]), float(found["accuracy"]), round(float(found["average_precision"]), 6)
    (0.75, 0.5, 0.833333)
    """
    undefined = undefined_metrics(sample)
    if len(undefined) == len(METRICS):
        return {}
    decisions = decide(sample, threshold=threshold)
    found = {
        "accuracy": decisions.accuracy,
        "balanced_accuracy": (decisions.recall + decisions.specificity) / 2,
        "calibration_error": calibration_error(sample),
        "f1": decisions.f1,
        "precision": decisions.precision,
        "recall": decisions.recall,
        **areas(sample),
        **losses(sample),
    }
    return {name: found[name] for name in METRICS if name not in undefined}


def undefined_metrics(sample: ScoredSample) -> frozenset[str]:
    """Return the metrics that a sample of such classes cannot have."""
    positives, negatives = bool(sample.positives.any()), bool(sample.negatives.any())
    if not positives:
        return frozenset(METRICS) if not negatives else NEEDS_POSITIVES | NEEDS_BOTH_CLASSES
    return frozenset() if negatives else NEEDS_BOTH_CLASSES


def decide(sample: ScoredSample, *, threshold: float) -> Decisions:
    """Return the confusion matrix at a threshold; a score equal to the threshold counts as positive."""
    first, other = (
        int(np.searchsorted(side.values, threshold, side="left"))
        for side in (sample.sorted_scores.positives, sample.sorted_scores.negatives)
    )
    return _decisions(sample, sample.positives[..., first:].sum(axis=-1), sample.negatives[..., other:].sum(axis=-1))


def decisions_by_threshold(sample: ScoredSample) -> Decisions:
    """Return the confusion matrix of one sample at each of its distinct scores as threshold, ascending."""
    false_negatives, true_negatives = (
        _counts_before(counts)[np.searchsorted(side.values, sample.scores, side="left")]
        for counts, side in (
            (sample.positives, sample.sorted_scores.positives),
            (sample.negatives, sample.sorted_scores.negatives),
        )
    )
    return _decisions(sample, sample.positive_rows - false_negatives, sample.negative_rows - true_negatives)


def areas(sample: ScoredSample) -> dict[str, Numbers]:
    """Return ROC AUC and average precision by name; both classes are needed."""
    return {"roc_auc": area_under_curve(sample), "average_precision": average_precision(sample)}


def area_under_curve(sample: ScoredSample) -> Numbers:
    """Return ROC AUC, ties counting half; both classes are needed."""
    wins = _sum_of_products(sample.positives, sample.negatives_below)
    tied, up_to = sample.sorted_scores.ties
    if len(tied):
        equal = sample.negatives_up_to[..., up_to] - sample.negatives_below[..., tied]
        wins = wins + _sum_of_products(sample.positives[..., tied], equal) / 2
    return _ratio(wins, sample.positive_rows * sample.negative_rows)


def average_precision(sample: ScoredSample) -> Numbers:
    """Return the average precision: the mean, over positive rows, of the precision at their score as threshold."""
    rows = sample.positive_rows[..., None]
    hits = rows - np.take(_counts_before(sample.positives), sample.sorted_scores.positives.first_equal, axis=-1)
    alarms = sample.negative_rows[..., None] - sample.negatives_below
    hit_weight, alarm_weight = sample.positive_weight[..., None], sample.negative_weight[..., None]
    hits *= hit_weight
    alarms *= alarm_weight
    alarms += hits
    precision = np.divide(hits, np.maximum(alarms, SMALLEST, out=alarms), out=hits)
    return _ratio(_sum_of_products(sample.positives, precision), sample.positive_rows)


def losses(sample: ScoredSample) -> dict[str, Numbers]:
    """Return the log loss and the Brier score by name; for the log loss, scores are clipped to [5e-7, 1 - 5e-7]."""
    positives = sample.positives @ sample.sorted_scores.positives.losses
    negatives = sample.negatives @ sample.sorted_scores.negatives.losses
    sums = sample.positive_weight[..., None] * positives + sample.negative_weight[..., None] * negatives
    found = _ratio(sums, sample.rows[..., None])
    return {"log_loss": found[..., 0], "brier": found[..., 1]}


def calibration_error(sample: ScoredSample) -> Numbers:
    """Return the expected calibration error over ten bins of equal width (Naeini, Cooper and Hauskrecht, 2015, AAAI).

    Chance alone makes it positive, the more so the fewer the rows.
    """
    return np.asarray(np.abs(sample.calibration_gaps).sum(axis=-1))


def _decisions(sample: ScoredSample, hits: Numbers, alarms: Numbers) -> Decisions:
    return Decisions(
        true_positives=sample.positive_weight * hits,
        false_positives=sample.negative_weight * alarms,
        false_negatives=sample.positive_weight * (sample.positive_rows - hits),
        true_negatives=sample.negative_weight * (sample.negative_rows - alarms),
    )


def _counts_before(counts: Numbers) -> Numbers:
    """Return the number of rows before each index, and in total."""
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
