"""`python -m benchmarks.training`: the cost of training and evaluation."""

import csv
import io
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.measure import Cost, cost_of
from benchmarks.subscribers import subscribers_csv
from lab.core.yaml_files import read_yaml

ROOT = Path(__file__).parent.parent
COLUMNS = 20
SIZES = (7_000, 100_000)
TRAINED = ("train", "select", "champion", "evaluate", "explain")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, cost in figures(Path(folder)):
            sys.stdout.write(f"{json.dumps({name: asdict(cost)})}\n")
            sys.stdout.flush()


def figures(folder: Path) -> Iterator[tuple[str, Cost]]:
    churn = clone(folder / "churn")
    yield "churn, dvc repro from a clean clone", repro(churn)
    candidates = read_yaml(churn / "params.yaml", cure="")["train"]["candidates"]
    for stage in [*(f"train@{name}" for name in candidates), *TRAINED[1:]]:
        yield f"churn, {stage}", repro(churn, "--force", "--single-item", stage)
    for rows in SIZES:
        flat = clone(folder / str(rows))
        (flat / "flat.csv").write_bytes(flat_table(rows))
        cost_of([sys.executable, "-m", "ops", "init", "flat.csv", "--target", "churned"], cwd=flat)
        change(flat / "params.yaml", {"task: churn": "task: flat"})
        yield f"flat table of {rows:,} rows and {COLUMNS} columns, dvc repro", repro(flat)


def clone(folder: Path) -> Path:
    cost_of(["git", "clone", "--quiet", str(ROOT), str(folder)], cwd=ROOT)
    return folder


def repro(folder: Path, *arguments: str) -> Cost:
    return cost_of(["dvc", "repro", "--quiet", *arguments], cwd=folder)


def flat_table(rows: int) -> bytes:
    """Return the subscribers' table with as many more columns, that say nothing, as it lacks to twenty."""
    lines = list(csv.reader(io.StringIO(subscribers_csv(rows=rows).decode())))
    more = COLUMNS - len(lines[0])
    noise = np.char.mod("%.4f", np.random.default_rng(1).normal(size=(rows, more)))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*lines[0], *(f"noise_{number}" for number in range(more))])
    writer.writerows([*line, *extra] for line, extra in zip(lines[1:], noise.tolist(), strict=True))
    return out.getvalue().encode()


def change(path: Path, lines: Mapping[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for found, wanted in lines.items():
        text = text.replace(found, wanted)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
