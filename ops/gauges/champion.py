"""Read the champion's fingerprint and version, as the server reports them."""

import hashlib
from pathlib import Path

from ops.pack.source import Wanted, found_source
from ops.registry.tags import read_registry
from ops.revisions.objects import Objects

MANIFEST = "models/champion/manifest.json"


def champion_of(task: str, stage: str | None, *, root: Path) -> dict[str, str] | None:
    """Return fingerprint and version of the champion in a stage, or of HEAD; None for an empty stage."""
    if stage is not None and read_registry(task, root=root).holder(stage) is None:
        return None
    source = found_source(Wanted(task, stage, None, None, "champion"), root=root)
    manifest = Objects(root).output(source.snapshot.lock, MANIFEST)
    return {"fingerprint": hashlib.sha256(manifest).hexdigest(), "version": source.version or ""}
