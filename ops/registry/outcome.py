"""Define the outcome of a promotion or rollback, as text and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass

from lab.train.champion import Gain
from ops.registry.guards import Answer, answers_to_text
from ops.registry.tags import version_name


@dataclass(frozen=True)
class Registration:
    """What was registered, or why not; `tags` are the new ones, empty if all existed already."""

    task: str
    version: int
    stage: str
    answers: tuple[Answer, ...]
    tags: tuple[str, ...] = ()
    pushed: bool = False

    @property
    def allowed(self) -> bool:
        return not any(answer.stops for answer in self.answers)


@dataclass(frozen=True)
class Change:
    """Which version replaces which, and why; `commit` is None if nothing was changed.

    `allowed` says whether every guard passed; a rollback has no gain.
    """

    task: str
    version: int
    replaces: int
    because: str
    answers: tuple[Answer, ...]
    gain: Gain | None = None
    commit: str | None = None
    registration: Registration | None = None

    @property
    def allowed(self) -> bool:
        return not any(answer.stops for answer in self.answers)


def to_text(done: Change | Registration, *, dry_run: bool) -> str:
    """Return the answers of the guards, and the outcome, as text."""
    lines = [answers_to_text(done.answers), ""]
    if not done.allowed:
        stopping = ", ".join(answer.guard for answer in done.answers if answer.stops)
        return "\n".join([*lines, f"REFUSED: {stopping}. Nothing was changed."])
    if isinstance(done, Registration):
        return "\n".join([*lines, _registered(done, dry_run=dry_run)])
    what = f"version {done.replaces} of {done.task} by version {done.version}"
    if done.commit is None:
        return "\n".join([*lines, f"WOULD REPLACE {what}: {done.because}"])
    lines.append(f"REPLACED {what}, in commit {done.commit[:9]}: {done.because}")
    if done.registration is None:
        lines.append("Next: push the branch; `python -m ops promote --register` once it is merged.")
    else:
        lines.append(_registered(done.registration, dry_run=dry_run))
    return "\n".join(lines)


def document_of(done: Change | Registration) -> dict[str, object]:
    """Return the outcome as a document for a machine."""
    common = {
        "task": done.task,
        "version": done.version,
        "allowed": done.allowed,
        "guards": [
            {"guard": each.guard, "passed": each.passed, "overruled": each.overruled, "found": each.found}
            for each in done.answers
        ],
    }
    if isinstance(done, Registration):
        return {**common, "stage": done.stage, "tags": list(done.tags), "pushed": done.pushed}
    return {
        **common,
        "replaces": done.replaces,
        "because": done.because,
        "gain": done.gain.model_dump() if done.gain else None,
        "commit": done.commit,
        "registration": document_of(done.registration) if done.registration else None,
    }


def _registered(done: Registration, *, dry_run: bool) -> str:
    name = f"{done.task}@{version_name(done.version)}"
    if dry_run:
        return f"WOULD REGISTER {name} in {done.stage}, unless it is registered already."
    if not done.tags and not done.pushed:
        return f"REGISTERED already: {name} is in {done.stage}."
    made = f"REGISTERED {name} in {done.stage}: {_listed(done.tags) or 'its tags exist already'}"
    return f"{made}{', pushed.' if done.pushed else '. Push it for others: --push, or git push --tags.'}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
