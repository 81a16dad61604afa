"""`python -m ops promote`: make the challenger the champion, and register it."""

from pathlib import Path

import click

from lab.core.command import FAILED, leave
from lab.core.errors import ParamsError
from lab.core.result_files import json_bytes
from ops.registry.lock import LostError
from ops.registry.outcome import Change, Registration, document_of, to_text
from ops.registry.registering import register
from ops.registry.task import task_of


@click.command()
@click.argument("task", required=False)
@click.option("--propose", "only_propose", is_flag=True, help="Commit the new champion without a tag, on a branch.")
@click.option("--register", "only_register", is_flag=True, help="Tag the champion of HEAD; change no file.")
@click.option("--stage", default="production", show_default=True, help="The stage in .gto that gets the version.")
@click.option("--force", metavar="REASON", help="Promote although the gain is too small; the reason is recorded.")
@click.option(
    "--push/--no-push", default=None, help="Push commit and tags too, or nothing at all.  [default: objects only]"
)
@click.option("--dry-run", is_flag=True, help="Change nothing; print what each guard finds.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def promote(
    *,
    task: str | None,
    only_propose: bool,
    only_register: bool,
    stage: str,
    force: str | None,
    push: bool | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    r"""Make the challenger the champion (--propose), and tag it as a version in a stage (--register).

    Git is the registry: champion.yaml has the champion's specification, from which `dvc repro` derives the same bytes.
    GTO's tags have its versions (churn@v2.0.0) and the version of each stage (churn#production#3).

    \b
    --propose   check the guards, write champion.yaml, derive the champion, compare it byte for byte with the judged
                challenger, push the objects, and commit
    --register  once that commit is on the shared branch: tag the version and its stage
    neither     both in one step, on the shared branch (with --push)

    Nothing changes unless every guard passes: a clean tree, a fresh dvc.lock, every object on the remote, all gates, a
    significant gain of at least params.yaml: promote, and another model than the champion. --force overrules the gain
    only. Commit and tags are pushed atomically: of two promotions at once, one fails and changes nothing.

    \b
    In a pull request, and after its merge:
      python -m ops promote --propose && git push
      python -m ops promote --register --push
    Directly on main:
      python -m ops promote --push
    Check what would happen:
      python -m ops promote --dry-run

    Exit 0 when done or already registered, 1 when a guard refuses or another promotion came first, 2 on a mistake or a
    failed run.
    """
    if only_propose and only_register:
        raise ParamsError("found both --propose and --register, expected one of them, or neither for both in one step.")
    root = Path()
    try:
        if only_register:
            done: Change | Registration = register(
                root, task=task_of(root, task), stage=stage, push=push, dry_run=dry_run
            )
        else:
            from ops.registry import promoting  # noqa: PLC0415 - its statistics take longer than a registration

            if only_propose:
                done = promoting.propose(root, task=task, force=force, push=push, dry_run=dry_run)
            else:
                done = promoting.promote(root, task=task, stage=stage, force=force, push=push, dry_run=dry_run)
    except LostError as error:
        leave(str(error), code=FAILED)
    click.echo(json_bytes(document_of(done)).decode().rstrip() if as_json else to_text(done, dry_run=dry_run))
    raise SystemExit(0 if done.allowed else 1)
