"""`python -m ops abtest --log FILE`: analyse the log of a traffic experiment and decide."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

from collections import Counter
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
from lab.experiment.log import columns_of
from ops.abtest.infer_design import infer_design
from ops.abtest.render import to_text

Pairs = tuple[str, ...]

CURE = "Compare it with experiment.design in a task file, such as tasks/churn/task.yaml"


@click.command()
@click.option("--log", type=click.Path(path_type=Path), required=True, help="Parquet or CSV, one row per unit.")
@click.option(
    "--design", type=click.Path(path_type=Path), help="A YAML file with the keys of a task's experiment.design."
)
@click.option("--primary", help="The outcome that decides. Columns of 0 and 1 are shares, others means.")
@click.option("--control", help="The arm to compare with.  [default: control, champion, a or off]")
@click.option("--unit", help="The column of the assigned unit, or each_row.  [default: found by name]")
@click.option(
    "--repeated-units",
    type=click.Choice(["invalid", "keep_first", "leave_out"]),
    default="invalid",
    show_default=True,
    help="Units with several rows: keep the first row in the file, or leave out those whose rows differ.",
)
@click.option("--arm", help="The column of the arm.  [default: found by name]")
@click.option("--weight", "weights", multiple=True, metavar="ARM=WEIGHT", help="The planned share.  [default: equal]")
@click.option("--outcome", "outcomes", multiple=True, metavar="COLUMN", help="Another outcome to report.")
@click.option(
    "--guardrail", "guardrails", multiple=True, metavar="COLUMN=MARGIN", help="May get worse by less than MARGIN."
)
@click.option("--lower", multiple=True, metavar="COLUMN", help="An outcome for which lower is better.")
@click.option("--per", multiple=True, metavar="COLUMN=OTHER", help="A ratio: the sum of COLUMN over the sum of OTHER.")
@click.option(
    "--covariate",
    "covariates",
    multiple=True,
    metavar="COLUMN=BEFORE",
    help="A pre-experiment value (CUPED); repeat it for more.",
)
@click.option("--measured-in", multiple=True, metavar="COLUMN=UNIT", help="The unit of an outcome, such as EUR.")
@click.option("--stratum", help="A column of pre-experiment groups for post-stratification.")
@click.option(
    "--segment", "segments", multiple=True, metavar="COLUMN", help="Also show the primary outcome by its levels."
)
@click.option(
    "--rule", type=click.Choice(["group_sequential", "anytime", "fixed"]), default="group_sequential", show_default=True
)
@click.option("--looks", type=int, default=1, show_default=True, help="The planned number of looks.")
@click.option("--units", type=int, help="The planned number of units; determines the current look.")
@click.option(
    "--look-date", "dates", multiple=True, metavar="DATE", help="Rows before DATE belong to this look (with --time)."
)
@click.option("--time", help="The column of the time at which a unit's outcome was known.")
@click.option("--level", type=float, default=0.05, show_default=True, help="The false positive rate over all looks.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with the keys of metrics/abtest.json.")
def abtest(*, log: Path, design: Path | None, as_json: bool, **options: Any) -> None:
    r"""Analyse a traffic experiment and decide: INVALID, ROLLBACK, SHIP, EXTEND or INCONCLUSIVE.

    \b
    A log has one row per assigned unit, with its assigned arm, whether or not the unit was active:
      customer_id,arm,stayed,spent,spent_before
      17,champion,1,120.50,98.00

    \b
    One look, at the end:
      python -m ops abtest --log log.csv --primary stayed --guardrail spent=5 --covariate spent=spent_before
    Five looks, 20,000 planned units:
      python -m ops abtest --log log.csv --primary stayed --looks 5 --units 20000

    INVALID: a sample ratio mismatch, a unit in two arms, or arms that differed before the experiment. ROLLBACK: the
    primary outcome or a guardrail is worse. SHIP: the primary outcome is better, and all guardrails are within their
    margins. Otherwise EXTEND at an interim look, INCONCLUSIVE at the last one.

    Exit 0 for SHIP, 1 for every other decision, 2 for a usage error.
    """
    chosen = read_design(design) if design is not None else infer_design(log, _parsed(options))
    columns_of(log)  # refuses a log that cannot be read or has no rows
    analysis = assess(log, chosen)
    click.echo(json_bytes(document_of(analysis)).decode().rstrip() if as_json else to_text(analysis))
    raise SystemExit(0 if analysis.verdicts[analysis.chosen].action == "SHIP" else 1)


def read_design(path: Path) -> Design:
    """Return the design of a file: a design alone, or a task file with experiment.design."""
    content = read_yaml(path, cure=CURE)
    inner = content.get("experiment", content)
    inner = inner.get("design", inner) if isinstance(inner, dict) else inner
    return parse(inner, kind=Design, where=str(path), cure=CURE)


def _parsed(options: dict[str, Any]) -> dict[str, Any]:
    if not options["primary"]:
        raise ParamsError("found neither --design nor --primary, expected one of them. Cure: --primary COLUMN")
    looks = {"rule": options.pop("rule"), "count": options.pop("looks"), "units": options.pop("units")}
    return {
        **options,
        "looks": {**looks, "dates": options.pop("dates")},
        "segments": list(options["segments"]),
        "weights": {name: _number(value, "--weight") for name, value in _once(options["weights"], "--weight")},
        "guardrails": {
            name: _number(value, "--guardrail") for name, value in _once(options["guardrails"], "--guardrail")
        },
        "per": dict(_once(options["per"], "--per")),
        "measured_in": dict(_once(options["measured_in"], "--measured-in")),
        "covariates": _lists(_pairs(options["covariates"], "--covariate")),
    }


def _pairs(words: Pairs, option: str) -> list[tuple[str, str]]:
    if wrong := [word for word in words if not all(word.partition("="))]:
        raise ParamsError(f"{option} {wrong[0]}: expected NAME=VALUE. Cure: see python -m ops abtest --help")
    return [(word.rpartition("=")[0], word.rpartition("=")[2]) for word in words]


def _once(words: Pairs, option: str) -> list[tuple[str, str]]:
    """Return pairs with different names; a name that comes twice is refused."""
    pairs = _pairs(words, option)
    if twice := [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]:
        raise ParamsError(f"{option} names {twice[0]} twice, expected once. Cure: leave one of them out")
    return pairs


def _lists(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    return {name: [value for other, value in pairs if other == name] for name, _ in pairs}


def _number(word: str, option: str) -> float:
    try:
        return float(word)
    except ValueError as error:
        raise ParamsError(f"{option} {word}: expected a number after the equals sign.") from error
