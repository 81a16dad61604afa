"""Rank candidates by their out-of-fold scores, which are on the same rows for all."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.predictions.units import Codes, units_of
from lab.select.trained import Candidate
from lab.stats.core.areas import area_influences, area_under_curve
from lab.stats.core.classification import LOWER_IS_BETTER, areas, losses, scored_sample
from lab.stats.core.clusters import clustered_test, count_units, repeated_units
from lab.stats.core.paired import compare_means, log_losses, squared_errors
from lab.stats.core.probabilities import normal_quantile
from lab.stats.core.resampled_folds import FoldMean, corrected_mean
from lab.stats.models.average_precisions import average_precision_interval, average_precision_of, clipped

LOSSES = {"log_loss": log_losses, "brier": squared_errors}
LEVEL = 0.95

Truths = NDArray[np.bool_]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Standing:
    """The place of a candidate: its score on all out-of-fold rows and its scores by fold, with intervals.

    The interval of the score treats the models as fitted. The interval over folds includes other training rows and is
    wider.
    """

    place: int
    candidate: Candidate
    score: float
    low: float | None
    high: float | None
    by_fold: tuple[float, ...]
    folds: FoldMean

    @property
    def rows(self) -> int:
        return len(self.candidate.out_of_fold)

    @property
    def units(self) -> int:
        """The number of units behind the rows."""
        return count_units(repeated_units_of(self.candidate), rows=self.rows)

    @property
    def name(self) -> str:
        return self.candidate.name

    @property
    def estimator(self) -> str:
        return self.candidate.manifest.specification.estimator


def rank(candidates: Iterable[Candidate], *, by: str) -> list[Standing]:
    """Return the candidates, the best first; ties are in the order of names."""
    sign = 1 if by in LOWER_IS_BETTER else -1
    scored = [(candidate, _metric(candidate.out_of_fold, by)) for candidate in candidates]
    scored.sort(key=lambda item: (sign * item[1], item[0].name))
    return [_standing(place, candidate, score, by) for place, (candidate, score) in enumerate(scored, start=1)]


def labels_and_scores(table: pa.Table) -> tuple[Truths, Numbers]:
    return table["label"].to_numpy().astype(bool), table["score"].to_numpy()


def repeated_units_of(candidate: Candidate) -> Codes | None:
    """Return the unit of each out-of-fold row; None where every row is its own unit."""
    return repeated_units(units_of(candidate.out_of_fold, candidate.manifest.inputs))


def score_interval(
    labels: Truths, scores: Numbers, by: str, *, units: Codes | None = None
) -> tuple[float | None, float | None]:
    """Return the interval of one score over rows, or over units: DeLong, jackknife, or Student's t of the losses."""
    if by == "average_precision":
        return average_precision_interval(average_precision_of(labels, scores), units=units, level=LEVEL)
    if by in LOSSES:
        comparison = compare_means(np.zeros(len(scores)), LOSSES[by](labels, scores), units=units, level=LEVEL)
        return comparison.low, comparison.high
    area = area_under_curve(labels, scores)
    places = (area.positive_placements, area.negative_placements)
    if min(map(len, places)) < 2:
        return None, None
    if units is not None:
        tested = clustered_test(area.value, area_influences(area, labels), units, level=LEVEL)
        return clipped(tested.low, tested.high)
    error = float(np.sqrt(sum(np.var(each, ddof=1) / len(each) for each in places)))
    reach = normal_quantile((1 + LEVEL) / 2) * error
    return max(0.0, area.value - reach), min(1.0, area.value + reach)


def _standing(place: int, candidate: Candidate, score: float, by: str) -> Standing:
    table, sizes = candidate.out_of_fold, candidate.manifest.folds
    places = table["fold"].to_numpy()
    by_fold = tuple(_metric(table.filter(places == number), by) for number in range(1, len(sizes) + 1))
    folds = corrected_mean(
        by_fold,
        train_rows=[size.train for size in sizes],
        validation_rows=[size.validation for size in sizes],
        level=LEVEL,
    )
    ends = score_interval(*labels_and_scores(table), by, units=repeated_units_of(candidate))
    return Standing(place, candidate, score, *ends, by_fold, folds)


def _metric(table: pa.Table, name: str) -> float:
    # Rounded as scores are: otherwise the last bits of a sum could decide the ranking.
    counted = scored_sample(*labels_and_scores(table))
    return round(float({**areas(counted), **losses(counted)}[name]), 9)
