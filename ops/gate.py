"""`python -m ops gate`: exit 1 if the challenger fails a gate, 0 if not."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from lab.core.errors import SourceError
from lab.core.result_files import json_bytes, read_result
from lab.pages.gate_marks import MARKS, limit_of, marked, verdicts_in_words
from ops.revisions.snapshot import WORKSPACE, snapshot_of
from ops.text_table import aligned

VERDICT = Path("metrics/validate.json")
PARTS = ("passed", "failed", "within_noise", "gates", "reported")
WORST_FIRST = list(MARKS)
MISTAKES = (FileNotFoundError, KeyError, TypeError, ValueError, AttributeError)


@click.command()
@click.argument("revision", default=WORKSPACE)
@click.option("--file", type=click.Path(path_type=Path), default=VERDICT, show_default=True, help="The verdict file.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON instead of a table.")
def gate(*, revision: str, file: Path, as_json: bool) -> None:
    r"""Print the gates of the challenger; exit 0 if no deciding gate fails, 1 if one does, 2 on a mistake.

    \b
    ✓ passed        the value keeps the limit
    ≈ within noise  the value is beyond the limit, but its interval holds it: exit 0, but no automatic promotion
    ✗ failed        the whole interval is beyond the limit
    – not judged    there is nothing to compare, which does not block

    The stage validate only records the verdict, so that the pipeline completes; this command turns it into an exit
    code. Informational gates (params.yaml: validate.reported) are listed separately and never block.

    REVISION is a branch, tag, commit or DVC experiment, whose verdict is read from git without a checkout.

    \b
      python -m ops gate
      python -m ops gate main --json
    """
    verdict = read_verdict(file) if revision == WORKSPACE else verdict_at(revision, file)
    click.echo(json_bytes(verdict).decode().rstrip() if as_json else to_text(verdict))
    raise SystemExit(0 if verdict["passed"] else 1)


def read_verdict(path: Path) -> dict[str, Any]:
    """Return the verdict of the stage validate."""
    try:
        return _checked(read_result(path))
    except MISTAKES as error:
        raise SourceError(
            f"{path} has no verdict: found {error!r}, expected the output of the stage validate. "
            "Cure: dvc repro validate"
        ) from error


def verdict_at(revision: str, path: Path) -> dict[str, Any]:
    """Return the verdict that a revision recorded."""
    found = snapshot_of(revision).result(path.as_posix())
    try:
        return _checked(found)
    except MISTAKES as error:
        what = "no such file" if found is None else repr(error)
        raise SourceError(
            f"{path} at {revision} has no verdict: found {what}, expected the committed output of the stage validate. "
            "Cure: name a revision with results; git log --oneline metrics/ lists them."
        ) from error


def _checked(verdict: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: verdict[key] for key in PARTS}
    to_text(found)
    return found


def to_text(verdict: Mapping[str, Any]) -> str:
    """Return the verdict as text: deciding gates, informational gates, and the result."""
    gates, reported = verdict["gates"], verdict["reported"]
    parts = [table_of(gates), f"\nInformational, never blocks:\n{table_of(reported)}" if reported else ""]
    last = f"{'FAILED' if verdict['failed'] else 'PASSED'}: {verdicts_in_words(verdict, name=str)}"
    return "\n".join([*filter(None, parts), "", last])


def table_of(gates: Sequence[Mapping[str, Any]]) -> str:
    """Return the gates as a text table, failed ones first."""
    ordered = sorted(gates, key=lambda found: (WORST_FIRST.index(found["verdict"]), found["gate"]))
    return aligned([("", "gate", "value", "95 % interval", "must be", "because"), *map(_line, ordered)])


def _line(found: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        marked(found["verdict"]),
        str(found["gate"]),
        "" if found["value"] is None else _number(found["value"]),
        interval_in_words(found["low"], found["high"]),
        limit_of(found),
        str(found["reason"]),
    )


def interval_in_words(low: float | None, high: float | None) -> str:
    """Return the ends of an interval, of which one may be open; empty without an interval."""
    if low is None or high is None:
        return "" if low is high else f"{_number(low)} or more" if low is not None else f"{_number(high or 0)} or less"
    return f"{_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    return f"{round(value, 4) + 0.0:.4f}"  # + 0.0 makes −0.0 a plain zero
