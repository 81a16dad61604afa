"""A second clone that shares the cache runs nothing that the first has run."""

from pathlib import Path

import pytest

from tests.history import history_of
from tests.project import run


def repro(clone: Path) -> set[str]:
    """Bring the clone up to date; return the stages that ran."""
    said = run(["dvc", "repro"], cwd=clone).stdout
    return {line.split("'")[1] for line in said.splitlines() if line.startswith("Running stage")}


def test_a_second_clone_runs_no_stage(tmp_path_factory: pytest.TempPathFactory) -> None:
    first, second = history_of(tmp_path_factory), tmp_path_factory.mktemp("second") / "clone"
    run(["git", "clone", "--quiet", "--branch", "main", str(first), str(second)], cwd=first)
    run(["dvc", "config", "--local", "cache.dir", str(first / ".dvc/cache")], cwd=second)
    assert repro(second) == set()
    assert run(["git", "status", "--porcelain"], cwd=second).stdout == ""
    # Settings that another branch has run, while dvc.lock knows nothing of it: only the pages have no run cache.
    run(["git", "checkout", "--quiet", "origin/other", "--", "params.yaml"], cwd=second)
    assert repro(second) == {"card"}
    assert run(["git", "diff", "origin/other"], cwd=second).stdout == ""
