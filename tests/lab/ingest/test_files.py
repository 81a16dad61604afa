"""CSV and Parquet files are read correctly, or refused with the place and the cure."""

import gzip
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lab.core.errors import SourceError
from lab.core.tables import write_batches
from lab.dataset.source import FilesSource
from lab.ingest import files
from lab.ingest.files import read_files
from ops.init.csv_dialect import delimiter_of, sniff


def source_of(**settings: Any) -> FilesSource:
    """Return a source with one table."""
    return FilesSource.model_validate({"kind": "files", "tables": {"rows": {"path": "rows.csv", **settings}}})


def read(folder: Path, content: bytes, **settings: Any) -> pa.Table:
    """Write a CSV file, and read it."""
    (folder / "rows.csv").write_bytes(content)
    return read_source(folder, source_of(**settings))


def read_source(folder: Path, source: FilesSource) -> pa.Table:
    ((_, schema, batches),) = (
        (name, schema, list(batches)) for name, schema, batches in read_files(source, folder=folder)
    )
    return pa.concat_tables([schema.empty_table(), *batches])


@pytest.mark.parametrize(
    ("content", "settings"),
    [
        (b"a,b\n1,x\n2,y\n", {}),
        (b"a,b\n1,x\n2,y", {}),
        (b"\xef\xbb\xbfa,b\n1,x\n2,y\n", {}),
        (b"a;b\n1;x\n2;y\n", {"delimiter": ";"}),
        (b"a\tb\n1\tx\n2\ty\n", {"delimiter": "\t"}),
        (b"a|b\n1|x\n2|y\n", {"delimiter": "|"}),
        (b"a,b\r\n1,x\r\n2,y\r\n", {}),
        (b"a,b\r1,x\r2,y\r", {}),
        (b" a , b\n 1, x\n 2 ,y  \n", {}),
        (b'"a","b"\n"1","x"\n"2","y"\n', {}),
        (b"a,b\n\n1,x\n\n2,y\n\n", {}),
        ("a,b\n1,x\n2,y\n".encode("utf-16"), {"encoding": "utf-16"}),
    ],
)
def test_every_way_to_write_the_same_rows_reads_the_same(content: bytes, settings: Any, tmp_path: Path) -> None:
    assert read(tmp_path, content, **settings).to_pydict() == {"a": ["1", "2"], "b": ["x", "y"]}


def test_values_stay_text(tmp_path: Path) -> None:
    table = read(tmp_path, b"code,price\n007,1.50\n008,twelve\n")
    assert table.to_pydict() == {"code": ["007", "008"], "price": ["1.50", "twelve"]}


def test_missing_marks_become_null_despite_spaces_around_them(tmp_path: Path) -> None:
    table = read(tmp_path, b"a,b\n ,1\n?,2\n NA,3\nnan,4\n,5\nNAN,6\n")
    assert table["a"].to_pylist() == [None, None, None, None, None, "NAN"]


def test_only_the_marks_of_the_task_are_missing(tmp_path: Path) -> None:
    assert read(tmp_path, b"a,b\nNA,1\n?,2\n", missing=["?"])["a"].to_pylist() == ["NA", None]


def test_a_quoted_field_may_hold_line_ends_delimiters_and_quotes(tmp_path: Path) -> None:
    table = read(tmp_path, b'a,b\n1,"one\ntwo, ""three"""\n2,"x\r\ny"\n')
    assert table["b"].to_pylist() == ['one\ntwo, "three"', "x\r\ny"]


def test_the_encoding_of_the_task_is_used(tmp_path: Path) -> None:
    table = read(tmp_path, "größe,ort\n1,Köln\n".encode("cp1252"), encoding="cp1252")
    assert table.to_pydict() == {"größe": ["1"], "ort": ["Köln"]}


def test_the_decimal_mark_of_the_task_is_used(tmp_path: Path) -> None:
    table = read(tmp_path, b"a;b\n3,14;x,y\n-0,5;1,5 m\n7;,5\n", delimiter=";", decimal=",")
    assert table.to_pydict() == {"a": ["3.14", "-0.5", "7"], "b": ["x,y", "1,5 m", ".5"]}


def test_columns_are_renamed(tmp_path: Path) -> None:
    table = read(tmp_path, b"split,Split,a\n1,2,3\n", rename={"split": "split_column", "Split": "other"})
    assert table.column_names == ["split_column", "other", "a"]


def test_a_compressed_file_is_decompressed(tmp_path: Path) -> None:
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert read_source(tmp_path, source_of(path="rows.csv.gz")).to_pydict() == {"a": ["1"], "b": ["2"]}


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        (b"", {}, r"rows\.csv is empty, expected a header and rows"),
        (b"\n\n", {}, r"rows\.csv is empty"),
        (b"a,b\n", {}, "found 0 rows"),
        (b"a,b", {}, "found 0 rows"),
        (b"a,,b,\n1,2,3,4\n", {}, r"columns without a name, at place \[2, 4\] of 4"),
        (b"a,b,a\n1,2,3\n", {}, r"column names \['a', 'a'\], expected each only once"),
        (b"Age,b,age\n1,2,3\n", {}, r"column names \['Age', 'age'\], expected each only once"),
        (b"a,b\n1,2\n1,2,3\n1\n", {}, r"the header has 2 fields, line 3 has 3, line 4 has 1\. Cure: put fields"),
        (b'a,b\n1,"x\ny"\n1,2,3\n', {}, "line 4 has 3"),
        (b'a,b\n1,2\n3,"open\n4,5\n6,7\n', {}, "a quote that is opened in line 3 and never closed"),
        ("a,b\nä,2\n".encode("cp1252"), {}, r"is not utf-8: .*Cure: name its encoding"),
        ("ä,b\n1,2\n".encode("cp1252"), {}, r"is not utf-8: .*Cure: name its encoding"),
        (b"a,b\n\x81,2\n", {"encoding": "cp1252"}, "is not cp1252"),
        (b"a,b\n1,2\n", {"encoding": "utf-9"}, "found the encoding 'utf-9', expected an encoding of Python"),
        (b"a,b\n1,2\n", {"rename": {"c": "d"}}, r"lacks \['c'\], which rename in the task file names"),
    ],
)
def test_an_invalid_file_is_refused(content: bytes, settings: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=message):
        read(tmp_path, content, **settings)


def test_a_fault_in_a_large_file_is_reported_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="line 200002 has 3"):
        read(tmp_path, b"a,b\n" + b"1,2\n" * 200_000 + b"1,2,3\n")


@pytest.mark.parametrize("path", ["../outside.csv", "/etc/hostname", "deeper/../../outside.csv"])
def test_a_path_out_of_the_folder_is_refused(path: str, tmp_path: Path) -> None:
    (tmp_path / "outside.csv").write_bytes(b"a,b\n1,2\n")
    (tmp_path / "inside").mkdir()
    with pytest.raises(SourceError, match=r"is outside .*, expected a file below it"):
        read_source(tmp_path / "inside", source_of(path=path))


def test_a_symbolic_link_below_the_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"a,b\n1,2\n")
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside/rows.csv").symlink_to(tmp_path / "cache")
    assert read_source(tmp_path / "inside", source_of()).num_rows == 1


def test_a_missing_file_is_refused_with_a_list_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "row.csv").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(SourceError, match=r"rows\.csv is missing; .* holds \['row\.csv'\]"):
        read_source(tmp_path, source_of())


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").mkdir()
    with pytest.raises(SourceError, match=r"rows\.csv is a folder, expected a file"):
        read_source(tmp_path, source_of())


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "rows.csv")

    monkeypatch.setattr(files, "_csv_reader", denied)  # the user root may read everything
    with pytest.raises(SourceError, match="may not be read: Permission denied"):
        read(tmp_path, b"a,b\n1,2\n")


def test_no_table_is_read_when_a_later_one_is_missing(tmp_path: Path) -> None:
    (tmp_path / "first.csv").write_bytes(b"a,b\n1,2\n")
    source = FilesSource.model_validate(
        {"kind": "files", "tables": {"first": {"path": "first.csv"}, "second": {"path": "second.csv"}}}
    )
    with pytest.raises(SourceError, match=r"second\.csv is missing"):
        next(read_files(source, folder=tmp_path))


def test_parquet_keeps_its_types_and_dictionaries_become_text(tmp_path: Path) -> None:
    zoned = pa.array([datetime(2024, 5, 1, 12), None], pa.timestamp("ns", tz="Europe/Berlin"))  # noqa: DTZ001
    table = pa.table(
        {
            "count": pa.array([1, None], pa.int32()),
            "price": pa.array([Decimal("1.50"), None]),
            "region": pa.array(["north", None]).dictionary_encode(),
            "moment": zoned,
            "empty": pa.nulls(2),
            "flag": [True, None],
        }
    )
    pq.write_table(table, tmp_path / "rows.parquet")
    stored = read_source(tmp_path, source_of(path="rows.parquet"))
    assert [str(kind) for kind in stored.schema.types] == [
        *("int32", "decimal128(3, 2)", "string", "timestamp[us, tz=UTC]", "string", "bool")
    ]
    assert stored["moment"].cast(pa.int64()).to_pylist() == [zoned.cast(pa.int64())[0].as_py() // 1000, None]
    assert stored["region"].to_pylist() == ["north", None]


def test_nested_parquet_columns_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"basket": [[1, 2], [3]]}), tmp_path / "rows.parquet")
    with pytest.raises(SourceError, match=r"nested columns \{'basket': 'list<"):
        read_source(tmp_path, source_of(path="rows.parquet"))


def test_a_damaged_parquet_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.parquet").write_bytes(b"PAR1 and nothing more")
    with pytest.raises(SourceError, match="cannot be read as Parquet"):
        read_source(tmp_path, source_of(path="rows.parquet"))


def test_a_file_larger_than_a_block_is_read_in_ordered_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", 4096)
    (tmp_path / "rows.csv").write_text("a,b\n" + "".join(f"{i},x\n" for i in range(5000)))
    ((_, _, batches),) = read_files(source_of(), folder=tmp_path)
    parts = list(batches)
    assert len(parts) > 5
    assert pa.concat_tables(parts)["a"].to_pylist() == [str(i) for i in range(5000)]


def test_a_value_with_line_ends_may_cross_a_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", 300)
    value = "\n".join(["two words"] * 9)
    table = read(tmp_path, b"a,b\n" + f'1,"{value}"\n'.encode() * 50)
    assert table["b"].to_pylist() == [value] * 50


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\nx, y, z;1,5\nu, v, w;2,5\n", ";"),
        ("a\tb\n1,5\t2;5\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ('a,b\n"x;y;z",2\n"u;v;w",2\n', ","),
        ("a\n1\n", ","),
        ("", ","),
    ],
)
def test_the_delimiter_is_the_one_that_cuts_all_rows_alike(text: str, delimiter: str) -> None:
    assert delimiter_of(text) == delimiter


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("a,ä\n".encode(), "utf-8"),
        ("a,ä\n".encode("utf-8-sig"), "utf-8"),
        ("a,ä\n".encode("utf-16"), "utf-16"),
        ("a,ä€\n".encode("cp1252"), "cp1252"),
        (b"a,\x81\xe4\n", "latin-1"),
        (b"a,b\n" * 400_000 + "ä".encode("cp1252"), "cp1252"),
    ],
)
def test_the_encoding_is_found_in_the_whole_file(content: bytes, encoding: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(content)
    assert sniff(tmp_path / "rows.csv").encoding == encoding


def test_equal_rows_are_stored_as_equal_bytes_however_the_file_is_written(tmp_path: Path) -> None:
    for name, content in {"unix": b"a,b\n1,x\n", "windows": b"\xef\xbb\xbfa,b\r\n1, x\r\n"}.items():
        (tmp_path / "rows.csv").write_bytes(content)
        ((_, schema, batches),) = read_files(source_of(), folder=tmp_path)
        write_batches(batches, schema, tmp_path / f"{name}.parquet")
    assert (tmp_path / "unix.parquet").read_bytes() == (tmp_path / "windows.parquet").read_bytes()
