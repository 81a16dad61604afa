"""What is wrong with the registry: tags that no champion.yaml backs, and an order that is no line."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from lab.train.champion import FILE
from ops.registry.entries import derived_from_its_entry, entry_at, same_model
from ops.registry.guards import contains
from ops.registry.successions import Succession, entry_in, line_of, successions
from ops.registry.tags import Registry, Tag, read_registry, read_tags
from ops.revisions.git import lines_of
from ops.revisions.snapshot import Snapshot, snapshot_of


def faults_of(task: str, *, root: Path) -> list[str]:
    """Return in words what is wrong with a task's registry, and with tags of artifacts that are no task."""
    registry, line = read_registry(task, root=root), snapshot_of(line_of(root), root=root)
    return [
        *_strangers(line),
        *(fault for tag in registry.tags for fault in _faults_of(tag, registry, line)),
        *_disorder(registry, root),
        *_broken_line(successions(task, root=root, revision=str(line.commit))),
        *_changed_models(task, registry, line),
    ]


def _strangers(line: Snapshot) -> Iterator[str]:
    """Yield the tags of what is no task: GTO registers any name that it is given."""
    files = lines_of("ls-tree", "-r", "-z", "--name-only", str(line.commit), "--", "tasks/", root=line.root)
    known = {name.split("/")[1].removesuffix(".yaml") for name in files} | set(line.yaml(str(FILE)) or {})
    for tag in read_tags(root=line.root):
        if tag.artifact not in known:
            yield f"{tag.name}: there is no task {tag.artifact}"


def _faults_of(tag: Tag, registry: Registry, line: Snapshot) -> Iterator[str]:
    if tag.moment is None:
        yield f"{tag.name}: is a lightweight tag, which GTO does not see, and which may have been moved"
    elif tag.takes_back:
        yield f"{tag.name}: takes something back, after which GTO and DVC name different versions; roll back instead"
    elif tag.version is not None:
        yield from _faults_of_version(tag, line)
    elif tag.stage is not None:
        yield from _faults_of_stage(tag, registry, line)


def _faults_of_version(tag: Tag, line: Snapshot) -> Iterator[str]:
    if tag.number is None:
        yield f"{tag.name}: is no version of ours, which are all vN.0.0"
        return
    if not contains(str(line.commit), tag.commit, line.root):
        yield f"{tag.name}: is at {tag.commit[:9]}, which is not behind {line.name}"
    snapshot = Snapshot(tag.name, tag.commit, line.root)
    entry = entry_in(snapshot, tag.artifact)
    if entry is None or entry["version"] != tag.number:
        says = "names nobody" if entry is None else f"names version {entry['version']}"
        yield f"{tag.name}: is at {tag.commit[:9]}, where {FILE} {says}"
    elif not derived_from_its_entry(snapshot):
        yield f"{tag.name}: the model of dvc.lock at {tag.commit[:9]} was not derived from the {FILE} beside it"


def _faults_of_stage(tag: Tag, registry: Registry, line: Snapshot) -> Iterator[str]:
    known = (line.yaml(".gto") or {}).get("stages", [])
    if tag.stage not in known:
        yield f"{tag.name}: .gto knows no stage {tag.stage}, only {', '.join(known)}"
    if tag.commit not in {each.commit for each in registry.versions.values()}:
        yield f"{tag.name}: is at {tag.commit[:9]}, which is no registered version"


def _disorder(registry: Registry, root: Path) -> Iterator[str]:
    """Yield the versions that do not lie behind one another, in commits and in time, as their numbers do."""
    tags: Sequence[Tag] = list(registry.versions.values())
    for before, after in pairwise(tags):
        if before.commit == after.commit or not contains(after.commit, before.commit, root):
            yield f"{after.name}: its commit does not follow that of {before.name}"
        if before.moment is not None and after.moment is not None and after.moment < before.moment:
            yield f"{after.name}: was tagged before {before.name}"


def _broken_line(line: Sequence[Succession]) -> Iterator[str]:
    """Yield the entries that do not say whose place they took, or that change a version without a new number."""
    models: dict[int, Succession] = {}
    for each in line:
        where = f"{FILE} at {each.commit[:9]}"
        if each.followed is not None and each.version == each.followed:
            yield f"{where}: changes version {each.version}, expected a new version"
        elif each.followed is not None and each.replaces != each.followed:
            yield f"{where}: version {each.version} is said to replace {each.replaces}, and came after {each.followed}"
        elif not each.rolled_back and models and each.version < max(models):
            yield f"{where}: version {each.version} comes after version {max(models)}"
        models.setdefault(each.version, each)


def _changed_models(task: str, registry: Registry, line: Snapshot) -> Iterator[str]:
    """Yield the champion of today where its version is registered as another model."""
    today = entry_at(line, task)
    tag = registry.versions.get(today.version)
    then = Snapshot(tag.name, tag.commit, line.root) if tag else None
    if then is not None and entry_in(then, task) is not None and not same_model(today, entry_at(then, task)):
        yield f"{FILE} at {line.name}: is another model than {then.name}"
