"""`python -m benchmarks.repro [RUNS] [small]`: `dvc repro`, `ops repro` and one process.

The ways take turns on clones of the last commit, because the machine is seldom quiet; every stage is forced to run,
then none has anything to do. `small` takes the project of the tests, where what DVC itself costs weighs most.
"""

import os
import runpy
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path

from benchmarks.measure import Cost, cost_of
from ops.dvc.repository import open_repository
from ops.dvc.reproduction import plan_of
from ops.revisions.git import text_of
from tests.project import QUIET, ROOT, copy_project

ONE = "one process"
WAYS: dict[str, tuple[str, ...]] = {
    ONE: (sys.executable, "-m", "benchmarks.repro", "one"),
    "dvc repro": ("dvc", "repro", "--quiet"),
    "ops repro": (sys.executable, "-m", "ops", "repro"),
    "ops repro --jobs 1": (sys.executable, "-m", "ops", "repro", "--jobs", "1"),
}
FORCE = "--force"


def main(arguments: Sequence[str]) -> None:
    if arguments[:1] == ["one"]:
        run_in_one_process(arguments[1:])
        return
    runs = int(arguments[0]) if arguments else 3
    with tempfile.TemporaryDirectory() as name:
        folders = {way: Path(name) / str(place) for place, way in enumerate(WAYS)}
        commit = text_of("rev-parse", "HEAD", root=ROOT)  # it may move while the first of them runs
        for folder in folders.values():
            if "small" in arguments:
                copy_project(folder)
            else:
                cost_of(["git", "clone", "--quiet", str(ROOT), str(folder)], cwd=ROOT)
                cost_of(["git", "checkout", "--quiet", commit], cwd=folder)
            cost_of(WAYS["ops repro"], cwd=folder, environment=QUIET)
        lock = (folders["dvc repro"] / "dvc.lock").read_bytes()
        with chdir(folders[ONE]):
            WAYS[ONE] += tuple(plan_of(open_repository(Path()), []).stages)
        measure("every stage", folders, more=[FORCE], runs=runs)
        measure("nothing to do", {way: folder for way, folder in folders.items() if way != ONE}, more=[], runs=runs)
        same = all((folder / "dvc.lock").read_bytes() == lock for folder in folders.values())
    sys.stdout.write(f"dvc.lock is {'the same in all' if same else 'NOT the same'}\n")
    sys.exit(0 if same else 1)


def measure(title: str, folders: dict[str, Path], *, more: Sequence[str], runs: int) -> None:
    """Let the ways take turns, and write the median of each and its ratio to the first."""
    costs: dict[str, list[Cost]] = {way: [] for way in folders}
    for _ in range(runs):
        for way, folder in folders.items():
            costs[way].append(cost_of([*WAYS[way], *more], cwd=folder, environment=QUIET))
    medians = {way: statistics.median(cost.cpu_seconds for cost in found) for way, found in costs.items()}
    for way, cpu in medians.items():
        ratio = cpu / next(iter(medians.values()))
        wall = statistics.median(cost.wall_seconds for cost in costs[way])
        each = " ".join(f"{cost.cpu_seconds:.1f}" for cost in costs[way])
        sys.stdout.write(f"{title}: {way:20} {cpu:6.1f} CPU s ({each}), {ratio:.2f}; {wall:6.1f} s of wall time\n")
        sys.stdout.flush()


def run_in_one_process(names: Sequence[str]) -> None:
    """Run these stages in turn."""
    for name in [name for name in names if name != FORCE]:
        os.environ["DVC_STAGE"] = name
        sys.argv = [f"stages.{name.partition('@')[0]}"]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
