"""What changed in the rows of raw tables."""

import doctest
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date, timedelta
from tempfile import gettempdir
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import ops.compare.tables.concentrations
from lab.core.errors import LabError, ParamsError
from lab.core.result_files import json_bytes
from ops.compare.changes import Kind
from ops.compare.data import data_change
from ops.compare.document import plain
from ops.compare.tables.concentrations import concentrations
from ops.compare.tables.described import tasks_of
from ops.compare.tables.row_gate import RowGate, row_gate
from ops.compare.tables.table_change import TableChange
from ops.compare.tables.tables import table_changes
from ops.compare.tables.words import counts_in_words, examples_in_words, gate_in_words, notes_in_words
from ops.report.details import raw_section
from ops.revisions.files import ChangedFile
from tests.cures import cure_in

PATH = "data/raw/customers.parquet"
COLUMNS = {
    "id": {"type": "identifier"},
    "country": {"type": "category"},
    "spent": {"type": "number"},
    "signed_up": {"type": "date"},
    "name": {"type": "ignore", "private": True},
}
TABLE: dict[str, Any] = {"key": ["id"], "columns": COLUMNS}


def store(
    content: bytes | LabError, *, table: Mapping[str, Any] = TABLE, params: Mapping[str, Any] | None = None
) -> Any:
    """Return a revision that has one raw table, and the task's words on it."""

    def read(path: str) -> bytes:
        assert path == PATH
        if isinstance(content, LabError):
            raise content
        return content

    snapshot = SimpleNamespace(
        name="main",
        commit="0123456789abcdef",
        task=lambda name: {"tables": {"customers": table}} if name == "shop" else {},
        yaml=lambda _: params if params is not None else {"task": "shop"},
    )
    return SimpleNamespace(snapshot=snapshot, content=read)


def parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def differences(base: Any, head: Any, *, kind: Kind = "changed") -> tuple[tuple[TableChange, ...], dict[str, str]]:
    return table_changes([ChangedFile(PATH, kind)], base, head, tasks_of(base.snapshot, head.snapshot))


def compared(base: pa.Table, head: pa.Table, **settings: Any) -> TableChange:
    stores = [store(parquet(each), **settings) for each in (base, head)]
    (found,), unknown = differences(*stores)
    assert unknown == {}
    return found


def rows(count: int = 1000, *, seed: int = 1) -> dict[str, list[Any]]:
    rng = np.random.default_rng(seed)
    return {
        "id": list(range(count)),
        "country": [("DE", "FR", "NL", None)[number] for number in rng.integers(0, 4, count)],
        "spent": [float(number) for number in rng.integers(0, 50, count)],
        "signed_up": [date(2024, 1, 1) + timedelta(int(day)) for day in rng.integers(0, 300, count)],
        "name": [f"secret {number}" for number in range(count)],
    }


def edited(content: dict[str, list[Any]], column: str, places: Any, value: Any) -> dict[str, list[Any]]:
    values = list(content[column])
    for place in places:
        values[place] = value
    return {**content, column: values}


def hand_made(seed: int) -> pa.Table:
    """Return a table with missing and repeated keys, missing values and NaN."""
    rng = np.random.default_rng(seed)
    keys = [None if key == 0 else int(key) for key in rng.integers(0, 60, 50)]
    letters = [("a", "b", None)[number] for number in rng.integers(0, 3, 50)]
    numbers = [(1.0, 2.0, float("nan"), None)[number] for number in rng.integers(0, 4, 50)]
    columns = {"id": pa.array(keys, pa.int64()), "country": letters, "spent": pa.array(numbers, pa.float64())}
    return pa.table({**columns, "name": ["x"] * 50})


def expected(base: pa.Table, head: pa.Table) -> tuple[int, int, int, dict[str, int]]:
    """Return the changed rows, those only in base and in head, and the changed cells: by dictionaries and counters."""
    sides = [[tuple(map(repr, row.values())) for row in each.to_pylist()] for each in (base, head)]
    times = [Counter(row[0] for row in side) for side in sides]
    repeated = {key for each in times for key, count in each.items() if count > 1}
    one, two = ({row[0]: row for row in side if row[0] not in repeated} for side in sides)
    both = one.keys() & two.keys()
    cells = Counter(
        name for key in both for name, old, new in zip(base.column_names, one[key], two[key], strict=True) if old != new
    )
    again = [Counter(row for row in side if row[0] in repeated) for side in sides]
    removed, added = (again[0] - again[1]).total(), (again[1] - again[0]).total()
    changed = sum(one[key] != two[key] for key in both)
    return changed, len(one.keys() - both) + removed, len(two.keys() - both) + added, dict(cells)


@pytest.mark.parametrize("seed", range(4))
def test_counts_are_those_of_dictionaries_and_counters(seed: int) -> None:
    base, head = hand_made(2 * seed), hand_made(2 * seed + 1)
    found = compared(base, head)
    cells = {each.name: each.cells for each in found.columns}
    assert (found.changed, found.only_in_base, found.only_in_head, cells) == expected(base, head)
    assert "repeat a key" in found.unmatched
    assert found.share == (found.changed + found.only_in_base) / 50


def test_without_a_key_equal_rows_are_counted() -> None:
    base, head = hand_made(1), hand_made(2)
    found = compared(base, head, table={"columns": COLUMNS})
    one, two = (Counter(tuple(map(repr, row.values())) for row in each.to_pylist()) for each in (base, head))
    assert (found.only_in_base, found.only_in_head) == ((one - two).total(), (two - one).total())
    assert (found.changed, found.columns, found.matched_by) == (0, (), ())
    assert notes_in_words(found) == ["The task gives it no key: rows are counted, not matched."]
    assert "changed" not in counts_in_words(found)


def test_the_order_of_rows_does_not_count_and_swapping_turns_the_sides() -> None:
    base, head = pa.table(rows()), pa.table(edited(rows(), "spent", range(20), -1.0)).slice(5)
    there, back = compared(base, head.take(pa.array(range(head.num_rows - 1, -1, -1)))), compared(head, base)
    assert (there.changed, there.only_in_base, there.only_in_head) == (15, 5, 0)
    assert (back.changed, back.only_in_base, back.only_in_head) == (15, 0, 5)
    assert there.columns[0].cells == back.columns[0].cells == 15


def test_examples_have_the_smallest_keys_and_missing_values() -> None:
    found = compared(pa.table(rows()), pa.table(edited(rows(), "spent", [700, 3, 900, 9], None)))
    (spent,) = found.columns
    old = rows()["spent"]
    assert [(each.key, each.old, each.new) for each in spent.examples] == [
        (("3",), str(old[3]), None),
        (("9",), str(old[9]), None),
        (("700",), str(old[700]), None),
    ]
    assert examples_in_words(spent).startswith(f"{old[3]} → missing (3), ")


def test_a_private_value_is_never_in_the_result() -> None:
    secret = {**rows(), "code": ["secret"] * 1000}  # the task does not describe `code`
    head = edited(
        edited(edited(secret, "name", range(300), "secret X"), "code", range(300), "secret Y"), "spent", [1], 0.5
    )
    private = {"key": ["name"], "columns": {**COLUMNS, "country": {"type": "category", "private": True}}}
    for base_table, head_table in ((TABLE, TABLE), (private, private), (private, TABLE)):
        stores = [
            store(parquet(pa.table(side)), table=said) for side, said in ((secret, base_table), (head, head_table))
        ]
        (found,), _ = differences(*stores)
        assert "secret" not in json_bytes(plain(asdict(found))).decode()
        assert all(each.private == (each.name in {"name", "code"}) for each in found.columns)
    assert {each.name: each.cells for each in found.columns} == {"name": 300, "code": 300, "spent": 1}
    assert examples_in_words(found.columns[1]) == "private: no value is shown"


def test_a_key_that_is_private_matches_rows_and_is_not_shown() -> None:
    private = {"key": ["name"], "columns": COLUMNS}
    found = compared(pa.table(rows()), pa.table(edited(rows(), "spent", [1, 2], 99.5)), table=private)
    assert [each.key for each in found.columns[0].examples] == [(), ()]
    assert "secret" not in repr(found)
    assert found.matched_by == ("name",)


def test_the_first_and_last_value_of_a_private_column_are_not_shown() -> None:
    def side(day: str) -> Any:
        found = store(b"", table={"columns": {**COLUMNS, "born": {"type": "date", "private": True}}})
        periods = {name: {"first": day, "last": day} for name in ("signed_up", "born", "unknown")}
        result = {"tables": {"customers": {"rows": 1, "period": periods}}}
        found.snapshot.result = {"metrics/ingest.json": result}.get
        return SimpleNamespace(snapshot=found.snapshot, stages={})

    facts = data_change(side("2024-01-01"), side("2024-01-02")).facts
    assert [each.name for each in facts] == [
        f"ingest.tables.customers.period.signed_up.{end}" for end in ("first", "last")
    ]


def test_where_changes_concentrate_is_found() -> None:
    content = rows()
    german = [place for place, country in enumerate(content["country"]) if country == "DE"]
    found = compared(pa.table(content), pa.table(edited(content, "spent", german[:100], -1.0)))
    (where,) = found.concentrations
    assert (where.rows, where.column, where.level, where.share) == ("changed", "country", "DE", 1.0)
    assert where.share_of_unchanged == (len(german) - 100) / 900
    assert "100.0 % of the changed rows have country = DE, against" in notes_in_words(found)[0]
    lacking = [place for place, country in enumerate(content["country"]) if country is None]
    (where,) = compared(pa.table(content), pa.table(edited(content, "country", lacking, "FR"))).concentrations
    assert (where.column, where.level, where.share, where.share_of_unchanged) == ("country", None, 1.0, 0.0)


def test_new_rows_concentrate_in_their_month() -> None:
    late = [place for place, day in enumerate(rows()["signed_up"]) if str(day) >= "2024-10"]
    base = pa.table(rows()).filter(pa.array([place not in set(late) for place in range(1000)]))
    (where,) = compared(base, pa.table(rows())).concentrations
    assert (where.rows, where.column, where.level) == ("only in head", "signed_up", "2024-10")


def test_changes_at_random_concentrate_nowhere() -> None:
    for seed in range(20):
        places = np.random.default_rng(seed).choice(1000, 100, replace=False)
        assert compared(pa.table(rows()), pa.table(edited(rows(), "spent", places, -1.0))).concentrations == ()


def test_a_significant_but_small_difference_is_left_out() -> None:
    levels: dict[str, dict[str | None, int]] = {
        "unchanged": {"a": 500_000, "b": 500_000},
        "changed": {"a": 59_000, "b": 41_000},
        "more": {"a": 61_000, "b": 39_000},
    }
    (found,) = concentrations({"x": levels["unchanged"]}, {"changed": {"x": levels["more"]}})
    assert found.level == "a"
    assert concentrations({"x": levels["unchanged"]}, {"changed": {"x": levels["changed"]}}) == ()


def test_columns_that_differ_are_named_and_the_shared_ones_compared() -> None:
    base = pa.table(rows())
    head = pa.table({**edited(rows(), "spent", [1], -1.0), "code": ["x"] * 1000}).drop_columns(["signed_up"])
    head = head.set_column(1, "country", pa.array(range(1000)))
    found = compared(base, head)
    assert {(each.name, each.kind) for each in found.schema} == {
        ("code", "added"),
        ("country", "changed"),
        ("signed_up", "removed"),
    }
    assert [(each.name, each.cells) for each in found.columns] == [("spent", 1)]
    (words,) = notes_in_words(found)
    assert words == 'Columns: code added, country "VARCHAR" → "BIGINT" and signed_up removed.'


def test_many_columns_and_tables_are_cut_and_counted() -> None:
    head = pa.table({**rows(), **{f"new_{number}": [1] * 1000 for number in range(500)}})
    found = compared(pa.table(rows()), head)
    (words,) = notes_in_words(found)
    assert words.endswith("and 492 more.")
    larger = [replace(found, table=f"t{number}", changed=number) for number in range(500)]
    data = SimpleNamespace(raw=larger, unknown={}, gate=RowGate(0.498, ""))
    comparison: Any = SimpleNamespace(inputs=SimpleNamespace(data=data))
    section = raw_section(comparison)
    assert section is not None
    assert section.opening[0].startswith("- ✗ `t499`:")
    assert "- … and 480 more tables: see `python -m ops compare`" in section.opening
    assert len("".join(section.opening)) < 20_000


def test_a_key_of_another_type_matches_nothing() -> None:
    content = rows()
    head = pa.table({**content, "id": list(map(str, content["id"]))})
    found = compared(pa.table(content), head)
    assert (found.only_in_base, found.only_in_head, found.matched_by) == (0, 0, ())
    assert "the columns of its key are not in both" in found.unmatched


def test_a_rule_of_the_task_that_changed_is_named() -> None:
    stricter = {"key": ["id"], "columns": {**COLUMNS, "spent": {"type": "number", "minimum": 0}}}
    stores = [store(parquet(pa.table(side)), table=said) for side, said in ((rows(), TABLE), (rows(999), stricter))]
    (found,), _ = differences(*stores)
    assert notes_in_words(found) == ["Contract: columns.spent.minimum added."]


@pytest.mark.parametrize(("kind", "share", "sides"), [("added", 0.0, (0, 10)), ("removed", 1.0, (10, 0))])
def test_a_whole_table_comes_or_goes(kind: Any, share: float, sides: tuple[int, int]) -> None:
    stores = [store(parquet(pa.table(rows(10)))) for _ in range(2)]
    (found,), _ = differences(*stores, kind=kind)
    assert (found.share, found.base_rows, found.head_rows) == (share, *sides)
    assert counts_in_words(found) == f"the table is {kind}: 10 rows"


def test_a_version_that_nobody_has_or_that_is_no_table_is_named() -> None:
    whole, lost = (
        parquet(pa.table(rows(10))),
        LabError(f"{PATH} (0a1b) is neither in the cache nor on the remote, expected"),
    )
    for content, message in (
        (lost, "cache nor on the remote (at main); `python -m ops derive 0123456789ab --output data/raw` gets it"),
        (b"no table", "the two versions of data/raw/customers.parquet cannot be read as tables"),
    ):
        found, unknown = differences(store(content), store(whole))
        assert found == ()
        assert message in unknown["customers"]
        assert gettempdir() not in unknown["customers"]


def test_the_gate_counts_changed_and_removed_rows_but_no_new_ones() -> None:
    found = compared(
        pa.table(rows(1500)).slice(0, 1000), pa.table(edited(rows(1500), "spent", range(200), -1.0)).slice(50)
    )
    assert (found.changed, found.only_in_base, found.share) == (150, 50, 0.2)
    assert found.only_in_head == 500
    assert RowGate(0.2, "").verdict(found) == "passed"
    assert RowGate(0.19, "").verdict(found) == "failed"
    assert gate_in_words(found, RowGate(0.19, "")) == "20.0 % changed or removed, at most 19.0 %: failed"


def test_the_gate_is_the_heads_and_judges_one_task_only() -> None:
    def gate(base: dict[str, Any], head: dict[str, Any]) -> RowGate:
        return row_gate(store(b"", params=base).snapshot, store(b"", params=head).snapshot)

    set_to = {"compare": {"most_rows_changed": 0.4}}
    assert gate({"task": "shop"}, {"task": "shop", **set_to}) == RowGate(0.4, "")
    assert gate({"task": "other", **set_to}, {"task": "shop", **set_to}).most_rows_changed is None
    assert gate({"task": "shop", **set_to}, {"task": "shop"}).reason == "params.yaml has no section `compare`"
    wrong = {"task": "shop", "compare": {"most_rows_changed": 20}}
    with pytest.raises(
        ParamsError, match=r"params.yaml at main: compare.most_rows_changed: .*or equal to 1"
    ) as refused:
        gate({"task": "shop"}, wrong)
    cure_in(str(refused.value), of="ops/compare/tables/row_gate.py: Correct it.")


def test_hostile_names_and_values_stay_inside_the_page() -> None:
    hostile = "a|b`<img src=x>@all"
    columns = {"id": {"type": "identifier"}, hostile: {"type": "category"}}
    base = pa.table({"id": range(100), hostile: ["x"] * 50 + [None] * 50})
    head = pa.table({"id": range(100), hostile: [hostile] * 50 + [None] * 50})
    found = replace(compared(base, head, table={"key": ["id"], "columns": columns}), table=hostile)
    comparison: Any = SimpleNamespace(
        inputs=SimpleNamespace(data=SimpleNamespace(raw=(found,), unknown={hostile: hostile}, gate=RowGate(0.2, "")))
    )
    section = raw_section(comparison)
    assert section is not None
    assert section.title == "Raw tables: 2 changed; gate on rows: 1 failed, 1 unknown"
    outside = "".join(part for line in section.text.splitlines() for part in line.split("``")[::2])
    assert "<img" not in outside
    assert "@all" not in outside


def test_the_examples_in_docstrings_run() -> None:
    assert doctest.testmod(ops.compare.tables.concentrations).failed == 0
