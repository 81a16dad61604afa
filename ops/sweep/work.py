"""Run the experiments of a sweep in parallel, and resume an earlier sweep."""

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
PROGRESS = re.compile(r"\S+  (\d+ of \d+ fits|fold \d+/\d+)  ")  # the progress of a training

Log = Callable[[str], None]


@dataclass(frozen=True)
class Work:
    """The project, the base commit of the runs, and how many run at once."""

    project: Path
    base: str
    jobs: int
    log: Log


@dataclass(frozen=True)
class Clock:
    """The progress of a sweep, and an estimate of the time left."""

    count: int
    started: float

    def to_text(self, *, done: int) -> str:
        """Return the progress as text."""
        took = time.monotonic() - self.started
        left = took / done * (self.count - done)
        return f"{done} of {self.count} after {_seconds(took)}, about {_seconds(left)} left"


def refuse_unseen(project: Path, *, allowed: Path | None) -> None:
    """Refuse uncommitted files, which runs would not see."""
    mine = None if allowed is None else allowed.resolve()
    unseen = [path for path in changed_files(root=project) if (project / path).resolve() != mine]
    if unseen:
        more = f" and {len(unseen) - SHOWN} more" if len(unseen) > SHOWN else ""
        raise LabError(
            f"found {counted(len(unseen), 'file')} not committed ({', '.join(unseen[:SHOWN])}{more}), expected "
            "none, because runs start from the commit. Nothing has run. "
            "Cure: `git commit` them, or git stash --include-untracked"
        )


def run_all(runs: Sequence[Run], work: Work) -> dict[str, str]:
    """Run those that have no experiment yet; return the reason of each failure."""
    with _locked(work):
        clear(work.project)
        undone = [run for run in runs if not is_done(run, work)]
        if len(undone) < len(runs):
            work.log(f"{counted(len(runs) - len(undone), 'run')} of {len(runs)} already done.")
        return _all(undone, work)


def is_done(run: Run, work: Work) -> bool:
    """Return whether the base commit has the run's experiment with exactly these settings."""
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
                    work.log(f"{run.name} {word} ({clock.to_text(done=len(runs) - len(at_work))})")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            commands.stop()
            raise
    return failed


def _one(run: Run, work: Work, commands: Commands) -> None:
    work.log(f"{run.name} started: {' '.join(run.overrides)}")
    log = work.project / FOLDER / f"{run.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as stream:
        try:
            run_in_clone(
                run,
                base=work.base,
                project=work.project,
                commands=commands,
                on_line=lambda line: print(line, file=stream, flush=True),
            )
        except CommandFailedError as error:
            raise LabError(reason_in(log.read_text(encoding="utf-8")) or str(error)) from error
    if not is_done(run, work):
        raise LabError(f"DVC made no experiment of that name with these settings; see {log}")


def reason_in(log: str) -> str:
    r"""Return why a run failed: the first line of its stage's message, or else DVC's.

    >>> reason_in("> python -m stages.train forest\nforest  fold 1/4  roc_auc 0.8\nfolds is 0. Cure: 2\nERROR: failed")
    'folds is 0. Cure: 2'
    """
    lines = [line.strip() for line in log.splitlines() if line.strip() and not PROGRESS.match(line)]
    end = next((at for at, line in enumerate(lines) if line.startswith("ERROR:")), len(lines))
    start = 1 + max((at for at, line in enumerate(lines[:end]) if line.startswith("> ")), default=-1)
    message = lines[start:end] or lines[end : end + 1]
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
        work.log("Another sweep runs in this project: waiting until it ends.")
        return take_lock(path, wait=math.inf)


def _seconds(value: float) -> str:
    minutes, seconds = divmod(round(value), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
