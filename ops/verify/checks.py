"""The checks of a commit: a clone of it has everything that it names."""

import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from lab.core.errors import LabError, SourceError
from lab.pages.markdown import counted
from ops.dvc.pipeline import read_stages, wrong_code
from ops.dvc.rooms import misplaced
from ops.dvc.stages import data_file, path_of
from ops.dvc.stores import StoreError
from ops.revisions.git import commit_of, git, lines_of
from ops.revisions.paths import inside_any
from ops.verify.check import REMOTE, Check
from ops.verify.freshness import inputs_changed, outputs_changed, overlooked
from ops.verify.merges import is_shallow, mixtures
from ops.verify.pushed import missing_objects
from ops.verify.state import State

MODULES = ("lab", "stages", "ops", "tests", "serving", "dashboard", "benchmarks")
SETTINGS = ("dvc.yaml", "dvc.lock", ".gitignore", ".dvcignore", ".dvc")


def check_all(state: State, *, only: Collection[str] = ()) -> list[Check]:
    """Return the result of every check, or `only` these; one that cannot run has failed, and the others still run."""
    checks: list[tuple[str, Callable[[State], Check]]] = [
        ("lock", lock_is_fresh),
        ("merged", merges_are_run),
        (REMOTE, everything_is_pushed),
        ("ignored", data_is_ignored),
        ("deps", dependencies_are_exact),
        ("known", git_knows_every_file),
        ("committed", nothing_is_uncommitted),
    ]
    left_out = set() if state.asks_remote else {REMOTE}
    return [
        _answer(name, check, state) for name, check in checks if name not in left_out and (name in only or not only)
    ]


def _answer(name: str, check: Callable[[State], Check], state: State) -> Check:
    try:
        return check(state)
    except LabError as error:
        said, _, cure = str(error).partition(" Cure: ")
        hint = "; --no-remote leaves the remote out" if isinstance(error, StoreError) else ""
        return Check(name, "could not be checked", (said,), (cure or "see above") + hint)


def lock_is_fresh(state: State) -> Check:
    """Check that `dvc repro` would have nothing to do but to fetch data.

    The entry of a removed stage is reported and is no fault: DVC never removes one, and reads none.
    """
    found = []
    for name, stage in state.stages.items():
        changes = inputs_changed(stage, state.entries.get(name, {}), state.recorded)
        if changes != ["never ran"]:
            changes += [*outputs_changed(stage), *overlooked(stage, state.in_git, state.recorded)]
        found += [f"{name}: {'; '.join(changes)}"] if changes else []
    found += [
        f"{data_file(stage, state.root)}: {what}"
        for stage in state.pipeline.data_files
        for what in outputs_changed(stage)
    ]
    gone = [name for name in state.entries if name not in state.stages]
    aside = f" (also recorded, and gone: {', '.join(gone)}; `python -m ops resolve` drops it)" if gone else ""
    summary = f"dvc.lock {'is not' if found else 'is'} up to date: {counted(len(state.stages), 'stage')}"
    cure = "dvc repro, then commit its results; for what a stage no longer declares: dvc commit --force"
    return Check("lock", summary + aside, tuple(found), cure)


def merges_are_run(state: State) -> Check:
    """Check that each entry of dvc.lock was written by a run, and none by a merge line by line."""
    found = [
        f"{each.stage}: the merge {each.merge[:7]} mixed its entry from its sides, and no run is known to have left it"
        for each in mixtures(state.root)
    ]
    aside = "; the history is shallow, and older merges were not checked" if is_shallow(state.root) else ""
    summary = f"{'a' if found else 'no'} merge put an entry into dvc.lock that no run wrote{aside}"
    return Check("merged", summary, tuple(found), "python -m ops resolve, which runs these stages; then commit")


def everything_is_pushed(state: State) -> Check:
    """Check that the remote has every output that DVC keeps, the files in folders included."""
    count, found = missing_objects(state)
    summary = f"{state.remote.name} {'lacks some of' if found else 'has all of'} {counted(count, 'object')}"
    remote = f" --remote {state.remote_name}" if state.remote_name else ""
    return Check(REMOTE, summary, tuple(found), f"dvc push{remote}; if no machine has them, dvc repro comes first")


def data_is_ignored(state: State) -> Check:
    """Check that .gitignore covers every output that DVC keeps, and that git has none of them."""
    paths = {path_of(out): out for out in state.cached if out.is_in_repo}
    inside = [*paths, *(f"{path}/any" for path in paths)]
    done = git("-c", "core.quotePath=false", "check-ignore", "--no-index", "--", *inside, root=state.root, check=False)
    ignored = set(done.stdout.decode().splitlines())
    bare = [path for path in paths if not {path, f"{path}/any"} & ignored]
    tracked = lines_of("ls-files", "-z", "--", *paths, root=state.root) if paths else []
    found = [f"{path} is not covered by .gitignore" for path in bare]
    found += [f"{path} is tracked by DVC and by git" for path in tracked]
    summary = f".gitignore {'does not cover' if bare else 'covers'} every output that DVC keeps: {len(paths)}"
    return Check(
        "ignored", summary, tuple(found), "add `/PATH` to .gitignore; git rm -r --cached PATH where it is tracked"
    )


def dependencies_are_exact(state: State) -> Check:
    """Check that every stage declares the code that it imports, and no other."""
    try:
        stages = read_stages(state.root)
    except ValueError as error:
        raise SourceError(f"dvc.yaml: {error}") from error
    found = [f"{stage.name}: {line}" for stage in stages for line in wrong_code(stage, root=state.root)]
    found += misplaced(state.root)
    summary = f"dvc.yaml {'does not declare' if found else 'declares'} what the stages import"
    return Check("deps", summary, tuple(found), "python -m ops deps --write")


def git_knows_every_file(state: State) -> Check:
    """Check that git tracks each module, each file that a stage reads, and each result that DVC leaves to git."""
    found = [f"{path} is a module that git does not track" for path in _unknown_modules(state.root)]
    found += [f"{path} is read by a stage, and git does not track it" for path in _unknown(state, state.read)]
    found += [f"{path} is a result, and git does not track it" for path in _unknown(state, state.kept)]
    found += [f"{path} is read by a stage, and git has nothing of it" for path in _empty(state)]
    summary = f"git {'does not track' if found else 'tracks'} every module, source and result"
    return Check("known", summary, tuple(found), "git add PATH, or remove the file")


def _unknown_modules(root: Path) -> list[str]:
    folders = [f":(glob){folder}/**/*.py" for folder in MODULES]
    return lines_of("ls-files", "-z", "--others", "--", *folders, root=root)


def _unknown(state: State, paths: list[str]) -> Iterator[str]:
    """Yield the files at these paths that git does not track, ignored ones too: a clone lacks them."""
    outputs = [path_of(out) for out in state.cached]
    for path in lines_of("ls-files", "-z", "--others", "--", *paths, root=state.root) if paths else []:
        if not inside_any(path, outputs) and state.pipeline.reads(path):
            yield path


def _empty(state: State) -> list[str]:
    known = lines_of("ls-files", "-z", "--", *state.read, root=state.root) if state.read else []
    return [path for path in state.read if not inside_any_of(known, path) and (state.root / path).exists()]


def inside_any_of(files: list[str], folder: str) -> bool:
    """Say whether one of the files is this path or lies in it."""
    return any(inside_any(file, (folder,)) for file in files)


def _another_is_pushed(root: Path) -> str:
    """Return a note if pre-commit's hook runs for another commit than the one that is checked out."""
    pushed = os.environ.get("PRE_COMMIT_TO_REF", "")
    if not pushed or commit_of(pushed, root=root) == commit_of("HEAD", root=root):
        return ""
    return f"; {pushed[:7]}, which is pushed, is another commit, which was not checked"


def nothing_is_uncommitted(state: State) -> Check:
    """Check that HEAD has what was checked; changes outside the pipeline are only reported."""
    changed = lines_of("status", "--porcelain", "-z", "--untracked-files=no", "--no-renames", root=state.root)
    paths = sorted(line[3:] for line in changed)
    settings = {item.def_path for stage in state.stages.values() for item in stage.deps}
    own = [path for path in paths if inside_any(path, {*SETTINGS, *settings, *state.read, *state.kept})]
    others = [path for path in paths if path not in own]
    aside = f" (also changed, outside the pipeline: {', '.join(others)})" if others else ""
    summary = f"the working tree {'differs from' if own else 'equals'} HEAD in what the pipeline reads{aside}"
    summary += _another_is_pushed(state.root)
    return Check("committed", summary, tuple(f"{path} is not committed" for path in own), "git add and git commit")
