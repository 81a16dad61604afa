"""Split the rows of a task into train, test and current."""

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lab.core.errors import SourceError
from lab.core.seeds import generator_of
from lab.dataset.features import ROW, Features
from lab.dataset.windows import SplitPlan
from lab.engine.engine import quoted
from lab.featurize.shares import parts_by_group, parts_within_classes

PARTS = ("train", "test", "current")


def split_rows(
    connection: duckdb.DuckDBPyConnection, query: str, features: Features, plan: SplitPlan, *, seed: int
) -> None:
    """Create the table `work.made`: the rows of the query with their `__part`, null for rows in no part."""
    connection.execute("create schema work")  # separate from the names of the task's tables
    try:
        if plan.windows:
            connection.execute(f"create table work.made as select *, {_window_sql(plan)} as __part from ({query})")
            return
        order = f"label is null, {key_sql(features)}"
        group = f"dense_rank() over (order by {quoted(plan.group)})" if plan.group else "0"
        place = f"row_number() over (order by {order}) - 1"
        connection.execute(
            f"create table work.placed as select *, {group} as __group, {place} as __place from ({query})"
        )
    except duckdb.Error as error:
        raise SourceError(f"the feature query of the task failed: {error}. Correct it in the task file.") from error
    labelled = connection.sql("select label, __group from work.placed where label is not null order by __place")
    parts = _parts_by_share(labelled.to_arrow_table(), plan, rng=generator_of(seed, "featurize/split"))
    places = pa.array(range(len(parts)), pa.int64())
    connection.register("__parts", pa.table({"__place": places, "__part": parts}))
    connection.execute(
        "create table work.made as select placed.* exclude (__place, __group), __part "
        "from work.placed left join __parts using (__place)"
    )


def _parts_by_share(labelled: pa.Table, plan: SplitPlan, *, rng: np.random.Generator) -> npt.NDArray[np.int8]:
    shares = {"test_share": plan.test_share or 0.0, "current_share": plan.current_share or 0.0}
    if plan.group:
        return parts_by_group(labelled["__group"].to_numpy(), **shares, rng=rng)
    return parts_within_classes(labelled["label"].to_numpy(), **shares, rng=rng)


def _window_sql(plan: SplitPlan) -> str:
    """Return the SQL of a row's part by its moment; a moment in two parts belongs to the later one."""
    cases = " ".join(
        f"when moment between timestamp '{plan.windows[part].starts}' and timestamp '{plan.windows[part].ends}' "
        f"then {number}"
        for number, part in reversed(list(enumerate(PARTS)))
    )
    return f"case {cases} end"


def check_unique_units(connection: duckdb.DuckDBPyConnection, features: Features) -> None:
    key = key_sql(features)
    repeated = connection.execute(
        f"select {key}, count(*) from work.made group by {key} having count(*) > 1 order by {key} limit 1"
    ).fetchall()
    for row in repeated:
        raise SourceError(
            f"found {row[-1]} rows for one unit, ({key}) = {row[:-1]}, expected one. Cure: set features: unit in the "
            "task file to the columns that identify a row, or leave it empty so that every row is its own unit."
        )


def positive_shares(connection: duckdb.DuckDBPyConnection, features: Features) -> dict[str, float]:
    """Return the share of positives in each part; every part must contain both classes."""
    counted = connection.execute(
        "select __part, count(*), sum(label) from work.made where label is not null and __part is not null group by 1"
    ).fetchall()
    found = {number: (rows, positives) for number, rows, positives in counted}
    for number, part in enumerate(PARTS):
        rows, positives = found.get(number, (0, 0))
        if not 0 < positives < rows:
            raise SourceError(
                f"the {part} part has {rows} rows, {positives} of them with the positive label {features.positive!r} "
                f"of {features.label}, expected both classes. Cure: correct features: positive in the task file, "
                "add rows, or change its split."
            )
    return {part: found[number][1] / found[number][0] for number, part in enumerate(PARTS)}


def key_sql(features: Features) -> str:
    moment = ["moment"] if features.moment else []
    return ", ".join([*moment, *(quoted(name) for name in features.unit or (ROW,))])
