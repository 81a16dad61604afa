"""The steps of `dvc repro`, one by one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dvc.stage.run as stage_run
from dvc.repo import lock_repo
from dvc.repo.reproduce import _reproduce_stage, collect_stages, get_active_graph, plan_repro

from ops.dvc.atomic_files import atomic_files
from ops.dvc.lock_entries import replaced_entries
from ops.dvc.repository import open_repository


@dataclass(frozen=True)
class Plan:
    """The stages to reproduce in order, by address, and what each reads from."""

    stages: Mapping[str, Any]
    upstream: Mapping[str, tuple[Any, ...]]


@contextmanager
def locked_repository(root: Path) -> Iterator[Any]:
    """Yield a repository whose lock is held; dvc.lock is written atomically, and quickly."""
    opened = open_repository(root, wait_for_lock=True)
    with atomic_files(), replaced_entries(), opened as repository, lock_repo(repository), repository.scm_context():
        yield repository


def take_lock(repository: Any) -> None:
    """Take the lock of a repository."""
    repository.lock.lock()


def release_lock(repository: Any) -> None:
    """Release the lock, and forget what was read: others may change DVC's files now."""
    repository._reset()  # noqa: SLF001 - DVC does so before it runs a command
    repository.lock.unlock()


def plan_of(repository: Any, targets: Sequence[str]) -> Plan:
    """Return the plan of `dvc repro` for targets; for all of dvc.yaml where there are none."""
    graph = get_active_graph(repository.index.graph)
    steps = plan_repro(graph, collect_stages(repository, targets or ["dvc.yaml"]))
    return Plan(
        {stage.addressing: stage for stage in steps},
        {stage.addressing: tuple(graph.successors(stage)) for stage in steps},
    )


def reproduce_stage(stage: Any, *, upstream: Sequence[Any], force: bool) -> bool:
    """Reproduce one stage if it has changed; return whether it ran."""
    return bool(_reproduce_stage(stage, upstream=list(upstream), force=force, interactive=False))


@dataclass(frozen=True)
class Commands:
    """The commands of a stage as written, each as the process that DVC starts for it, and where they run."""

    lines: tuple[str, ...]
    processes: tuple[tuple[str, ...], ...]
    folder: Path
    environment: Mapping[str, str]


def commands_of(stage: Any, *, run_env: Mapping[str, str] | None) -> Commands:
    """Return the commands of a stage."""
    settings = stage_run.prepare_kwargs(stage, run_env=run_env)
    lines = stage.cmd if isinstance(stage.cmd, list) else stage.cmd.splitlines()
    shell = stage_run.get_executable()
    processes = [stage_run._make_cmd(shell, line) for line in lines]  # noqa: SLF001 - the shell as DVC starts it
    return Commands(tuple(lines), tuple(map(tuple, processes)), Path(settings["cwd"]), settings["env"])


@contextmanager
def commands_run_by(runner: Callable[..., None]) -> Iterator[None]:
    """Give each stage's commands to the runner, where DVC itself would release its lock and run them."""
    former = stage_run.unlocked_repo
    stage_run.unlocked_repo = lambda _: runner
    try:
        yield
    finally:
        stage_run.unlocked_repo = former
