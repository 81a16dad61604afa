"""Which stages' code, command or environment differs between two revisions."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ops.compare.changes import Change, Kind, changes
from ops.revisions.files import ChangedFile, Tree, changed_files
from ops.revisions.lock import LockedStage
from ops.revisions.snapshot import Snapshot

Stages = Mapping[str, LockedStage]

REQUIREMENTS = "requirements.txt"
PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\\\n]+)", re.MULTILINE)
# What other parts of the comparison show: settings, the champion, the environment, data and results.
ELSEWHERE = ("params.yaml", "champion.yaml", "tasks/", "data/", "models/", "metrics/", "plots/", "reports/", "dvc.lock")


@dataclass(frozen=True)
class CodeFile:
    """A file of code that a stage reads and that differs, with the stages that read it."""

    path: str
    kind: Kind
    stages: tuple[str, ...]


@dataclass(frozen=True)
class CodeChange:
    """How the code differs: files by the stages that read them, stages, commands, packages, all other files."""

    files: tuple[CodeFile, ...]
    touched: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    commands: tuple[str, ...]
    packages: tuple[Change, ...]
    environment: bool
    other: tuple[ChangedFile, ...]


def code_change(base: Snapshot, head: Snapshot) -> CodeChange:
    """Return how the code behind the results differs; `other` are files that no stage reads."""
    old, new = base.lock, head.lock
    before, after = Tree(base), Tree(head)
    outputs = _outputs(old) | _outputs(new)
    both = [name for name in new if name in old]
    read = {name: _differences(_code(old[name], before, outputs), _code(new[name], after, outputs)) for name in both}
    commands = tuple(name for name in both if old[name].command != new[name].command)
    files = _by_file(read)
    packages = changes(_pins(base), _pins(head))
    return CodeChange(
        files=files,
        touched=tuple(name for name in both if read[name] or name in commands),
        added=tuple(name for name in new if name not in old),
        removed=tuple(name for name in old if name not in new),
        commands=commands,
        packages=packages,
        environment=bool(packages) or _environment(old) != _environment(new),
        other=_other(before, after, known={each.path for each in files}),
    )


def _differences(before: dict[str, str], after: dict[str, str]) -> dict[str, Kind]:
    return {each.path: each.kind for each in changed_files(before, after)}


def _code(stage: LockedStage, tree: Tree, outputs: frozenset[str]) -> dict[str, str]:
    """Return the files of code that a stage reads, each with git's hash; a folder counts as the files in it."""
    items = [
        item
        for path, item in stage.dependencies.items()
        if path != REQUIREMENTS and not path.startswith(ELSEWHERE) and path not in outputs
    ]
    return {path: tree.blobs[path] for item in items for path in tree.files_of(item)}


def _by_file(read: Mapping[str, Mapping[str, Kind]]) -> tuple[CodeFile, ...]:
    paths = sorted({(path, kind) for files in read.values() for path, kind in files.items()})
    return tuple(
        CodeFile(path, kind, tuple(name for name, files in read.items() if files.get(path) == kind))
        for path, kind in paths
    )


def _outputs(stages: Stages) -> frozenset[str]:
    return frozenset(path for stage in stages.values() for path in stage.outputs)


def _environment(stages: Stages) -> set[str]:
    return {stage.dependencies[REQUIREMENTS].md5 for stage in stages.values() if REQUIREMENTS in stage.dependencies}


def _pins(snapshot: Snapshot) -> dict[str, str]:
    """Return each package's version; one that is pinned several times, by Python's version, has them all."""
    pins: dict[str, list[str]] = {}
    for name, version in PIN.findall((snapshot.read(REQUIREMENTS) or b"").decode(errors="replace")):
        pins.setdefault(name.lower().replace("_", "-"), []).append(version.strip())
    return {name: ", ".join(versions) for name, versions in pins.items()}


def _other(base: Tree, head: Tree, *, known: Iterable[str]) -> tuple[ChangedFile, ...]:
    left = set(known) | {REQUIREMENTS}
    found = changed_files(base.blobs, head.blobs)
    return tuple(each for each in found if each.path not in left and not each.path.startswith(ELSEWHERE))
