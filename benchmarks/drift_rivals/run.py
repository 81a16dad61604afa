"""Run a rival, in its environment, and this repository on the same tables."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.drift_data import CHANGES, normal_columns, settings_of, table_of
from lab.core.errors import SourceError
from lab.core.tables import read_table, write_table
from lab.reference.columns import verdicts_of
from lab.stats.shift.estimated_performance import estimate_performance
from lab.stats.shift.shifts import measure_numbers

HERE = Path(__file__).parent
COLUMNS = 50


def run_rival(name: str, folder: Path) -> dict[str, Any]:
    """Return what a rival and this repository say of the same tables, with CPU seconds."""
    return RIVALS[name](folder)


def evidently(folder: Path) -> dict[str, Any]:
    """Return time at two sizes, recall and precision of twelve changes, and alarms where nothing changed."""
    found: dict[str, Any] = {}
    for rows in (10_000, 100_000):
        ours, theirs = _both(folder, rows, seed=1, changed=True)
        found[f"{rows} rows, {COLUMNS} columns"] = {
            "ours": _scored(ours),
            "evidently": _scored(theirs),
            "times less CPU": round(theirs["CPU seconds"] / max(ours["CPU seconds"], 1e-3), 1),
        }
    for rows in (1000, 10_000):
        runs = [_both(folder, rows, seed=seed, changed=False) for seed in range(10)]
        found[f"{rows} rows, nothing changed: runs of 10 with a column called"] = {
            name: sum(bool(pair[place]["called"]) for pair in runs) for place, name in enumerate(("ours", "evidently"))
        }
    return found


def nannyml(folder: Path) -> dict[str, Any]:
    """Return how far NannyML's estimates lie from ours on scores without ties."""
    rng = np.random.default_rng(1)
    chances = rng.beta(2, 3, 20_000)
    table = table_of({"chance": chances, "score": chances**1.3, "decided": (chances > 0.5).astype(float)})
    write_table(table, folder / "current.parquet")
    theirs = _call("NANNYML", "nannyml_estimates.py", folder / "current.parquet", folder / "current.parquet")
    ours = asdict(estimate_performance(chances**1.3, chances > 0.5, chances))
    return {metric: abs(ours[metric] - theirs[metric]) for metric in ours}


def _both(folder: Path, rows: int, *, seed: int, changed: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    rng = np.random.default_rng([11, rows, seed])
    reference, current = (normal_columns(rng, rows, COLUMNS) for _ in range(2))
    if changed:
        for name, change in zip(current, CHANGES.values(), strict=False):
            current[name] = change(rng, current[name])
    paths = folder / "reference.parquet", folder / "current.parquet"
    for columns, path in zip((reference, current), paths, strict=True):
        write_table(table_of(columns), path)
    return _ours(*paths), _call("EVIDENTLY", "evidently_preset.py", *paths)


def _ours(*paths: Path) -> dict[str, Any]:
    reference, current = (
        {name: table[name].to_numpy() for name in table.column_names} for table in map(read_table, paths)
    )
    started = time.process_time()
    shifts = {name: measure_numbers(reference[name], current[name]) for name in reference}
    verdicts = verdicts_of(shifts, significance=0.01, material=settings_of().material.model_dump())
    seconds = time.process_time() - started
    called = [name for name, verdict in verdicts.items() if verdict.word == "drifted"]
    return {"CPU seconds": round(seconds, 3), "called": called}


def _scored(found: dict[str, Any]) -> dict[str, Any]:
    true = {f"column_{place:02}" for place in range(len(CHANGES))}
    hits = len(true & set(found["called"]))
    return {
        "CPU seconds": found["CPU seconds"],
        "recall": f"{hits} of {len(true)}",
        "precision": f"{hits} of {len(found['called'])}",
    }


def _call(variable: str, script: str, *paths: Path) -> dict[str, Any]:
    python = os.environ.get(variable)
    if not python:
        raise SourceError(
            f"{variable} is not set, expected a Python of its own. Cure: benchmarks/drift_rivals/README.md"
        )
    quiet = {**os.environ, "PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [python, str(HERE / script), *map(str, paths)]
    done = subprocess.run(command, env=quiet, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


RIVALS: dict[str, Callable[[Path], dict[str, Any]]] = {"evidently": evidently, "nannyml": nannyml}
