"""`python -m ops rollback`: bring an older champion back, to the byte."""

from pathlib import Path

import click

from lab.core.command import FAILED, leave
from lab.core.result_files import json_bytes
from ops.registry.lock import LostError
from ops.registry.outcome import document_of, told
from ops.registry.returning import roll_back


@click.command()
@click.option("--to", metavar="VERSION", help="2, v2.0.0 or churn@v2.0.0.  [the one whose place the champion took]")
@click.option("--because", required=True, metavar="TEXT", help="Why; it stays in champion.yaml and in the commit.")
@click.option("--stage", default="production", show_default=True, help="The stage of .gto that moves back.")
@click.option("--propose", is_flag=True, help="Commit alone, and make no tag: for a branch and a pull request.")
@click.option("--push/--no-push", default=None, help="Push commit and tag, too; or not even objects.  [objects only]")
@click.option("--refit", is_flag=True, help="Where it comes out as another model now, take that one here.")
@click.option("--dry-run", is_flag=True, help="Change nothing; tell what every guard says.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def rollback(
    *,
    to: str | None,
    because: str,
    stage: str,
    propose: bool,
    refit: bool,
    push: bool | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    r"""Bring an older champion back, by a new commit and a new stage tag; nothing is deleted and no history rewritten.

    The specification of that version returns to champion.yaml and is derived again, so neither the cache nor the
    remote needs to have it. What comes out must be the same bytes as at its tag; where it is not, because data or code
    moved on, everything is put back. --refit accepts it: the stage moves back to the version's own bytes, which its
    tag names, and here its specification is fitted anew on the rows of its time. The next promotion takes a new
    number: a version is never another model.

    \b
    Alone on main:
      python -m ops rollback --because "complaints from the north" --push
    By a pull request, and after its merge:
      python -m ops rollback --to 1 --because "complaints from the north" --propose && git push
      python -m ops promote --register --push

    Exit 0 when done, 1 when a guard said no or somebody else was first, 2 on a mistake or when what came out is not
    that version.
    """
    try:
        done = roll_back(
            Path(),
            because=because,
            to=to,
            stage=stage,
            push=push,
            propose=propose,
            refit=refit,
            dry_run=dry_run,
        )
    except LostError as error:
        leave(str(error), code=FAILED)
    click.echo(json_bytes(document_of(done)).decode().rstrip() if as_json else told(done, dry_run=dry_run))
    raise SystemExit(0 if done.allowed else 1)
