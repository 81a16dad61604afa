"""`python -m ops repro --jobs N`: `dvc repro` with independent stages in parallel."""

import os
import signal
import sys
import time
from pathlib import Path

import click

from lab.core.command import INTERRUPTED, RESTORE, leave
from lab.core.errors import ParamsError
from lab.pages.markdown import counted, listed
from ops.dvc.cli import run_here
from ops.dvc.torn_files import check_files_of_dvc
from ops.repro.summary import summary

MOST = 4  # more gain nothing on this DAG, and each keeps its rows in memory
FAILED = 255  # DVC's own code


@click.command()
@click.option(
    "--jobs", default="auto", show_default=True, metavar="N", help="1 to 4 stages at once, or auto: by cores."
)
@click.option("--force", is_flag=True, help="Also run stages that have not changed.")
@click.option("--plain", is_flag=True, help="Run `dvc repro` itself: one stage at a time, each in a new interpreter.")
@click.argument("targets", nargs=-1)
def repro(*, jobs: str, force: bool, plain: bool, targets: tuple[str, ...]) -> None:
    r"""Run the DAG like `dvc repro`, with independent stages in parallel.

    The results and dvc.lock are byte-identical to those of `dvc repro`. Each line that a stage writes starts with its
    name. If a stage fails, stages that do not read from it still run, and its last lines are repeated at the end.

    On Linux, stages are forks of one interpreter, which imports their libraries once. Memory and CPU seconds of each
    stage that DVC runs are in .dvc/tmp/stage_costs.jsonl.

    DVC alone does not see an incomplete dvc.lock, which a kill or a full disk leaves. This command refuses it with the
    cure, and writes dvc.lock atomically.

    \b
    Everything that has changed:
      python -m ops repro
    At most two at once, and only what this stage needs:
      python -m ops repro --jobs 2 evaluate
    To rule out that forks or parallel stages are the cause of a problem:
      python -m ops repro --plain

    Exit 0 when all is up to date, 255 when a stage failed (as `dvc repro`), 2 on a usage error, 130 after Ctrl-C: the
    same command continues, and `python -m ops restore` brings back the last good outputs.
    """
    count = jobs_of(jobs, cores=cores())
    check_files_of_dvc(Path(), say=_print)
    if plain:
        raise SystemExit(run_here("repro", *(["--force"] if force else []), *targets))
    raise SystemExit(_side_by_side(targets, jobs=count, force=force))


def jobs_of(jobs: str, *, cores: int) -> int:
    """Return how many stages run at once.

    >>> jobs_of("auto", cores=1), jobs_of("auto", cores=2), jobs_of("auto", cores=64), jobs_of("3", cores=1)
    (1, 2, 4, 3)
    """
    if jobs == "auto":
        return max(1, min(MOST, cores))
    if not jobs.isdecimal() or not 1 <= int(jobs) <= MOST:
        raise ParamsError(f"--jobs {jobs}: expected a number from 1 to {MOST}, or auto. Cure: --jobs 2")
    return int(jobs)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _side_by_side(targets: tuple[str, ...], *, jobs: int, force: bool) -> int:
    from ops.repro.reproduce import reproduce  # noqa: PLC0415 - DVC: a quarter of a second

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    started = time.monotonic()
    try:
        outcome = reproduce(Path(), targets, jobs=jobs, force=force, say=_print)
    except KeyboardInterrupt:
        leave(f"Interrupted: run the same again to go on; {RESTORE}.", code=INTERRUPTED)
    for name, reason in outcome.failed.items():
        _print(f"\n{name} failed: {reason}")
    if outcome.skipped:
        _print(f"\nNot run, because they read from it: {listed(outcome.skipped)}")
    if outcome.failed:
        _print(f"{RESTORE}.")
    if outcome.ran:
        _print(f"Ran {counted(len(outcome.ran), 'stage')} in {time.monotonic() - started:.0f} s.")
        click.echo("Use `dvc push` to send your updates to remote storage.")
    elif not outcome.failed:
        click.echo("Data and pipelines are up to date.")
    for line in [] if outcome.failed or targets else summary(Path()):
        click.echo(line)
    return FAILED if outcome.failed else 0


def _print(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
