"""Read the registry's tags in GTO's form: versions, and the stages they are in."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ops.revisions.git import git, lines_of

# GTO 1.x: churn@v2.0.0 registers, churn#production#3 assigns; an exclamation mark undoes.
FORM = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9/_-]*)"
    r"(?:@(?P<version>v[0-9][^!#]*)|#(?P<stage>[A-Za-z0-9][A-Za-z0-9/_-]*?)|@(?P<other>deprecated|created))"
    r"(?P<back>!?)(?:#(?P<counter>[0-9]+))?"
)
OURS = re.compile(r"v([1-9][0-9]*)\.0\.0")
FORMAT = "%(refname:strip=2)%00%(objectname)%00%(*objectname)%00%(taggerdate:unix)"


@dataclass(frozen=True)
class Tag:
    """A tag in GTO's form; `moment` is its time in UTC, None for a lightweight tag, which GTO ignores."""

    name: str
    artifact: str
    commit: str
    moment: datetime | None
    version: str | None
    stage: str | None
    undoes: bool
    counter: int

    @property
    def number(self) -> int | None:
        """The number N of a version vN.0.0; None for another form."""
        found = OURS.fullmatch(self.version or "")
        return int(found.group(1)) if found else None


@dataclass(frozen=True)
class Registry:
    """The tags of one artifact, oldest first."""

    tags: tuple[Tag, ...]

    @property
    def versions(self) -> dict[int, Tag]:
        """The registered versions by number, in order."""
        found = {tag.number: tag for tag in self.tags if tag.number is not None and _counts(tag)}
        return {number: found[number] for number in sorted(found)}

    def assignments(self, stage: str) -> list[tuple[Tag, int | None]]:
        """Return every tag of a stage, oldest first, with its version's number."""
        numbers = {tag.commit: number for number, tag in self.versions.items()}
        return [(tag, numbers.get(tag.commit)) for tag in self.tags if tag.stage == stage and _counts(tag)]

    def holder(self, stage: str) -> int | None:
        """Return the version in a stage: that of the newest tag, as in `gto show`."""
        found = self.assignments(stage)
        return found[-1][1] if found else None

    def stages_of(self, number: int) -> list[str]:
        """Return the stages that a version is in now."""
        stages = sorted({tag.stage for tag in self.tags if tag.stage})
        return [stage for stage in stages if self.holder(stage) == number]


def read_registry(artifact: str, *, root: Path) -> Registry:
    """Return the registry of one artifact from this clone's tags."""
    return Registry(tuple(tag for tag in read_tags(root=root) if tag.artifact == artifact))


def read_tags(*, root: Path) -> list[Tag]:
    """Return every tag in GTO's form, oldest first."""
    lines = (line.split("\0") for line in lines_of("for-each-ref", f"--format={FORMAT}", "refs/tags", root=root))
    found = [tag for name, own, peeled, made in lines if (tag := parse_tag(name, peeled or own, made)) is not None]
    return sorted(found, key=_order)


def drop_tags(root: Path, names: Sequence[str]) -> None:
    """Delete tags of this clone."""
    if names:
        git("tag", "--delete", *names, root=root)


def parse_tag(name: str, commit: str, made: str) -> Tag | None:
    """Return the tag of a name, or None where the name is not in GTO's form; `made` is a Unix time or empty."""
    found = FORM.fullmatch(name)
    if found is None:
        return None
    return Tag(
        name=name,
        artifact=found["name"],
        commit=commit,
        moment=datetime.fromtimestamp(int(made), UTC) if made else None,
        version=found["version"],
        stage=found["stage"],
        undoes=bool(found["back"]) or found["other"] is not None,
        counter=int(found["counter"] or 0),
    )


def version_name(number: int) -> str:
    """Return the name of a version.

    >>> version_name(2)
    'v2.0.0'
    """
    return f"v{number}.0.0"


def newest(tags: Iterable[Tag]) -> datetime | None:
    """Return the time of the newest tag."""
    return max((tag.moment for tag in tags if tag.moment is not None), default=None)


def _counts(tag: Tag) -> bool:
    return tag.moment is not None and not tag.undoes


def _order(tag: Tag) -> tuple[float, int, str]:
    return (tag.moment.timestamp() if tag.moment else 0.0, tag.counter, tag.name)
