"""Render the task file of one flat table, with a reason for each decision."""

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from lab.dataset.features import Features
from lab.dataset.source import FileTable
from lab.dataset.tables import Table
from lab.engine.engine import quoted, text_literal
from lab.featurize.flat import flat_query
from ops.init.inference import Decision, Inference

PLAIN = re.compile(r"[A-Za-z_][\w -]*", re.ASCII)
FLOORS = ("accuracy", "precision", "recall", "f1", "roc_auc")
LONGEST_NAME = 100  # in a sentence
# Words that some YAML parser does not read as text.
TAKEN = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
HIDDEN = re.compile(r"[\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]")


def task_file(
    found: Inference,
    file: FileTable,
    *,
    name: str,
    table: str,
    target: str,
    minimum_rows: int,
    command: str,
    question: str | None = None,
) -> str:
    """Return the text of tasks/NAME/task.yaml."""
    lines = [
        *_head(found, name=name, table=table, target=target, command=command),
        *_source(file, name=name, table=table),
        *_tables(found, table=table, minimum_rows=minimum_rows),
        *_split(found),
        *_features(found, table=table, target=target, question=question),
        *REST,
        *_words(found),
        *EXPERIMENT,
    ]
    return "\n".join(lines) + "\n"


def inline(value: Any) -> str:
    """Return a value as YAML on one line, with the same meaning in YAML 1.1 and 1.2.

    >>> inline({"type": "category", "allowed": ["Yes", "a b", "1"], "missing_share": 0.05})
    '{type: category, allowed: ["Yes", a b, "1"], missing_share: 0.05}'
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{inline(key)}: {inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(inline, value))}]"
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return value.isoformat() if isinstance(value, date) else repr(value)


def _text(value: str) -> str:
    if PLAIN.fullmatch(value) and value == value.strip() and value.casefold() not in TAKEN:
        return value
    return HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def _comment(text: str) -> str:
    """Return text as a comment of one line without invisible characters."""
    return "# " + " ".join(HIDDEN.sub(" ", "".join(c if c.isprintable() else " " for c in text)).split())


def _head(found: Inference, *, name: str, table: str, target: str, command: str) -> list[str]:
    label = found.label
    return [
        _comment(f"{name}: w{_question(found, table, target)[1:]}"),
        _comment(f"Written by `{command}` from {label.positives:,} positive of {label.rows:,} rows."),
        "# Read it, and correct what is wrong.",
        "",
    ]


def _source(file: FileTable, *, name: str, table: str) -> list[str]:
    spelled = {
        **({"names": ("the columns, because the file has no header", file.names)} if file.names else {}),
        "delimiter": ("the field separator", file.delimiter),
        "encoding": ("the character encoding", file.encoding),
        "decimal": ("the decimal mark", file.decimal),
        "missing": ("what means a missing value in this file", file.missing),
    }
    kept = {} if file.path.lower().endswith((".parquet", ".pq")) else spelled
    return [
        "source:",
        "  kind: files",
        "  tables:",
        f"    {inline(table)}:",
        f"      path: {inline(file.path)}  # below data/source/{name}",
        *(f"      {key}: {inline(value)}  # {why}" for key, (why, value) in kept.items()),
        *(_renamed(file.rename) if file.rename else []),
        "",
    ]


def _renamed(names: Mapping[str, str]) -> list[str]:
    why = "      # These names differ in case only, or clash with those of the feature tables."
    return [why, f"      rename: {inline(names)}"]


def _tables(found: Inference, *, table: str, minimum_rows: int) -> list[str]:
    return [
        "tables:",
        "  # The contract: a broken rule stops the run before anything is written; a rule under warn only warns.",
        f"  {inline(table)}:",
        f"    minimum_rows: {minimum_rows}  # half of what was found",
        *([f"    key: {inline(found.key)}  # different in every row"] if found.key else []),
        "    columns:",
        *(_column(decision) for decision in found.decisions),
        "",
    ]


def _column(decision: Decision) -> str:
    rules = decision.column.model_dump(mode="python", exclude_defaults=True)
    ordered = {"type": decision.column.type, **rules}
    return f"      {inline(decision.name)}: {inline(ordered)}  {_comment(f'{decision.role}: {decision.reason}')}"


def _split(found: Inference) -> list[str]:
    settings = found.split.model_dump()
    why = {
        "time": "The newest rows are current, those before them test. horizon_days: days until a label is known.",
        "group": "All rows of one unit fall on the same side.",
        "random": "At random within each class, because nothing orders or groups the rows.",
    }[found.split.kind]
    return ["split:", f"  # {why}", *(f"  {key}: {inline(value)}" for key, value in settings.items()), ""]


def _question(found: Inference, table: str, target: str) -> str:
    sign = "" if found.above is not None else "= "
    return f"Which rows of {table} have {target} {sign}{found.label.positive}?"


def _features(found: Inference, *, table: str, target: str, question: str | None) -> list[str]:
    label = found.label
    return [
        "features:",
        f"  question: {_text(question or _question(found, table, target))}",
        *([f"  table: {inline(table)}"] if found.above is None else ["  # features.sql says which rows are positive."]),
        f"  unit: {inline(found.unit)}  # the unit of a row; empty: its number in the file",
        *([f"  moment: {inline(found.moment)}"] if found.moment else []),
        f"  label: {inline(target)}",
        f"  positive: {inline(label.positive)}  {_comment(label.reason)}",
        f"  groups: {inline(found.groups)}  # compared for fairness; best with 2 to 8 levels",
        "",
    ]


REST = (
    "money:",
    "  # The value of a decision in cents. With zeros no threshold is better than another.",
    "  currency: EUR",
    "  benefit_of_true_positive: 0",
    "  cost_of_false_positive: 0",
    "  cost_of_false_negative: 0",
    "",
    "gates:",
    "  # The challenger must be better than chance, than the base rate, than acting on no row or on every row, and not",
    "  # worse than the champion. A floor is for you to state: {roc_auc: 0.7}. Others: params.yaml: validate.",
    *(f"  {name}: none" for name in FLOORS),
    "",
)
EXPERIMENT = ("", "experiment:", "  log: null")


def query_of(found: Inference, *, table: str, target: str) -> str:
    """Return the query of a task whose label is a number above a bound."""
    columns = {each.name: each.column for each in found.decisions}
    features = Features(
        question="", unit=found.unit, moment=found.moment, label=target, positive=found.label.positive, table=table
    )
    query = flat_query(features, Table(columns=columns))
    label = f"cast({quoted(target)} as varchar) = {text_literal(str(found.label.positive))}"
    return f"-- One row for each row of the table.\n{query.replace(label, f'{quoted(target)} > {found.above!r}')}\n"


def _words(found: Inference) -> list[str]:
    features = [each for each in found.decisions if each.role in {"feature", "group"}]
    lines = [f"  {inline(each.name)}: {inline(_words_of(each))}" for each in features]
    return ["words:", "  # Sentences for the reasons of a score; each must be true of every value.", *lines]


def _words_of(decision: Decision) -> dict[str, str]:
    """Return the sentences of a feature; a name that cannot be a placeholder only gets words for a missing value."""
    name, kind = (
        " ".join(decision.name.replace("_", " ").split()).replace("{", "(").replace("}", ")"),
        decision.column.type,
    )
    if not name.isprintable() or not 0 < len(name) <= LONGEST_NAME:
        return {}
    missing = {"missing": f"{name}: not known"}
    if kind in {"date", "timestamp"} or set(decision.name) & set("{}[].!:") or not decision.name.isprintable():
        return missing
    form = {"integer": ":,.0f", "number": ":,.2f"}.get(kind, "")
    return {"says": f"{name}: {{{decision.name}{form}}}", **missing}
