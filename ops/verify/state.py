"""What the checks of a commit read, read once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ops.dvc.stages import NO_ENTRY, Pipeline, files_read, fingerprint_of, path_of
from ops.dvc.stores import Listings, Store, cache_of, remote_of
from ops.dvc.torn_files import refuse_torn_lock
from ops.revisions.files import Tree
from ops.revisions.lock import Entry, entries_of
from ops.revisions.snapshot import WORKSPACE, Snapshot
from ops.verify.fingerprints import Outputs


@dataclass(frozen=True)
class State:
    """The working tree with its dvc.lock; without `asks_remote` no remote is contacted."""

    root: Path
    remote_name: str | None = None
    asks_remote: bool = True

    @cached_property
    def pipeline(self) -> Pipeline:
        return Pipeline(self.root)

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        """What dvc.lock records of each stage; nothing where there is no such file."""
        refuse_torn_lock(self.root)
        path = self.root / "dvc.lock"
        return entries_of(path.read_bytes()) if path.is_file() else {}

    @cached_property
    def stages(self) -> dict[str, Any]:
        """DVC's stages, each with its entry."""
        return {name: self.pipeline.stage(name, self.entries.get(name, NO_ENTRY)) for name in self.pipeline.names}

    @cached_property
    def outputs(self) -> list[Any]:
        """Every output of a stage or a .dvc file."""
        return [out for stage in (*self.stages.values(), *self.pipeline.data_files) for out in stage.outs]

    @cached_property
    def cached(self) -> list[Any]:
        """The outputs that DVC keeps; git keeps the others."""
        return [out for out in self.outputs if out.use_cache]

    @cached_property
    def kept(self) -> list[str]:
        """The paths of the outputs that git keeps."""
        return [path_of(out) for out in self.outputs if not out.use_cache]

    @cached_property
    def read(self) -> list[str]:
        """The paths that a stage reads and no stage writes."""
        found = {path_of(item) for stage in self.stages.values() for item in files_read(stage) if item.is_in_repo}
        return sorted(path for path in found if not self.recorded.touches(path))

    @cached_property
    def in_git(self) -> Mapping[str, str]:
        """What DVC would record of each item of dvc.lock that git has, computed from the files themselves."""
        snapshot = Snapshot(WORKSPACE, None, self.root)
        stages = snapshot.lock.values()
        return Tree(snapshot).md5s(
            item for stage in stages for item in (*stage.dependencies.values(), *stage.outputs.values())
        )

    @cached_property
    def remote(self) -> Store:
        return remote_of(self.pipeline.repository, self.remote_name)

    @cached_property
    def listings(self) -> Listings:
        cache = cache_of(self.pipeline.repository)
        return Listings((cache, self.remote) if self.asks_remote else (cache,))

    @cached_property
    def recorded(self) -> Outputs:
        return Outputs(self.root, {path_of(out): fingerprint_of(out) for out in self.outputs}, self.listings)
