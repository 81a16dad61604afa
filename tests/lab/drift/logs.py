"""Prediction logs as serving writes them, for rows of the small world."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tests.lab.drift.world import described, rows_of, stamped

MODEL, OTHER = "ab" * 32, "cd" * 32
Line = dict[str, Any]


def rows(count: int, seed: int = 2, *, start: str = "2025-03-01") -> pa.Table:
    """Return rows of the small world, with moments."""
    return stamped(rows_of(np.random.default_rng(seed), count), start=start, days=5)


def answer(row: Mapping[str, Any], place: int, **changes: Any) -> Line:
    """Return the line of a row that was answered by the champion, a second after the row before it."""
    features = {name: row[name] for name in described().features}
    line = {
        "id": f"id-{place:04d}",
        "received": (row["moment"] + timedelta(days=1, seconds=place)).isoformat(timespec="microseconds"),
        "moment": row["moment"].isoformat(),
        "unit": str(row["customer_id"]),
        "arm": "champion",
        "fingerprint": MODEL,
        "score": row["champion_score"],
        "champion_score": row["champion_score"],
        "features": {name: float(value) if type(value) is int else value for name, value in features.items()},
    }
    return {**line, **changes}


def answers(table: pa.Table, **changes: Any) -> list[Line]:
    """Return a line for each row."""
    return [answer(row, place, **changes) for place, row in enumerate(table.to_pylist())]


def label(place: int, value: int, *, received: str = "2025-06-01T00:00:00.000000") -> Line:
    """Return the line of a label that came later."""
    return {"id": f"id-{place:04d}", "received": received, "label": value}


def write_lines(path: Path, lines: list[Line], *, torn: str = "") -> Path:
    """Write lines as serving does; a torn one may follow."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n" for line in lines)
    path.write_text(text + torn, encoding="utf-8")
    return path


def write_log(folder: Path, lines: list[Line], labels: list[Line] | None = None) -> Path:
    """Write a log of two workers, which take turns."""
    for worker in range(2):
        write_lines(folder / f"predictions-{worker}-000001.jsonl", lines[worker::2])
        write_lines(folder / f"feedback-{worker}-000001.jsonl", (labels or [])[worker::2])
    return folder
