"""Roll back to an older champion: restore its specification, derive it, move the stage."""

from dataclasses import dataclass, replace
from pathlib import Path

from lab.core.errors import LabError
from lab.train.champion import FILE, Champion
from ops.registry.deriving import DerivingError, commit_results, derive, dvc
from ops.registry.entries import entry_at, known_until, write_entry
from ops.registry.guards import Answer, checked, objects_are_pushed, versions_are_behind, working_tree_answers
from ops.registry.judged import CHAMPION, differences, judged_at
from ops.registry.outcome import Change
from ops.registry.place import Place, place_of
from ops.registry.registering import check_can_be_registered, following_answers, register_or_undo
from ops.registry.tags import OURS, Tag, version_name
from ops.registry.task import task_of
from ops.registry.unfinished import in_progress, registry_change, taken_up
from ops.revisions.objects import UnavailableError
from ops.revisions.snapshot import WORKSPACE, Snapshot, snapshot_of
from ops.verify.state import State


@dataclass(frozen=True)
class Rollback:
    """From which champion to which version, where, and why; `refit` allows another model."""

    place: Place
    head: Snapshot
    champion: Champion
    number: int
    because: str
    refit: bool

    @property
    def tag(self) -> Tag:
        return self.place.registry.versions[self.number]


def roll_back(
    root: Path,
    *,
    because: str,
    to: str | None = None,
    stage: str = "production",
    push: bool | None = None,
    propose: bool = False,
    refit: bool = False,
    dry_run: bool = False,
) -> Change:
    """Return to a registered version: by default the one that the champion replaced.

    With `propose` only the commit is made, for a pull request; the stage moves at its registration. With `refit` the
    model may differ from the old one, because data or code changed.
    """
    with registry_change(root, dry_run=dry_run):
        task = task_of(root)
        place = Place(root, task, push, None, None) if propose else place_of(root, task, push=push)
        check_can_be_registered(place)
        asked = _number(to, place) if to is not None else None
        change = taken_up(place, "rollback", dry_run=dry_run, version=asked)
        if change is None:
            change = _rolled_back(place, asked, because=because, refit=refit, dry_run=dry_run)
        if change.commit is None or propose:
            return change
        return replace(change, registration=register_or_undo(place, stage=stage, commit=change.commit))


def _rolled_back(place: Place, asked: int | None, *, because: str, refit: bool, dry_run: bool) -> Change:
    head = snapshot_of("HEAD", root=place.root)
    champion = entry_at(head, place.task)
    number = asked if asked is not None else _previous(champion, place)
    change = Change(place.task, number, champion.version, because, tuple(_answers(place, champion, number)))
    if dry_run or not change.allowed:
        return change
    return replace(change, commit=_commit(Rollback(place, head, champion, number, because, refit)))


def _number(said: str, place: Place) -> int:
    name = said.removeprefix(f"{place.task}@")
    found = OURS.fullmatch(name) or OURS.fullmatch(f"v{name}.0.0")
    known = [version_name(number) for number in place.registry.versions]
    if found is None or int(found.group(1)) not in place.registry.versions:
        raise LabError(
            f"--to {said}: found no such version of {place.task}, expected one of {known}. "
            "Cure: see python -m ops history, after git fetch --tags."
        )
    return int(found.group(1))


def _previous(champion: Champion, place: Place) -> int:
    """Return the version that the champion replaced at its promotion, not at a rollback."""
    tag = place.registry.versions.get(champion.version)
    first = champion if tag is None else entry_at(snapshot_of(tag.commit, root=place.root), place.task)
    if first.replaces not in place.registry.versions:
        what = (
            "replaced no version" if first.replaces is None else f"replaced version {first.replaces}, which has no tag"
        )
        known = [version_name(number) for number in place.registry.versions]
        raise LabError(
            f"Version {champion.version} of {place.task} {what}, expected a version to return to. "
            f"Cure: --to VERSION, one of {known}."
        )
    return int(first.replaces or 0)


def _answers(place: Place, champion: Champion, number: int) -> list[Answer]:
    root = place.root
    other = number != champion.version
    found = f"version {number} replaces version {champion.version}"
    return [
        *working_tree_answers(root, State(root, asks_remote=place.push is not False)),
        checked("after every version", lambda: versions_are_behind(place.registry, root)),
        *following_answers(place),
        checked("tag matches champion.yaml", lambda: _tag_matches(place, number)),
        Answer("another version", other, found if other else f"version {number} is the champion", "--to VERSION"),
    ]


def _tag_matches(place: Place, number: int) -> Answer:
    """Check that champion.yaml at the tag has that version."""
    tag = place.registry.versions[number]
    entry = entry_at(snapshot_of(tag.commit, root=place.root), place.task)
    found = f"{tag.name} is at {tag.commit[:9]}, where {FILE} names version {entry.version}"
    return Answer("tag matches champion.yaml", entry.version == number, found, "see python -m ops history --check")


def _commit(rollback: Rollback) -> str:
    place, root = rollback.place, rollback.place.root
    then = snapshot_of(rollback.tag.commit, root=root)
    with in_progress(place, "rollback", message=_message(rollback, [])):
        write_entry(root / FILE, place.task, entry_to_return_to(then, place, rollback.champion, rollback.because))
        derive(root, remote_is_complete=_remote_is_complete(place))
        differing = _differences(then, snapshot_of(WORKSPACE, root=root), root)
        if differing and not rollback.refit:
            raise _differs(rollback, differing)
        if place.push is not False:
            dvc("push", "--quiet", root=root, check=True)
        return commit_results(root, _message(rollback, differing), after=str(rollback.head.commit))


def _differs(rollback: Rollback, differing: list[str]) -> DerivingError:
    return DerivingError(
        f"The derived model differs from version {rollback.number}: {'; '.join(differing)}. Everything was restored. "
        f"Data or code changed since. The old bytes: dvc get . models/champion --rev {rollback.tag.name}. "
        "Cure: --refit moves the stage back to those, and refits the specification here."
    )


def _remote_is_complete(place: Place) -> bool:
    """Return whether the remote has everything; if not, pull what it has, and the rest is derived."""
    if place.push is False:
        return False
    complete = checked("objects", lambda: objects_are_pushed(State(place.root))).passed
    if not complete:
        dvc("pull", "--quiet", "--allow-missing", root=place.root)
    return complete


def entry_to_return_to(then: Snapshot, place: Place, champion: Champion, because: str) -> Champion:
    """Return the old entry, with a missing last day filled in, so that newer rows are excluded."""
    entry = entry_at(then, place.task)
    until = entry.trained_until
    if until is None:
        try:
            until = known_until(judged_at(then, place.root).manifest(CHAMPION))
        except UnavailableError:
            until = None  # the old model is lost; its fingerprint is compared below
    return entry.model_copy(
        update={"trained_until": until, "replaces": champion.version, "because": because, "gain": None}
    )


def _differences(then: Snapshot, now: Snapshot, root: Path) -> list[str]:
    """Return how the champion differs from the old one; empty if both locks have the same fingerprint."""
    folder = f"models/{CHAMPION}"
    fingerprints = [
        stage.outputs[folder].md5 for each in (then, now) for stage in each.lock.values() if folder in stage.outputs
    ]
    if len(fingerprints) == 2 and fingerprints[0] == fingerprints[1]:
        return []
    try:
        return differences(judged_at(then, root), CHAMPION, judged_at(now, root))
    except UnavailableError as error:
        return [f"the fingerprint of {folder} differs, and the old model is lost ({error})"]


def _message(rollback: Rollback, differing: list[str]) -> str:
    task, number, champion = rollback.place.task, rollback.number, rollback.champion
    lines = [
        f"Roll {task} back from version {champion.version} to version {number}",
        "",
        f"Version {number} replaces version {champion.version}, because:",
        f"- {rollback.because}",
    ]
    if differing:
        lines += ["", f"Refitted; it differs from the model at {rollback.tag.name}: {'; '.join(differing)}."]
    return "\n".join(lines)
