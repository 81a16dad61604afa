"""Read which task the results of a clone belong to."""

from pathlib import Path

from lab.core.errors import SourceError
from lab.core.params import CURE, PARAMS
from ops.revisions.snapshot import WORKSPACE, Snapshot


def task_of(root: Path, requested: str | None = None) -> str:
    """Return the task of this clone's results; refuse a request for another one."""
    content = Snapshot(WORKSPACE, None, root).yaml(str(PARAMS))
    found = content.get("task") if isinstance(content, dict) else None
    if not isinstance(found, str):
        raise SourceError(f"{PARAMS}: task is {found!r}, expected the name of a task. {CURE}")
    if requested not in (None, found):
        raise SourceError(
            f"The results here are of the task {found}, found {requested}. "
            f"Cure: dvc exp run -S task={requested}, and commit its results."
        )
    return found
