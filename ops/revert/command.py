"""`python -m ops revert REV`: restore the whole project, data and models included."""

import signal
import sys
from pathlib import Path
from typing import Any

import click

from lab.core.command import INTERRUPTED, leave
from lab.core.result_files import json_bytes
from lab.pages.markdown import counted
from ops.repro.command import cores, jobs_of
from ops.revert.restore import Restored
from ops.revert.revert import Request, Reverted
from ops.revert.revert import revert as bring_back

ORIGINS = {
    "here": "was here already",
    "cache": "from the cache",
    "remote": "from the remote",
    "derived": "derived again, to the same bytes",
    "missing": "MISSING",
}


@click.command()
@click.argument("revision")
@click.option("--branch", metavar="NAME", help="Create this branch there, to work on.")
@click.option("--no-derive", is_flag=True, help="Run no stage: what neither cache nor remote has stays missing.")
@click.option("--json", "as_json", is_flag=True, help="Print what came from where as JSON.")
def revert(*, revision: str, branch: str | None, no_derive: bool, as_json: bool) -> None:
    r"""Restore the project at a tag, branch, commit or DVC experiment.

    Code and settings come from git. Each output comes from the cache, else from the remote, else its stage runs again;
    its bytes are compared with the MD5 in dvc.lock. Nothing without another copy is overwritten: uncommitted changes,
    and outputs that the cache does not have, are named and refused.

    \b
    Look at a version, and come back:
      python -m ops revert v1.2.0
      git checkout main && dvc checkout
    Continue from there:
      python -m ops revert v1.2.0 --branch from-v1

    Call it again to finish a revert that was killed. No commit is made, and no branch is moved.

    Exit 0 when every output is restored, 1 when one is missing or gets other bytes, 2 on a usage error.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    request = Request(revision, branch, derive=not no_derive, jobs=jobs_of("auto", cores=cores()))
    try:
        reverted = bring_back(request, root=Path(), say=_print)
    except KeyboardInterrupt:
        leave("Interrupted: nothing is lost. The same command finishes it.", code=INTERRUPTED)
    click.echo(json_bytes(document_of(reverted)).decode().rstrip() if as_json else to_text(revision, reverted))
    raise SystemExit(0 if reverted.complete else 1)


def document_of(reverted: Reverted) -> dict[str, Any]:
    """Return what a machine reads."""
    return {
        "commit": reverted.commit,
        "complete": reverted.complete,
        "notes": list(reverted.notes),
        "outputs": [
            {"path": output.path, "from": output.origin, "reason": output.reason} for output in reverted.outputs
        ],
        "removed": list(reverted.removed),
        "way_back": reverted.back,
    }


def to_text(revision: str, reverted: Reverted) -> str:
    """Return what a person reads: each output with where it came from, then the sum."""
    width = max((len(output.path) for output in reverted.outputs), default=0)
    lines = [f"{output.path.ljust(width)}  {_origin(output)}" for output in reverted.outputs]
    lines += [f"{path.ljust(width)}  removed: this revision has no such output" for path in reverted.removed]
    lines += ["", *reverted.notes] if reverted.notes else [""]
    kept = sum(output.origin != "missing" for output in reverted.outputs)
    sum_up = f"{revision} is back ({reverted.commit[:8]}): {kept} of {counted(len(reverted.outputs), 'output')}."
    return "\n".join([*lines, sum_up, f"The way back: git checkout {reverted.back} && dvc checkout"])


def _origin(output: Restored) -> str:
    return f"{ORIGINS[output.origin]}: {output.reason}" if output.reason else ORIGINS[output.origin]


def _print(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
