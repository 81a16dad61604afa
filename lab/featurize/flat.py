"""The query that turns each row of a flat table into one feature row."""

from lab.core.errors import ParamsError
from lab.dataset.features import RESERVED, ROW, Features
from lab.dataset.tables import NUMERIC, Table
from lab.engine.engine import quoted, text_literal

UNCHANGED_TYPES = NUMERIC | {"boolean", "category"}


def flat_query(features: Features, table: Table) -> str:
    """Return the query; money stays in cents, dates become days before the moment, or since 1970 without one."""
    taken = {features.label, features.moment, *features.unit}
    used = [label for label, column in table.columns.items() if label not in taken and column.type != "ignore"]
    if clashing := sorted(label for label in used if label.casefold() in RESERVED):
        raise ParamsError(
            f"table {features.table} has columns named {clashing}, which the feature tables use themselves. "
            "Cure: rename them in the task file (source: rename), or give them type: ignore."
        )
    columns = [
        *(quoted(name) for name in features.unit or (ROW,)),
        *([f"cast({quoted(features.moment)} as timestamp) as moment"] if features.moment else []),
        f"{_label_sql(features)} as label",
        *(sql for label in used if (sql := _feature_sql(label, table.columns[label].type, features.moment))),
    ]
    return f"select {', '.join(columns)} from {quoted(features.table or '')}"


def _label_sql(features: Features) -> str:
    label = quoted(features.label)
    # the engine writes booleans in lower case
    positive = str(features.positive).lower() if isinstance(features.positive, bool) else str(features.positive)
    found = f"cast({label} as varchar) = {text_literal(positive)}"
    return f"case when {found} then 1 when {label} is not null then 0 end"


def _feature_sql(label: str, kind: str, moment: str | None) -> str | None:
    if kind in UNCHANGED_TYPES:
        return quoted(label)
    if kind in {"date", "timestamp"}:
        until = quoted(moment) if moment else "date '1970-01-01'"
        sign = "" if moment else "-"
        return f"{sign}date_diff('day', cast({quoted(label)} as date), cast({until} as date)) as {quoted(label)}"
    return None
