"""`python -m ops drift --current FILE`: hold any batch of rows against the reference, and say whether to retrain."""

import lab.determinism  # noqa: F401 - pins the kernels before numpy is imported

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from lab.drifting.assess import Assessment, Context, assess
from lab.drifting.batch import read_batch
from lab.drifting.moved import IMPORTANCE, read_importance
from lab.drifting.page import page_of
from lab.drifting.policies import FALSE_ALARMS, read_false_alarms
from lab.drifting.reference import REFERENCE, load_reference
from lab.drifting.settings import DriftParams
from lab.params import load_params, load_seed
from lab.records import json_bytes, rounded, write_text
from lab.seeds import generator_of


@click.command()
@click.option("--current", type=click.Path(path_type=Path), required=True, help="Parquet, CSV, or a log (.jsonl).")
@click.option(
    "--reference",
    "folder",
    type=click.Path(path_type=Path),
    default=REFERENCE,
    show_default=True,
    help="What to hold it against.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the whole judgement as JSON, as metrics/drift.json has it."
)
@click.option("--page", type=click.Path(path_type=Path), default=None, help="Write the page on it to this file, too.")
def drift(*, current: Path, folder: Path, as_json: bool, page: Path | None) -> None:
    """Judge a batch of rows as the stage drift would; exit 0, or 1 where a retraining is suggested.

    It needs the reference and params.yaml, but none of the rows that the reference was fitted on.
    """
    found = judge(current, folder)
    if page is not None:
        write_text(page_of(found), page)
    click.echo(json_bytes(found.document).decode() if as_json else told(rounded(found.document)), nl=not as_json)
    raise SystemExit(1 if found.document["retrain"]["suggested"] else 0)


def judge(current: Path, folder: Path) -> Assessment:
    """Return the judgement of a file."""
    params, seed, reference = load_params("drift", DriftParams), load_seed(), load_reference(folder)
    context = Context(
        params,
        read_importance(IMPORTANCE),
        read_false_alarms(FALSE_ALARMS),
        lambda name: generator_of(seed, f"drift/{name}"),
    )
    return assess(reference, read_batch(current, reference), context)


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


def aligned(lines: list[tuple[str, ...]]) -> str:
    """Return lines of cells with every column as wide as its widest cell."""
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


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
