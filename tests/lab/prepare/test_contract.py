"""The contract of raw tables: types, rules, tolerance, repair, and error messages."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from lab.core.errors import ContractError, SourceError
from lab.core.tables import read_table, write_table
from lab.dataset.features import Features
from lab.dataset.tables import Table, TablesSection
from lab.prepare.preparation import Preparation, prepare_tables
from lab.prepare.quality import quality_page

FLAT = Features(question="?", label="label", positive=1, table="rows")


def prepare(folder: Path, data: Mapping[str, Any], *, as_of: date | None = None, **table: Any) -> Preparation:
    """Prepare one raw table `rows` under a contract in the form of a task file."""
    write_table(pa.table(dict(data)), folder / "raw/rows.parquet")
    contract = Table.model_validate(table)
    return prepare_tables(folder / "raw", {"rows": contract}, FLAT, into=folder / "prepared", as_of=as_of)


def prepared(folder: Path) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = read_table(folder / "prepared/rows.parquet").to_pydict()
    return columns


@pytest.mark.parametrize(
    ("kind", "raw", "expected"),
    [
        ("integer", ["1", " 2 ", "3.0", None, "+4"], [1, 2, 3, None, 4]),
        ("number", ["1.5", "1e-3", None, "-0"], [1.5, 0.001, None, 0.0]),
        ("money", ["12.34", "0.1", None, "1e2"], [1234, 10, None, 10000]),
        ("money", [Decimal("19.99"), None], [1999, None]),
        ("money", [0.29, 1.1], [29, 110]),
        ("cents", [5, None], [5, None]),
        ("boolean", ["Yes", "no", "TRUE", "0", None], [True, False, True, False, None]),
        ("category", [" a", "b ", None], ["a", "b", None]),
        ("date", ["2024-02-29", None], [date(2024, 2, 29), None]),
        ("timestamp", ["2024-02-29 12:30:00", None], [datetime(2024, 2, 29, 12, 30), None]),  # noqa: DTZ001 - no zone
        ("timestamp", ["2024-01-05T10:00:00+02:00"], [datetime(2024, 1, 5, 8)]),  # noqa: DTZ001 - in UTC
        ("number", [float("nan"), 1.0], [None, 1.0]),
    ],
)
def test_values_are_cast_to_their_declared_type(kind: str, raw: list[Any], expected: list[Any], tmp_path: Path) -> None:
    prepare(tmp_path, {"x": raw}, columns={"x": {"type": kind}})
    assert prepared(tmp_path)["x"] == expected


def test_a_moment_with_a_zone_keeps_its_instant_and_zone(tmp_path: Path) -> None:
    moments = pa.array([0, None], pa.timestamp("us", tz="Europe/Berlin"))
    prepare(tmp_path, {"x": moments}, columns={"x": {"type": "timestamp"}})
    stored = read_table(tmp_path / "prepared/rows.parquet")["x"]
    assert stored.type.tz == "UTC"
    assert stored.cast(pa.int64()).to_pylist() == [0, None]


def test_a_format_reads_dates_as_they_are_written(tmp_path: Path) -> None:
    prepare(tmp_path, {"x": ["31/12/2024"]}, columns={"x": {"type": "date", "format": "%d/%m/%Y"}})
    assert prepared(tmp_path)["x"] == [date(2024, 12, 31)]


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("integer", "12.5"),
        ("integer", "twelve"),
        ("number", "inf"),
        ("boolean", "perhaps"),
        ("date", "2024-02-30"),
        ("money", "abc"),
    ],
)
def test_a_value_of_another_type_is_refused(kind: str, raw: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=rf"rows\.x: type {kind}: found 1 of 2 rows \(50 %\), such as row 2: {raw}"):
        prepare(tmp_path, {"x": [None, raw]}, columns={"x": {"type": kind}})


@pytest.mark.parametrize(
    ("rules", "raw", "message"),
    [
        ({"type": "integer", "minimum": 0}, ["1", "-1"], r"minimum 0: found 1 of 2"),
        ({"type": "number", "maximum": 1.5}, ["1", "2"], r"maximum 1\.5: found 1 of 2"),
        ({"type": "category", "allowed": ["a"]}, ["a", "z"], r"allowed \['a'\]: found 1 of 2"),
        ({"type": "category", "missing_share": 0.4}, ["a", None], r"missing_share 0\.4: found 1 of 2"),
        (
            {"type": "date", "minimum": date(2024, 1, 1)},
            ["2023-12-31", "2024-01-01"],
            r"minimum 2024-01-01: found 1 of 2",
        ),
    ],
)
def test_a_broken_rule_is_refused_with_its_count(
    rules: dict[str, Any], raw: list[Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ContractError, match=message):
        prepare(tmp_path, {"x": raw}, columns={"x": rules})


def test_every_broken_rule_is_listed_with_three_examples_by_key(tmp_path: Path) -> None:
    data = {"id": list(range(10)), "x": ["-1"] * 10, "y": ["?"] * 10}
    with pytest.raises(ContractError) as caught:
        prepare(
            tmp_path,
            data,
            key=["id"],
            columns={"id": {"type": "identifier"}, "x": {"type": "integer", "minimum": 0}, "y": {"type": "number"}},
        )
    message = str(caught.value)
    assert "in 2 place(s)" in message
    assert "rows.x: minimum 0: found 10 of 10 rows (100 %), such as id=0: -1; id=1: -1; id=2: -1\n" in message
    assert "rows.y: type number" in message


def test_a_broken_contract_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="nothing was overwritten"):
        prepare(tmp_path, {"x": ["-1"]}, columns={"x": {"type": "integer", "minimum": 0}})
    assert not (tmp_path / "prepared").exists()


def test_a_warning_is_reported_and_passes(tmp_path: Path) -> None:
    done = prepare(tmp_path, {"x": ["5", "50"]}, columns={"x": {"type": "integer", "warn": {"maximum": 10}}})
    assert [(finding.level, finding.rule, finding.count) for finding in done.findings] == [("warning", "maximum 10", 1)]
    assert prepared(tmp_path)["x"] == [5, 50]


@pytest.mark.parametrize(("setting", "kept"), [("drop_row", [1, 3]), ("set_missing", [1, None, 3])])
def test_a_tolerated_violation_is_handled_as_the_task_says(setting: str, kept: list[Any], tmp_path: Path) -> None:
    rules = {"type": "integer", "maximum": 9, "on_violation": setting, "violation_share": 0.4}
    done = prepare(tmp_path, {"x": ["1", "99", "3"]}, columns={"x": rules})
    assert prepared(tmp_path)["x"] == kept
    assert [(finding.level, finding.rule, finding.count) for finding in done.findings] == [("warning", "maximum 9", 1)]


def test_more_violations_than_tolerated_are_refused(tmp_path: Path) -> None:
    rules = {"type": "integer", "maximum": 9, "on_violation": "drop_row", "violation_share": 0.3}
    with pytest.raises(ContractError, match="maximum 9: found 1 of 3"):
        prepare(tmp_path, {"x": ["1", "99", "3"]}, columns={"x": rules})


def test_of_a_repeated_key_the_first_row_is_kept(tmp_path: Path) -> None:
    data = {"id": [3, 1, 3, 2], "x": ["a", "b", "c", "d"]}
    columns = {"id": {"type": "identifier"}, "x": {"type": "category"}}
    done = prepare(tmp_path, data, key=["id"], duplicate_share=0.25, columns=columns)
    assert prepared(tmp_path) == {"id": [3, 1, 2], "x": ["a", "b", "d"]}
    assert [(finding.rule, finding.level, finding.count) for finding in done.findings] == [("unique key", "warning", 1)]


def test_too_many_repeated_keys_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"rows\.id: unique key: found 1 of 2"):
        prepare(tmp_path, {"id": [3, 3]}, key=["id"], columns={"id": {"type": "identifier"}})


def test_a_missing_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"rows\.id: missing_share 0\.0: found 1 of 2"):
        prepare(tmp_path, {"id": [3, None]}, key=["id"], columns={"id": {"type": "identifier"}})


def test_rows_of_a_table_without_a_key_may_repeat_and_are_numbered(tmp_path: Path) -> None:
    prepare(tmp_path, {"x": ["a", "a"]}, columns={"x": {"type": "category"}})
    assert prepared(tmp_path) == {"x": ["a", "a"], "row": [0, 1]}


def test_an_undescribed_column_is_dropped_with_a_warning(tmp_path: Path) -> None:
    done = prepare(tmp_path, {"x": ["a"], "y": ["b"]}, columns={"x": {"type": "category"}})
    assert [(finding.column, finding.level) for finding in done.findings] == [("y", "warning")]
    assert "y" not in prepared(tmp_path)


def test_an_ignored_column_is_dropped(tmp_path: Path) -> None:
    prepare(tmp_path, {"x": ["a"], "y": ["b"]}, columns={"x": {"type": "category"}, "y": {"type": "ignore"}})
    assert "y" not in prepared(tmp_path)


def test_a_missing_column_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"lacks \['store_id'\]; it has \['x'\]"):
        prepare(tmp_path, {"x": ["a"]}, columns={"x": {"type": "category"}, "store_id": {"type": "identifier"}})


def test_a_missing_table_is_refused_by_name(tmp_path: Path) -> None:
    contract = {"rows": Table.model_validate({"columns": {"x": {"type": "category"}}})}
    (tmp_path / "raw").mkdir()
    with pytest.raises(SourceError, match=r"lacks the tables \['rows'\]; it has \[\]"):
        prepare_tables(tmp_path / "raw", contract, FLAT, into=tmp_path / "prepared", as_of=None)


def test_too_few_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="minimum_rows 5: found 2 of 2"):
        prepare(tmp_path, {"x": ["a", "b"]}, minimum_rows=5, columns={"x": {"type": "category"}})


def test_no_private_value_is_an_example(tmp_path: Path) -> None:
    data = {"id": ["anna", "anna", "bob"], "age": [-1, 5, -2], "name": ["x", "y", "z"]}
    columns = {
        "id": {"type": "identifier", "private": True},
        "age": {"type": "integer", "minimum": 0},
        "name": {"type": "category", "private": True, "allowed": ["y"]},
    }
    with pytest.raises(ContractError) as refused:
        prepare(tmp_path, data, key=["id"], columns=columns)
    message = str(refused.value)
    assert "such as row 1: -1; row 3: -2" in message
    assert "such as row 1: a private value; row 3: a private value" in message
    assert "unique key: found 1 of 3 rows (33.3 %), such as row 1" in message
    assert not {"anna", "bob", "'x'"} & set(message.replace(";", " ").split())


def test_a_table_must_span_its_days(tmp_path: Path) -> None:
    table: dict[str, Any] = {"newest": "day", "minimum_days": 5, "columns": {"day": {"type": "date"}}}
    prepare(tmp_path, {"day": ["2024-02-27", None, "2024-03-02"]}, **table)
    with pytest.raises(ContractError, match=r"rows\.day: minimum_days 5, in place of 4: "):
        prepare(tmp_path, {"day": ["2024-02-27", "2024-03-01"]}, **table)
    with pytest.raises(ContractError, match="minimum_days 5, in place of 0"):
        prepare(tmp_path, {"day": pa.array([None], pa.string())}, **table)


def test_a_table_may_limit_its_missing_cells(tmp_path: Path) -> None:
    data = {"x": ["a", None], "y": ["b", "c"]}
    columns = {"x": {"type": "category"}, "y": {"type": "category"}}
    prepare(tmp_path, data, missing_share=0.25, columns=columns)
    with pytest.raises(ContractError, match=r"\(table\): missing_share 0.1 of all cells, in place of 0.25"):
        prepare(tmp_path, data, missing_share=0.1, columns=columns)


@pytest.mark.parametrize(("as_of", "stale"), [(date(2024, 1, 4), True), (date(2024, 1, 3), False), (None, False)])
def test_freshness_refers_to_a_stated_day(as_of: date | None, *, stale: bool, tmp_path: Path) -> None:
    table = {"newest": "day", "fresh_within_days": 2, "columns": {"day": {"type": "date"}}}
    if stale:
        with pytest.raises(ContractError, match=r"fresh_within_days 2 of 2024-01-04: .*newest: 2024-01-01"):
            prepare(tmp_path, {"day": ["2024-01-01"]}, as_of=as_of, **table)
    else:
        prepare(tmp_path, {"day": ["2024-01-01"]}, as_of=as_of, **table)


def test_typos_are_repaired_to_the_nearest_level_and_counted(tmp_path: Path) -> None:
    rules = {"type": "category", "allowed": ["web", "store"], "repair": "nearest"}
    done = prepare(tmp_path, {"x": ["web", "wbe", "STORE", " store"]}, columns={"x": rules})
    assert prepared(tmp_path)["x"] == ["web", "web", "store", "store"]
    assert done.columns[0].mended == 2


def test_a_value_far_from_every_level_is_not_repaired(tmp_path: Path) -> None:
    rules = {"type": "category", "allowed": ["web", "store"], "repair": "nearest"}
    with pytest.raises(ContractError, match=r"found 1 of 1 rows \(100 %\), such as row 1: radio"):
        prepare(tmp_path, {"x": ["radio"]}, columns={"x": rules})


SHOPS = {"columns": {"id": {"type": "identifier"}}, "key": ["id"]}


def prepare_two(folder: Path, *, shops: Mapping[str, Any] = SHOPS, **rules: Any) -> Preparation:
    """Prepare rows of which the third names an unknown shop, and the last none."""
    write_table(pa.table({"id": [1, 2]}), folder / "raw/shops.parquet")
    write_table(pa.table({"shop": [1, 2, 9, None]}), folder / "raw/rows.parquet")
    shop = {"type": "identifier", "references": "shops", **rules}
    content = {"shops": shops, "rows": {"columns": {"shop": shop}}}
    tables = TablesSection.model_validate({"tables": content}).tables
    return prepare_tables(folder / "raw", tables, FLAT, into=folder / "prepared", as_of=None)


@pytest.mark.parametrize("rules", [{}, {"violation_share": 0.5}, {"on_violation": "drop_row", "violation_share": 0.2}])
def test_a_value_that_the_referenced_table_lacks_is_refused(tmp_path: Path, rules: dict[str, Any]) -> None:
    with pytest.raises(ContractError, match=r"references shops: found 1 of 4 rows \(25 %\), such as row 3: 9"):
        prepare_two(tmp_path, **rules)
    assert not (tmp_path / "prepared/rows.parquet").exists()


@pytest.mark.parametrize(
    ("on_violation", "expected"), [("drop_row", [1, 2, None]), ("set_missing", [1, 2, None, None])]
)
def test_tolerated_orphans_leave_the_prepared_rows_and_are_counted(
    tmp_path: Path, on_violation: str, expected: list[int | None]
) -> None:
    done = prepare_two(tmp_path, on_violation=on_violation, violation_share=0.25)
    assert prepared(tmp_path)["shop"] == expected
    assert done.rows_kept == {"shops": 2, "rows": len(expected)}
    assert [(each.rule, each.level, each.count) for each in done.findings] == [("references shops", "warning", 1)]
    assert [column.invalid for column in done.columns] == [0, 1]
    assert done.summary["accuracy"] == pytest.approx(1 - 1 / 5)
    assert "warning: rows.shop: references shops: found 1 of 4 rows" in quality_page(
        done.columns, done.findings, summary=done.summary
    )


def test_a_row_that_its_table_drops_is_not_there_for_others(tmp_path: Path) -> None:
    key, drop = {"type": "identifier"}, {"on_violation": "drop_row", "violation_share": 0.5}
    small: dict[str, Any] = {"type": "integer", "maximum": 5, **drop}
    shops: dict[str, Any] = {"columns": {"id": key, "size": small}, "key": ["id"], "duplicate_share": 0.5}
    orders = {"columns": {"id": key, "shop": {**key, "references": "shops", **drop}}, "key": ["id"]}
    lines = {"columns": {"order": {**key, "references": "orders", **drop}}}
    write_table(pa.table({"id": [1, 2, 2], "size": [1, 9, 1]}), tmp_path / "raw/shops.parquet")
    write_table(pa.table({"id": [10, 20], "shop": [1, 2]}), tmp_path / "raw/orders.parquet")
    write_table(pa.table({"order": [10, 20]}), tmp_path / "raw/lines.parquet")
    content = {"shops": shops, "orders": orders, "lines": lines}
    tables = TablesSection.model_validate({"tables": content}).tables
    flat = Features(question="?", label="label", positive=1, table="lines")
    done = prepare_tables(tmp_path / "raw", tables, flat, into=tmp_path / "prepared", as_of=None)
    assert done.rows_kept == {"shops": 1, "orders": 1, "lines": 1}


def test_references_that_drop_rows_of_each_other_are_refused() -> None:
    boss = {"type": "identifier", "references": "staff", "on_violation": "drop_row"}
    staff = {"columns": {"id": {"type": "identifier"}, "boss": boss}, "key": ["id"]}
    with pytest.raises(ValueError, match=r"form a circle of \['staff', 'staff'\].*Cure: set_missing"):
        TablesSection.model_validate({"tables": {"staff": staff}})


def test_a_table_may_reference_itself(tmp_path: Path) -> None:
    boss = {"type": "identifier", "references": "rows", "on_violation": "set_missing", "violation_share": 0.5}
    columns = {"id": {"type": "identifier"}, "boss": boss}
    prepare(tmp_path, {"id": [1, 2, 3], "boss": [None, 1, 9]}, columns=columns, key=["id"])
    assert prepared(tmp_path)["boss"] == [None, 1, None]


@pytest.mark.parametrize("name", ['say "hi"', "O'Neil", "Größe in m²", "select", "1st", "a.b", "a b"])
def test_a_column_may_have_any_name(name: str, tmp_path: Path) -> None:
    prepare(tmp_path, {name: ["1"]}, columns={name: {"type": "integer", "minimum": 0}}, key=[name])
    assert prepared(tmp_path)[name] == [1]


def test_quality_counts_missing_invalid_and_outlying_values(tmp_path: Path) -> None:
    values = [str(number) for number in range(100)] + ["1000000", None, "bad"]
    rules = {"type": "number", "on_violation": "set_missing", "violation_share": 0.1}
    done = prepare(tmp_path, {"x": values}, columns={"x": rules})
    (column,) = done.columns
    assert (column.rows, column.missing, column.invalid, column.outliers) == (103, 1, 1, 1)
    assert done.summary["completeness"] == pytest.approx(102 / 103)


def test_equal_rows_give_equal_bytes(tmp_path: Path) -> None:
    data = {"x": [str(number % 997) for number in range(200_000)]}
    for name in ("first", "second"):
        prepare(tmp_path / name, data, columns={"x": {"type": "integer"}})
    first, second = ((tmp_path / name / "prepared/rows.parquet").read_bytes() for name in ("first", "second"))
    assert first == second
