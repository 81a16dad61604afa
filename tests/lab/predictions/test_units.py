"""A row belongs to the unit of its task or split."""

import numpy as np
import pyarrow as pa
import pytest

from lab.predictions.units import units_of
from tests.tables import feature_rows, schema_of


@pytest.mark.parametrize(("folds", "columns"), [("time", ["customer_id"]), ("group", ["customer_id"])])
def test_rows_of_one_customer_are_one_unit(folds: str, columns: list[str]) -> None:
    schema, table = schema_of(folds), feature_rows(np.random.default_rng(1), 60, folds=folds)
    assert schema.unit_columns == columns
    units = units_of(table, schema)
    assert units is not None
    assert np.array_equal(units, np.arange(60) // 3)


def test_without_the_group_of_the_split_the_unit_of_the_task_counts() -> None:
    table = feature_rows(np.random.default_rng(1), 60, folds="group").drop_columns(["customer_id"])
    units = units_of(table, schema_of("group"))
    assert units is not None
    assert len(set(units.tolist())) == 60


def test_a_table_without_the_columns_has_no_units() -> None:
    assert units_of(pa.table({"label": [0, 1]}), schema_of("time")) is None


def test_a_unit_of_two_columns_and_missing_values() -> None:
    schema = schema_of("time").model_copy(update={"unit": ("shop", "till")})
    table = pa.table({"shop": ["a", "a", "b", None, None], "till": [1, 2, 1, 1, 1]})
    units = units_of(table, schema)
    assert units is not None
    assert len(set(units.tolist())) == 4
    assert units[3] == units[4]
