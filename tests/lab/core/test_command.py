"""A stage that DVC runs logs its cost."""

import json
import sys
from pathlib import Path

import pytest

from tests.project import QUIET, ROOT, run

STAGE = """\
import lab.core.determinism
import subprocess, sys
from lab.core.command import run

def main():
    print("ran")
    subprocess.run([sys.executable, "-c", "x = bytearray(90_000_000)"], check=True)
    raise SystemExit(3)

run(main)
"""


def lines_after(folder: Path, root: Path, **environment: str) -> list[dict[str, object]]:
    """Return the log's lines after the stage has run, with DVC's root in its environment."""
    (folder / "stages").mkdir(exist_ok=True)
    (folder / "stages/__init__.py").touch()
    (folder / "stages/toy.py").write_text(STAGE)
    words = {**QUIET, "PYTHONPATH": str(ROOT), "DVC_ROOT": str(root), **environment}
    done = run([sys.executable, "-m", "stages.toy"], cwd=folder, environment=words, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "ran\n", "")
    log = folder / ".dvc/tmp/stage_costs.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


@pytest.mark.parametrize("clone", ["", "/.dvc/tmp/sweep/clone-1"])
def test_a_run_has_its_cost_in_the_log_of_the_repository(tmp_path: Path, clone: str) -> None:
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    root = Path(f"{tmp_path}{clone}")
    words = {"DVC_STAGE": "toy", "DVC_EXP_NAME": "wide", "DVC_EXP_BASELINE_REV": "abc"}
    first, second = [lines_after(tmp_path, root, **words) for _ in range(2)][1]
    assert set(first) == set(second)
    assert (first["stage"], first["experiment"], first["baseline"]) == ("toy", "wide", "abc")
    assert float(str(first["cpu_seconds"])) > 0.0
    assert 90 < int(str(first["peak_megabytes"])) < 2000


def test_a_run_without_dvc_or_in_another_folder_has_none(tmp_path: Path) -> None:
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    assert lines_after(tmp_path, tmp_path) == []
    assert lines_after(tmp_path, tmp_path / "absent", DVC_STAGE="toy") == []
