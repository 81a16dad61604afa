"""Restore the project at a revision: from the cache, the remote, or by running stages."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.core.errors import LabError
from lab.core.result_files import write_json
from lab.pages.markdown import counted, listed
from ops.dvc.errors import DvcError
from ops.dvc.repository import open_repository
from ops.dvc.torn_files import mend_rwlock
from ops.note import read_note
from ops.revert.note import NOTE, Note
from ops.revert.outputs import Output, Project
from ops.revert.restore import Restored, Restorer
from ops.revert.tree import DirtyError, check_out, current, refuse_changes
from ops.revisions.git import commit_of, content_at, git, remove_left_locks
from ops.revisions.snapshot import Snapshot

# Git replaces the code during a revert: so no module of this repository may be imported inside a function here.

ENVIRONMENT = "requirements.txt"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Request:
    """The revision to restore by any name; with a new branch, or without running stages, if set."""

    name: str
    branch: str | None = None
    derive: bool = True
    jobs: int = 1


@dataclass(frozen=True)
class Reverted:
    """The result of a revert. `removed` are outputs of the former revision only; the cache still has them."""

    commit: str
    back: str
    outputs: tuple[Restored, ...]
    removed: tuple[str, ...]
    notes: tuple[str, ...]
    complete: bool


def revert(request: Request, *, root: Path, say: Say) -> Reverted:
    """Check a revision out and restore its outputs; `say` gets the way back before anything changes."""
    target = commit_of(request.name, root=root)
    killed = read_note(root / NOTE, Note)
    killed = killed if killed is not None and killed.target == target else None
    refuse_changes(root, killed=killed)
    if killed is None:
        with _project(root) as project:
            _keep(project)
    note = killed or Note(target, commit_of("HEAD", root=root), current(root))
    say(f"The way back: git checkout {note.back} && dvc checkout")
    write_json(note, root / NOTE)
    if killed is not None:
        remove_left_locks(root)
        mend_rwlock(root)
    check_out(request.name, target, branch=request.branch, root=root, by_force=killed is not None)
    with _project(root) as project:
        reverted = _restored(project, note, request, say)
    (root / NOTE).unlink()
    return reverted


def _restored(project: Project, note: Note, request: Request, say: Say) -> Reverted:
    recorded = [output for output in project.outputs() if output.md5]
    removed = _remove_left_overs(project, note, recorded)
    restorer = Restorer(project, say)
    restorer.restore(recorded, jobs=request.jobs if request.derive else 0)
    notes = [*restorer.notes, *_notes(project, note)]
    outputs = tuple(restorer.found[output.path] for output in recorded)
    complete = not restorer.differed and all(output.origin != "missing" for output in outputs)
    return Reverted(note.target, note.back, outputs, tuple(removed), tuple(notes), complete)


@contextmanager
def _project(root: Path) -> Iterator[Project]:
    try:
        with open_repository(root, wait_for_lock=True) as repository:
            yield Project(repository)
    except DvcError as error:
        raise LabError(f"DVC refused: {error}. Cure: look at it with `dvc status`") from error


def _keep(project: Project) -> None:
    """Save every output in the cache before it is replaced; refuse those that differ from dvc.lock."""
    present = [(output, project.files_at(output.path)) for output in project.outputs()]
    unsaved = [output for output, files in present if files and not all(map(project.cached, files.values()))]
    if unlike := [output.path for output in unsaved if not project.holds(output)]:
        raise DirtyError(
            f"found {counted(len(unlike), 'output')} unlike dvc.lock, whose bytes the cache does not have "
            f"({listed(unlike)}), expected none, so that nothing is lost. Cure: `dvc commit` keeps them; "
            "`dvc checkout --force` throws them away"
        )
    project.keep(unsaved)


def _remove_left_overs(project: Project, note: Note, recorded: Sequence[Output]) -> list[str]:
    """Remove outputs that only the former revision has, if the cache has their bytes."""
    former = Snapshot(note.start, note.start, project.root).lock.values()
    known = {output.path for output in recorded}
    removed = []
    for path, item in ((path, item) for stage in former for path, item in stage.outputs.items()):
        left = Output(path, item.md5, stage="", has_command=False)
        if path in known or _is_in_git(path, project.root):
            continue
        if project.holds(left) and project.cached_whole(left):
            project.remove(path)
            removed.append(path)
    return removed


def _is_in_git(path: str, root: Path) -> bool:
    return git("cat-file", "-e", f"HEAD:{path}", root=root, check=False).returncode == 0


def _notes(project: Project, note: Note) -> list[str]:
    found = []
    if project.damaged:
        found.append(
            f"{counted(len(project.damaged), 'object')} of the cache had other bytes than its name says: gone."
        )
    pins = [content_at(commit, ENVIRONMENT, root=project.root) for commit in (note.start, note.target)]
    if pins[0] != pins[1]:
        found.append(f"{ENVIRONMENT} pins other packages than before. `make setup` installs them.")
    if never := [output.path for output in project.outputs() if not output.md5]:
        found.append(f"dvc.lock does not record {listed(never)}; `dvc repro` makes what is missing.")
    return found
