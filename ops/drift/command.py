"""`python -m ops drift --current ROWS`: measure drift, and decide whether to retrain."""

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
from lab.drift.set_aside import SetAside
from lab.drift.verdict import Word
from lab.reference.reference import REFERENCE, Reference, load_reference
from lab.reference.settings import DriftParams
from ops.drift.own_files import own_label, read_like_source
from ops.drift.words import selection_lines
from ops.text_table import aligned

MODELS = Path("models")
CODES: Mapping[Word, int] = {"no reason to retrain": 0, "retrain": 1, "data fault": 3, "not judged": 3}

MOMENTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


@click.command()
@click.option(
    "--current",
    type=click.Path(path_type=Path),
    required=True,
    help="A Parquet, CSV (also as the task's source is written) or JSON lines file; or a log of serving: the folder of "
    "LAB_LOG, or one of its files.",
)
@click.option(
    "--reference",
    "folder",
    type=click.Path(path_type=Path),
    default=REFERENCE,
    show_default=True,
    help="The drift reference.",
)
@click.option(
    "--arm",
    type=click.Choice(get_args(Arm)),
    default="champion",
    show_default=True,
    help="Of a log: the arm of the answers. With all, columns use every row, scores only if every row has one.",
)
@click.option("--fingerprint", help="Of a log: only answers of this model; the first digits are enough.")
@click.option("--since", type=click.DateTime(MOMENTS), help="Of a log: only rows from this moment on, in UTC.")
@click.option("--until", type=click.DateTime(MOMENTS), help="Of a log: only rows before this moment, in UTC.")
@click.option(
    "--labels",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Of a log: labels not sent to POST /feedback, as a CSV with the header id,label.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON with the keys of metrics/drift.json.")
@click.option("--page", type=click.Path(path_type=Path), default=None, help="Also write the HTML report to this file.")
@click.option(
    "--save", type=click.Path(path_type=Path), default=None, help="Also write the results as JSON to this file."
)
def drift(*, current: Path, folder: Path, as_json: bool, page: Path | None, save: Path | None, **chosen: Any) -> None:
    r"""Compare a batch of rows with the drift reference, like the stage drift, and decide whether to retrain.

    It needs the reference and params.yaml, but not the rows of the reference. A nightly check of the served requests,
    with the labels known so far (docs/watching.md):

    \b
      python -m ops drift --current served/log --since 2026-02-01 --save logs/drift.json
      python -m ops gauges --drift logs/drift.json --output served/gauges/churn.prom

    Answers of a log are sorted by moment and id, each with the last label of its id. Rows without a label count for
    drift, not for performance. Repeated requests for a unit and moment count once. The counts of what is left out, and
    the models that answered, go to standard error.

    \b
    Exit codes:
       0  no reason to retrain
       1  a retraining is suggested
       2  a usage error
       3  a data fault, to be mended upstream; or no rule that counts can be judged
    """
    choice = Choice(**chosen)
    found = assess_file(current, folder, choice)
    if page is not None:
        write_text(page_of(found), page)
    if save is not None:
        write_json(found.document, save)
    click.echo(json_bytes(found.document).decode() if as_json else to_text(rounded(found.document)), nl=not as_json)
    raise SystemExit(CODES[found.document["verdict"]["word"]])


def assess_file(current: Path, folder: Path, choice: Choice) -> Assessment:
    """Return the assessment of a file, or of a folder of logs."""
    params, seed, reference = load_params("drift", DriftParams), load_seed(), load_reference(folder)
    rows, set_aside = rows_of(current, reference, choice)
    context = Context(
        params,
        read_importance(IMPORTANCE),
        read_false_alarms(FALSE_ALARMS),
        lambda name: generator_of(seed, f"drift/{name}"),
        set_aside,
    )
    return assess(reference, rows, context)


def rows_of(current: Path, reference: Reference, choice: Choice) -> tuple[pa.Table, SetAside]:
    """Return the rows of a file or log, and the lines of a log that cannot be read.

    For a log, the counts of the selection go to standard error.
    """
    if is_served(current):
        found = read_served(current, reference, choice)
        for line in selection_lines(found.counts, found.set_aside, models=MODELS):
            click.echo(f"{current}: {line}", err=True)
        return found.rows, found.set_aside
    if choice != Choice():
        raise SourceError(
            f"{current} is not a log of serving, expected one for --arm, --fingerprint, --since, --until or "
            "--labels. Cure: drop these options."
        )
    features = reference.facts.inputs.features
    rows = read_batch(current, reference, read_own=lambda path: read_like_source(path, features), label=own_label())
    return rows, SetAside()


def to_text(document: Mapping[str, Any]) -> str:
    columns, rows = document["columns"], document["rows"]
    head = (
        f"{rows['current']:,} rows and {rows[document['reference']]:,} of the {document['reference']} window: "
        f"{columns['drifted']} of {sum(columns.values())} columns drifted."
    )
    parts = [
        head,
        aligned([("column", "verdict", "q", "size", "by"), *map(_column, document["verdicts"])]),
        *(
            [aligned([("model", "", "reference", "batch", "difference", "verdict"), *_models(document["models"])])]
            if document["models"]
            else []
        ),
        _domain_classifier(document["whole_table"]),
        _anomalies(document["anomalies"]),
        aligned([("rule", "", "", "value", "limit", ""), *map(_rule, document["policies"])]),
        document["verdict"]["text"],
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
            _number(found.get("reference")),
            _number(found.get("current")),
            f"{_number(found['difference'])} ({_number(found['low'])} to {_number(found['high'])})",
            found["verdict"] + (f": {found['reason']}" if found["reason"] else ""),
        )
        for model in models
        for kind, found in (("realised", model["performance"]), ("estimated", model["estimated"]))
    ]


def _domain_classifier(found: Mapping[str, Any]) -> str:
    if found["p_value"] is None:
        return f"Domain classifier: not run, {found['reason']}."
    names = ", ".join(line["column"] for line in found["columns"])
    numbers = f"ROC AUC {_number(found['roc_auc'])}, p {_number(found['p_value'])}"
    return f"Domain classifier: batch and reference are {found['verdict']} ({numbers}), mostly by {names}."


def _anomalies(found: Mapping[str, Any]) -> str:
    if found["rows"] is None:
        return f"Anomalous rows: not tested, {found['reason']}."
    return (
        f"Anomalous rows: {found['rows']:,}, {100 * found['share']:.2f} %; "
        f"{100 * found['promised']:.2f} % expected by chance (p {_number(found['p_value'])})."
    )


def _rule(rule: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        rule["policy"],
        "FIRED" if rule["fired"] else "not fired" if rule["judged"] else "not judged",
        "counts" if rule["counts"] else "informational",
        _number(rule["value"]),
        _number(rule["limit"]),
        f"because {rule['reason']}" if rule["reason"] else "",
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
