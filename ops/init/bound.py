"""Make two classes of a target of numbers."""

import duckdb

from lab.core.errors import SourceError
from lab.dataset.tables import Column
from lab.engine.engine import columns_of, quoted
from lab.prepare.casts import cast_sql
from ops.init.column_facts import ColumnFacts


def bound_target(connection: duckdb.DuckDBPyConnection, facts: ColumnFacts, above: float) -> str:
    """Replace the numbers of the target by two classes; return the positive one."""
    if facts.fits["number"] < facts.present or not facts.present or facts.lowest is None or facts.highest is None:
        raise SourceError(f"the target {facts.name!r} has values that are no numbers; --above expects numbers only.")
    if not facts.lowest <= above < facts.highest:
        raise SourceError(
            f"the target {facts.name!r} ranges from {facts.lowest:g} to {facts.highest:g}; --above expects a number "
            f"between these, found {above:g}."
        )
    name, positive = quoted(facts.name), f"above {above:g}"
    number = cast_sql(facts.name, Column(type="number"), columns_of(connection, "from rows")[facts.name])
    classes = f"case when {number} > {above!r} then '{positive}' when {number} is not null then 'at most {above:g}' end"
    connection.execute(f"create or replace table rows as select * replace ({classes} as {name}) from rows")
    return positive
