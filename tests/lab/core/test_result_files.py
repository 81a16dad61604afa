"""Result files are sorted, rounded and equal to the byte on every run."""

from pathlib import Path

import numpy as np
import pytest

from lab.core.result_files import csv_bytes, json_bytes, read_json, rounded, write_csv, write_json, write_text


def test_json_is_sorted_rounded_and_ends_with_one_newline() -> None:
    expected = '{\n  "a": [\n    true,\n    null,\n    "é"\n  ],\n  "b": 0.333333\n}\n'
    assert json_bytes({"b": 1 / 3, "a": [True, None, "é"]}) == expected.encode()


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
