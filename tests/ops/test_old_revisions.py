"""Revisions from before `lab` had rooms are still compared, reported and reverted to."""

import sys
from pathlib import Path

import pytest

from ops.compare.compare import compare_revisions
from ops.compare.comparison import Comparison
from ops.report.page import report_of
from tests.project import ROOT, run

pytestmark = pytest.mark.slow
BEFORE = "3167bf623582ff06c003c87cbeee938dd15d5dd0"  # the last commit whose dvc.lock records code file by file


@pytest.fixture(scope="module")
def before() -> str:
    if run(["git", "cat-file", "-e", f"{BEFORE}^{{commit}}"], cwd=ROOT, check=False).returncode:
        pytest.skip(f"the history of this clone does not reach {BEFORE[:7]}")
    return BEFORE


@pytest.fixture(scope="module")
def found(before: str) -> Comparison:
    return compare_revisions(before, "HEAD", root=ROOT)


def test_its_results_are_known_to_belong_to_its_code(found: Comparison) -> None:
    assert found.base.stale == ()


def test_its_metrics_stand_beside_those_of_today(found: Comparison) -> None:
    score = found.metrics.challenger.of("roc_auc")
    assert score.base == pytest.approx(0.859, abs=0.001)
    assert score.head is not None


def test_its_files_are_compared_with_the_files_in_rooms(found: Comparison) -> None:
    kinds = {each.path: each.kind for each in found.inputs.code.files}
    assert kinds["lab/arrivals.py"] == "removed"
    assert {kind for path, kind in kinds.items() if path.startswith("lab/ingest/")} == {"added"}
    assert "lab/ingest" not in kinds
    assert "ingest" in found.inputs.code.touched


def test_it_is_reported(found: Comparison) -> None:
    page = report_of(found, images=[])
    assert "lab/ingest/" in page
    assert BEFORE[:7] in page


def test_it_is_checked_out_by_a_revert_whose_own_code_it_replaces(before: str, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    run(["git", "clone", "--quiet", "--shared", str(ROOT), str(clone)], cwd=tmp_path)
    command = [sys.executable, "-m", "ops", "revert", before, "--no-derive"]
    done = run(command, cwd=clone, check=False)
    assert done.returncode == 1, done.stderr  # nothing is derived, and neither cache nor remote has its data
    assert "MISSING" in done.stdout
    assert run(["git", "rev-parse", "HEAD"], cwd=clone).stdout.strip() == before
    assert run(["git", "status", "--porcelain"], cwd=clone).stdout == ""
    assert (clone / "lab/arrivals.py").is_file()
