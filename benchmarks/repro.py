"""`python -m benchmarks.repro [RUNS] [small]`: `dvc repro`, `ops repro` and one DVC per stage.

The ways take turns on clones of the last commit, because the machine is seldom quiet; every stage is forced to run,
then none has anything to do. `small` takes the project of the tests, where what DVC itself costs weighs most.
"""

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from benchmarks.measure import Cost, cost_of
from ops.repro.schedule import Schedule
from ops.revisions.git import text_of
from tests.project import QUIET, ROOT, copy_project

WAYS = {
    "dvc repro": ("dvc", "repro", "--quiet"),
    "ops repro --jobs 2": (sys.executable, "-m", "ops", "repro", "--jobs", "2"),
    "dvc repro -s, 2 at once": (sys.executable, "-m", "benchmarks.repro", "single"),
}
FORCE = "--force"
BUSY = "Unable to acquire lock"


def main(arguments: Sequence[str]) -> None:
    if arguments[:1] == ["single"]:
        run_singly(Path(), force=FORCE in arguments)
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
            cost_of(["dvc", "repro", "--quiet"], cwd=folder, environment=QUIET)
        lock = (folders["dvc repro"] / "dvc.lock").read_bytes()
        for title, more in (("every stage", [FORCE]), ("nothing to do", [])):
            measure(title, folders, more=more, runs=runs)
        same = all((folder / "dvc.lock").read_bytes() == lock for folder in folders.values())
    sys.stdout.write(f"dvc.lock is {'the same in all' if same else 'NOT the same'}\n")
    sys.exit(0 if same else 1)


def measure(title: str, folders: dict[str, Path], *, more: Sequence[str], runs: int) -> None:
    """Let the ways take turns, and write the median of each."""
    costs: dict[str, list[Cost]] = {way: [] for way in WAYS}
    for _ in range(runs):
        for way, command in WAYS.items():
            costs[way].append(cost_of([*command, *more], cwd=folders[way], environment=QUIET))
    for way, found in costs.items():
        cpu, wall = (
            statistics.median(getattr(cost, kind) for cost in found) for kind in ("cpu_seconds", "wall_seconds")
        )
        walls = " ".join(f"{cost.wall_seconds:.1f}" for cost in found)
        sys.stdout.write(f"{title}: {way:24} {cpu:6.1f} CPU s  {wall:6.1f} s of wall time  ({walls})\n")
        sys.stdout.flush()


def run_singly(folder: Path, *, force: bool) -> None:
    """Reproduce each stage by a DVC of its own, two at once; one that finds DVC's lock taken tries again."""
    from dvc.repo import Repo  # noqa: PLC0415 - only this way needs it
    from dvc.repo.reproduce import plan_repro  # noqa: PLC0415

    graph = Repo(str(folder)).index.graph
    order = tuple(stage.addressing for stage in plan_repro(graph))
    upstream = {node.addressing: frozenset(other.addressing for other in graph.successors(node)) for node in graph}
    schedule, at_work = Schedule(order, upstream), dict[Future[None], str]()
    with ThreadPoolExecutor(2) as pool:
        while (started := schedule.start(2)) or at_work:
            at_work |= {pool.submit(_single, name, folder, force=force): name for name in started}
            for ended in wait(at_work, return_when=FIRST_COMPLETED).done:
                ended.result()
                schedule.end(at_work.pop(ended), well=True)


def _single(name: str, folder: Path, *, force: bool) -> None:
    command = ["dvc", "repro", "--single-item", name, *([FORCE] if force else [])]
    while True:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        if BUSY not in done.stderr:
            raise RuntimeError(f"{' '.join(command)} left with {done.returncode}: {done.stderr}")


if __name__ == "__main__":
    main(sys.argv[1:])
