"""Describe where the registry changes: a clone, its task, and the shared repository."""

from dataclasses import dataclass
from pathlib import Path

from ops.registry.tags import Registry, read_registry
from ops.registry.upstream import Shared, Upstream, upstream_of
from ops.revisions.git import text_of


@dataclass(frozen=True)
class Place:
    """A clone, its task, and the state of the shared repository, if there is one.

    `push` is True to push objects, commits and tags, None to push objects only, and False to push nothing.
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
    """Return the place, after a fetch of the shared branch and tags."""
    upstream = upstream_of(root) if push is not False else None
    return Place(root, task, push, upstream, upstream.fetch() if upstream else None)
