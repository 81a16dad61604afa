"""Experiment logs for tests: drawn with a known truth, or written row by row."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from lab.core.tables import write_table
from lab.experiment.design import Design

DESIGN: dict[str, Any] = {
    "unit": "customer_id",
    "arm": "arm",
    "control": "old",
    "weights": {"old": 1.0, "new": 1.0},
    "primary": "stayed",
    "outcomes": {"stayed": {"kind": "share"}},
}
OUTCOMES: dict[str, Any] = {
    "stayed": {"kind": "share"},
    "spent": {"kind": "mean", "covariate": "before", "margin": 5.0},
    "clicks": {"kind": "ratio", "per": "views"},
    "calls": {"kind": "count", "higher_is_better": False},
}


def design_of(**changes: Any) -> Design:
    """Return a design with two arms and one share, changed as said."""
    return Design.model_validate({**DESIGN, **changes})


def drawn(
    rows: int, *, seed: int = 1, lift: float = 0.0, loss: float = 0.0, arms: Sequence[str] = ("old", "new")
) -> pd.DataFrame:
    """Return a log in which every arm but the first has its share raised by `lift` and its mean lowered by `loss`."""
    rng = np.random.default_rng(seed)
    arm = rng.integers(0, len(arms), rows)
    before = rng.gamma(2.0, 50.0, rows).round(2)
    treated = arm > 0
    views = rng.poisson(8, rows) + 1
    return pd.DataFrame(
        {
            "customer_id": np.arange(rows) + 1,
            "arm": np.array(arms)[arm],
            "stayed": (rng.random(rows) < 0.5 + lift * treated).astype(int),
            "spent": (0.7 * before + rng.gamma(2.0, 20.0, rows) - loss * treated).round(2),
            "before": before,
            "clicks": rng.binomial(views, 0.2),
            "views": views,
            "calls": rng.poisson(1.0, rows),
            "region": rng.choice(["east", "west"], rows),
            "day": pd.to_datetime("2025-01-01") + pd.to_timedelta(rng.integers(0, 100, rows), "D"),
        }
    )


def written(folder: Path, log: pd.DataFrame, *, name: str = "log.parquet") -> Path:
    """Write a log and return where; by its name as Parquet or CSV."""
    path = folder / name
    if path.suffix == ".csv":
        log.to_csv(path, index=False)
    else:
        write_table(pa.Table.from_pandas(log, preserve_index=False), path)
    return path


def lines(folder: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write a CSV of a few rows, every cell as it is."""
    path = folder / "log.csv"
    names = list(rows[0])
    text = "\n".join([",".join(names), *(",".join(str(row[name]) for name in names) for row in rows)])
    path.write_text(f"{text}\n")
    return path
