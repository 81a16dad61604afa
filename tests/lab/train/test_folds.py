"""Folds follow the data: forward in time with an embargo, by whole groups, or stratified."""

from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray

from lab.core.errors import SourceError
from lab.core.schema import FeatureSchema, FoldRule
from lab.train.folds import Fold, make_folds, split_folds
from tests.tables import HORIZON_DAYS, feature_rows, schema_of


def rows_of(kind: str, rows: int = 600) -> pa.Table:
    return feature_rows(np.random.default_rng(3), rows, folds=kind)


def moments_of(table: pa.Table, places: NDArray[np.intp]) -> list[datetime]:
    moments: list[datetime] = table["moment"].take(pa.array(places)).to_pylist()
    return moments


def snapshots(days: list[int], *, rows_a_day: int = 4) -> pa.Table:
    """Return rows of both classes at these days after the first."""
    moments = np.repeat(np.datetime64("2024-01-01", "us") + np.array(days).astype("timedelta64[D]"), rows_a_day)
    labels = np.tile(np.array([0, 1], dtype=np.int8), len(moments) // 2)
    return pa.table({"customer_id": np.arange(len(moments)), "moment": moments, "label": labels})


def in_time(horizon_days: int) -> FeatureSchema:
    rule = FoldRule(kind="time", horizon_days=horizon_days, reason="for the test")
    return schema_of("time").model_copy(update={"folds": rule})


def same(one: list[Fold], other: list[Fold]) -> bool:
    return all(np.array_equal(a.validation, b.validation) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("kind", ["group", "stratified"])
def test_without_time_every_row_is_scored_once(kind: str) -> None:
    folds = make_folds(rows_of(kind), schema_of(kind), count=5, seed=1)
    assert_array_equal(np.sort(np.concatenate([fold.validation for fold in folds])), np.arange(600))
    for fold in folds:
        assert_array_equal(np.sort(np.concatenate([fold.train, fold.validation])), np.arange(600))


def test_the_training_part_ends_a_horizon_before_the_validation_part_begins() -> None:
    table = rows_of("time")
    for fold in make_folds(table, schema_of("time"), count=5, seed=1):
        last_known = max(moments_of(table, fold.train)) + timedelta(days=HORIZON_DAYS)
        assert last_known <= min(moments_of(table, fold.validation))


def test_a_training_part_ends_exactly_a_horizon_earlier() -> None:
    table = snapshots([0, 30, 60, 90, 120])
    first, second = make_folds(table, in_time(60), count=2, seed=1)
    assert set(moments_of(table, first.train)) == set(moments_of(table, np.arange(4)))  # day 0; it is scored from 60 on
    assert set(moments_of(table, second.train)) == set(moments_of(table, np.arange(12)))  # to day 60; from 120 on


def test_validation_parts_follow_one_another_and_end_with_the_newest_rows() -> None:
    table = rows_of("time")
    folds = make_folds(table, schema_of("time"), count=5, seed=1)
    for earlier, later in pairwise(folds):
        assert max(moments_of(table, earlier.validation)) < min(moments_of(table, later.validation))
        assert set(earlier.train) < set(later.train)
    assert max(moments_of(table, folds[-1].validation)) == max(table["moment"].to_pylist())


def test_without_a_horizon_a_moment_is_still_not_in_both_parts() -> None:
    table = snapshots([0, 30, 60])
    for fold in make_folds(table, in_time(0), count=2, seed=1):
        assert not set(moments_of(table, fold.train)) & set(moments_of(table, fold.validation))


def test_dense_moments_give_parts_of_equal_size() -> None:
    table = snapshots(list(range(400)), rows_a_day=2)
    sizes = [len(fold.validation) for fold in make_folds(table, in_time(10), count=5, seed=1)]
    assert max(sizes) - min(sizes) <= 4


def test_the_number_of_folds_is_limited_by_the_moments() -> None:
    table = snapshots([0, 60, 120, 180, 240])
    folds = make_folds(table, in_time(60), count=4, seed=1)
    assert [(len(fold.train), len(fold.validation)) for fold in folds] == [(4, 4), (8, 4), (12, 4), (16, 4)]


def test_more_folds_than_moments_are_refused() -> None:
    with pytest.raises(SourceError, match=r"found 4 distinct moments .* for each of 5 folds\. Cure: add more history"):
        make_folds(snapshots([0, 60, 120, 180, 240]), in_time(60), count=5, seed=1)


def test_a_group_is_never_in_both_parts_of_a_fold() -> None:
    table = rows_of("group")
    groups = table["customer_id"].to_numpy()
    for fold in make_folds(table, schema_of("group"), count=5, seed=1):
        assert not set(groups[fold.train]) & set(groups[fold.validation])


@pytest.mark.parametrize(("kind", "spread"), [("stratified", 1), ("group", 12)])
def test_folds_have_similar_positives(kind: str, spread: int) -> None:
    table = rows_of(kind)
    labels = table["label"].to_numpy()
    positives = [labels[fold.validation].sum() for fold in make_folds(table, schema_of(kind), count=5, seed=1)]
    assert max(positives) - min(positives) <= spread


def test_random_folds_depend_on_the_seed_alone() -> None:
    table, schema = rows_of("stratified"), schema_of("stratified")
    once = make_folds(table, schema, count=5, seed=1)
    assert same(once, make_folds(table, schema, count=5, seed=1))
    assert not same(once, make_folds(table, schema, count=5, seed=2))


def test_rows_without_a_group_are_one_group() -> None:
    table = rows_of("group").slice(0, 90)
    missing = pa.array([None if place < 10 else place for place in range(90)], pa.int64())
    table = table.set_column(table.column_names.index("customer_id"), "customer_id", missing)
    holds = [set(range(10)) & set(fold.validation) for fold in make_folds(table, schema_of("group"), count=5, seed=1)]
    assert sorted(map(len, holds)) == [0, 0, 0, 0, 10]


def test_fewer_rows_than_folds_are_refused() -> None:
    with pytest.raises(SourceError, match=r"found 4 independent training rows or groups, expected at least 5"):
        make_folds(rows_of("stratified", 4), schema_of("stratified"), count=5, seed=1)


def test_one_class_in_training_is_refused() -> None:
    table = rows_of("stratified", 60)
    table = table.set_column(table.column_names.index("label"), "label", pa.array(np.zeros(60, dtype=np.int8)))
    with pytest.raises(SourceError, match=r"fitted on 0 positive and 48 negative rows, expected at least 2 of each"):
        make_folds(table, schema_of("stratified"), count=5, seed=1)


def test_fewer_folds_in_time_have_a_reason() -> None:
    division = split_folds(snapshots([0, 60, 120, 180, 240]), in_time(60), requested=9, seed=1)
    assert len(division.folds) == 4
    assert division.why_fewer.startswith("found 4 distinct moments")
    assert division.why_fewer.endswith("expected one for each of 9 folds.")


def test_the_requested_number_of_folds_needs_no_reason() -> None:
    division = split_folds(rows_of("stratified"), schema_of("stratified"), requested=7, seed=1)
    assert (len(division.folds), division.why_fewer) == (7, "")


def test_a_rare_class_gives_fewer_folds() -> None:
    """Three positives can be in three folds; fitted on are then two of them, the fewest that will do."""
    table = rows_of("stratified", 60)
    labels = np.zeros(60, dtype=np.int8)
    labels[[3, 30, 50]] = 1
    table = table.set_column(table.column_names.index("label"), "label", pa.array(labels))
    division = split_folds(table, schema_of("stratified"), requested=5, seed=1)
    assert len(division.folds) == 3
    assert "scored on 0 positive" in division.why_fewer


def test_rows_for_fewer_than_two_folds_are_refused() -> None:
    table = rows_of("stratified", 60)
    table = table.set_column(table.column_names.index("label"), "label", pa.array(np.zeros(60, dtype=np.int8)))
    with pytest.raises(SourceError, match=r"fold 1 of 2 is fitted on 0 positive .* Cure: add more rows of the rarer"):
        split_folds(table, schema_of("stratified"), requested=5, seed=1)
