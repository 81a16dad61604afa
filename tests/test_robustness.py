"""Noise moves numbers only, by as much as it should, and its price is what it costs."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from lab.robustness import accuracy_loss, losses_under_noise, spreads_of, with_noise
from lab.schema import FeatureSchema

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
            "region": ["north"] * count,
            "senior": [True] * count,
        }
    )


def stream(name: str) -> np.random.Generator:
    return np.random.default_rng(len(name) + sum(name.encode()))


def test_spreads_are_those_of_the_values_that_are_there() -> None:
    spreads = spreads_of(rows(), SCHEMA)
    assert spreads == {
        "age": pytest.approx(10, rel=0.05),
        "visits": pytest.approx(3**0.5, rel=0.05),
        "empty": 0.0,
    }


def test_noise_moves_numbers_by_its_share_of_the_spread_and_nothing_else() -> None:
    table = rows()
    shaken = with_noise(table, spreads_of(table, SCHEMA), noise=0.1, rng=stream("a"))
    moved = shaken["age"].to_numpy() - table["age"].to_numpy()
    assert np.nanstd(moved) == pytest.approx(1, rel=0.05)
    assert shaken["age"].null_count == table["age"].null_count
    assert shaken["empty"].null_count == len(table)
    assert shaken.select(["region", "senior"]) == table.select(["region", "senior"])
    assert shaken.column_names == table.column_names


def test_the_loss_is_the_share_of_rows_that_noise_turns_wrong() -> None:
    labels = np.array([True] * 10)
    shaken = [np.array([True] * 8 + [False] * 2), np.array([True] * 6 + [False] * 4)]
    seen = accuracy_loss(labels, labels, shaken)
    assert seen.value == pytest.approx(0.3)
    assert seen.low is not None
    assert seen.low < 0.3


def test_noise_that_changes_no_decision_costs_nothing_for_sure() -> None:
    labels = np.array([True, False])
    seen = accuracy_loss(labels, labels, [labels, labels])
    assert (seen.value, seen.low, seen.high) == (0, 0, 0)


def test_more_noise_costs_a_rule_on_one_number_more() -> None:
    table = rows()
    labels = np.nan_to_num(table["age"].to_numpy()) > 40

    def decide(given: pa.Table) -> Any:
        return np.nan_to_num(given["age"].to_numpy()) > 40

    losses = losses_under_noise(
        table, labels, spreads_of(table, SCHEMA), decide=decide, noise=[0.01, 0.5], repeats=2, stream_of=stream
    )
    # Half a spread of noise turns about arctan(0.5) / pi of the signs of a normal number, on nine rows in ten.
    assert losses[0.5].value == pytest.approx(0.9 * np.arctan(0.5) / np.pi, abs=0.01)
    assert losses[0.01].value == pytest.approx(0.9 * np.arctan(0.01) / np.pi, abs=0.003)
