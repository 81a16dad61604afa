"""Split the training rows into folds: forward in time, by group, or stratified."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lab.core.errors import SourceError
from lab.core.schema import FeatureSchema
from lab.core.seeds import generator_of

Places = NDArray[np.intp]
FEWEST_FOLDS = 2
FEWEST_PER_CLASS = 2
CURE = " Cure: "


@dataclass(frozen=True)
class Fold:
    """The indices of training and validation rows, sorted."""

    train: Places
    validation: Places


@dataclass(frozen=True)
class FoldSplit:
    """The folds, and the reason when there are fewer than requested."""

    folds: list[Fold]
    why_fewer: str


def split_folds(table: pa.Table, schema: FeatureSchema, *, requested: int, seed: int) -> FoldSplit:
    """Return as many folds as the rows allow, at least two and at most the requested number."""
    why = ""
    for count in range(requested, FEWEST_FOLDS, -1):
        try:
            return FoldSplit(make_folds(table, schema, count=count, seed=seed), why)
        except SourceError as error:
            why = why or str(error).split(CURE)[0].strip()
    return FoldSplit(make_folds(table, schema, count=FEWEST_FOLDS, seed=seed), why)


def make_folds(table: pa.Table, schema: FeatureSchema, *, count: int, seed: int) -> list[Fold]:
    """Return this number of folds by the rule of the schema, or raise an error.

    In time, the training part ends a horizon before the validation part begins, and the oldest rows are in no
    validation part. Otherwise every row is in exactly one validation part.
    """
    labels = table["label"].to_numpy()
    if schema.folds.kind == "time":
        assert schema.moment is not None
        moments = table[schema.moment].cast(pa.timestamp("us")).to_numpy()
        folds = _folds_in_time(moments, horizon=timedelta(days=schema.folds.horizon_days), count=count)
    else:
        units = _units(table, schema.folds.group)
        folds = _random_folds(labels, units, count=count, seed=seed)
    for number, fold in enumerate(folds, start=1):
        _check_classes(labels[fold.train], least=FEWEST_PER_CLASS, what=f"fold {number} of {count} is fitted on")
        _check_classes(labels[fold.validation], least=1, what=f"fold {number} of {count} is scored on")
    return folds


def _units(table: pa.Table, group: str | None) -> Places:
    """Return a number for each row's group, or the row's index without groups."""
    if group is None:
        return np.arange(table.num_rows)
    codes: Places = table[group].combine_chunks().dictionary_encode(null_encoding="encode").indices.to_numpy()
    return codes


def _folds_in_time(moments: NDArray[np.datetime64], *, horizon: timedelta, count: int) -> list[Fold]:
    distinct, rows = np.unique(moments, return_counts=True)
    starts = _validation_starts(distinct, rows, horizon=horizon, count=count)
    ends = [*distinct[starts[1:]], None]
    folds = []
    for start, end in zip(distinct[starts], ends, strict=True):
        validation = (moments >= start) & ((moments < end) if end is not None else True)
        known = (moments <= start - np.timedelta64(horizon)) & (moments < start)
        folds.append(Fold(np.flatnonzero(known), np.flatnonzero(validation)))
    return folds


def _validation_starts(
    distinct: NDArray[np.datetime64], rows: NDArray[np.intp], *, horizon: timedelta, count: int
) -> Places:
    """Return the indices of the moments where validation parts of about equal size begin."""
    first = int(np.searchsorted(distinct, distinct[0] + np.timedelta64(horizon), side="left")) or 1
    usable = max(0, len(distinct) - first)
    if usable < count:
        raise SourceError(
            f"found {usable} distinct moments of training rows at least {horizon.days} days after the oldest, "
            f"expected one for each of {count} folds.{CURE}add more history."
        )
    before = np.concatenate([[0], np.cumsum(rows)[:-1]])
    first = min(max(first, int(np.searchsorted(before, rows.sum() / (count + 1)))), len(distinct) - count)
    wanted = before[first] + (rows.sum() - before[first]) * np.arange(count) / count
    starts = np.searchsorted(before, wanted)
    for place in range(1, count):  # every part has at least one moment
        starts[place] = min(max(starts[place], starts[place - 1] + 1), len(distinct) - count + place)
    return np.asarray(starts, dtype=np.intp)


def _random_folds(labels: NDArray[np.int8], units: Places, *, count: int, seed: int) -> list[Fold]:
    """Return folds of whole units, assigned in turn, sorted by positives and rows in descending order.

    Folds then have similar positives and rows; the order of equal units is random.
    """
    distinct, places = np.unique(units, return_inverse=True)
    if len(distinct) < count:
        raise SourceError(
            f"found {len(distinct)} independent training rows or groups, expected at least {count}, one a fold."
            f"{CURE}add more rows."
        )
    positives, rows = np.bincount(places, weights=labels), np.bincount(places)
    chance = generator_of(seed, "folds").permutation(len(distinct))
    order = np.lexsort((chance, -rows, -positives))
    fold_of_unit = np.empty(len(distinct), dtype=np.intp)
    fold_of_unit[order] = np.arange(len(distinct)) % count
    fold_of_row = fold_of_unit[places]
    return [Fold(np.flatnonzero(fold_of_row != fold), np.flatnonzero(fold_of_row == fold)) for fold in range(count)]


def _check_classes(labels: NDArray[np.int8], *, least: int, what: str) -> None:
    positives = int(labels.sum())
    if min(positives, len(labels) - positives) < least:
        raise SourceError(
            f"{what} {positives} positive and {len(labels) - positives} negative rows, expected at least {least} of "
            f"each.{CURE}add more rows of the rarer class."
        )
