"""`python -m ops rollback`: make an older version the champion again."""

from pathlib import Path

import click

from lab.core.command import FAILED, leave
from lab.core.result_files import json_bytes
from ops.registry.lock import LostError
from ops.registry.outcome import document_of, to_text
from ops.registry.rollback import roll_back


@click.command()
@click.option(
    "--to", metavar="VERSION", help="2, v2.0.0 or churn@v2.0.0.  [default: the version that the champion replaced]"
)
@click.option(
    "--because", required=True, metavar="TEXT", help="The reason, recorded in champion.yaml and in the commit."
)
@click.option("--stage", default="production", show_default=True, help="The stage in .gto that goes back.")
@click.option("--propose", is_flag=True, help="Commit without a tag, for a pull request.")
@click.option(
    "--push/--no-push", default=None, help="Push commit and tag too, or nothing at all.  [default: objects only]"
)
@click.option("--refit", is_flag=True, help="Accept a refitted model if the old bytes cannot be derived here.")
@click.option("--dry-run", is_flag=True, help="Change nothing; print what each guard finds.")
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
    r"""Make an older version the champion again, by a new commit and a new stage tag; history is not rewritten.

    The version's specification returns to champion.yaml and is derived again, so neither cache nor remote needs the
    model. The result must have the same bytes as at its tag; if data or code changed since, it differs, and everything
    is restored. With --refit the stage goes back to the tagged bytes, and the specification is refitted here on the
    rows of its time. The next promotion takes a new number.

    \b
    Directly on main:
      python -m ops rollback --because "complaints from the north" --push
    By a pull request, and after its merge:
      python -m ops rollback --to 1 --because "complaints from the north" --propose && git push
      python -m ops promote --register --push

    Exit 0 when done, 1 when a guard refuses or another change came first, 2 on a mistake or when the result differs.
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
    click.echo(json_bytes(document_of(done)).decode().rstrip() if as_json else to_text(done, dry_run=dry_run))
    raise SystemExit(0 if done.allowed else 1)
