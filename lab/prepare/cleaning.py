"""SQL of a prepared table: typed, repaired, unique keys, in file order."""

from lab.engine.engine import quoted
from lab.prepare.contract import Reading, breaking_sql


def clean_sql(reading: Reading) -> str:
    """Return the query of the prepared table; of a repeated key the first row is kept."""
    columns = ", ".join(
        _value_sql(reading, label, i) for i, label in enumerate(reading.table.columns) if _kept(reading, label)
    )
    row = "" if reading.table.key else ", row_number() over (order by n) - 1 as row"
    return f"select {columns}{row} from {kept_rows_sql(reading)} order by n"


def kept_rows_sql(reading: Reading) -> str:
    """Return the rows that stay: of a repeated key the first one, unless a rule drops it."""
    return f"({_distinct_rows_sql(reading)}) where not ({_dropping_sql(reading)})"


def _kept(reading: Reading, label: str) -> bool:
    return reading.table.columns[label].type != "ignore"


def _value_sql(reading: Reading, label: str, position: int) -> str:
    column = reading.table.columns[label]
    breaks = breaking_sql(label, column, position=position)
    if column.on_violation == "set_missing":
        return f"case when {_any(breaks)} then null else t{position} end as {quoted(label)}"
    return f"t{position} as {quoted(label)}"


def _dropping_sql(reading: Reading) -> str:
    return _any(
        [
            condition
            for i, (label, column) in enumerate(reading.table.columns.items())
            if column.on_violation == "drop_row"
            for condition in breaking_sql(label, column, position=i)
        ]
    )


def _distinct_rows_sql(reading: Reading) -> str:
    if not reading.table.key:
        return f"select * from {reading.checked}"
    order = list(reading.table.columns)
    keys = ", ".join(f"t{order.index(label)}" for label in reading.table.key)
    repeated = f"select {keys}, min(n) as first from {reading.relation} group by {keys} having count(*) > 1"
    return (
        f"select rows.* from {reading.checked} as rows left join ({repeated}) as repeated using ({keys}) "
        "where repeated.first is null or rows.n = repeated.first"
    )


def _any(conditions: list[str]) -> str:
    """Return a condition that is true where one of the conditions is, and else false, never null."""
    return " or ".join(f"coalesce({condition}, false)" for condition in conditions) or "false"
