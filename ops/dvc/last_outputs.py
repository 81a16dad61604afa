"""Check out the outputs that dvc.lock records, also those that git keeps."""

from typing import Any

from dvc.stage.serialize import to_single_stage_lockfile

from ops.dvc.stages import path_of


def differing_outputs(stage: Any) -> set[str]:
    """Return the recorded outputs of a stage that are missing or have other bytes."""
    return {path_of(out) for out in stage.outs if out.hash_info and out.workspace_status()}


def check_out_recorded(stage: Any) -> None:
    """Bring back what the cache has; as the run cache does, which also keeps the outputs that git keeps."""
    entry = to_single_stage_lockfile(stage)
    recorded = stage.repo.stage_cache._create_stage(entry, wdir=stage.wdir)  # noqa: SLF001 - DVC has no public name
    recorded.outs = [out for out in recorded.outs if not out.changed_cache()]
    recorded.checkout(force=True)
