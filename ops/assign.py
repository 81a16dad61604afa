"""`python -m ops assign`: assign units to arms by a salted hash, deterministically."""

import csv
import io
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from lab.core.errors import ParamsError, SourceError
from lab.core.result_files import json_bytes
from lab.stats.core.assignment import assign as arm_of

CURE = "Cure: check the path."


@click.command()
@click.argument("units", nargs=-1)
@click.option("--salt", required=True, help="The name of the experiment, unique per experiment.")
@click.option(
    "--arm", "arms", multiple=True, required=True, metavar="NAME[=WEIGHT]", help="An arm and its weight.  [default: 1]"
)
@click.option(
    "--file", type=click.Path(path_type=Path), help="Read units from a file, one per line (- for standard input)."
)
@click.option("--stratum", default="", help="Split this stratum separately; for few, large strata.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list instead of lines.")
def assign(
    *, units: Sequence[str], salt: str, arms: Sequence[str], file: Path | None, stratum: str, as_json: bool
) -> None:
    r"""Print each unit with its arm, as CSV.

    \b
    python -m ops assign --salt offer-1 --arm champion --arm challenger 17 18 19
    python -m ops assign --salt offer-1 --arm champion=9 --arm challenger=1 --file customers.txt

    The arm depends only on salt, unit and weights (the first 64 bits of a SHA-256), so assignments need not be stored,
    and a service in any language can compute them. Changing a weight moves units between arms: use a new salt. Analyse
    the assigned unit: one row per unit in `python -m ops abtest`.

    Exit 0, or 2 for a usage error.
    """
    weights = dict(map(_weight, arms))
    if len(weights) < 2 or len(weights) < len(arms):
        raise ParamsError(f"found the arms {list(arms)}, expected two or more, each once. Cure: --arm A --arm B")
    if min(weights.values()) < 0 or not 0 < sum(weights.values()) < math.inf:
        raise ParamsError(f"found the weights {weights}, expected at least 0, and one of them above 0.")
    names, shares = list(weights), list(weights.values())
    found = ((unit, names[arm_of(unit, salt=salt, weights=shares, stratum=stratum)]) for unit in _units(units, file))
    if as_json:
        click.echo(json_bytes([{"unit": unit, "arm": arm} for unit, arm in found]).decode().rstrip())
        return
    for row in found:
        click.echo(_csv_line(row))


def _csv_line(row: Sequence[str]) -> str:
    """Return a line of CSV, quoted where a unit holds a comma, a quote or a line break."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(row)
    return line.getvalue()


def _weight(word: str) -> tuple[str, float]:
    name, _, weight = word.partition("=")
    try:
        number = float(weight or 1)
    except ValueError:
        number = math.nan
    if not name or not math.isfinite(number):
        raise ParamsError(f"--arm {word}: expected NAME or NAME=WEIGHT, the weight a finite number.")
    return name, number


def _units(units: Sequence[str], file: Path | None) -> Iterator[str]:
    if file is None and not units:
        raise ParamsError("found no unit, expected at least one. Cure: name units, or --file FILE with one per line")
    try:
        for unit in units:
            unit.encode("utf-8")
            yield unit
        if file is None:
            return
        content = sys.stdin.buffer if str(file) == "-" else file.open("rb")
        with content as lines:
            yield from (word for line in lines if (word := line.decode("utf-8").strip()))
    except OSError as error:
        raise SourceError(f"{file} cannot be read, expected a file with one unit a line: {error}. {CURE}") from error
    except UnicodeError as error:
        where = "the command line" if file is None else file
        raise SourceError(
            f"{where} is not UTF-8: {error}. Cure: iconv --from-code LATIN1 --to-code UTF-8 FILE > NEW"
        ) from error
