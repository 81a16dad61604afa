"""`python -m ops retrain`: new data in, and where it makes a better model, a proposal out; never a silent promotion."""

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
from ops.retrain.arrivals import arrivals_of
from ops.retrain.decision import Decision, told
from ops.retrain.need import JUDGEMENT
from ops.retrain.options import Wishes
from ops.retrain.request import Request
from ops.retrain.settings import changed_settings
from ops.retrain.steps import retrain as retrained
from ops.revisions.git import changed_files, git, text_of
from ops.revisions.snapshot import Snapshot, snapshot_of


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="New data: a file, or a folder of files, of a task that reads files.",
)
@click.option(
    "--as-of", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="The day on which the newest rows must be fresh."
)
@click.option("-S", "--set-param", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of params.yaml.")
@click.option("--base", default="HEAD", show_default=True, help="From which revision.")
@click.option("--even-so", is_flag=True, help="Retrain where nothing says that it is due, too.")
@click.option(
    "--every",
    "every_days",
    type=click.IntRange(min=1),
    metavar="DAYS",
    help="Retrain, too, when the newest row is so much younger than the reference.",
)
@click.option("--push", is_flag=True, help="Push the proposal, and open its pull request where a token allows it.")
@click.option("--remote", default="origin", show_default=True, help="Where to.")
@click.option("--into", help="The branch that the pull request is to be merged into.  [the one that is checked out]")
@click.option("--dry-run", is_flag=True, help="Check the data and look for drift, and stop before the training.")
@click.option("--json", "as_json", is_flag=True, help="Print the decision as JSON.")
def retrain(
    *,
    data: Path | None,
    as_of: datetime | None,
    settings: tuple[str, ...],
    base: str,
    into: str | None,
    as_json: bool,
    **wished: Any,
) -> None:
    r"""Retrain where it is due, and propose the candidate where it is better than the champion.

    New data is held against its contract, then against the reference of the champion (drift); only then are the
    candidates trained and the best of them held against the champion on the same rows (params.yaml: promote). A better
    one is proposed on a branch of its own, for a review: nothing on the branch that is checked out changes.

    \b
    A new export of a task that reads files:
      python -m ops retrain --data exports/2026-02/ --push
    A task that asks a database, every night:
      python -m ops retrain --as-of 2026-02-01 --every 90 --push
    The synthetic world, drawn anew:
      python -m ops retrain -S seed=7

    All work is done in a private clone below .dvc/tmp. A run that is killed is gone on with by the same command; one on
    the same data and base as before says what it came to, at once.

    \b
    Exit codes:
       0  a proposal is there (or would be trained for, with --dry-run)
       1  the run broke off; the same command goes on from there
       2  a mistake in the command, the settings or the repository
      10  no need: nothing says that a retraining is due
      11  the candidate was rejected: gates, or not better by enough
      12  the data was refused; nothing was trained
      13  another retraining is running in this repository
    """
    root = Path(text_of("rev-parse", "--show-toplevel"))
    snapshot = snapshot_of(base, root=root)
    words = [*settings, *([f"prepare.as_of={as_of:%Y-%m-%d}"] if as_of is not None else [])]
    request = request_of(snapshot, data=data, settings=tuple(words))
    wishes = Wishes(into=into or checked_out(root), **wished)
    if changed := changed_files(root=root):
        say(f"{len(changed)} uncommitted files stay out of it, such as {changed[0]}")
    try:
        decision = retrained(request, wishes, say=say)
    except KeyboardInterrupt:
        leave("Interrupted: what has ended is kept. The same command goes on from there.", code=INTERRUPTED)
    click.echo(json_bytes(document_of(decision)).decode().rstrip() if as_json else told(decision))
    raise SystemExit(decision.code)


def request_of(snapshot: Snapshot, *, data: Path | None, settings: tuple[str, ...]) -> Request:
    """Return what is asked for, as the revision's own task understands it."""
    task = str((snapshot.yaml("params.yaml") or {}).get("task"))
    where = f"the task {task} at {snapshot.name}"
    content = snapshot.task(task)
    if snapshot.commit is None or not content:
        raise ParamsError(f"{where} is missing, expected a committed task. Cure: name a revision that has one: --base")
    if snapshot.read(JUDGEMENT) is None:
        raise ParamsError(
            f"{snapshot.name} has no {JUDGEMENT}, which is run there: it is older than this verb. Cure: a newer --base"
        )
    source = parse(
        {"source": content.get("source")}, kind=SourceSection, where=where, cure="Cure: correct it in a commit."
    ).source
    changed_settings(snapshot.read("params.yaml") or b"", settings)  # so that a slip is told at once
    arrivals = arrivals_of(data, source, task=task)
    return Request(snapshot.root, snapshot.commit, task, isinstance(source, SqlSource), settings, arrivals)


def checked_out(root: Path) -> str:
    """Return the branch that is checked out; main where none is."""
    done = git("symbolic-ref", "--quiet", "--short", "HEAD", root=root, check=False)
    return done.stdout.decode().strip() or "main"


def document_of(decision: Decision) -> dict[str, object]:
    """Return the decision as a machine reads it."""
    return {"code": decision.code, **asdict(decision)}


def say(line: str) -> None:
    """Tell of the progress, apart from the result."""
    click.echo(line if line.startswith(" ") else f"retrain: {line}", err=True)
