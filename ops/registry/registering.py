"""Register what champion.yaml says: a tag on the version, a tag on its stage, and one push that wins whole or not."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from lab.core.errors import LabError, ParamsError
from lab.core.yaml_files import read_yaml
from lab.train.champion import FILE, Champion
from ops.dvc.tags import tag_stage, tag_version
from ops.registry.entries import derived_from_its_entry, entry_at, same_model
from ops.registry.guards import (
    Answer,
    asked,
    committer_is_known,
    contains,
    lock_is_true,
    objects_are_pushed,
    tree_is_clean,
    versions_are_behind,
)
from ops.registry.lock import registry_lock
from ops.registry.outcome import Registration
from ops.registry.tags import Registry, newest, read_registry, version_name
from ops.registry.upstream import Shared, Upstream, upstream_of
from ops.revisions.git import git, text_of
from ops.revisions.snapshot import snapshot_of
from ops.verify.state import State

GTO = Path(".gto")
STAGES = ("staging", "production")
PATIENCE = 5  # seconds that a clock may be behind the one that made the newest tag


@dataclass(frozen=True)
class Place:
    """Where a registration happens: the clone, the task, its tags, and what the shared repository has, if there is one.

    `push` is True to push commits and tags, too, None for objects alone, and False to leave every remote alone.
    """

    root: Path
    task: str
    push: bool | None
    upstream: Upstream | None
    shared: Shared | None

    @property
    def registry(self) -> Registry:
        return read_registry(self.task, root=self.root)

    @property
    def head(self) -> str:
        return text_of("rev-parse", "HEAD", root=self.root)


def place_of(root: Path, task: str, *, push: bool | None) -> Place:
    """Return the place, with the tags that others made meanwhile."""
    upstream = upstream_of(root) if push is not False else None
    return Place(root, task, push, upstream, upstream.fetch() if upstream else None)


def register(
    root: Path, *, task: str, stage: str = "production", push: bool | None = None, dry_run: bool = False
) -> Registration:
    """Register the champion of HEAD: once; asked again, it finds it done."""
    with registry_lock(root):
        return register_in_turn(place_of(root, task, push=push), stage=stage, dry_run=dry_run)


def register_in_turn(place: Place, *, stage: str, dry_run: bool = False) -> Registration:
    """Register the champion of HEAD, by whoever has the turn."""
    entry = entry_at(snapshot_of("HEAD", root=place.root), place.task)
    state = State(place.root, asks_remote=place.push is not False)
    answers = (
        asked("tree is clean", lambda: tree_is_clean(place.root)),
        asked("committer is known", lambda: committer_is_known(place.root)),
        asked("lock is fresh", lambda: lock_is_true(state)),
        asked("version", lambda: version_is_free(place, entry)),
        asked("after every version", lambda: versions_are_behind(place.registry, place.root)),
        asked("model is of this entry", lambda: model_is_of_entry(place)),
        *shared_answers(place),
        *objects_answer(place, state),
    )
    found = Registration(place.task, entry.version, check_stage(place.root, stage), answers)
    if dry_run or not found.allowed:
        return found
    made = make_tags(place, entry.version, stage)
    return replace(found, tags=tuple(made), pushed=publish(place, entry.version, stage))


def version_is_free(place: Place, entry: Champion) -> Answer:
    """Ask whether the version of HEAD is a new one after all others, or one that is registered with the same model."""
    name, versions = f"{place.task}@{version_name(entry.version)}", place.registry.versions
    last = max(versions, default=0)
    cure = f"git switch main; git pull; then propose again, as version {last + 1}"
    if entry.version not in versions:
        lower = entry.version < last
        found = f"{name} would come after {version_name(last)}" if lower else f"{name} is free"
        return Answer("version", not lower, found, cure)
    tag = versions[entry.version]
    same = same_model(entry, entry_at(snapshot_of(tag.commit, root=place.root), place.task))
    found = f"{name} is at {tag.commit[:9]}, {'the same model' if same else 'another model than at HEAD'}"
    return Answer("version", same, found, cure)


def model_is_of_entry(place: Place) -> Answer:
    """Ask whether the model that dvc.lock records was derived from the champion.yaml beside it."""
    same = derived_from_its_entry(snapshot_of("HEAD", root=place.root))
    found = f"dvc.lock was made {'with this' if same else 'with another'} {FILE}"
    return Answer("model is of this entry", same, found, f"dvc repro, then commit dvc.lock beside {FILE}")


def shared_answers(place: Place) -> list[Answer]:
    """Ask whether the commit is where others see it, or can be pushed there; nothing where nothing is shared."""
    if place.upstream is None or place.shared is None:
        return []
    return [_is_shared(place, place.upstream, place.shared.tip), _is_newest(place, place.upstream, place.shared.tip)]


def following_answers(place: Place) -> list[Answer]:
    """Ask whether a commit on top of HEAD could be pushed onto the shared branch; nothing where nothing is shared."""
    if place.upstream is None or place.shared is None:
        return []
    branch, tip = _branch(place), place.shared.tip
    ahead = tip is None or contains("HEAD", tip, place.root)
    fit = branch == place.upstream.branch and ahead
    found = f"{branch or 'HEAD'} {'follows' if ahead else 'lacks commits of'} {place.upstream.spoken}"
    cure = f"git switch {place.upstream.branch}; git pull {place.upstream.name}; or a pull request: --propose"
    return [Answer("follows the shared branch", fit, found, cure)]


def _branch(place: Place) -> str:
    done = git("symbolic-ref", "--quiet", "--short", "HEAD", root=place.root, check=False)
    return done.stdout.decode().strip()


def _is_shared(place: Place, upstream: Upstream, tip: str | None) -> Answer:
    there = tip is not None and contains(tip, place.head, place.root)
    branch = _branch(place)
    ahead = tip is None or contains("HEAD", tip, place.root)
    if there:
        found = f"HEAD is on {upstream.spoken}"
    elif place.push is None:
        found = f"HEAD is not on {upstream.spoken}"
    elif branch != upstream.branch:
        found = f"{branch or 'HEAD'} is another branch than {upstream.spoken}"
    else:
        found = f"HEAD {'follows' if ahead else 'lacks commits of'} {upstream.spoken}"
    cure = f"merge it first; or on {upstream.branch}, after `git pull`: --push"
    may = place.push is True and branch == upstream.branch and ahead
    return Answer("commit is shared", there or may, found, cure)


def _is_newest(place: Place, upstream: Upstream, tip: str | None) -> Answer:
    """Ask whether the branch still names this champion: an old commit must not bring back what was rolled back."""
    if tip is None or contains("HEAD", tip, place.root):
        return Answer("champion is the branch's", passed=True, found=f"nothing on {upstream.spoken} is newer than HEAD")
    here, there = (entry_at(snapshot_of(each, root=place.root), place.task) for each in ("HEAD", tip))
    same = here.version == there.version and same_model(here, there)
    found = f"{upstream.spoken} names version {there.version}, HEAD version {here.version}"
    return Answer("champion is the branch's", same, found, f"git switch {upstream.branch}; git pull")


def objects_answer(place: Place, state: State) -> list[Answer]:
    """Ask whether DVC's remote has every output; nothing where remotes are left alone."""
    if place.push is False:
        return []
    return [asked("objects are on the remote", lambda: objects_are_pushed(state))]


def check_stage(root: Path, stage: str) -> str:
    """Return the stage, which must be one of .gto."""
    known = read_yaml(root / GTO, cure=f"Bring it back: git checkout {GTO}").get("stages", [])
    if stage not in known:
        raise ParamsError(f"--stage {stage}: found no such stage in {GTO}, expected one of {known}.")
    return stage


def make_tags(place: Place, version: int, stage: str) -> list[str]:
    """Make the tags that a version lacks, by GTO, and return their names; when one fails none is left."""
    made: list[str] = []
    unregistered, elsewhere = version not in place.registry.versions, place.registry.holder(stage) != version
    try:
        if unregistered or elsewhere:
            _tick(place.registry)
        if unregistered:
            made.append(_gto_register(place, version))
        if elsewhere:
            made.append(_gto_assign(place, version, stage))
    except BaseException:
        drop_tags(place.root, made)
        raise
    return made


def publish(place: Place, version: int, stage: str) -> bool:
    """Push what the shared repository lacks of a version, all or none; what was lost leaves no tag behind."""
    if place.upstream is None or place.shared is None or not place.push:
        return False
    registry = place.registry
    tags = [registry.versions[version].name, registry.assignments(stage)[-1][0].name]
    lacking = [name for name in tags if name not in place.shared.tags]
    there = place.shared.tip is not None and contains(place.shared.tip, place.head, place.root)
    if there and not lacking:
        return False
    try:
        place.upstream.push(lacking, commit=None if there else place.head)
    except BaseException:
        drop_tags(place.root, lacking)
        raise
    return True


def drop_tags(root: Path, names: Sequence[str]) -> None:
    """Delete tags of this clone."""
    if names:
        git("tag", "--delete", *names, root=root)


def _tick(registry: Registry) -> None:
    """Wait until a tag of now is newer than all others: GTO and DVC tell what holds a stage by whole seconds."""
    last = newest(registry.tags)
    ahead = last.timestamp() + 1 - datetime.now(UTC).timestamp() if last else 0
    if last and ahead > PATIENCE:
        raise LabError(
            f"The newest tag was made at {last:%Y-%m-%d %H:%M:%S} UTC, which this machine's clock has not reached yet; "
            "a tag made now would count as the older one. Cure: set the clock."
        )
    time.sleep(max(0.0, ahead))


def _gto_register(place: Place, version: int) -> str:
    message = f"Register version {version} of {place.task}"
    return tag_version(place.root, name=place.task, commit=place.head, version=version_name(version), message=message)


def _gto_assign(place: Place, version: int, stage: str) -> str:
    message = f"Put version {version} of {place.task} into {stage}"
    return tag_stage(place.root, name=place.task, version=version_name(version), stage=stage, message=message)
