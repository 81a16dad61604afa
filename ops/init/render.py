"""Render the report of `python -m ops init` as text."""

from collections.abc import Mapping

from lab.dataset.source import FileTable
from ops.init.inference import Inference
from ops.init.target import Label
from ops.text_table import aligned

MOST_COLUMNS = 60
WIDEST = 36
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


def to_text(
    found: Inference, file: FileTable, marks: Mapping[str, int], *, task: str, target: str, rows: int, looked_at: int
) -> str:
    """Return the report of `python -m ops init`."""
    head = [
        f"{file.path}: {rows:,} rows, {len(found.decisions)} columns, {_written(file)}.",
        *([f"Types were inferred from the first {looked_at:,} rows."] if looked_at < rows else []),
        *([f"Missing: {_cells(marks)}."] if marks else []),
        *([f"Renamed: {_pairs(file.rename)}."] if file.rename else []),
    ]
    choices = [
        f"Positive: {target} {'' if found.above is not None else '= '}{_positive(found.label)}.",
        f"One row: {' + '.join(found.unit) or 'a row of the file'}. Split: {_split(found)}.",
        *(f"Note: {note}." for note in found.notes),
    ]
    return "\n".join([*head, "", *_table(found), "", *choices, "", *_next_steps(task)])


def _positive(label: Label) -> str:
    share = f"{label.positives:,} of {label.rows:,} rows, {100 * label.positives / label.rows:.1f} %"
    return f"{label.positive} ({share}), because {label.reason}"


def _written(file: FileTable) -> str:
    if file.path.lower().endswith((".parquet", ".pq")):
        return "Parquet"
    comma = ", decimal comma" if file.decimal == "," else ""
    return f"{file.encoding}, separated by {DELIMITERS.get(file.delimiter, file.delimiter)}{comma}"


def _cells(marks: Mapping[str, int]) -> str:
    return ", ".join(f"{mark or 'blank'} ({count:,} cells)" for mark, count in marks.items())


def _pairs(names: Mapping[str, str]) -> str:
    return ", ".join(f"{old} to {new}" for old, new in names.items())


def _table(found: Inference) -> list[str]:
    shown = found.decisions[:MOST_COLUMNS]
    rows = [(_short(each.name), each.column.type, each.role, each.reason) for each in shown]
    more = len(found.decisions) - MOST_COLUMNS
    return [
        *aligned([("column", "type", "role", "why"), *rows]).split("\n"),
        *([f"… and {more} more, in the task file"] if more > 0 else []),
    ]


def _short(name: str) -> str:
    plain = " ".join(name.split())
    return plain if len(plain) <= WIDEST else f"{plain[: WIDEST - 1]}…"


def _split(found: Inference) -> str:
    split = found.split
    if split.kind == "time":
        return f"by time; the last {split.current_days} days are current, the {split.test_days} before them test"
    return f"by {split.column}, kept together" if split.kind == "group" else "at random within each class"


def _next_steps(task: str) -> list[str]:
    return [
        f"Written: tasks/{task}/task.yaml, data/source/{task}/. Read the task file, and correct what is wrong. Then:",
        f"  git add tasks/{task} data/source/{task}      (or, where it is large: dvc add data/source/{task})",
        f"  dvc exp run -S task={task}",
        f"To make this clone a repository for it, without the sample tasks: python -m ops adopt {task} --dry-run",
    ]
