"""Reproduce stages in parallel within one DVC."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.core.atomic_outputs import replaced_file
from lab.core.errors import LabError
from ops.dvc import reproduction
from ops.dvc.errors import DvcError
from ops.repro.commands import CommandFailedError, Commands
from ops.repro.lock_order import restore_order, stage_names
from ops.repro.schedule import Schedule
from ops.repro.waiting import first_ended

NOTE = Path(".dvc/tmp/repro.json")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """The result of a run; `failed` has the reason for each stage, with its last lines."""

    ran: tuple[str, ...]
    failed: Mapping[str, str]
    skipped: tuple[str, ...]


@dataclass
class RepositoryLock:
    """The lock of the repository: one thread of this process at a time, and no other DVC, changes what DVC keeps.

    The thread that creates it holds it.
    """

    repository: Any
    _thread: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._thread.acquire()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock for a step of DVC."""
        with self._thread:
            reproduction.take_lock(self.repository)
            try:
                yield
            finally:
                self._release()

    @contextmanager
    def released(self) -> Iterator[None]:
        """Release the lock while a command runs; the caller holds it before and after."""
        self._release()
        self._thread.release()
        try:
            yield
        finally:
            self._thread.acquire()
            reproduction.take_lock(self.repository)

    def _release(self) -> None:
        reproduction.release_lock(self.repository)


@dataclass
class Run:
    """One run: DVC's stages by name, and what has happened to them."""

    stages: Mapping[str, Any]
    upstream: Mapping[str, tuple[Any, ...]]
    lock: RepositoryLock
    commands: Commands
    say: Say
    force: bool
    ran: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)

    def reproduce(self, name: str) -> None:
        """Let DVC reproduce one stage if it has changed."""
        stage = self.stages[name]
        with self.lock.held():
            if reproduction.reproduce_stage(stage, upstream=self.upstream[name], force=self.force):
                self.ran.add(name)

    def run_command(self, stage: Any, *, run_env: Mapping[str, str] | None = None, **_: object) -> None:
        """Run a stage's commands as DVC would, without the lock."""
        commands, started = reproduction.commands_of(stage, run_env=run_env), time.monotonic()
        for line, process in zip(commands.lines, commands.processes, strict=True):
            self.say(f"{stage.addressing} > {line}")
            with self.lock.released():
                self.commands.run_stage(
                    process,
                    folder=commands.folder,
                    environment=commands.environment,
                    on_line=lambda said: self.say(f"{stage.addressing} | {said}"),
                )
        self.say(f"{stage.addressing} took {time.monotonic() - started:.1f} s")


def reproduce(root: Path, targets: Sequence[str], *, jobs: int, force: bool, say: Say) -> Outcome:
    """Bring stages up to date, `jobs` in parallel; results and dvc.lock are those of `dvc repro`."""
    with _refusals(), reproduction.locked_repository(root) as repository:
        plan = reproduction.plan_of(repository, targets)
        run = Run(plan.stages, plan.upstream, RepositoryLock(repository), Commands(), say, force)
        steps = list(plan.stages.values())
        with (
            _in_plain_order(steps),
            reproduction.commands_run_by(run.run_command),
            closing(run.commands),
            run.lock.released(),
        ):
            skipped = _work(run, jobs=jobs)
    return Outcome(tuple(name for name in run.stages if name in run.ran), run.failed, tuple(skipped))


def _work(run: Run, *, jobs: int) -> list[str]:
    """Run every stage that can run; return those that could not."""
    names = {name: frozenset(stage.addressing for stage in stages) for name, stages in run.upstream.items()}
    schedule = Schedule(tuple(run.stages), names)
    running: dict[Future[None], str] = {}
    with ThreadPoolExecutor(jobs) as pool:
        try:
            while (started := schedule.start(jobs)) or running:
                running |= {pool.submit(run.reproduce, name): name for name in started}
                for ended in first_ended(running):
                    name = running.pop(ended)
                    schedule.end(name, well=_succeeded(run, name, ended))
        except BaseException:
            run.commands.stop()
            raise
    return schedule.skipped


def _succeeded(run: Run, name: str, ended: Future[None]) -> bool:
    error = ended.exception()
    if error is None:
        return True
    if not isinstance(error, CommandFailedError | DvcError | OSError | LabError):
        raise error
    run.failed[name] = "\n".join([str(error), *getattr(error, "lines", ())])
    run.say(f"{name} failed: {error}")
    return False


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn an error of DVC into one of ours."""
    try:
        yield
    except DvcError as error:
        raise LabError(f"DVC refused: {error}") from error


@contextmanager
def _in_plain_order(steps: Sequence[Any]) -> Iterator[None]:
    """Put stages that are new to a dvc.lock into the order of the plan, however the block ends.

    A note keeps the order before, so that the run after a kill or an interrupt knows which stages were new.
    """
    plans: dict[Path, list[str]] = {}
    for stage in steps:
        if stage.path.endswith(".yaml"):
            plans.setdefault(Path(stage.path).with_suffix(".lock"), []).append(stage.name)
    now = {str(path): stage_names(path.read_text(encoding="utf-8")) if path.is_file() else [] for path in plans}
    before = now | (json.loads(NOTE.read_bytes()) if NOTE.is_file() else {})
    with replaced_file(NOTE) as partial:
        partial.write_text(json.dumps(before))
    try:
        yield
    finally:
        for path, plan in plans.items():
            restore_order(path, before=before[str(path)], plan=plan)
    NOTE.unlink()
