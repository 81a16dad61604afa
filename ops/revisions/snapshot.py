"""The small files of one revision, or of the working tree, read without a checkout."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ruamel.yaml.error import YAMLError

from lab.core.errors import SourceError
from lab.core.result_files import document_of
from lab.core.yaml_files import load_yaml
from lab.dataset.features import with_query
from ops.revisions.git import commit_of, content_at
from ops.revisions.lock import LockedStage, parse_lock

WORKSPACE = "workspace"


@dataclass(frozen=True)
class Snapshot:
    """What git keeps of one revision: params, lock, metrics, plots. `commit` is None for the working tree."""

    name: str
    commit: str | None
    root: Path

    def read(self, path: str) -> bytes | None:
        """Return a file's content, or None where this revision has no such file."""
        if self.commit is not None:
            return content_at(self.commit, path, root=self.root)
        try:
            return (self.root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def json(self, path: str) -> Any:
        """Return what a JSON file holds, or None where this revision has no such file."""
        return self._parsed(path, json.loads)

    def result(self, path: str) -> Any:
        """Return the whole document of a file in metrics/, or None where this revision has no such file."""
        return document_of(self.json(path))

    def yaml(self, path: str) -> Any:
        """Return what a YAML file holds, or None where this revision has no such file."""
        return self._parsed(path, load_yaml)

    def task(self, name: str) -> dict[str, Any]:
        """Return what the task of this name says, its query included; nothing where this revision has no such task."""
        query = self.read(f"tasks/{name}/features.sql")
        content = self.yaml(f"tasks/{name}/task.yaml") or self.yaml(f"tasks/{name}.yaml") or {}
        return with_query(content, query.decode() if query else None)

    @cached_property
    def lock(self) -> dict[str, LockedStage]:
        """The stages of its dvc.lock; none where it has no such file."""
        content = self.read("dvc.lock")
        return {} if content is None else parse_lock(content, where=f"dvc.lock at {self.name}")

    def _parsed(self, path: str, parse: Any) -> Any:
        content = self.read(path)
        try:
            return None if content is None else parse(content.decode())
        except (ValueError, YAMLError) as error:
            raise SourceError(
                f"{path} at {self.name} cannot be read: {error}. Cure: git checkout {path}, or take another revision"
            ) from error


def snapshot_of(name: str, *, root: Path = Path()) -> Snapshot:
    """Return the snapshot of a branch, tag, commit, DVC experiment, or of the working tree (`workspace`)."""
    return Snapshot(name, None if name == WORKSPACE else commit_of(name, root=root), root)
