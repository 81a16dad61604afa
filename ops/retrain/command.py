"""`python -m ops retrain`: retrain on new data and propose a better model."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from lab.core.command import INTERRUPTED, leave
from lab.core.errors import ParamsError
from lab.core.params import parse
from lab.core.result_files import json_bytes
from lab.dataset.source import SourceSection, SqlSource
from ops.dvc.stores import check_remote
from ops.retrain.arrivals import arrivals_of
from ops.retrain.decision import Decision, to_text
from ops.retrain.need import JUDGEMENT
from ops.retrain.publishing import check_can_publish
from ops.retrain.request import Options, Request
from ops.retrain.settings import changed_settings
from ops.retrain.steps import retrain as retrained
from ops.revisions.git import changed_files, git, text_of
from ops.revisions.snapshot import Snapshot, snapshot_of


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="New data: a file or a folder of files, for a task that reads files.",
)
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="The date for which the newest rows are checked to be fresh.",
)
@click.option("-S", "--set-param", "settings", multiple=True, metavar="NAME=VALUE", help="Set a value of params.yaml.")
@click.option("--base", default="HEAD", show_default=True, help="The revision to start from.")
@click.option("--even-so", is_flag=True, help="Train even if no rule says that it is due.")
@click.option("--despite-faults", is_flag=True, help="Train even if the newest rows have a data fault.")
@click.option(
    "--every",
    "every_days",
    type=click.IntRange(min=1),
    metavar="DAYS",
    help="Also train when the newest row is DAYS newer than the reference.",
)
@click.option("--push", is_flag=True, help="Push the proposal, and open a pull request if a token is set.")
@click.option("--remote", default="origin", show_default=True, help="The git remote to push to.")
@click.option("--into", help="The base branch of the pull request.  [default: the current branch]")
@click.option("--dry-run", is_flag=True, help="Check the data and drift, then stop before training.")
@click.option("--json", "as_json", is_flag=True, help="Print the decision as JSON.")
def retrain(
    *,
    data: Path | None,
    as_of: datetime | None,
    settings: tuple[str, ...],
    base: str,
    into: str | None,
    as_json: bool,
    **chosen: Any,
) -> None:
    r"""Retrain if it is due, and propose the candidate if it is better than the champion.

    The steps: validate the new data against its contract, check it for drift against the champion's reference, train
    the candidates, and compare the best one with the champion on the same rows (params.yaml: promote). A better one is
    proposed on a new branch for review; the current branch does not change.

    \b
    A new export for a task that reads files:
      python -m ops retrain --data exports/2026-02/ --push
    A task that reads a database, every night:
      python -m ops retrain --as-of 2026-02-01 --every 90 --push
    New synthetic data:
      python -m ops retrain -S seed=7

    All work happens in a private clone below .dvc/tmp. After a kill, the same command resumes. On the same data and
    base as before, the earlier decision is printed at once.

    \b
    Exit codes:
       0  proposed (with --dry-run: a training is due)
       1  the run failed; the same command resumes
       2  a mistake in the command, the settings or the repository
      10  no retraining is due
      11  the candidate is rejected: a gate failed or is within noise, or it is not better by enough
      12  the data is refused, or it has a data fault; nothing is trained
      13  another retraining runs in this repository
    """
    root = Path(text_of("rev-parse", "--show-toplevel"))
    snapshot = snapshot_of(base, root=root)
    check_remote(root)
    words = [*settings, *([f"prepare.as_of={as_of:%Y-%m-%d}"] if as_of is not None else [])]
    request = request_of(snapshot, data=data, settings=tuple(words))
    options = Options(into=into or checked_out(root), **chosen)
    if changed := changed_files(root=root):
        log(f"{len(changed)} uncommitted files are not used, such as {changed[0]}")
    if options.push and not options.dry_run:
        check_can_publish(log=log)
    try:
        decision = retrained(request, options, log=log)
    except KeyboardInterrupt:
        leave("Interrupted: finished steps are kept. The same command resumes.", code=INTERRUPTED)
    click.echo(json_bytes(document_of(decision)).decode().rstrip() if as_json else to_text(decision))
    raise SystemExit(decision.code)


def request_of(snapshot: Snapshot, *, data: Path | None, settings: tuple[str, ...]) -> Request:
    """Return the request, checked against the revision's task."""
    task = str((snapshot.yaml("params.yaml") or {}).get("task"))
    where = f"the task {task} at {snapshot.name}"
    content = snapshot.task(task)
    if snapshot.commit is None or not content:
        raise ParamsError(f"{where} is missing, expected a committed task. Cure: name a revision that has one: --base")
    if snapshot.read(JUDGEMENT) is None:
        raise ParamsError(
            f"{snapshot.name} has no {JUDGEMENT}, because it is older than this verb. Cure: a newer --base"
        )
    source = parse(
        {"source": content.get("source")}, kind=SourceSection, where=where, cure="Cure: correct it in a commit."
    ).source
    changed_settings(snapshot.read("params.yaml") or b"", settings)  # reports a wrong name early
    arrivals = arrivals_of(data, source, task=task)
    return Request(snapshot.root, snapshot.commit, task, isinstance(source, SqlSource), settings, arrivals)


def checked_out(root: Path) -> str:
    """Return the current branch, or main on a detached HEAD."""
    done = git("symbolic-ref", "--quiet", "--short", "HEAD", root=root, check=False)
    return done.stdout.decode().strip() or "main"


def document_of(decision: Decision) -> dict[str, object]:
    """Return the decision as JSON values."""
    return {"code": decision.code, **asdict(decision)}


def log(line: str) -> None:
    """Print progress to standard error."""
    click.echo(line if line.startswith(" ") else f"retrain: {line}", err=True)
