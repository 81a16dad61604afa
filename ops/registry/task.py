"""Which task the results of a clone are of."""

from pathlib import Path

from lab.core.errors import SourceError
from lab.core.params import CURE, PARAMS
from ops.revisions.snapshot import WORKSPACE, Snapshot


def task_of(root: Path, asked_for: str | None = None) -> str:
    """Return the task that the results of this clone are of; another one cannot be asked for."""
    content = Snapshot(WORKSPACE, None, root).yaml(str(PARAMS))
    found = content.get("task") if isinstance(content, dict) else None
    if not isinstance(found, str):
        raise SourceError(f"{PARAMS}: task is {found!r}, expected the name of a task. {CURE}")
    if asked_for not in (None, found):
        raise SourceError(
            f"The results here are of the task {found}, found {asked_for} asked for. "
            f"Cure: dvc exp run -S task={asked_for}, and commit its results."
        )
    return found
