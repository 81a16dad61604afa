"""`python -m ops drift --current ROWS`: hold any batch of rows against the reference, and say whether to retrain."""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import click
import pyarrow as pa

from lab.core.errors import SourceError
from lab.core.params import load_params, load_seed
from lab.core.result_files import json_bytes, rounded, write_json, write_text
from lab.core.seeds import generator_of
from lab.drift.assess import Assessment, Context, assess
from lab.drift.attribution import IMPORTANCE, read_importance
from lab.drift.files import read_batch
from lab.drift.log_batch import is_served, read_served
from lab.drift.log_selection import Arm, Choice
from lab.drift.page import page_of
from lab.drift.policies import FALSE_ALARMS, read_false_alarms
from lab.reference.reference import REFERENCE, Reference, load_reference
from lab.reference.settings import DriftParams
from ops.drift.words import words_of
from ops.text_table import aligned

MODELS = Path("models")


MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


@click.command()
@click.option(
    "--current",
    type=click.Path(path_type=Path),
    required=True,
    help="Parquet, CSV, JSON lines; or what serving logged: the folder that LAB_LOG names, or a file of it.",
)
@click.option(
    "--reference",
    "folder",
    type=click.Path(path_type=Path),
    default=REFERENCE,
    show_default=True,
    help="What to hold it against.",
)
@click.option(
    "--arm",
    type=click.Choice(get_args(Arm)),
    default="champion",
    show_default=True,
    help="Of a log: whose answers. With all, columns are judged on every row, scores where every row has one.",
)
@click.option("--fingerprint", help="Of a log: only answers of this model, such as its first 8 digits.")
@click.option("--since", type=click.DateTime(MOMENTS), help="Of a log: only rows of this moment or later, in UTC.")
@click.option("--until", type=click.DateTime(MOMENTS), help="Of a log: only rows of before this moment, in UTC.")
@click.option(
    "--labels",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Of a log: labels that came another way than POST /feedback, as a CSV with the header id,label.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the whole judgement as JSON, as metrics/drift.json has it."
)
@click.option("--page", type=click.Path(path_type=Path), default=None, help="Write the page on it to this file, too.")
@click.option(
    "--save", type=click.Path(path_type=Path), default=None, help="Write the judgement as JSON to this file, too."
)
def drift(*, current: Path, folder: Path, as_json: bool, page: Path | None, save: Path | None, **chosen: Any) -> None:
    r"""Judge a batch of rows as the stage drift would: what moved, whether it matters, whether to retrain.

    It needs the reference and params.yaml, but none of the rows that the reference was fitted on. Each night, on what
    was served, with the labels that are known by now (docs/watching.md):

    \b
      python -m ops drift --current served/log --since 2026-02-01 --save logs/drift.json
      python -m ops gauges --drift logs/drift.json --output served/gauges/churn.prom

    Of a log the answers are read in the order of moment and id, each with the label that was given to its id last. Rows
    without one are judged for drift alone. Who was asked about twice at a moment counts once. What is left out, and
    which models answered, is told on standard error.

    Exit 0, or 1 where a retraining is suggested, which is an answer and no failure; 2 on a mistake.
    """
    choice = Choice(**chosen)
    found = judge(current, folder, choice)
    if page is not None:
        write_text(page_of(found), page)
    if save is not None:
        write_json(found.document, save)
    click.echo(json_bytes(found.document).decode() if as_json else told(rounded(found.document)), nl=not as_json)
    raise SystemExit(1 if found.document["retrain"]["suggested"] else 0)


def judge(current: Path, folder: Path, choice: Choice) -> Assessment:
    """Return the judgement of a file, or of a folder of logs."""
    params, seed, reference = load_params("drift", DriftParams), load_seed(), load_reference(folder)
    context = Context(
        params,
        read_importance(IMPORTANCE),
        read_false_alarms(FALSE_ALARMS),
        lambda name: generator_of(seed, f"drift/{name}"),
    )
    return assess(reference, rows_of(current, reference, choice), context)


def rows_of(current: Path, reference: Reference, choice: Choice) -> pa.Table:
    """Return the rows to judge, and tell what of a log they are."""
    if is_served(current):
        found = read_served(current, reference, choice)
        for line in words_of(found.counts, models=MODELS):
            click.echo(f"{current}: {line}", err=True)
        return found.rows
    if choice != Choice():
        raise SourceError(
            f"{current} is no log that serving wrote, expected one for --arm, --fingerprint, --since, --until or "
            "--labels. Cure: leave these out."
        )
    return read_batch(current, reference)


def told(document: Mapping[str, Any]) -> str:
    """Return the judgement as lines of text."""
    columns, rows = document["columns"], document["rows"]
    head = (
        f"{rows['current']:,} rows against {rows[document['reference']]:,} of the {document['reference']} window: "
        f"{columns['drifted']} of {sum(columns.values())} columns drifted."
    )
    parts = [
        head,
        aligned([("column", "verdict", "q", "size", "by"), *map(_column, document["verdicts"])]),
        *(
            [aligned([("model", "", "then", "now", "difference", "verdict"), *_models(document["models"])])]
            if document["models"]
            else []
        ),
        _whole(document["whole_table"]),
        _anomalies(document["anomalies"]),
        aligned([("rule", "", "", "value", "limit"), *map(_rule, document["policies"])]),
        _answer(document["retrain"]),
    ]
    return "\n\n".join(parts)


def _column(found: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        found["column"],
        found["verdict"],
        _number(found["q_value"]),
        _number(found["effect"]),
        found["measure"] or "",
    )


def _models(models: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [
        (
            model["model"],
            kind,
            _number(seen.get("reference")),
            _number(seen.get("current")),
            f"{_number(seen['difference'])} ({_number(seen['low'])} to {_number(seen['high'])})",
            seen["verdict"] + (f": {seen['reason']}" if seen["reason"] else ""),
        )
        for model in models
        for kind, seen in (("by labels", model["performance"]), ("estimated", model["estimated"]))
    ]


def _whole(whole: Mapping[str, Any]) -> str:
    if whole["p_value"] is None:
        return f"The table as a whole: not judged, for {whole['reason']}."
    names = ", ".join(line["column"] for line in whole["columns"])
    seen = f"area {_number(whole['roc_auc'])}, p {_number(whole['p_value'])}"
    return f"The table as a whole: {whole['verdict']} ({seen}), by {names}."


def _anomalies(found: Mapping[str, Any]) -> str:
    if found["rows"] is None:
        return f"Rows unlike the reference: not judged, for {found['reason']}."
    return (
        f"Rows unlike the reference: {found['rows']:,}, {100 * found['share']:.2f} % where "
        f"{100 * found['promised']:.2f} % would be by chance (p {_number(found['p_value'])})."
    )


def _rule(rule: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        rule["policy"],
        "FIRED" if rule["fired"] else "quiet",
        "counts" if rule["counts"] else "watched",
        _number(rule["value"]),
        _number(rule["limit"]),
    )


def _answer(retrain: Mapping[str, Any]) -> str:
    return f"RETRAIN: {'; '.join(retrain['reasons'])}" if retrain["suggested"] else "NO REASON TO RETRAIN"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
