"""`python -m ops gate`: print the verdict on the challenger as a table, and exit 0 where it passed or 1 where not."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from lab.errors import SourceError
from lab.records import read_json

VERDICT = Path("metrics/validate.json")
RULES = {"at least": "≥", "at most": "≤", "above": ">"}


@click.command()
@click.option(
    "--file", type=click.Path(path_type=Path), default=VERDICT, show_default=True, help="The verdict to print."
)
def gate(*, file: Path) -> None:
    """Print whether the challenger passed every gate; exit 0 if it did, 1 if it did not.

    The stage validate only records its verdict, so that the pipeline runs to its end; this turns it into an exit code.
    """
    verdict = read_verdict(file)
    click.echo(table_of(verdict["gates"]))
    failed = list(verdict["failed"])
    click.echo(f"\nFAILED: {', '.join(failed)}" if failed else f"\nPASSED: all {len(verdict['gates'])} gates")
    raise SystemExit(0 if verdict["passed"] else 1)


def read_verdict(path: Path) -> dict[str, Any]:
    """Return the verdict of the stage validate."""
    try:
        verdict: dict[str, Any] = read_json(path)
        return {key: verdict[key] for key in ("passed", "failed", "gates")}
    except (FileNotFoundError, KeyError, TypeError, ValueError) as error:
        raise SourceError(
            f"{path} holds no verdict: found {error!r}, expected what the stage validate writes. "
            "Cure: dvc repro validate"
        ) from error


def table_of(gates: Sequence[Mapping[str, Any]]) -> str:
    """Return the gates as lines of text, failed ones first, columns aligned."""
    ordered = sorted(gates, key=lambda found: (bool(found["passed"]), found["gate"]))
    return aligned([("", "gate", "value", "95 % interval", "must be", "because"), *map(_line, ordered)])


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Return lines of cells with every column as wide as its widest cell."""
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _line(found: Mapping[str, Any]) -> tuple[str, ...]:
    interval = "" if found["low"] is None else f"{_number(found['low'])} to {_number(found['high'])}"
    return (
        "pass" if found["passed"] else "FAIL",
        str(found["gate"]),
        "" if found["value"] is None else _number(found["value"]),
        interval,
        f"{RULES[found['rule']]} {found['threshold']:g}",
        str(found["reason"]),
    )


def _number(value: float) -> str:
    return f"{round(value, 4) + 0.0:.4f}"  # + 0.0 makes −0.0 a plain zero
