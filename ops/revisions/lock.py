"""Read dvc.lock: what each stage ran with, read and wrote."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml.error import YAMLError

from lab.core.errors import SourceError
from lab.core.yaml_files import load_yaml

LOCK = "dvc.lock"
CURE = "Cure: `python -m ops resolve` after a merge, or bring it back: git checkout dvc.lock"

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Item:
    """A file or folder as DVC fingerprints it; a folder's fingerprint ends in `.dir`."""

    path: str
    md5: str
    size: int
    files: int | None

    @property
    def is_folder(self) -> bool:
        return self.md5.endswith(".dir")


@dataclass(frozen=True)
class LockedStage:
    """One stage as it last ran."""

    name: str
    command: str
    dependencies: Mapping[str, Item]
    params: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Item]


def entries_of(content: bytes, *, where: str = LOCK) -> dict[str, Entry]:
    """Return what a dvc.lock records of each stage, in its order; the limits of a YAML file hold."""
    try:
        found = load_yaml(content.decode()) or {}
        return {str(name): dict(entry) for name, entry in (found.get("stages") or {}).items()}
    except (YAMLError, UnicodeDecodeError, AttributeError, TypeError, ValueError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SourceError(f"{where} is no lock file of DVC's: found {said}. {CURE}") from error


def parse_lock(content: bytes, *, where: str = LOCK) -> dict[str, LockedStage]:
    """Return the stages of a dvc.lock by name; `params` is by file, then by dotted name."""
    try:
        return {name: _stage(name, entry) for name, entry in entries_of(content, where=where).items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise SourceError(f"{where} is no lock file of DVC's: found {error}. {CURE}") from error


def _stage(name: str, body: Mapping[str, Any]) -> LockedStage:
    return LockedStage(
        name=name,
        command=str(body["cmd"]),
        dependencies=_items(body.get("deps", [])),
        params=body.get("params", {}),
        outputs=_items(body.get("outs", [])),
    )


def _items(entries: list[Mapping[str, Any]]) -> dict[str, Item]:
    return {
        entry["path"]: Item(entry["path"], str(entry.get("md5", "")), int(entry.get("size", 0)), entry.get("nfiles"))
        for entry in entries
    }
