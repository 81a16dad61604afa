"""`python -m ops sweep`: run many settings as DVC experiments, and compare them."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path

import click

from lab.core.command import INTERRUPTED, leave
from lab.core.errors import ParamsError
from lab.core.result_files import json_bytes
from lab.core.yaml_files import read_yaml
from lab.pages.markdown import counted
from ops.repro.command import cores
from ops.revisions.git import commit_of
from ops.sweep.settings import FILE, HELP, Run, Settings, drawn, grid, listed_in, runs_of
from ops.sweep.work import Work, is_done, refuse_unseen, run_all

MOST = 16
MEMORY = 1 << 30  # bytes of a run at its peak, with room (benchmarks/README.md)


@click.command()
@click.option("-S", "--set-param", "words", multiple=True, metavar="NAME=VALUE,VALUE", help="As `dvc exp run -S`.")
@click.option("--file", type=click.Path(path_type=Path), help="A YAML list of runs: - {seed: 1, task: churn}")
@click.option("--random", "count", type=int, metavar="N", help="Run N random combinations.")
@click.option("--seed", type=int, default=0, show_default=True, help="Random seed of --random.")
@click.option("--jobs", type=int, help=f"Runs at once, 1 to {MOST}.  [default: by cores and memory, at most 4]")
@click.option("--dry-run", is_flag=True, help="List the runs and stop.")
@click.option("--reveal", is_flag=True, help="Show scores and gates of the test window, too.")
@click.option("--json", "as_json", is_flag=True, help="Print the table as JSON.")
def sweep(
    *,
    words: tuple[str, ...],
    file: Path | None,
    count: int | None,
    seed: int,
    jobs: int | None,
    dry_run: bool,
    reveal: bool,
    as_json: bool,
) -> None:
    r"""Run many settings: every combination, random ones, or those in a file.

    Each becomes a DVC experiment on this commit, named after its settings, for `dvc exp show`, `dvc exp apply NAME` and
    `python -m ops compare HEAD NAME`. Existing experiments are skipped, so the same command resumes a stopped sweep. A
    failed run does not stop the others. At the end, the table of `python -m ops experiments` shows these runs.

    \b
    List all combinations of two lists:
      python -m ops sweep -S seed=1,2,3 -S train.folds=4,5 --dry-run
    Ten random learning rates on a log scale:
      python -m ops sweep --random 10 \
        -S 'train.candidates.boosting.settings.learning_rate=tag(log,interval(0.01,0.3))'
    A new candidate (+ adds a setting that params.yaml does not have):
      python -m ops sweep -S '+train.candidates.new={estimator: dummy},{estimator: naive_bayes}'

    Exit 0 when every run succeeded, 1 when one failed (see the table), 2 on a mistake, 130 after Ctrl-C.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    root, base = Path.cwd(), commit_of("HEAD")
    refuse_unseen(root, allowed=file)
    runs = _runs(words, file, count, seed, base=base, root=root)
    work = Work(root, base, _jobs(jobs), _log)
    if dry_run:
        click.echo("\n".join(_listed(run, work) for run in runs))
        return
    try:
        failed = run_all(runs, work)
    except KeyboardInterrupt:
        leave("Interrupted: finished runs are kept. The same command resumes.", code=INTERRUPTED)
    _print(runs, failed, base=base, root=root, reveal=reveal, as_json=as_json)
    raise SystemExit(1 if failed else 0)


def jobs_of(*, cores: int, memory: int) -> int:
    """Return the default of --jobs: one per core, limited by memory, at most four.

    >>> jobs_of(cores=2, memory=8 << 30), jobs_of(cores=64, memory=2 << 30), jobs_of(cores=64, memory=64 << 30)
    (2, 2, 4)
    """
    return max(1, min(cores, memory // MEMORY, 4))


def _runs(
    words: tuple[str, ...], file: Path | None, count: int | None, seed: int, *, base: str, root: Path
) -> list[Run]:
    if bool(words) == bool(file) or (count is not None and not words):
        raise ParamsError(f"expected -S (once or more, perhaps with --random N), or --file. {HELP}")
    if count is not None and count < 1:
        raise ParamsError(f"--random {count}: expected 1 or more.")
    every: list[Settings] = listed_in(file) if file else drawn(words, count=count, seed=seed) if count else grid(words)
    here = read_yaml(root / FILE, cure=HELP)
    runs = [run for run in runs_of(every, base=base, root=root) if run.params != here]
    if not runs:
        raise ParamsError(f"found no setting that differs from {FILE}, expected one at least. {HELP}")
    return runs


def _jobs(asked: int | None) -> int:
    if asked is None:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return jobs_of(cores=cores(), memory=memory)
    if not 1 <= asked <= MOST:
        raise ParamsError(f"--jobs {asked}: expected a number from 1 to {MOST}. Cure: --jobs 2")
    return asked


def _listed(run: Run, work: Work) -> str:
    return f"{run.name}: {' '.join(run.overrides)}{' (already done)' if is_done(run, work) else ''}"


def _print(runs: list[Run], failed: dict[str, str], *, base: str, root: Path, reveal: bool, as_json: bool) -> None:
    # Imported late: slow, and not needed to list or refuse runs.
    from ops.experiments import listed, to_text  # noqa: PLC0415
    from ops.revisions.looks import count_looks, in_words  # noqa: PLC0415

    by, lines = listed(base[:12], reveal=reveal, names={run.name for run in runs}, root=root)
    if as_json:
        settings = {run.name: dict(run.settings) for run in runs}
        found = [{**asdict(line), "settings": settings[line.name]} for line in lines[1:]]
        document = {"base": asdict(lines[0]), "failed": failed, "metric": by, "runs": found}
        click.echo(json_bytes(document).decode().rstrip())
    else:
        looks = in_words(count_looks(base, root=root)) if reveal else []
        click.echo("\n".join([to_text(lines, by), *looks]))
        why = {
            run.name: f"  {run.name} ({' '.join(run.overrides)}): {failed[run.name]}"
            for run in runs
            if run.name in failed
        }
        click.echo("\n".join(["", "Failed:", *why.values()]) if why else "", nl=bool(why))
    _log(f"{counted(len(runs), 'run')}, {len(failed)} failed.")


def _log(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
