"""Result files are sorted, rounded and equal to the byte on every run."""

import json
from pathlib import Path

import numpy as np
import pytest

from lab.core.result_files import (
    csv_bytes,
    document_of,
    json_bytes,
    read_json,
    read_result,
    record_bytes,
    rounded,
    write_csv,
    write_json,
    write_result,
    write_text,
)


def test_json_is_sorted_rounded_and_ends_with_one_newline() -> None:
    expected = '{\n  "a": [\n    true,\n    null,\n    "é"\n  ],\n  "b": 0.333333\n}\n'
    assert json_bytes({"b": 1 / 3, "a": [True, None, "é"]}) == expected.encode()


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        "é",
        [{}, [], "a", None],
        {"a": [{"b": {"c": [1, 2]}}, {"d": ["x", "y"]}], "e": {}},
        [{"x": 1, "y": None}, {"x": 0.25, "y": [1, 2]}],
    ],
)
def test_the_layout_of_records_changes_no_value(value: object) -> None:
    assert json.loads(record_bytes(value)) == value


def test_a_record_is_one_line_of_a_diff() -> None:
    points = [{"x": number, "y": number / 3} for number in range(5)]
    before, after = (record_bytes(each).splitlines() for each in (points, [*points[:2], {"x": 9, "y": 9}, *points[3:]]))
    assert len(before) == len(after) == 7
    assert sum(one != two for one, two in zip(before, after, strict=True)) == 1


def test_a_result_shows_only_the_compared_numbers_and_is_read_whole(tmp_path: Path) -> None:
    document = {"test": {"f1": 0.5, "words": "prose"}, "rows": 9, "gates": []}
    write_result(document, tmp_path / "a.json", compared=("test.f1", "rows"))
    content = read_json(tmp_path / "a.json")
    assert {name: value for name, value in content.items() if not isinstance(value, list)} == {
        "test": {"f1": 0.5},
        "rows": 9,
    }
    assert read_result(tmp_path / "a.json") == document


def test_a_result_of_an_older_revision_is_its_own_document() -> None:
    old = {"test": {"f1": 0.5}}
    assert document_of(old) == old


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None),
        (float("-inf"), None),
        (-0.0, 0.0),
        (1e-12, 1e-12),
        (123456789.0, 123457000.0),
        (123456789, 123456789),
        (np.float64(0.1234567), 0.123457),
        (np.int64(7), 7),
        (True, True),
        ((1.0, 2), [1.0, 2]),
    ],
)
def test_values_are_rounded_to_plain_python(value: object, expected: object) -> None:
    assert repr(rounded(value)) == repr(expected)


def test_rounding_twice_changes_nothing() -> None:
    values = (np.random.default_rng(1).normal(size=600) * 10.0 ** np.arange(-300, 300)).tolist()
    assert rounded(rounded(values)) == rounded(values)


def test_csv_has_the_first_rows_keys_and_empty_fields_for_none() -> None:
    assert csv_bytes([{"b": 1 / 3, "a": None}, {"b": 2, "a": "x,y"}]) == b'b,a\n0.333333,\n2,"x,y"\n'


def test_written_files_are_read_back(tmp_path: Path) -> None:
    write_json({"a": 1}, tmp_path / "new/folder/a.json")
    write_csv([{"a": 1}], tmp_path / "a.csv")
    write_text("a\n\n", tmp_path / "a.md")
    assert read_json(tmp_path / "new/folder/a.json") == {"a": 1}
    assert (tmp_path / "a.csv").read_bytes() == b"a\n1\n"
    assert (tmp_path / "a.md").read_bytes() == b"a\n"
