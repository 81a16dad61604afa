"""Do the runs of a sweep side by side, and go on where an earlier one ended."""

import math
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from lab.core.errors import LabError
from lab.pages.markdown import counted
from ops.lock import take_lock
from ops.repro.commands import CommandFailedError, Commands
from ops.repro.waiting import first_ended
from ops.revisions.git import changed_files, git
from ops.revisions.snapshot import Snapshot
from ops.sweep.clone import FOLDER, clear, reference_of, run_in_clone
from ops.sweep.settings import FILE, Run

SHOWN = 10
PROGRESS = re.compile(r"\S+  (\d+ of \d+ fits|fold \d+/\d+)  ")  # what a stage tells while it trains

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Work:
    """Where the runs start from, and how many go on at once."""

    project: Path
    base: str
    jobs: int
    tell: Tell


@dataclass(frozen=True)
class Clock:
    """How far the runs have come, and how long the others may take if they are like those that have ended."""

    count: int
    started: float

    def told(self, *, done: int) -> str:
        """Return it in words."""
        took = time.monotonic() - self.started
        left = took / done * (self.count - done)
        return f"{done} of {self.count} after {_seconds(took)}, about {_seconds(left)} left"


def refuse_unseen(project: Path, *, allowed: Path | None) -> None:
    """Refuse what runs would not see: they start from the commit, without changes and without new modules."""
    mine = None if allowed is None else allowed.resolve()
    unseen = [path for path in changed_files(root=project) if (project / path).resolve() != mine]
    if unseen:
        more = f" and {len(unseen) - SHOWN} more" if len(unseen) > SHOWN else ""
        raise LabError(
            f"found {counted(len(unseen), 'file')} that no commit holds ({', '.join(unseen[:SHOWN])}{more}), expected "
            "none: runs start from the commit and would not see them, a new module least of all. Nothing has run. "
            "Cure: `git commit` them, or lay them aside: git stash --include-untracked"
        )


def do(runs: Sequence[Run], work: Work) -> dict[str, str]:
    """Do the runs that have no experiment yet; return why each that failed did."""
    with _locked(work):
        clear(work.project)
        undone = [run for run in runs if not is_done(run, work)]
        if len(undone) < len(runs):
            work.tell(f"{counted(len(runs) - len(undone), 'run')} of {len(runs)} done before.")
        return _all(undone, work)


def is_done(run: Run, work: Work) -> bool:
    """Return whether the base commit has the run's experiment, with these settings and no others."""
    reference = reference_of(run.name, base=work.base)
    if git("rev-parse", "--verify", "--quiet", reference, root=work.project, check=False).returncode:
        return False
    return bool(Snapshot(run.name, reference, work.project).yaml(FILE) == run.params)


def _all(runs: Sequence[Run], work: Work) -> dict[str, str]:
    commands, clock, failed = Commands(), Clock(len(runs), time.monotonic()), dict[str, str]()
    with ThreadPoolExecutor(work.jobs) as pool:
        at_work = {pool.submit(_one, run, work, commands): run for run in runs}
        try:
            while at_work:
                for ended in first_ended(at_work):
                    run = at_work.pop(ended)
                    if reason := _reason(ended):
                        failed[run.name] = reason
                    word = f"failed: {reason}" if reason else "done"
                    work.tell(f"{run.name} {word} ({clock.told(done=len(runs) - len(at_work))})")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            commands.stop()
            raise
    return failed


def _one(run: Run, work: Work, commands: Commands) -> None:
    work.tell(f"{run.name} started: {' '.join(run.overrides)}")
    log = work.project / FOLDER / f"{run.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as stream:
        try:
            run_in_clone(
                run,
                base=work.base,
                project=work.project,
                commands=commands,
                hear=lambda line: print(line, file=stream, flush=True),
            )
        except CommandFailedError as error:
            raise LabError(reason_in(log.read_text(encoding="utf-8")) or str(error)) from error
    if not is_done(run, work):
        raise LabError(f"DVC ended well, but made no experiment of that name with these settings; see {log}")


def reason_in(log: str) -> str:
    r"""Return why a run failed: the first line of what its stage said when it gave up, or else what DVC said.

    >>> reason_in("> python -m stages.train forest\nforest  fold 1/4  roc_auc 0.8\nfolds is 0. Cure: 2\nERROR: failed")
    'folds is 0. Cure: 2'
    """
    said = [line.strip() for line in log.splitlines() if line.strip() and not PROGRESS.match(line)]
    end = next((at for at, line in enumerate(said) if line.startswith("ERROR:")), len(said))
    start = 1 + max((at for at, line in enumerate(said[:end]) if line.startswith("> ")), default=-1)
    message = said[start:end] or said[end : end + 1]
    if any(line.startswith("Traceback ") for line in message):
        return message[-1]
    return " ".join(message[: 2 if message[0].endswith(":") else 1]) if message else ""


def _reason(ended: Future[None]) -> str:
    error = ended.exception()
    if error is None:
        return ""
    if not isinstance(error, LabError | OSError):
        raise error
    return str(error)


def _locked(work: Work) -> TextIO:
    """Return the lock of the project's sweeps; wait for another sweep to end."""
    path = work.project / FOLDER / "lock"
    try:
        return take_lock(path)
    except BlockingIOError:
        work.tell("Another sweep runs in this project: waiting until it ends.")
        return take_lock(path, wait=math.inf)


def _seconds(value: float) -> str:
    minutes, seconds = divmod(round(value), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
