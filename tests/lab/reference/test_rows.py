"""Row order, time order, and units that are in both windows."""

import numpy as np
import pyarrow as pa
import pytest

from lab.drift.overlap import inflations_between
from lab.reference.rows import compared_columns, in_order, inflations_of, order_in_time
from lab.stats.shift.dependence import joint_inflation
from tests.lab.drift.world import changed, described, fitted, rows_of, stamped


def test_rows_of_one_moment_are_not_in_the_order_of_their_identifiers() -> None:
    schema = described(moment=True)
    rows = in_order(stamped(rows_of(np.random.default_rng(1), 400), start="2025-01-01", days=2), schema)
    order = order_in_time(rows, schema, np.random.default_rng(2))
    assert order is not None
    taken = rows.take(pa.array(order))
    moments, identifiers = taken["moment"].to_numpy(), taken["customer_id"].to_numpy()
    assert np.all(np.diff(moments) >= np.timedelta64(0))
    assert abs(np.corrcoef(identifiers[:200], np.arange(200))[0, 1]) < 0.3
    assert sorted(order.tolist()) == list(range(400))


def test_rows_without_a_moment_have_no_order() -> None:
    rows = rows_of(np.random.default_rng(1), 10)
    assert order_in_time(rows, described(), np.random.default_rng(2)) is None


@pytest.mark.parametrize(("first", "relief"), [(0, True), (10_000, False)])
def test_units_in_both_windows_relieve_the_inflation(first: int, *, relief: bool) -> None:
    rng = np.random.default_rng(3)
    once = rows_of(rng, 300)
    reference = fitted(once)
    twice = once.take(pa.array(np.repeat(np.arange(300), 2)))
    batch = changed(twice, "customer_id", np.repeat(np.arange(300) + first, 2))
    kinds = {name: reference.facts.columns[name].kind for name in compared_columns(reference.facts.inputs)}
    plain = inflations_of(batch, kinds, reference.facts.inputs)
    between = inflations_between(reference, batch, kinds, plain)
    assert plain["age"] == pytest.approx(2)
    joint = joint_inflation((300, 600), between["age"])
    assert joint == pytest.approx(1 if relief else (1 / 300 + 2 / 600) / (1 / 300 + 1 / 600))


def test_a_stream_of_rows_that_repeat_their_neighbours_is_inflated() -> None:
    schema = described(moment=True)
    rows = rows_of(np.random.default_rng(4), 600).drop_columns(["customer_id"])
    calm = changed(rows, "age", np.repeat(rows["age"].to_numpy()[:200], 3))
    stream = stamped(calm, start="2025-01-01", days=600)
    factors = inflations_of(stream, {"age": "number", "region": "category"}, schema)
    assert factors["age"] > 2.5
    assert factors["region"] == pytest.approx(1, abs=0.3)
