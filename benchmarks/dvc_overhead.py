"""`python -m benchmarks.dvc_overhead BEFORE AFTER [RUNS]`: DVC's own cost in two revisions.

Each revision is cloned, and every command in dvc.yaml only copies its outputs back, which DVC has removed. What a stage
reads or writes and git lacks is a file of one line, so hashing data costs nothing. The two clones take turns.
"""

import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Cost, cost_of
from ops.dvc.repository import open_repository
from ops.dvc.stages import path_of
from ops.revisions.git import commit_of, git
from ops.revisions.lock import entries_of
from tests.project import QUIET, ROOT

FORCED = ("dvc", "repro", "--force", "--quiet")
COMMAND = re.compile(r"^(\s+cmd:) .*$", re.MULTILINE)
CONTENT = "one line\n"
OUTPUTS = "outputs"  # a folder beside a clone, with what its stages write


def main(arguments: Sequence[str]) -> None:
    revisions, runs = arguments[:2], int(arguments[2]) if len(arguments) > 2 else 3
    with tempfile.TemporaryDirectory() as folder:
        clones = {name: clone_of(name, Path(folder, str(place))) for place, name in enumerate(revisions)}
        costs: dict[str, list[Cost]] = {name: [] for name in revisions}
        for _ in range(runs):
            for name, clone in clones.items():
                costs[name].append(cost_of(FORCED, cwd=clone, environment=QUIET))
        found = {name: statistics.median(cost.cpu_seconds for cost in each) for name, each in costs.items()}
        for name, clone in clones.items():
            write(f"{name}: {found[name]:.1f} CPU s ({', '.join(f'{cost.cpu_seconds:.1f}' for cost in costs[name])})")
            write(f"  {size_of(clone)}")
    before, after = found.values()
    write(f"after / before: {after / before:.2f}")


def clone_of(revision: str, folder: Path) -> Path:
    """Return a clone of a revision whose commands do nothing, after one forced run."""
    git("clone", "--quiet", "--no-checkout", str(ROOT), str(folder))
    git("checkout", "--quiet", "--detach", commit_of(revision, root=ROOT), root=folder)
    pipeline = folder / "dvc.yaml"
    pipeline.write_text(COMMAND.sub(rf"\1 cp -rn ../{folder.name}-{OUTPUTS}/. .", pipeline.read_text()))
    make_files(folder)
    keep_outputs(folder, folder.with_name(f"{folder.name}-{OUTPUTS}"))
    cost_of(FORCED, cwd=folder, environment=QUIET)
    return folder


def make_files(folder: Path) -> None:
    """Put a file, or a folder of one, where a stage reads or writes something that git does not have."""
    stages = open_repository(folder).index.stages
    read = {path_of(item) for stage in stages for item in stage.deps}
    paths = sorted(read | {path_of(item) for stage in stages for item in stage.outs})
    for path in paths:
        place = folder / path
        inside = any(other.startswith(f"{path}/") for other in paths)
        if place.exists() or inside:
            continue
        place = place if place.suffix else place / "file"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(CONTENT)


def keep_outputs(folder: Path, kept: Path) -> None:
    """Copy what the stages write to another folder."""
    for path in {path_of(out) for stage in open_repository(folder).index.stages for out in stage.outs}:
        copy = shutil.copytree if (folder / path).is_dir() else shutil.copy2
        (kept / path).parent.mkdir(parents=True, exist_ok=True)
        copy(folder / path, kept / path)


def size_of(folder: Path) -> str:
    """Return how long dvc.yaml and dvc.lock are."""
    lock = (folder / "dvc.lock").read_bytes()
    lines, nodes = len(lock.splitlines()), len(entries_of(lock))
    pipeline = len((folder / "dvc.yaml").read_text().splitlines())
    return f"dvc.yaml {pipeline} lines, dvc.lock {lines} lines, {nodes} nodes, {lines / nodes:.0f} lines a node"


def write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
