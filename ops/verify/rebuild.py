"""Run everything again in a temporary clone, and compare all bytes with the commit."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from graphlib import TopologicalSorter
from pathlib import Path

from lab.core.errors import SourceError
from lab.pages.markdown import counted
from ops.dvc.cli import ended_by_sigterm, environment, run_dvc
from ops.dvc.stages import data_file
from ops.dvc.stores import cache_of
from ops.revisions.git import git, lines_of
from ops.revisions.lock import Entry, entries_of
from ops.revisions.paths import inside
from ops.verify.check import Check
from ops.verify.state import State

Say = Callable[[str], None]


def everything_is_derived(state: State, *, say: Say, revision: str = "HEAD") -> Check:
    """Check that the DAG, run from nothing in a clone of a revision, gives the bytes that the revision has."""
    with clone_of(state.root, revision) as clone:
        pipeline = State(clone, asks_remote=False).pipeline
        _bring_data(state, clone, [data_file(stage, clone) for stage in pipeline.data_files])
        _run_all(clone, len(pipeline.names), say)
        rebuilt = State(clone, asks_remote=False)
        found = differences(rebuilt, before=entries_of(lock_at_head(clone)), changed=_changed(clone))
    count = counted(len(pipeline.names), "stage")
    summary = f"a clone of {revision} gives {'other' if found else 'the same'} bytes: {count}"
    cure = "find what the stage reads and does not declare; then dvc repro --force, and commit what it leaves"
    return Check("rebuild", summary, tuple(found), cure)


def differences(rebuilt: State, *, before: Mapping[str, Entry], changed: list[str]) -> list[str]:
    """Return a line for each stage that left something else than before; the first to differ comes first."""
    lines = []
    for name in in_order(rebuilt):
        outs = {path for path, stage in rebuilt.pipeline.writers.items() if stage == name}
        old, new = (_written(entries.get(name, {})) for entries in (before, rebuilt.entries))
        paths = {path for path in outs if old.get(path) != new.get(path) and not _any_inside(changed, path)}
        paths |= {path for path in changed if any(inside(path, out) for out in outs)}
        other = not paths and before.get(name) != rebuilt.entries.get(name)
        if paths or other:
            lines.append(f"{name}: {', '.join(sorted(paths)) or 'reads something else than dvc.lock says'}")
    gone = [f"{name}: is in dvc.lock, and no stage writes it" for name in before if name not in rebuilt.entries]
    known = rebuilt.pipeline.writers
    stray = [path for path in changed if path != "dvc.lock" and not any(inside(path, out) for out in known)]
    lines = [f"{line} (the first to differ)" if place == 0 else line for place, line in enumerate(lines)]
    return [*lines, *gone, *(f"{path} changed, and no stage declares that it writes it" for path in stray)]


def in_order(state: State) -> list[str]:
    """Return the stages, each behind those whose outputs it reads."""
    graph = {name: state.pipeline.producers(name) for name in state.pipeline.names}
    return list(TopologicalSorter(graph).static_order())


def lock_at_head(root: Path) -> bytes:
    """Return the dvc.lock of HEAD; an empty one where there is none."""
    done = git("cat-file", "blob", "HEAD:dvc.lock", root=root, check=False)
    return done.stdout if done.returncode == 0 else b""


@contextmanager
def clone_of(root: Path, revision: str) -> Iterator[Path]:
    """Yield a clone of a revision in a temporary folder; it is removed whatever ends the block, SIGTERM included."""
    with ended_by_sigterm(), tempfile.TemporaryDirectory(prefix="rebuild-") as folder:
        clone = Path(folder) / "clone"
        here = environment()
        git("clone", "--quiet", "--no-checkout", str(root.absolute()), str(clone), root=root, environment=here)
        head = lines_of("rev-parse", f"{revision}^{{commit}}", root=root)[0]
        git("checkout", "--quiet", "--detach", head, root=clone, environment=here)
        yield clone


def _bring_data(state: State, clone: Path, files: list[str]) -> None:
    """Pull the data of .dvc files, which no stage makes: from this repository's cache, or else from the remote."""
    if not files:
        return
    # A cache is laid out as a remote is, so it can serve as one.
    cache = cache_of(state.pipeline.repository).folder
    run_dvc("remote", "add", "--local", "here", str(cache), root=clone)
    if run_dvc("pull", "--quiet", "--remote", "here", *files, root=clone).code:
        if state.remote.is_folder:
            run_dvc("remote", "modify", "--local", "here", "url", str(state.remote.folder), root=clone)
        source = ["--remote", "here"] if state.remote.is_folder else []
        if run_dvc("pull", "--quiet", *source, *files, root=clone).code:
            raise SourceError(
                f"{', '.join(files)}: found neither in the cache nor on the remote what they name, expected it in one. "
                "Cure: dvc pull, or dvc push where it is"
            )


def _run_all(clone: Path, count: int, say: Say) -> None:
    """Run every stage, and report each by its name."""
    names: list[str] = []

    def started(name: str) -> None:
        names.append(name)
        say(f"rebuild: {name} ({len(names)} of {count})")

    ended = run_dvc("repro", "--force", root=clone, started=started)
    if ended.code:
        said = "\n".join(ended.lines)
        raise SourceError(
            f"the DAG failed in a clone of HEAD; the last lines:\n{said}\n"
            "Cure: fix the error above; a common reason is a file that the working tree has and HEAD lacks."
        )


def _changed(clone: Path) -> list[str]:
    found = lines_of("status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", root=clone)
    return sorted(line[3:] for line in found)


def _any_inside(paths: list[str], folder: str) -> bool:
    return any(inside(path, folder) for path in paths)


def _written(entry: Entry) -> dict[str, str]:
    return {out["path"]: out.get("md5", "") for out in entry.get("outs", [])}
