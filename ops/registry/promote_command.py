"""`python -m ops promote`: put the challenger in the champion's place, and register it."""

from pathlib import Path

import click

from lab.core.command import FAILED, leave
from lab.core.errors import ParamsError
from lab.core.result_files import json_bytes
from ops.registry.lock import LostError
from ops.registry.outcome import Change, Registration, document_of, told
from ops.registry.registering import register
from ops.registry.task import task_of


@click.command()
@click.argument("task", required=False)
@click.option("--propose", "only_propose", is_flag=True, help="Commit the new champion, and make no tag: for a branch.")
@click.option("--register", "only_register", is_flag=True, help="Tag the champion of HEAD, and change no file.")
@click.option(
    "--stage", default="production", show_default=True, help="The stage of .gto that the version is put into."
)
@click.option("--force", metavar="REASON", help="Promote though it is not better by enough; the reason is recorded.")
@click.option("--push/--no-push", default=None, help="Push commit and tags, too; or not even objects.  [objects only]")
@click.option("--dry-run", is_flag=True, help="Change nothing; tell what every guard says.")
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
    r"""Put the challenger in the champion's place (--propose), and tag it as a version in a stage (--register).

    Git is the registry: champion.yaml holds the champion's specification, from which `dvc repro` derives the same
    bytes; GTO's tags hold its versions (churn@v2.0.0) and which of them is in a stage (churn#production#3).

    \b
    --propose   asks the guards, writes champion.yaml, derives the champion and what follows from it, compares it with
                the challenger that was judged, byte for byte, pushes the objects and commits
    --register  once that is on the shared branch: tags the version and puts it into a stage
    neither     both at once, on the shared branch itself (with --push)

    Nothing changes unless every guard says yes: the tree is clean, dvc.lock fresh, every object on the remote, all
    gates passed, the challenger better by enough and by more than chance (params.yaml: promote), and not the champion
    already. --force overrules the rule of gain alone. Two at once cannot both win: the push of commit and tags is
    taken whole or not at all, and whoever loses is left as before.

    \b
    In a pull request, and after its merge:
      python -m ops promote --propose && git push
      python -m ops promote --register --push
    Alone on main:
      python -m ops promote --push
    What would happen:
      python -m ops promote --dry-run

    Exit 0 when done (or nothing was left to register), 1 when a guard said no or somebody else was first, 2 on a
    mistake or when what had to run failed.
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
    click.echo(json_bytes(document_of(done)).decode().rstrip() if as_json else told(done, dry_run=dry_run))
    raise SystemExit(0 if done.allowed else 1)
