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


def read_json(path: Path) -> Any:
    return json.loads(path.read_bytes())


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
