"""`python -m ops promote`: make the challenger the champion, and register it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from lab.core.command import FAILED, leave
from lab.core.errors import ParamsError
from lab.core.result_files import json_bytes
from ops.registry.lock import LostError
from ops.registry.outcome import Change, Registration, document_of, to_text
from ops.registry.registering import register
from ops.registry.task import task_of

CI = "CI"  # set by GitHub Actions, GitLab CI and others


def reasons_by_gate(_: click.Context, __: click.Parameter, overrule: Sequence[str]) -> dict[str, str]:
    """Return the reason for each overruled gate; CI is refused, because a reason is a person's."""
    if overrule and os.environ.get(CI, "false").lower() not in {"", "0", "false"}:
        raise ParamsError(
            f"found --overrule with {CI} set, expected a person to overrule a gate. "
            "Cure: run python -m ops promote --propose --overrule in your own clone, and open a pull request."
        )
    found: dict[str, str] = {}
    for words in overrule:
        gate, reason = (part.strip() for part in words.partition("=")[::2])
        if not gate or not reason or gate in found:
            raise ParamsError(
                f"--overrule {words!r}: expected GATE=REASON, once for each gate, with a reason in words."
            )
        found[gate] = " ".join(reason.split())
    return found


@click.command()
@click.argument("task", required=False)
@click.option("--propose", "only_propose", is_flag=True, help="Commit the new champion without a tag, on a branch.")
@click.option("--register", "only_register", is_flag=True, help="Tag the champion of HEAD; change no file.")
@click.option("--stage", default="production", show_default=True, help="The stage in .gto that gets the version.")
@click.option("--force", metavar="REASON", help="Promote although the gain is too small; the reason is recorded.")
@click.option(
    "--overrule",
    multiple=True,
    callback=reasons_by_gate,
    metavar="GATE=REASON",
    help="Promote although this gate did not pass; the reason is recorded. For a person, never in CI.",
)
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
    push: bool | None,
    dry_run: bool,
    as_json: bool,
    **chosen: Any,
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
    significant gain of at least params.yaml: promote, and another model than the champion. --force overrules the gain,
    --overrule a gate that failed or is within noise; champion.yaml and the model card keep the reason. Commit and tags
    are pushed atomically: of two promotions at once, one fails and changes nothing.
    After a kill, the same command goes on, or puts back what was half done and starts again.

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

            options = {"task": task, "push": push, "dry_run": dry_run, **chosen}
            done = (
                promoting.propose(root, **options) if only_propose else promoting.promote(root, stage=stage, **options)
            )
    except LostError as error:
        leave(str(error), code=FAILED)
    click.echo(json_bytes(document_of(done)).decode().rstrip() if as_json else to_text(done, dry_run=dry_run))
    raise SystemExit(0 if done.allowed else 1)
