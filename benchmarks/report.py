"""`python -m benchmarks.report`: the cost of a pull request report, without pulled data."""

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks.measure import Cost, cost_of, median_cost
from benchmarks.training import ROOT, change, clone, repro

REPORT = [sys.executable, "-m", "ops", "report", "origin/base", "origin/head"]
AUTHOR = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@example.invalid"]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, cost in figures(Path(folder)):
            sys.stdout.write(f"{json.dumps({name: asdict(cost)})}\n")
            sys.stdout.flush()


def figures(folder: Path) -> Iterator[tuple[str, Cost]]:
    origin = two_revisions(folder / "origin")
    fresh = folder / "fresh"
    cost_of(["git", "clone", "--quiet", str(origin), str(fresh)], cwd=ROOT)
    cost_of(["dvc", "config", "--local", "remote.storage.url", str(origin / ".dvc/storage")], cwd=fresh)
    yield "fresh clone, predictions streamed from the remote", median_cost(REPORT, cwd=fresh)
    yield "the same, with pictures", median_cost([*REPORT, "--images", str(folder / "images")], cwd=fresh)


def two_revisions(folder: Path) -> Path:
    """Return a clone with the branches base and head, in which the DAG ran, and all of it in its remote."""
    clone(folder)
    git(folder, "checkout", "--quiet", "-b", "base")
    run_and_commit(folder)
    git(folder, "checkout", "--quiet", "-b", "head")
    change(folder / "params.yaml", {"learning_rate: 0.06": "learning_rate: 0.07"})
    run_and_commit(folder)
    return folder


def run_and_commit(folder: Path) -> None:
    repro(folder)
    git(folder, "add", "--all")
    git(folder, *AUTHOR, "commit", "--quiet", "--allow-empty", "--message", "results")
    cost_of(["dvc", "push", "--quiet"], cwd=folder)


def git(folder: Path, *arguments: str) -> None:
    cost_of(["git", *arguments], cwd=folder)


if __name__ == "__main__":
    main()
