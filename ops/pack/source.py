"""Find the revision of a model to pack."""

from dataclasses import dataclass
from pathlib import Path

from lab.core.errors import SourceError
from ops.registry.tags import Registry, read_registry, version_name
from ops.revisions.git import commit_of
from ops.revisions.snapshot import Snapshot


@dataclass(frozen=True)
class Wanted:
    """The requested model; at most one of stage, version and revision."""

    task: str
    stage: str | None
    version: int | None
    revision: str | None
    model: str


@dataclass(frozen=True)
class Source:
    """A model of a revision, and the version that it is registered as, if it is."""

    task: str
    model: str
    version: str | None
    snapshot: Snapshot

    @property
    def label(self) -> str:
        """A description for messages."""
        known = f"{self.task} {self.version}" if self.version else f"the {self.model} of {self.task}, not registered"
        return f"{known}, of commit {(self.snapshot.commit or '')[:8]}"


def found_source(wanted: Wanted, *, root: Path) -> Source:
    """Return the requested revision by the registry."""
    asked = [value for value in (wanted.stage, wanted.version, wanted.revision) if value is not None]
    if len(asked) > 1:
        raise SourceError(f"found {asked}, expected one of --stage, --version and --revision. Cure: give one.")
    if wanted.model != "champion" and (wanted.stage or wanted.version):
        raise SourceError("The registry holds champions only. Cure: --revision for a challenger.")
    registry = read_registry(wanted.task, root=root)
    number = _number(wanted, registry)
    commit = registry.versions[number].commit if number else commit_of(wanted.revision or "HEAD", root=root)
    snapshot = Snapshot(version_name(number) if number else wanted.revision or "HEAD", commit, root)
    return Source(wanted.task, wanted.model, version_name(number) if number else None, snapshot)


def _number(wanted: Wanted, registry: Registry) -> int | None:
    """Return the number of the requested version, None for a revision."""
    if wanted.stage is not None:
        number = registry.holder(wanted.stage)
        if number is None:
            raise SourceError(
                f"No version of {wanted.task} is in the stage {wanted.stage}; see `python -m ops history`. "
                "Cure: python -m ops promote --register, or git fetch --tags."
            )
        return number
    if wanted.version is not None and wanted.version not in registry.versions:
        raise SourceError(
            f"{wanted.task} has no version {wanted.version}, expected one of {sorted(registry.versions)}. "
            "Cure: python -m ops history, or git fetch --tags."
        )
    return wanted.version
