"""`python -m benchmarks.pipeline`: the cost of the DAG and of each stage's imports."""

import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.measure import cost_of, median_cost
from lab.core.command import COSTS
from ops.dvc.pipeline import read_stages

ROOT = Path(__file__).parent.parent


def main() -> None:
    figures: dict[str, object] = {
        f"import stages.{stage.module.split('.')[1]}": asdict(
            median_cost([sys.executable, "-c", f"import {stage.module}"], cwd=ROOT)
        )
        for stage in read_stages(ROOT)
    }
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        cost_of(["git", "clone", "--quiet", str(ROOT), str(clone)], cwd=ROOT)
        figures["dvc repro, from a clean clone"] = asdict(cost_of(["dvc", "repro", "--quiet"], cwd=clone))
        figures["dvc repro, nothing to do"] = asdict(median_cost(["dvc", "repro", "--quiet"], cwd=clone))
        figures["dvc repro, all forced"] = forced(clone)
        shutil.rmtree(clone / ".dvc/cache")
    sys.stdout.write(f"{json.dumps(figures, indent=2)}\n")


def forced(clone: Path) -> dict[str, object]:
    """Return the cost of a forced run, and the CPU seconds of each stage in it; the rest is DVC's own."""
    log = clone / ".dvc/tmp" / COSTS
    log.unlink(missing_ok=True)
    cost = cost_of(["dvc", "repro", "--force", "--quiet"], cwd=clone)
    stages = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return {**asdict(cost), "stages": {stage["stage"]: stage["cpu_seconds"] for stage in stages}}


if __name__ == "__main__":
    main()
