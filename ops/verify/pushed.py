"""Which of the objects that a lock names a remote lacks."""

from collections.abc import Mapping
from typing import Any

from lab.pages.markdown import counted
from ops.dvc.fingerprints import md5_of
from ops.dvc.stages import fingerprint_of, path_of
from ops.dvc.stores import Store
from ops.verify.state import State

MOST_NAMED = 5
ABSENT = "is not there"


def missing_objects(state: State) -> tuple[int, list[str]]:
    """Return how many objects the remote should have, and a line for each output of which it lacks something.

    If the remote is a folder, sizes are compared with dvc.lock too, which finds an interrupted push.
    """
    outs = [out for out in state.cached if out.can_push and not out.stage.is_repo_import and out.hash_info]
    files = {path_of(out): _files(out, state) for out in outs}
    wanted = {md5 for out in outs for md5 in (fingerprint_of(out), *(files[path_of(out)] or {}).values())}
    present = state.remote.present(wanted)
    lines = [(path_of(out), _lack(out, files[path_of(out)], present, state.remote)) for out in outs]
    if len(lines) > 1 and all(lack == ABSENT for _, lack in lines):
        return len(wanted), [f"none of the {len(lines)} outputs is there"]
    return len(wanted), [f"{path} {lack}" for path, lack in lines if lack]


def _files(out: Any, state: State) -> Mapping[str, str] | None:
    """Return the object of each file of an output; None where the list of a folder's files cannot be had."""
    md5 = fingerprint_of(out)
    return state.listings.of(md5) if md5.endswith(".dir") else {"": md5}


def _lack(out: Any, files: Mapping[str, str] | None, present: set[str], remote: Store) -> str:
    md5 = fingerprint_of(out)
    if md5 not in present:
        return ABSENT
    if files is None or _listing_is_damaged(md5, remote):
        return "is there, but the list of its files is damaged"
    lacking = [name for name, file in files.items() if file not in present]
    if lacking:
        return f"lacks {len(lacking)} of {counted(len(files), 'file')}: {', '.join(lacking[:MOST_NAMED])}"
    if not remote.is_folder or out.meta.size is None:
        return ""
    size = sum(remote.size(file) or 0 for file in files.values())
    return "" if size == out.meta.size else f"is damaged: {size:,} bytes, expected {out.meta.size:,}"


def _listing_is_damaged(md5: str, remote: Store) -> bool:
    if not md5.endswith(".dir") or not remote.is_folder:
        return False
    content = remote.read(md5)
    return content is None or md5_of(content) != md5.removesuffix(".dir")
