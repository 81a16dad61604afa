"""Batches from Parquet, CSV and logs are equal; invalid ones raise errors."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from lab.core.errors import SourceError
from lab.core.tables import write_table
from lab.drift.files import read_batch
from lab.reference.reference import Reference
from tests.lab.drift.world import changed, fitted, rows_of, stamped

ROWS = 300


def rows(seed: int = 2) -> pa.Table:
    return stamped(rows_of(np.random.default_rng(seed), ROWS), start="2025-03-01", days=5)


@pytest.fixture(scope="module")
def reference() -> Reference:
    return fitted(rows(1), moment=True)


def write_csv(table: pa.Table, path: Path) -> Path:
    pyarrow.csv.write_csv(table, path)
    return path


def write_log(table: pa.Table, path: Path, *, nested: bool = False, score: str = "champion_score") -> Path:
    lines = []
    for row in table.to_pylist():
        row["moment"] = row["moment"].isoformat() if row.get("moment") is not None else None
        features = {name: row.pop(name) for name in ("age", "amount", "region", "senior", "visits")} if nested else {}
        named = {score if name == "champion_score" else name: value for name, value in row.items()}
        lines.append(json.dumps({**named, **({"features": features} if nested else {})}))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_csv_is_the_batch_that_the_parquet_file_is(reference: Reference, tmp_path: Path) -> None:
    write_table(rows(), tmp_path / "rows.parquet")
    there = read_batch(tmp_path / "rows.parquet", reference)
    assert read_batch(write_csv(rows(), tmp_path / "rows.csv"), reference).to_pylist() == there.to_pylist()


def test_the_label_is_read_from_the_column_of_the_task(reference: Reference, tmp_path: Path) -> None:
    words = {0: "No", 1: "Yes", None: None}
    table = rows()
    labels = [place % 2 if place else None for place in range(len(table))]
    own = pa.array([words[label] for label in labels], pa.string())
    without = [name for name in table.column_names if name != "label"]
    path = write_csv(table.select(without).append_column("churned", own), tmp_path / "rows.csv")
    assert read_batch(path, reference, label="churned")["label"].to_pylist() == labels


@pytest.mark.parametrize("nested", [False, True])
def test_a_log_is_the_batch_that_the_parquet_file_is(reference: Reference, tmp_path: Path, *, nested: bool) -> None:
    write_table(rows(), tmp_path / "rows.parquet")
    there = read_batch(tmp_path / "rows.parquet", reference)
    log = write_log(rows(), tmp_path / "rows.jsonl", nested=nested, score="score")
    assert read_batch(log, reference).to_pylist() == there.to_pylist()


def test_a_log_may_say_time_for_the_moment(reference: Reference, tmp_path: Path) -> None:
    table = rows().rename_columns(["time" if name == "moment" else name for name in rows().column_names])
    batch = read_batch(write_csv(table, tmp_path / "rows.csv"), reference)
    assert batch["moment"].to_pylist() == rows()["moment"].to_pylist()


def test_whole_numbers_may_be_written_with_a_point(reference: Reference, tmp_path: Path) -> None:
    table = changed(rows(), "age", [f"{age}.0" for age in rows()["age"].to_pylist()])
    assert (
        read_batch(write_csv(table, tmp_path / "rows.csv"), reference)["age"].to_pylist() == rows()["age"].to_pylist()
    )


def test_moments_with_zones_are_one_time(reference: Reference, tmp_path: Path) -> None:
    moments = [f"{moment.isoformat()}+02:00" for moment in rows()["moment"].to_pylist()]
    batch = read_batch(write_csv(changed(rows(), "moment", moments), tmp_path / "rows.csv"), reference)
    shifts = {
        before - after for before, after in zip(rows()["moment"].to_pylist(), batch["moment"].to_pylist(), strict=True)
    }
    assert [shift.total_seconds() for shift in shifts] == [7200]


def zones_mixed(table: pa.Table) -> pa.Table:
    moments = [moment.isoformat() for moment in table["moment"].to_pylist()]
    return changed(table, "moment", [f"{moment}Z" if place < 3 else moment for place, moment in enumerate(moments)])


REFUSED: dict[str, tuple[Callable[[pa.Table], pa.Table], str]] = {
    "a column is absent": (lambda table: table.drop_columns(["age"]), r"lacks the columns \['age'\]; it has .* Cure"),
    "a column is no number": (
        lambda table: changed(table, "age", ["old"] * ROWS),
        r"age in .*rows.csv cannot be read as int64, its type in test: .*old.* Cure",
    ),
    "a column is neither true nor false": (
        lambda table: changed(table, "senior", ["perhaps"] * ROWS),
        r"senior in .* cannot be read as bool.*found \['perhaps'\], expected true or false",
    ),
    "time zones are mixed": (
        zones_mixed,
        r"moment in .* mixes moments with and without a time zone: found 3 of 300 with one.* Cure",
    ),
    "a moment is none": (lambda table: changed(table, "moment", ["soon"] * ROWS), r"moment in .*'soon'.* Cure"),
    "an identifier stands twice": (
        lambda table: pa.concat_tables([table, table.slice(0, 2)]),
        r"2 identifiers \(moment, customer_id\) have several rows, expected one row each",
    ),
    "a score is none": (
        lambda table: changed(table, "champion_score", [1.5, None] + [0.5] * (ROWS - 2)),
        "champion_score in .* is missing or outside 0 to 1 in 2 of 300 rows",
    ),
    "a label is neither": (
        lambda table: changed(table, "label", [7] * ROWS),
        "label in .* is neither 0 nor 1 in 300 rows",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_invalid_batch_is_refused_with_the_cure(reference: Reference, tmp_path: Path, name: str) -> None:
    change, message = REFUSED[name]
    path = write_csv(change(rows()), tmp_path / "rows.csv")
    with pytest.raises(SourceError, match=message):
        read_batch(path, reference)


def test_another_type_in_a_parquet_file_is_refused(reference: Reference, tmp_path: Path) -> None:
    write_table(changed(rows(), "age", [str(age) for age in range(ROWS)]), tmp_path / "rows.parquet")
    with pytest.raises(SourceError, match=r"age is int64 in test and string in .*rows.parquet, expected one type"):
        read_batch(tmp_path / "rows.parquet", reference)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.txt", "a", r"ends with '.txt', expected one of .*'.csv'"),
        ("rows.jsonl", "{}\nnonsense\n", "line 2 is not a prediction: .*drop the line"),
        ("rows.jsonl", "[1, 2]\n", "line 1 is not a prediction"),
        ("rows.parquet", "a", "cannot be read as Parquet"),
        ("rows.csv", "a,b\n1\n", "cannot be read as CSV"),
        ("rows.csv", "", "cannot be read as CSV"),
    ],
)
def test_a_file_that_is_no_batch_is_refused(
    reference: Reference, tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(SourceError, match=message):
        read_batch(tmp_path / name, reference)


def test_a_file_that_is_not_there_is_refused(reference: Reference, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is missing, expected a file of rows"):
        read_batch(tmp_path / "none.csv", reference)


def test_empty_cells_are_missing(reference: Reference, tmp_path: Path) -> None:
    amounts: list[Any] = [None, "NA", "", *map(str, range(ROWS - 3))]
    batch = read_batch(write_csv(changed(rows(), "amount", amounts), tmp_path / "rows.csv"), reference)
    assert batch["amount"].null_count == 3
