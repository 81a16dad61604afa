"""Bring a revision's outputs into the cache: from the remote, or by running stages."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from lab.core.errors import LabError, SourceError
from ops.dvc.config import cache_folder, remote_folders, write_local_config
from ops.dvc.stores import Store, cache_of
from ops.kill_with_parent import running
from ops.revisions.git import commit_of, git
from ops.revisions.lock import Item, LockedStage, parse_lock
from ops.revisions.snapshot import Snapshot

HELD = "it is in the cache"
FETCHED = "fetched from the remote"
RUN = "run again"


@dataclass(frozen=True)
class Derived:
    """How a revision's outputs were had; `differing` are those that came out as other bytes than dvc.lock records."""

    revision: str
    how: str
    differing: tuple[str, ...] = ()


def holds(cache: Store, item: Item) -> bool:
    """Return whether the cache has an output, with every file when it is a folder."""
    if not cache.path(item.md5).is_file():
        return False
    inside = json.loads(cache.path(item.md5).read_bytes()) if item.is_folder else []
    return all(cache.path(entry["md5"]).is_file() for entry in inside)


def derive(revision: str, *, outputs: Sequence[str], root: Path) -> Derived:
    """Return how the outputs of a revision came into the cache of this clone, whose own files stay as they are."""
    commit, cache = commit_of(revision, root=root), _cache(root)
    lock = Snapshot(revision, commit, root).lock
    makers = {path: _maker(path, lock, revision) for path in outputs}
    if all(holds(cache, stage.outputs[path]) for path, stage in makers.items()):
        return Derived(revision, HELD)
    stages = sorted({stage.name for stage in makers.values()})
    with _other_clone(commit, root) as clone:
        # What the remote lacks, or a remote that is not there, is no failure: it is derived instead.
        _dvc("fetch", *stages, cwd=clone, check=False)
        if all(holds(cache, stage.outputs[path]) for path, stage in makers.items()):
            return Derived(revision, FETCHED)
        _dvc("fetch", "--with-deps", *stages, cwd=clone, check=False)
        _dvc("checkout", "--allow-missing", cwd=clone, check=False)
        _dvc("repro", *stages, cwd=clone)
        return Derived(revision, RUN, _differing(lock, clone))


def _cache(root: Path) -> Store:
    from ops.dvc.repository import open_repository  # noqa: PLC0415 - DVC takes a quarter of a second to import

    return cache_of(open_repository(root))


def _maker(path: str, lock: Mapping[str, LockedStage], revision: str) -> LockedStage:
    for stage in lock.values():
        if path in stage.outputs:
            return stage
    known = sorted(name for stage in lock.values() for name in stage.outputs)
    raise SourceError(
        f"{path} is no output at {revision}: found {known} in its dvc.lock, expected one of them. "
        "Cure: name one of them, or `dvc repro` and commit dvc.lock there."
    )


@contextmanager
def _other_clone(commit: str, root: Path) -> Iterator[Path]:
    with TemporaryDirectory(prefix="derive-") as folder:
        clone = Path(folder, "clone")
        git("clone", "--quiet", "--shared", "--no-checkout", str(root.resolve()), str(clone))
        git("-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", commit, root=clone)
        write_local_config(clone, cache={"dir": str(cache_folder(root))}, remotes=remote_folders(root))
        yield clone


def _dvc(*arguments: str, cwd: Path, check: bool = True) -> None:
    command = [sys.executable, "-m", "dvc", *arguments, "--quiet"]
    output = {"stdout": sys.stderr} if check else {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with running(command, cwd=cwd, **output) as process:
        pass
    if check and process.returncode:
        raise LabError(
            f"`dvc {' '.join(arguments)}` failed (exit code {process.returncode}; its words are above), expected it to "
            "derive what the cache and the remote lack. Cure: check that revision out and run it there."
        )


def _differing(lock: Mapping[str, LockedStage], clone: Path) -> tuple[str, ...]:
    then = {path: item.md5 for stage in lock.values() for path, item in stage.outputs.items()}
    now = parse_lock((clone / "dvc.lock").read_bytes())
    made = {path: item.md5 for stage in now.values() for path, item in stage.outputs.items()}
    return tuple(sorted(path for path, md5 in made.items() if then.get(path) != md5))
