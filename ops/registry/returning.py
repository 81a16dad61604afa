"""Bring an older champion back: its specification as a new commit, its bytes derived again, its stage tag anew."""

from dataclasses import dataclass, replace
from pathlib import Path

from lab.core.errors import LabError
from lab.train.champion import FILE, Champion
from ops.registry.completing import check_can_be_registered, registered_or_taken_back
from ops.registry.deriving import DerivingError, commit_results, derive, dvc, put_back_on_failure
from ops.registry.entries import entry_at, known_until, write_entry
from ops.registry.guards import (
    Answer,
    asked,
    branch_is_checked_out,
    committer_is_known,
    lock_is_true,
    objects_are_pushed,
    tree_is_clean,
    versions_are_behind,
)
from ops.registry.judged import CHAMPION, differences, judged_at
from ops.registry.lock import registry_lock
from ops.registry.outcome import Change
from ops.registry.registering import Place, following_answers, place_of
from ops.registry.tags import OURS, Tag, version_name
from ops.registry.task import task_of
from ops.revisions.objects import UnavailableError
from ops.revisions.snapshot import WORKSPACE, Snapshot, snapshot_of
from ops.verify.state import State


@dataclass(frozen=True)
class Turn:
    """From which champion to which version, where, and why; `refit` says whether it may come out as another model."""

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
    """Bring back a registered version, the one whose place the champion took unless another is named.

    With `propose` the commit alone is made, for a pull request; the stage moves when that is registered. With `refit`
    its specification may come out as another model than it was, because data or code moved on.
    """
    with registry_lock(root):
        task = task_of(root)
        place = Place(root, task, push, None, None) if propose else place_of(root, task, push=push)
        check_can_be_registered(place)
        head = snapshot_of("HEAD", root=root)
        champion = entry_at(head, task)
        number = _number(to, place) if to is not None else _previous(champion, place)
        found = Change(task, number, champion.version, because, tuple(_answers(place, champion, number)))
        if dry_run or not found.allowed:
            return found
        commit = _commit(Turn(place, head, champion, number, because, refit))
        found = replace(found, commit=commit)
        if propose:
            return found
        return replace(found, registration=registered_or_taken_back(place, stage=stage, commit=commit))


def _number(said: str, place: Place) -> int:
    name = said.removeprefix(f"{place.task}@")
    found = OURS.fullmatch(name) or OURS.fullmatch(f"v{name}.0.0")
    known = [version_name(number) for number in place.registry.versions]
    if found is None or int(found.group(1)) not in place.registry.versions:
        raise LabError(
            f"--to {said}: found no such version of {place.task}, expected one of {known}. "
            "Cure: python -m ops history shows them; git fetch --tags brings more."
        )
    return int(found.group(1))


def _previous(champion: Champion, place: Place) -> int:
    """Return the version whose place the champion took when it was promoted, not when it came back."""
    tag = place.registry.versions.get(champion.version)
    first = champion if tag is None else entry_at(snapshot_of(tag.commit, root=place.root), place.task)
    if first.replaces not in place.registry.versions:
        what = "took nobody's place" if first.replaces is None else f"took that of {first.replaces}, which has no tag"
        known = [version_name(number) for number in place.registry.versions]
        raise LabError(
            f"Version {champion.version} of {place.task} {what}, expected a version to go back to. "
            f"Cure: --to VERSION, one of {known}."
        )
    return int(first.replaces or 0)


def _answers(place: Place, champion: Champion, number: int) -> list[Answer]:
    root = place.root
    other = number != champion.version
    found = f"version {number} in the place of version {champion.version}"
    return [
        asked("on a branch", lambda: branch_is_checked_out(root)),
        asked("tree is clean", lambda: tree_is_clean(root)),
        asked("committer is known", lambda: committer_is_known(root)),
        asked("lock is fresh", lambda: lock_is_true(State(root, asks_remote=place.push is not False))),
        asked("after every version", lambda: versions_are_behind(place.registry, root)),
        *following_answers(place),
        asked("version is backed", lambda: _is_backed(place, number)),
        Answer("another version", other, found if other else f"version {number} is the champion", "--to VERSION"),
    ]


def _is_backed(place: Place, number: int) -> Answer:
    """Ask whether the commit of a version's tag names that version: a tag alone could say anything."""
    tag = place.registry.versions[number]
    entry = entry_at(snapshot_of(tag.commit, root=place.root), place.task)
    found = f"{tag.name} is at {tag.commit[:9]}, where {FILE} names version {entry.version}"
    return Answer("version is backed", entry.version == number, found, "python -m ops history --check tells more")


def _commit(turn: Turn) -> str:
    place, root = turn.place, turn.place.root
    then = snapshot_of(turn.tag.commit, root=root)
    with put_back_on_failure(root):
        write_entry(root / FILE, place.task, entry_to_return_to(then, place, turn.champion, turn.because))
        derive(root, remote_is_whole=_remote_is_whole(place))
        differing = _differences(then, snapshot_of(WORKSPACE, root=root), root)
        if differing and not turn.refit:
            raise _otherwise(turn, differing)
        if place.push is not False:
            dvc("push", "--quiet", root=root, check=True)
        return commit_results(root, _message(turn, differing), after=str(turn.head.commit))


def _otherwise(turn: Turn, differing: list[str]) -> DerivingError:
    return DerivingError(
        f"What {FILE} derives now is not version {turn.number} as it was: {'; '.join(differing)}. Everything was put "
        f"back. Data or code moved on since. Its own bytes are still had by: dvc get . models/champion --rev "
        f"{turn.tag.name}. Cure: --refit moves the stage back to those, and fits its specification anew here."
    )


def _remote_is_whole(place: Place) -> bool:
    """Return whether all can be pulled; where not, what can be is, and the rest is derived."""
    if place.push is False:
        return False
    whole = asked("objects", lambda: objects_are_pushed(State(place.root))).passed
    if not whole:
        dvc("pull", "--quiet", "--allow-missing", root=place.root)
    return whole


def entry_to_return_to(then: Snapshot, place: Place, champion: Champion, because: str) -> Champion:
    """Return the entry of that version as it was; a day that it left open is closed, so that newer rows stay out."""
    entry = entry_at(then, place.task)
    until = entry.trained_until
    if until is None:
        try:
            until = known_until(judged_at(then, place.root).manifest(CHAMPION))
        except UnavailableError:
            until = None  # nobody has the model any more; what is derived is held against its fingerprint below
    return entry.model_copy(
        update={"trained_until": until, "replaces": champion.version, "because": because, "gain": None}
    )


def _differences(then: Snapshot, now: Snapshot, root: Path) -> list[str]:
    """Return how the champion differs from what it was; where both locks have one fingerprint, in nothing."""
    folder = f"models/{CHAMPION}"
    fingerprints = [
        stage.outputs[folder].md5 for each in (then, now) for stage in each.lock.values() if folder in stage.outputs
    ]
    if len(fingerprints) == 2 and fingerprints[0] == fingerprints[1]:
        return []
    try:
        return differences(judged_at(then, root), CHAMPION, judged_at(now, root))
    except UnavailableError as error:
        return [f"the fingerprint of {folder} is another, and the old model is gone ({error})"]


def _message(turn: Turn, differing: list[str]) -> str:
    task, number, champion = turn.place.task, turn.number, turn.champion
    lines = [
        f"Roll {task} back from version {champion.version} to version {number}",
        "",
        f"Version {number} takes the place of version {champion.version} again, because:",
        f"- {turn.because}",
    ]
    if differing:
        lines += ["", f"Fitted anew, and not the model at {turn.tag.name}: {'; '.join(differing)}."]
    return "\n".join(lines)
