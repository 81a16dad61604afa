"""Write result files for git: JSON and CSV, sorted, rounded, equal bytes on every run."""

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from lab.core.atomic_outputs import replaced_file

SIGNIFICANT_DIGITS = 6


def rounded(value: Any) -> Any:
    """Return value with every float rounded to 6 significant digits; NaN and infinity become None, -0.0 becomes 0.0.

    >>> rounded({"auc": 0.123456789, "worst": float("inf"), "shift": -0.0, "rows": 12})
    {'auc': 0.123457, 'worst': None, 'shift': 0.0, 'rows': 12}
    """
    if is_dataclass(value) and not isinstance(value, type):
        return rounded(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    if hasattr(value, "item"):  # a numpy scalar
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}") + 0.0 if math.isfinite(value) else None
    return value


def json_bytes(document: object) -> bytes:
    """Return a document as JSON with sorted keys, rounded floats and a final newline."""
    text = json.dumps(rounded(document), sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def write_json(document: object, path: Path) -> None:
    with replaced_file(path) as partial:
        partial.write_bytes(json_bytes(document))


def record_bytes(document: object) -> bytes:
    """Return a document as JSON with one record, or one list of numbers, a line, so that a diff shows what changed.

    >>> print(record_bytes({"interval": [1, 2], "points": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}).decode(), end="")
    {
     "interval": [1, 2],
     "points": [
      {"x": 1, "y": 2},
      {"x": 3, "y": 4}
     ]
    }
    """
    return f"{_layout(rounded(document), indent=0)}\n".encode()


def _layout(value: Any, *, indent: int, in_list: bool = False) -> str:
    items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    record = in_list and isinstance(value, dict) and not any(isinstance(item, dict) for item in items)
    if record or all(isinstance(item, int | float | None) for item in items):
        return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    if isinstance(value, dict):
        parts = [f"{json.dumps(name)}: {_layout(value[name], indent=indent + 1)}" for name in sorted(value)]
    else:
        parts = [_layout(item, indent=indent + 1, in_list=True) for item in items]
    start, end = "{}" if isinstance(value, dict) else "[]"
    lines = ",\n".join(f"{' ' * (indent + 1)}{part}" for part in parts)
    return f"{start}\n{lines}\n{' ' * indent}{end}"


def write_records(document: object, path: Path) -> None:
    with replaced_file(path) as partial:
        partial.write_bytes(record_bytes(document))


def read_json(path: Path) -> Any:
    return json.loads(path.read_bytes())


def result_of(document: Mapping[str, Any], compared: Sequence[str]) -> dict[str, Any]:
    """Return the content of a file in metrics/: the compared numbers, and the whole document in a list.

    DVC shows each number of a mapping in its tables, and nothing of a list.

    >>> result_of({"test": {"rows": 9, "f1": 0.5}}, ["test.f1"])
    {'test': {'f1': 0.5}, 'document': [{'test': {'rows': 9, 'f1': 0.5}}]}
    """
    result: dict[str, Any] = {}
    for path in compared:
        *sections, name = path.split(".")
        value, target = document, result
        for section in sections:
            value, target = value[section], target.setdefault(section, {})
        target[name] = value[name]
    return {**result, "document": [document]}


def write_result(document: Mapping[str, Any], path: Path, *, compared: Sequence[str]) -> None:
    write_records(result_of(document, compared), path)


def document_of(result: Any) -> Any:
    """Return the whole document of a result; a file from before there were compared numbers is the document."""
    return result["document"][0] if isinstance(result, dict) and "document" in result else result


def read_result(path: Path) -> Any:
    return document_of(read_json(path))


def csv_bytes(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return rows as CSV with the keys of the first row as header; None is an empty field."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rounded(rows))
    return buffer.getvalue().encode()


def write_csv(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    with replaced_file(path) as partial:
        partial.write_bytes(csv_bytes(rows))


def write_text(text: str, path: Path) -> None:
    """Write text with exactly one final newline."""
    with replaced_file(path) as partial:
        partial.write_bytes(f"{text.rstrip()}\n".encode())
