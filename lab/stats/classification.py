"""How good a classifier's scores and decisions are, on a sample or on many weightings of the same sample at once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lab.stats.paired import log_losses, squared_errors

Numbers = NDArray[np.float64]

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


@dataclass(frozen=True)
class Scale:
    """The distinct scores of a sample, rising, and what follows from them alone, found once for all resamples."""

    scores: Numbers

    @cached_property
    def bins(self) -> Numbers:
        """1 where a score lies in a bin and 0 elsewhere, scores by bins; a score on an edge lies above it."""
        places = np.searchsorted(BIN_EDGES, self.scores, side="right")
        return np.asarray(places[:, None] == np.arange(len(BIN_EDGES) + 1), dtype=np.float64)

    @cached_property
    def scored_bins(self) -> Numbers:
        """The bins with each score in place of the 1."""
        return self.bins * self.scores[:, None]

    @cached_property
    def losses(self) -> dict[str, tuple[Numbers, Numbers]]:
        """The loss of a positive and of a negative row with each score; a log loss is kept 5e-7 from certainty."""
        positive, negative = np.ones_like(self.scores), np.zeros_like(self.scores)
        return {
            name: (loss(positive, self.scores), loss(negative, self.scores))
            for name, loss in (("log_loss", log_losses), ("brier", squared_errors))
        }


@dataclass(frozen=True)
class Tally:
    """Rows counted by distinct score, which rises along the last axis; the axes before it run over resamples.

    Counts are floats, exact below 2**53.
    """

    scale: Scale
    positives: Numbers
    negatives: Numbers

    @property
    def scores(self) -> Numbers:
        return self.scale.scores


@dataclass(frozen=True)
class Decisions:
    """Rows by decision and truth, one number a resample; a row is decided positive when its score reaches a threshold.

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
    """Return the rows of a sample, counted by distinct score; every row needs a score between 0 and 1."""
    positive, numbers = np.asarray(labels).astype(bool), np.asarray(scores, dtype=np.float64)
    if positive.shape != numbers.shape:
        raise ValueError(f"expected a score for every label, got {positive.shape} labels and {numbers.shape} scores")
    if outside := int(np.sum(~((numbers >= 0) & (numbers <= 1)))):
        raise ValueError(f"expected scores between 0 and 1, {outside} of {numbers.size} are not")
    distinct, places = np.unique(numbers, return_inverse=True)
    counts = [np.bincount(places[kind], minlength=len(distinct)) for kind in (positive, ~positive)]
    return Tally(Scale(distinct), *(count.astype(np.float64) for count in counts))


def measure(counted: Tally, *, threshold: float) -> dict[str, Numbers]:
    """Return every metric that is defined, by name; a sample without rows has none.

    Recall, F1 and average precision are undefined without a positive row, balanced accuracy and ROC AUC without one
    of each class. Resamples must keep the number of each class, or be defined all the same.

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
    first = int(np.searchsorted(counted.scores, threshold, side="left"))
    return Decisions(
        true_positives=counted.positives[..., first:].sum(axis=-1),
        false_positives=counted.negatives[..., first:].sum(axis=-1),
        false_negatives=counted.positives[..., :first].sum(axis=-1),
        true_negatives=counted.negatives[..., :first].sum(axis=-1),
    )


def decisions_by_threshold(counted: Tally) -> Decisions:
    """Return the decisions at every distinct score taken as the threshold, along the last axis."""
    hits, alarms = _from_above(counted.positives), _from_above(counted.negatives)
    return Decisions(hits, alarms, hits[..., :1] - hits, alarms[..., :1] - alarms)


def areas(counted: Tally) -> dict[str, Numbers]:
    """Return the area under the ROC curve and the average precision by name; both classes needed."""
    return {"roc_auc": area_under_curve(counted), "average_precision": average_precision(counted)}


def area_under_curve(counted: Tally) -> Numbers:
    """Return the area under the ROC curve, ties half; both classes needed."""
    below = np.cumsum(counted.negatives, axis=-1)
    wins = _sum_of_products(counted.positives, below) - _sum_of_products(counted.positives, counted.negatives) / 2
    return _ratio(wins, counted.positives.sum(axis=-1) * below[..., -1])


def average_precision(counted: Tally) -> Numbers:
    """Return the average precision: the mean, over positive rows, of the precision down to their score."""
    hits, acted_on = _from_above(counted.positives), _from_above(counted.positives + counted.negatives)
    precision = np.divide(hits, np.maximum(acted_on, 1))
    return _ratio(_sum_of_products(counted.positives, precision), counted.positives.sum(axis=-1))


def losses(counted: Tally) -> dict[str, Numbers]:
    """Return the log loss and the Brier score; log loss keeps scores 5e-7 away from 0 and 1."""
    rows = _rows(counted)
    return {
        name: _ratio(counted.positives @ positive + counted.negatives @ negative, rows)
        for name, (positive, negative) in counted.scale.losses.items()
    }


def calibration_error(counted: Tally) -> Numbers:
    """Return the expected calibration error over ten equal bins of scores: how far shares are from scores, by rows.

    Naeini, Cooper and Hauskrecht (2015), AAAI. Chance alone makes it positive, the more the fewer the rows.
    """
    return np.asarray(np.abs(calibration_gaps(counted)).sum(axis=-1))


def calibration_gaps(counted: Tally) -> Numbers:
    """Return, for each bin of scores, its positives less the sum of its scores, as a share of all rows."""
    inside = counted.scale.bins
    gaps = counted.positives @ inside - (counted.positives + counted.negatives) @ counted.scale.scored_bins
    return _ratio(gaps, _rows(counted)[..., None])


def _from_above(counts: Numbers) -> Numbers:
    below = np.cumsum(counts, axis=-1)
    above: Numbers = np.subtract(below[..., -1:] + counts, below)
    return above


def _sum_of_products(first: Numbers, second: Numbers) -> Numbers:
    products: Numbers = np.einsum("...i,...i->...", first, second)
    return products


def _rows(counted: Tally) -> Numbers:
    rows: Numbers = counted.positives.sum(axis=-1) + counted.negatives.sum(axis=-1)
    return rows


def _ratio(part: Numbers, whole: Numbers) -> Numbers:
    shape = np.broadcast_shapes(np.shape(part), np.shape(whole))
    share: Numbers = np.divide(part, whole, out=np.zeros(shape), where=np.asarray(whole) > 0)
    return share
