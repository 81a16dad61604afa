"""Reproduce stages side by side within one DVC: its own steps one at a time, the stages' commands beside each other."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.core.errors import LabError
from ops.dvc import reproduction
from ops.dvc.errors import DvcError
from ops.repro.commands import CommandFailedError, Commands
from ops.repro.lock_order import restore_order, stage_names
from ops.repro.schedule import Schedule
from ops.repro.waiting import first_ended

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What a run came to; `failed` says of each stage why, with the last lines that it wrote."""

    ran: tuple[str, ...]
    failed: Mapping[str, str]
    skipped: tuple[str, ...]


@dataclass
class Turn:
    """Whose turn it is: one thread of ours at a time, and no other DVC, touches what DVC keeps.

    It begins as taken, by the thread that holds the repository's lock and makes it.
    """

    repository: Any
    _mine: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._mine.acquire()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold the project for DVC's own steps."""
        with self._mine:
            reproduction.take_lock(self.repository)
            try:
                yield
            finally:
                self._let_go()

    @contextmanager
    def given_away(self) -> Iterator[None]:
        """Let others have their turn while a command runs; who calls this holds the turn, and has it again after."""
        self._let_go()
        self._mine.release()
        try:
            yield
        finally:
            self._mine.acquire()
            reproduction.take_lock(self.repository)

    def _let_go(self) -> None:
        reproduction.release_lock(self.repository)


@dataclass
class Run:
    """One run: DVC's stages by name, and what has become of them."""

    stages: Mapping[str, Any]
    upstream: Mapping[str, tuple[Any, ...]]
    turn: Turn
    commands: Commands
    tell: Tell
    force: bool
    ran: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)

    def reproduce(self, name: str) -> None:
        """Let DVC reproduce one stage, if it has changed."""
        stage = self.stages[name]
        with self.turn.taken():
            if reproduction.reproduce_stage(stage, upstream=self.upstream[name], force=self.force):
                self.ran.add(name)

    def run_command(self, stage: Any, *, run_env: Mapping[str, str] | None = None, **_: object) -> None:
        """Run a stage's commands, as DVC would, while others have their turn."""
        commands = reproduction.commands_of(stage, run_env=run_env)
        for line, process in zip(commands.lines, commands.processes, strict=True):
            self.tell(f"{stage.addressing} > {line}")
            with self.turn.given_away():
                self.commands.run(
                    process,
                    folder=commands.folder,
                    environment=commands.environment,
                    hear=lambda said: self.tell(f"{stage.addressing} | {said}"),
                )


def reproduce(root: Path, targets: Sequence[str], *, jobs: int, force: bool, tell: Tell) -> Outcome:
    """Bring stages up to date, so many side by side; the bytes and the dvc.lock are those of `dvc repro`."""
    with _told(), reproduction.locked_repository(root) as repository:
        plan = reproduction.plan_of(repository, targets)
        run = Run(plan.stages, plan.upstream, Turn(repository), Commands(), tell, force)
        steps = list(plan.stages.values())
        with _in_plain_order(steps), reproduction.commands_run_by(run.run_command), run.turn.given_away():
            skipped = _work(run, jobs=jobs)
    return Outcome(tuple(name for name in run.stages if name in run.ran), run.failed, tuple(skipped))


def _work(run: Run, *, jobs: int) -> list[str]:
    """Run every stage that can run; return those that could not."""
    names = {name: frozenset(stage.addressing for stage in stages) for name, stages in run.upstream.items()}
    schedule = Schedule(tuple(run.stages), names)
    at_work: dict[Future[None], str] = {}
    with ThreadPoolExecutor(jobs) as pool:
        try:
            while (started := schedule.start(jobs)) or at_work:
                at_work |= {pool.submit(run.reproduce, name): name for name in started}
                for ended in first_ended(at_work):
                    name = at_work.pop(ended)
                    schedule.end(name, well=_ended_well(run, name, ended))
        except BaseException:
            run.commands.stop()
            raise
    return schedule.skipped


def _ended_well(run: Run, name: str, ended: Future[None]) -> bool:
    error = ended.exception()
    if error is None:
        return True
    if not isinstance(error, CommandFailedError | DvcError | OSError | LabError):
        raise error
    run.failed[name] = "\n".join([str(error), *getattr(error, "lines", ())])
    run.tell(f"{name} failed: {error}")
    return False


@contextmanager
def _told() -> Iterator[None]:
    """Say DVC's own mistakes as ours."""
    try:
        yield
    except DvcError as error:
        raise LabError(f"DVC refused: {error}") from error


@contextmanager
def _in_plain_order(steps: Sequence[Any]) -> Iterator[None]:
    """Put the stages that are new to a dvc.lock into the order of the plan, however the block ends."""
    plans: dict[Path, list[str]] = {}
    for stage in steps:
        if stage.path.endswith(".yaml"):
            plans.setdefault(Path(stage.path).with_suffix(".lock"), []).append(stage.name)
    before = {path: stage_names(path.read_text(encoding="utf-8")) if path.is_file() else [] for path in plans}
    try:
        yield
    finally:
        for path, plan in plans.items():
            restore_order(path, before=before[path], plan=plan)
