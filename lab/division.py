"""Divide a task's rows into train, test and current, and refuse rows that no model could learn from."""

import duckdb
import pyarrow as pa

from lab.engine import quoted
from lab.errors import SourceError
from lab.flat import ROW
from lab.seeds import generator_of
from lab.shares import parts_by_group, parts_within_classes
from lab.task.features import Features
from lab.windows import SplitPlan

PARTS = ("train", "test", "current")


def divide_rows(
    connection: duckdb.DuckDBPyConnection, query: str, features: Features, plan: SplitPlan, *, seed: int
) -> None:
    """Create the table `made`: the query's rows with their part, null where a row falls in none."""
    try:
        if plan.windows:
            connection.execute(f"create table made as select *, {_window_sql(plan)} as part from ({query})")
            return
        order = f"label is null, {key_sql(features)}"
        group = f"dense_rank() over (order by {quoted(plan.group)})" if plan.group else "0"
        connection.execute(
            f"create table rows as select *, {group} as block, row_number() over (order by {order}) - 1 as place "
            f"from ({query})"
        )
    except duckdb.Error as error:
        raise SourceError(f"the query of the task's features failed: {error}. Correct it in the task file.") from error
    labelled = connection.sql("select label, block from rows where label is not null order by place").to_arrow_table()
    rng = generator_of(seed, "featurize/split")
    shares = {"test_share": plan.test_share or 0.0, "current_share": plan.current_share or 0.0}
    parts = (
        parts_by_group(labelled["block"].to_numpy(), **shares, rng=rng)
        if plan.group
        else parts_within_classes(labelled["label"].to_numpy(), **shares, rng=rng)
    )
    connection.register("places", pa.table({"place": pa.array(range(len(parts)), pa.int64()), "part": parts}))
    connection.execute(
        "create table made as select rows.* exclude (place, block), part from rows left join places using (place)"
    )


def _window_sql(plan: SplitPlan) -> str:
    """Return the SQL of a row's part by its moment; where two parts touch, the later one has the row."""
    cases = " ".join(
        f"when moment between timestamp '{plan.windows[part].starts}' and timestamp '{plan.windows[part].ends}' "
        f"then {number}"
        for number, part in reversed(list(enumerate(PARTS)))
    )
    return f"case {cases} end"


def refuse_repeated_units(connection: duckdb.DuckDBPyConnection, features: Features) -> None:
    key = key_sql(features)
    repeated = connection.execute(
        f"select {key}, count(*) from made group by {key} having count(*) > 1 order by {key} limit 1"
    ).fetchall()
    for row in repeated:
        raise SourceError(
            f"found {row[-1]} rows for one unit, ({key}) = {row[:-1]}, expected one. Cure: name in the task file under "
            "features: unit the columns that tell rows apart, or leave it empty so that every row is its own unit."
        )


def positive_shares(connection: duckdb.DuckDBPyConnection, features: Features) -> dict[str, float]:
    """Return the share of positives per part; every part must hold both classes."""
    counted = connection.execute(
        "select part, count(*), sum(label) from made where label is not null and part is not null group by part"
    ).fetchall()
    found = {number: (rows, positives) for number, rows, positives in counted}
    for number, part in enumerate(PARTS):
        rows, positives = found.get(number, (0, 0))
        if not 0 < positives < rows:
            raise SourceError(
                f"the {part} part has {rows} rows, {positives} of them with the positive label {features.positive!r} "
                f"of {features.label}, expected both classes. Cure: correct features: positive in the task file, "
                "bring more rows, or change its split."
            )
    return {part: found[number][1] / found[number][0] for number, part in enumerate(PARTS)}


def key_sql(features: Features) -> str:
    moment = ["moment"] if features.moment else []
    return ", ".join([*moment, *(quoted(name) for name in features.unit or (ROW,))])
