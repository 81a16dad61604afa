"""`python -m ops verify`: check that a clone of this commit has everything."""

from functools import partial

import click

from lab.core.command import INTERRUPTED, leave
from lab.core.result_files import json_bytes
from ops.dvc.stages import root_of_pipeline
from ops.dvc.torn_files import MENDED, mend_rwlock
from ops.verify.check import Check, contacted_remote, to_text
from ops.verify.checks import check_all
from ops.verify.state import State


@click.command()
@click.option("--remote", metavar="NAME", help="Check this remote instead of the default one.")
@click.option("--no-remote", is_flag=True, help="Do not contact a remote, for work without a network.")
@click.option("--rebuild", is_flag=True, help="Also run the whole DAG in a temporary clone of HEAD; compare all bytes.")
@click.option("--only-merges", is_flag=True, help="Check only that no merge made an entry of dvc.lock.")
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
def verify(*, remote: str | None, no_remote: bool, rebuild: bool, only_merges: bool, as_json: bool) -> None:
    r"""Check that this commit, pushed, is complete: a clone of it has everything that it names.

    \b
    lock       dvc.lock is up to date: commands, settings, files, results; no stage is missing
    merged     no merge put an entry into dvc.lock that no run wrote
    remote     the remote has every output that DVC keeps, each file in a folder included
    ignored    .gitignore covers every output that DVC keeps, and git has none of them
    deps       every stage declares the rooms that it imports from, and no other
    known      git tracks every module, every file that a stage reads, and every result
    committed  what was checked is what HEAD has

    All checks run, even after a failure. No data is needed: in a fresh clone the lists of files in folders come from
    the cache or the remote. Data in the working tree is compared, too.

    \b
    Before a push (`pre-commit install` makes a hook of it):
      python -m ops verify
    Without a network:
      python -m ops verify --no-remote
    That the code gives these results, from nothing (as long as the DAG takes):
      python -m ops verify --rebuild

    Exit 0 when complete, 1 when not, 2 on a usage error, 130 after Ctrl-C.
    """
    state = State(root_of_pipeline(), remote_name=remote, asks_remote=not no_remote)
    if mend_rwlock(state.root):
        click.echo(MENDED, err=True)
    checks = check_all(state, only=("merged",) if only_merges else ())
    if rebuild:
        from ops.verify.rebuild import everything_is_derived  # noqa: PLC0415 - rarely used

        try:
            checks.append(everything_is_derived(state, say=partial(click.echo, err=True)))
        except KeyboardInterrupt:
            leave("Interrupted: the temporary clone is removed, and nothing else was changed.", code=INTERRUPTED)
    click.echo(json_bytes(document_of(checks)).decode().rstrip() if as_json else to_text(checks))
    raise SystemExit(0 if all(check.passed for check in checks) else 1)


def document_of(checks: list[Check]) -> dict[str, object]:
    """Return the checks as a document for a machine."""
    each = [
        {
            "check": check.name,
            "passed": check.passed,
            "summary": check.summary,
            "found": check.found,
            "cure": check.cure,
        }
        for check in checks
    ]
    passed = all(check.passed for check in checks)
    return {"passed": passed, "remote_contacted": contacted_remote(checks), "checks": each}
