"""`python -m ops abtest --log FILE`: analyse the log of any traffic experiment, and say what to do."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

from pathlib import Path
from typing import Any

import click

from lab.abtest.assess import assess
from lab.abtest.document import document_of
from lab.core.errors import ParamsError
from lab.core.params import parse
from lab.core.result_files import json_bytes
from lab.core.yaml_files import read_yaml
from lab.experiment.design import Design
from ops.abtest.infer_design import guess_design
from ops.abtest.render import told

Pairs = tuple[str, ...]

CURE = "Compare it with experiment.design in a task file, such as tasks/churn/task.yaml"


@click.command()
@click.option("--log", type=click.Path(path_type=Path), required=True, help="Parquet or CSV, one row per unit.")
@click.option(
    "--design", type=click.Path(path_type=Path), help="A YAML file with the keys of a task's experiment.design."
)
@click.option("--primary", help="The outcome that decides. Columns of 0 and 1 are shares, others means.")
@click.option("--control", help="The arm that the others are held against.  [found: control, champion, a, off]")
@click.option("--unit", help="The column of the unit that was assigned.  [found by its name]")
@click.option("--arm", help="The column of the arm.  [found by its name]")
@click.option("--weight", "weights", multiple=True, metavar="ARM=WEIGHT", help="The planned share.  [all the same]")
@click.option("--outcome", "outcomes", multiple=True, metavar="COLUMN", help="Another outcome to report.")
@click.option(
    "--guardrail", "guardrails", multiple=True, metavar="COLUMN=MARGIN", help="May get worse by less than that."
)
@click.option("--lower", multiple=True, metavar="COLUMN", help="An outcome of which less is better.")
@click.option("--per", multiple=True, metavar="COLUMN=OTHER", help="A ratio: the sum of one over that of the other.")
@click.option(
    "--covariate", "covariates", multiple=True, metavar="COLUMN=BEFORE", help="Known before; sharpens (CUPED)."
)
@click.option("--stratum", help="A column of groups known beforehand, over which to weight.")
@click.option(
    "--segment", "segments", multiple=True, metavar="COLUMN", help="Show the primary outcome by its levels, too."
)
@click.option(
    "--rule", type=click.Choice(["group_sequential", "anytime", "fixed"]), default="group_sequential", show_default=True
)
@click.option("--looks", type=int, default=1, show_default=True, help="How often the experiment is looked at in all.")
@click.option("--units", type=int, help="How many units are planned in all; tells which look this is.")
@click.option(
    "--look-date", "dates", multiple=True, metavar="DATE", help="Rows before it belong to that look (with --time)."
)
@click.option("--time", help="The column that tells when a unit's outcome was known.")
@click.option(
    "--level", type=float, default=0.05, show_default=True, help="The chance of a false alarm, over all looks."
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON, as metrics/abtest.json has it.")
def abtest(*, log: Path, design: Path | None, as_json: bool, **said: Any) -> None:
    r"""Analyse a traffic experiment and decide: INVALID, ROLLBACK, SHIP, EXTEND or INCONCLUSIVE.

    \b
    A log has one row per unit that was assigned, in the arm it was assigned to, whether it did anything or not:
      customer_id,arm,stayed,spent,spent_before
      17,champion,1,120.50,98.00

    \b
    Read once, at the end:
      python -m ops abtest --log log.csv --primary stayed --guardrail spent=5 --covariate spent=spent_before
    Looked at five times on the way to 20,000 units:
      python -m ops abtest --log log.csv --primary stayed --looks 5 --units 20000

    Health comes first: a sample ratio mismatch, a unit in two arms or arms that differed before make it INVALID. Then a
    guardrail that is harmed or a worse outcome means ROLLBACK; a better outcome with every guardrail shown to hold
    within its margin, SHIP. An interim look without an answer is EXTEND, the last one INCONCLUSIVE.

    Exit 0 for SHIP, 1 for every other decision, 2 on a mistake.
    """
    analysis = assess(log, read_design(design) if design is not None else guess_design(log, _read(said)))
    click.echo(json_bytes(document_of(analysis)).decode().rstrip() if as_json else told(analysis))
    raise SystemExit(0 if analysis.verdicts[analysis.chosen].action == "SHIP" else 1)


def read_design(path: Path) -> Design:
    """Return the design in a file, either by itself or as a task file has it."""
    content = read_yaml(path, cure=CURE)
    inner = content.get("experiment", content)
    inner = inner.get("design", inner) if isinstance(inner, dict) else inner
    return parse(
        inner,
        kind=Design,
        where=str(path),
        cure=CURE,
    )


def _read(said: dict[str, Any]) -> dict[str, Any]:
    if not said["primary"]:
        raise ParamsError(
            "found neither --design nor --primary, expected one: which outcome decides? Cure: --primary COLUMN"
        )
    looks = {"rule": said.pop("rule"), "count": said.pop("looks"), "units": said.pop("units")}
    return {
        **said,
        "looks": {**looks, "dates": said.pop("dates")},
        "segments": list(said["segments"]),
        "weights": {name: _number(value, "--weight") for name, value in _pairs(said["weights"], "--weight")},
        "guardrails": {
            name: _number(value, "--guardrail") for name, value in _pairs(said["guardrails"], "--guardrail")
        },
        "per": dict(_pairs(said["per"], "--per")),
        "covariates": dict(_pairs(said["covariates"], "--covariate")),
    }


def _pairs(words: Pairs, option: str) -> list[tuple[str, str]]:
    if wrong := [word for word in words if not all(word.partition("="))]:
        raise ParamsError(f"{option} {wrong[0]}: expected NAME=VALUE. Cure: see python -m ops abtest --help")
    return [(word.rpartition("=")[0], word.rpartition("=")[2]) for word in words]


def _number(word: str, option: str) -> float:
    try:
        return float(word)
    except ValueError as error:
        raise ParamsError(f"{option} {word}: expected a number behind the equals sign.") from error
