"""Perturbations change only what they should, and the loss is measured correctly."""

from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lab.core.schema import FeatureSchema
from lab.validate.robustness import (
    Baseline,
    accuracy_loss,
    baseline_of,
    losses_at,
    losses_when_unseen,
    training_of,
    with_missing,
    with_noise,
)

SCHEMA = FeatureSchema.model_validate(
    {
        "question": "?",
        "unit": ["row"],
        "moment": None,
        "positive": 1,
        "groups": [],
        "features": {
            "age": {"kind": "number"},
            "visits": {"kind": "number"},
            "empty": {"kind": "number"},
            "region": {"kind": "category"},
            "senior": {"kind": "boolean"},
        },
        "folds": {"kind": "stratified", "reason": ""},
    }
)


def rows(count: int = 5000) -> pa.Table:
    rng = np.random.default_rng(0)
    return pa.table(
        {
            "age": pa.array(rng.normal(40, 10, count), mask=rng.random(count) < 0.1),
            "visits": rng.poisson(3, count),
            "empty": pa.nulls(count, pa.float64()),
            "region": pa.array(rng.choice(["north", "south"], count, p=[0.7, 0.3]), mask=rng.random(count) < 0.1),
            "senior": [True] * count,
        }
    )


def stream(name: str) -> np.random.Generator:
    return np.random.default_rng(len(name) + sum(name.encode()))


def is_old(given: pa.Table) -> Any:
    return np.nan_to_num(given["age"].to_numpy()) > 40


def baseline(table: pa.Table, *, decide: Any = is_old) -> Baseline:
    return baseline_of(table, decide(table), decide=decide, most=10**6, rng=stream(""))


def test_spreads_ignore_missing_values() -> None:
    assert training_of(rows(), SCHEMA).spreads == {
        "age": pytest.approx(10, rel=0.05),
        "visits": pytest.approx(3**0.5, rel=0.05),
        "empty": 0.0,
    }


def test_spreads_ignore_infinite_values() -> None:
    ages = pa.array([30.0, 50.0, float("inf"), -float("inf"), 1e308, None])
    assert training_of(rows(6).set_column(0, "age", ages), SCHEMA).spreads["age"] == 10


def test_the_most_frequent_level_is_first_and_missing_is_no_level() -> None:
    assert training_of(rows(), SCHEMA).levels == {"region": ["north", "south"]}
    absent = rows(5).set_column(3, "region", pa.nulls(5, pa.string()))
    assert training_of(absent, SCHEMA).levels == {"region": []}


def test_noise_changes_numbers_in_proportion_to_their_spread_and_nothing_else() -> None:
    table = rows()
    noisy = with_noise(table, training_of(table, SCHEMA).spreads, noise=0.1, rng=stream("a"))
    moved = noisy["age"].to_numpy() - table["age"].to_numpy()
    assert np.nanstd(moved) == pytest.approx(1, rel=0.05)
    assert noisy["age"].null_count == table["age"].null_count
    assert noisy["empty"].null_count == len(table)
    assert noisy.select(["region", "senior"]) == table.select(["region", "senior"])
    assert noisy.column_names == table.column_names


def test_noise_does_not_change_infinite_values() -> None:
    table = rows(3).set_column(0, "age", pa.array([1.0, float("inf"), -float("inf")]))
    noisy = with_noise(table, {"age": 1.0}, noise=0.1, rng=stream("a"))["age"].to_numpy()
    assert list(noisy[1:]) == [float("inf"), -float("inf")]


def test_the_given_share_of_each_feature_becomes_missing() -> None:
    table = rows()
    kinds = ["age", "visits", "region", "senior"]
    found = with_missing(table, kinds, share=0.25, rng=stream("a"))
    assert found.schema == table.schema
    for name in kinds:
        present = 1 - table[name].null_count / len(table)
        assert found[name].null_count / len(table) == pytest.approx(1 - 0.75 * present, abs=0.02)
    assert with_missing(table, kinds, share=1.0, rng=stream("a"))["senior"].null_count == len(table)


def test_the_loss_is_the_share_of_rows_that_become_wrong() -> None:
    labels = np.ones(10, dtype=bool)
    draws = [pa.table({"age": [50.0] * right + [30.0] * (10 - right)}) for right in (8, 6)]
    loss = accuracy_loss(Baseline(pa.table({"age": [50.0] * 10}), labels, labels), draws, decide=is_old)
    assert loss.estimate.value == pytest.approx(0.3)
    assert loss.worst == pytest.approx(0.4)
    assert (loss.draws, loss.rows) == (2, 10)


def test_decisions_that_become_right_are_a_negative_loss() -> None:
    table = pa.table({"age": [50.0] * 4})
    loss = accuracy_loss(Baseline(table, np.ones(4, dtype=bool), np.zeros(4, dtype=bool)), [table], decide=is_old)
    assert loss.estimate.value == -1


def test_without_rows_the_loss_is_undefined() -> None:
    loss = accuracy_loss(baseline(rows(0)), [rows(0)] * 2, decide=is_old)
    assert (loss.estimate.value, loss.worst, loss.rows) == (None, None, 0)


def test_more_noise_causes_more_loss() -> None:
    table = rows()
    spreads = training_of(table, SCHEMA).spreads
    losses = losses_at(
        baseline(table),
        [0.01, 0.5],
        lambda given, level, rng: with_noise(given, spreads, noise=level, rng=rng),
        decide=is_old,
        repeats=2,
        stream_of=lambda level, repeat: stream(f"{level}/{repeat}"),
    )
    # Half a spread of noise turns about arctan(0.5) / pi of the signs of a normal number, on nine rows in ten.
    assert losses[0.5].estimate.value == pytest.approx(0.9 * np.arctan(0.5) / np.pi, abs=0.01)
    assert losses[0.01].estimate.value == pytest.approx(0.9 * np.arctan(0.01) / np.pi, abs=0.003)


def test_missing_ages_cause_loss_for_a_rule_on_age() -> None:
    table = rows()
    (loss,) = losses_at(
        baseline(table),
        [0.2],
        lambda given, share, rng: with_missing(given, list(SCHEMA.features), share=share, rng=rng),
        decide=is_old,
        repeats=3,
        stream_of=lambda level, repeat: stream(f"{level}/{repeat}"),
    ).values()
    assert loss.estimate.value == pytest.approx(0.2 * is_old(table).mean(), abs=0.01)


def in_north(given: pa.Table) -> Any:
    return np.array([region == "north" for region in given["region"].to_pylist()], dtype=bool)


def test_an_unseen_level_makes_every_row_of_a_rule_on_it_wrong() -> None:
    table = rows()
    (found,) = losses_when_unseen(
        baseline(table, decide=in_north), {"region": ["north", "south"]}, decide=in_north, smallest=50
    )
    assert (found.feature, found.level, found.loss.estimate.value) == ("region", "north", 1)
    assert found.loss.rows == in_north(table).sum()


def test_the_unseen_level_is_never_a_known_level() -> None:
    def is_strange(given: pa.Table) -> Any:
        return np.array([region == "never estimate" for region in given["region"].to_pylist()], dtype=bool)

    levels = {"region": ["north", "never estimate"]}
    (found,) = losses_when_unseen(baseline(rows(), decide=is_strange), levels, decide=is_strange, smallest=50)
    assert found.loss.estimate.value == 0


@pytest.mark.parametrize("levels", [{}, {"region": []}, {"region": ["absent from these rows"]}])
def test_categories_with_too_few_rows_on_their_most_frequent_level_are_left_out(levels: dict[str, list[str]]) -> None:
    assert losses_when_unseen(baseline(rows()), levels, decide=is_old, smallest=1) == []


def test_many_rows_are_sampled_in_their_order() -> None:
    table = rows().append_column("row", pa.array(range(5000)))
    found = baseline_of(table, is_old(table), decide=is_old, most=100, rng=stream("a"))
    kept = found.rows["row"].to_numpy()
    assert len(kept) == 100
    assert (np.diff(kept) > 0).all()
    assert np.array_equal(found.labels, is_old(table)[kept])
    assert np.array_equal(found.clean, found.labels)


def test_rows_of_one_unit_count_once_in_the_loss() -> None:
    given, copies = rows(400), np.repeat(np.arange(400), 5)
    flipped = np.arange(400) % 9 == 0

    def decided(places: Any, _: pa.Table) -> Any:
        return ~flipped[places]

    once, by_unit = (
        accuracy_loss(
            Baseline(given.take(pa.array(places)), np.ones(len(places), bool), np.ones(len(places), bool), units),
            [given.take(pa.array(places))],
            decide=partial(decided, places),
        ).estimate
        for places, units in ((np.arange(400), None), (copies, copies))
    )
    assert by_unit.value == once.value
    assert (by_unit.low, by_unit.high) == pytest.approx((once.low, once.high), abs=0.005)
