"""`python -m ops verify`: would this commit, pushed, be whole? Asked in about two seconds, with no data pulled."""

from functools import partial

import click

from lab.core.command import INTERRUPTED, leave
from lab.core.result_files import json_bytes
from ops.dvc.stages import root_of_pipeline
from ops.verify.check import Check, told
from ops.verify.checks import check_all
from ops.verify.state import State


@click.command()
@click.option("--remote", metavar="NAME", help="Ask this remote instead of the default one.")
@click.option("--no-remote", is_flag=True, help="Do not ask a remote at all, for work without a network.")
@click.option("--rebuild", is_flag=True, help="Also run the whole DAG in a temporary clone of HEAD; compare all bytes.")
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
def verify(*, remote: str | None, no_remote: bool, rebuild: bool, as_json: bool) -> None:
    r"""Tell whether this commit, pushed, would be whole: whoever clones it has everything that it names.

    \b
    lock       dvc.lock is what `dvc repro` leaves: commands, settings, files, results; no stage is missing
    remote     the remote has every output that DVC keeps, each file in a folder included
    ignored    .gitignore covers every output that DVC keeps, and git keeps none of them
    deps       every stage declares the code that it imports, and no other
    known      git knows every module, every file that a stage reads, and every result
    committed  what was looked at is what HEAD holds

    All are asked, even when one has failed. No data is needed: a fresh clone will do, where the lists of files in
    folders are read from the cache or else the remote. What is there of the data is compared all the same.

    \b
    Before a push (`pre-commit install` makes a hook of it):
      python -m ops verify
    Without a network:
      python -m ops verify --no-remote
    That the results are what the code makes, from nothing (as long as the DAG takes):
      python -m ops verify --rebuild

    Exit 0 when whole, 1 when not, 2 on a mistake, 130 after Ctrl-C.
    """
    state = State(root_of_pipeline(), remote_name=remote, asks_remote=not no_remote)
    checks = check_all(state)
    if rebuild:
        from ops.verify.rebuild import everything_is_derived  # noqa: PLC0415 - seldom asked for

        try:
            checks.append(everything_is_derived(state, tell=partial(click.echo, err=True)))
        except KeyboardInterrupt:
            leave("Interrupted: the temporary clone is removed, and nothing else was touched.", code=INTERRUPTED)
    click.echo(json_bytes(document_of(checks)).decode().rstrip() if as_json else told(checks))
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
    return {"whole": all(check.passed for check in checks), "checks": each}
