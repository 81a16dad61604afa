"""Find faults of the registry: tags without a matching champion.yaml, versions out of order."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from lab.train.champion import FILE
from ops.registry.champion_changes import ChampionChange, champion_changes, entry_in, line_of
from ops.registry.entries import entry_at, is_derived_from_entry, same_model
from ops.registry.guards import contains
from ops.registry.tags import Registry, Tag, read_registry, read_tags
from ops.revisions.git import lines_of
from ops.revisions.snapshot import Snapshot, snapshot_of


def faults_of(task: str, *, root: Path) -> list[str]:
    """Return the faults of a task's registry, and of tags for unknown tasks."""
    registry, line = read_registry(task, root=root), snapshot_of(line_of(root), root=root)
    return [
        *_unknown_tasks(line),
        *(fault for tag in registry.tags for fault in _faults_of(tag, registry, line)),
        *_disorder(registry, root),
        *_broken_line(champion_changes(task, root=root, revision=str(line.commit))),
        *_changed_models(task, registry, line),
    ]


def _unknown_tasks(line: Snapshot) -> Iterator[str]:
    """Yield tags of unknown tasks, because GTO registers any name."""
    files = lines_of("ls-tree", "-r", "-z", "--name-only", str(line.commit), "--", "tasks/", root=line.root)
    known = {name.split("/")[1].removesuffix(".yaml") for name in files} | set(line.yaml(str(FILE)) or {})
    for tag in read_tags(root=line.root):
        if tag.artifact not in known:
            yield f"{tag.name}: there is no task {tag.artifact}"


def _faults_of(tag: Tag, registry: Registry, line: Snapshot) -> Iterator[str]:
    if tag.moment is None:
        yield f"{tag.name}: is a lightweight tag, which GTO ignores and which may have been moved"
    elif tag.undoes:
        yield f"{tag.name}: undoes a tag, after which GTO and DVC disagree on the version; use rollback instead"
    elif tag.version is not None:
        yield from _faults_of_version(tag, line)
    elif tag.stage is not None:
        yield from _faults_of_stage(tag, registry, line)


def _faults_of_version(tag: Tag, line: Snapshot) -> Iterator[str]:
    if tag.number is None:
        yield f"{tag.name}: is not of the form vN.0.0"
        return
    if not contains(str(line.commit), tag.commit, line.root):
        yield f"{tag.name}: is at {tag.commit[:9]}, which {line.name} does not contain"
    snapshot = Snapshot(tag.name, tag.commit, line.root)
    entry = entry_in(snapshot, tag.artifact)
    if entry is None or entry["version"] != tag.number:
        says = "names no version" if entry is None else f"names version {entry['version']}"
        yield f"{tag.name}: is at {tag.commit[:9]}, where {FILE} {says}"
    elif not is_derived_from_entry(snapshot):
        yield f"{tag.name}: the model of dvc.lock at {tag.commit[:9]} was not derived from its {FILE}"


def _faults_of_stage(tag: Tag, registry: Registry, line: Snapshot) -> Iterator[str]:
    known = (line.yaml(".gto") or {}).get("stages", [])
    if tag.stage not in known:
        yield f"{tag.name}: .gto has no stage {tag.stage}, only {', '.join(known)}"
    if tag.commit not in {each.commit for each in registry.versions.values()}:
        yield f"{tag.name}: is at {tag.commit[:9]}, which is not a registered version"


def _disorder(registry: Registry, root: Path) -> Iterator[str]:
    """Yield versions whose order of commits or times differs from that of their numbers."""
    tags: Sequence[Tag] = list(registry.versions.values())
    for before, after in pairwise(tags):
        if before.commit == after.commit or not contains(after.commit, before.commit, root):
            yield f"{after.name}: its commit does not follow that of {before.name}"
        if before.moment is not None and after.moment is not None and after.moment < before.moment:
            yield f"{after.name}: was tagged before {before.name}"


def _broken_line(line: Sequence[ChampionChange]) -> Iterator[str]:
    """Yield entries that name a wrong predecessor, or change a version without a new number."""
    models: dict[int, ChampionChange] = {}
    for each in line:
        where = f"{FILE} at {each.commit[:9]}"
        if each.followed is not None and each.version == each.followed:
            yield f"{where}: changes version {each.version}, expected a new version"
        elif each.followed is not None and each.replaces != each.followed:
            yield f"{where}: version {each.version} names {each.replaces} as replaced, but follows {each.followed}"
        elif not each.rolled_back and models and each.version < max(models):
            yield f"{where}: version {each.version} comes after version {max(models)}"
        models.setdefault(each.version, each)


def _changed_models(task: str, registry: Registry, line: Snapshot) -> Iterator[str]:
    """Yield the current champion if its version is registered with another model."""
    today = entry_at(line, task)
    tag = registry.versions.get(today.version)
    then = Snapshot(tag.name, tag.commit, line.root) if tag else None
    if then is not None and entry_in(then, task) is not None and not same_model(today, entry_at(then, task)):
        yield f"{FILE} at {line.name}: has another model than {then.name}"
