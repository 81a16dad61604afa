"""Register the champion of HEAD: tag version and stage, and push atomically."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from lab.core.errors import LabError, ParamsError
from lab.core.yaml_files import read_yaml
from lab.train.champion import FILE, Champion
from ops.dvc.tags import tag_stage, tag_version
from ops.registry.deriving import DerivingError
from ops.registry.entries import entry_at, is_derived_from_entry, same_model
from ops.registry.guards import (
    Answer,
    checked,
    contains,
    objects_are_pushed,
    versions_are_behind,
    working_tree_answers,
)
from ops.registry.lock import LostError
from ops.registry.outcome import Registration
from ops.registry.place import Place, place_of
from ops.registry.tags import Registry, drop_tags, newest, version_name
from ops.registry.unfinished import registry_change, taken_up, undone
from ops.registry.upstream import Upstream
from ops.revisions.git import git
from ops.revisions.snapshot import snapshot_of
from ops.verify.state import State

GTO = Path(".gto")
MOST_CLOCK_SKEW = 5  # seconds that this clock may be behind the one that made the newest tag


def register(
    root: Path, *, task: str, stage: str = "production", push: bool | None = None, dry_run: bool = False
) -> Registration:
    """Register the champion of HEAD; do nothing if it is registered already."""
    with registry_change(root, dry_run=dry_run):
        place = place_of(root, task, push=push)
        taken_up(place, None, dry_run=dry_run)
        return register_locked(place, stage=stage, dry_run=dry_run)


def register_locked(place: Place, *, stage: str, dry_run: bool = False) -> Registration:
    """Register the champion of HEAD; the caller holds the lock."""
    entry = entry_at(snapshot_of("HEAD", root=place.root), place.task)
    state = State(place.root, asks_remote=place.push is not False)
    answers = (
        *working_tree_answers(place.root, state, needs_branch=False),
        checked("version", lambda: version_is_free(place, entry)),
        checked("after every version", lambda: versions_are_behind(place.registry, place.root)),
        checked("model is of this entry", lambda: model_is_of_entry(place)),
        *shared_answers(place),
        *objects_answer(place, state),
    )
    found = Registration(place.task, entry.version, check_stage(place.root, stage), answers)
    if dry_run or not found.allowed:
        return found
    created = make_tags(place, entry.version, stage)
    return replace(found, tags=tuple(created), pushed=publish(place, entry.version, stage))


def check_can_be_registered(place: Place) -> None:
    """Refuse early what could not be registered later."""
    if place.upstream is not None and place.push is None:
        raise LabError(
            f"A commit that is not on {place.upstream.label} cannot be registered, expected --push or --propose. "
            "Cure: --push, which pushes commit and tags in one step; or --propose for a pull request, and "
            "`python -m ops promote --register` once it is merged."
        )


def register_or_undo(place: Place, *, stage: str, commit: str) -> Registration:
    """Register the new commit; undo it if that fails or is refused."""
    try:
        registration = register_locked(place, stage=stage)
    except (LabError, LostError) as error:
        raise type(error)(f"{error} {undone(place, commit)}") from error
    except BaseException:
        undone(place, commit)
        raise
    if not registration.allowed:
        stopping = "; ".join(f"{each.guard}: {each.found}" for each in registration.answers if each.stops)
        raise DerivingError(f"The commit cannot be registered ({stopping}). {undone(place, commit)}")
    return registration


def version_is_free(place: Place, entry: Champion) -> Answer:
    """Check that the version of HEAD is newer than all others, or registered with the same model."""
    name, versions = f"{place.task}@{version_name(entry.version)}", place.registry.versions
    last = max(versions, default=0)
    cure = f"git switch main; git pull; then propose again, as version {last + 1}"
    if entry.version not in versions:
        lower = entry.version < last
        found = f"{name} is lower than {version_name(last)}" if lower else f"{name} is free"
        return Answer("version", not lower, found, cure)
    tag = versions[entry.version]
    same = same_model(entry, entry_at(snapshot_of(tag.commit, root=place.root), place.task))
    found = f"{name} is at {tag.commit[:9]}, {'the same model' if same else 'another model than at HEAD'}"
    return Answer("version", same, found, cure)


def model_is_of_entry(place: Place) -> Answer:
    """Check that the model in dvc.lock was derived from this champion.yaml."""
    same = is_derived_from_entry(snapshot_of("HEAD", root=place.root))
    found = f"dvc.lock was made {'with this' if same else 'with another'} {FILE}"
    return Answer("model is of this entry", same, found, f"dvc repro, then commit dvc.lock beside {FILE}")


def shared_answers(place: Place) -> list[Answer]:
    """Check that the commit is on the shared branch or can be pushed there; empty without a remote."""
    if place.upstream is None or place.shared is None:
        return []
    return [_is_shared(place, place.upstream, place.shared.tip), _is_newest(place, place.upstream, place.shared.tip)]


def following_answers(place: Place) -> list[Answer]:
    """Check that a commit on top of HEAD can be pushed to the shared branch; empty without a remote."""
    if place.upstream is None or place.shared is None:
        return []
    branch, tip = _branch(place), place.shared.tip
    ahead = tip is None or contains("HEAD", tip, place.root)
    fit = branch == place.upstream.branch and ahead
    found = f"{branch or 'HEAD'} {'follows' if ahead else 'lacks commits of'} {place.upstream.label}"
    cure = f"git switch {place.upstream.branch}; git pull {place.upstream.remote.name}; or a pull request: --propose"
    return [Answer("follows the shared branch", fit, found, cure)]


def _branch(place: Place) -> str:
    done = git("symbolic-ref", "--quiet", "--short", "HEAD", root=place.root, check=False)
    return done.stdout.decode().strip()


def _is_shared(place: Place, upstream: Upstream, tip: str | None) -> Answer:
    is_there = tip is not None and contains(tip, place.head, place.root)
    branch = _branch(place)
    ahead = tip is None or contains("HEAD", tip, place.root)
    if is_there:
        found = f"HEAD is on {upstream.label}"
    elif place.push is None:
        found = f"HEAD is not on {upstream.label}"
    elif branch != upstream.branch:
        found = f"{branch or 'HEAD'} is another branch than {upstream.label}"
    else:
        found = f"HEAD {'follows' if ahead else 'lacks commits of'} {upstream.label}"
    cure = f"merge it first; or on {upstream.branch}, after `git pull`: --push"
    may = place.push is True and branch == upstream.branch and ahead
    return Answer("commit is shared", is_there or may, found, cure)


def _is_newest(place: Place, upstream: Upstream, tip: str | None) -> Answer:
    """Check that the branch still has this champion, so an old commit cannot undo a rollback."""
    if tip is None or contains("HEAD", tip, place.root):
        return Answer("champion is the branch's", passed=True, found=f"nothing on {upstream.label} is newer than HEAD")
    here, there = (entry_at(snapshot_of(each, root=place.root), place.task) for each in ("HEAD", tip))
    same = here.version == there.version and same_model(here, there)
    found = f"{upstream.label} names version {there.version}, HEAD version {here.version}"
    return Answer("champion is the branch's", same, found, f"git switch {upstream.branch}; git pull")


def objects_answer(place: Place, state: State) -> list[Answer]:
    """Check that DVC's remote has every output; empty if nothing is pushed."""
    if place.push is False:
        return []
    return [checked("objects are on the remote", lambda: objects_are_pushed(state))]


def check_stage(root: Path, stage: str) -> str:
    """Return the stage if .gto has it."""
    known = read_yaml(root / GTO, cure=f"Bring it back: git checkout {GTO}").get("stages", [])
    if stage not in known:
        raise ParamsError(f"--stage {stage}: unknown stage, expected one of {GTO}: {known}.")
    return stage


def make_tags(place: Place, version: int, stage: str) -> list[str]:
    """Create the missing tags of a version by GTO, and return their names; on a failure remove them."""
    made: list[str] = []
    unregistered, elsewhere = version not in place.registry.versions, place.registry.holder(stage) != version
    try:
        if unregistered or elsewhere:
            _wait_for_clock(place.registry)
        if unregistered:
            made.append(_gto_register(place, version))
        if elsewhere:
            made.append(_gto_assign(place, version, stage))
    except BaseException:
        drop_tags(place.root, made)
        raise
    return made


def publish(place: Place, version: int, stage: str) -> bool:
    """Push the missing commit and tags of a version atomically; on a failure delete the tags here."""
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


def _wait_for_clock(registry: Registry) -> None:
    """Wait until a new tag is newer than all others: GTO and DVC compare whole seconds."""
    last = newest(registry.tags)
    ahead = last.timestamp() + 1 - datetime.now(UTC).timestamp() if last else 0
    if last and ahead > MOST_CLOCK_SKEW:
        raise LabError(
            f"The newest tag was made at {last:%Y-%m-%d %H:%M:%S} UTC, which is in the future of this machine's clock; "
            "a new tag would count as older. Cure: set the clock."
        )
    time.sleep(max(0.0, ahead))


def _gto_register(place: Place, version: int) -> str:
    message = f"Register version {version} of {place.task}"
    return tag_version(place.root, name=place.task, commit=place.head, version=version_name(version), message=message)


def _gto_assign(place: Place, version: int, stage: str) -> str:
    message = f"Put version {version} of {place.task} into {stage}"
    return tag_stage(place.root, name=place.task, version=version_name(version), stage=stage, message=message)
