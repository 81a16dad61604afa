"""Reference and drift for each kind of table: with time, groups, or neither."""

import numpy as np
import pyarrow as pa
import pytest

from lab.core.seeds import generator_of
from lab.drift.assess import Context, assess
from lab.reference.fit import fit_reference
from tests.lab.drift.world import FALSE_ALARMS, settings
from tests.tables import feature_rows, schema_of


def scored(table: pa.Table, rng: np.random.Generator) -> pa.Table:
    for model in ("champion_score", "challenger_score"):
        odds = table["label"].to_numpy() - 0.4 + rng.normal(0, 1, table.num_rows)
        table = table.append_column(model, [(1 / (1 + np.exp(-odds))).round(6)])
    return table


@pytest.mark.parametrize("folds", ["time", "group", "stratified"])
def test_a_table_of_any_kind_is_assessed(folds: str) -> None:
    rng = np.random.default_rng(1)
    test, current = (scored(feature_rows(rng, 900, part=part, folds=folds), rng) for part in ("test", "current"))
    schema, params = schema_of(folds), settings()
    reference = fit_reference(
        test,
        schema,
        {"champion": 0.5, "challenger": 0.5},
        window="test",
        settings=params.reference,
        stream_of=lambda name: generator_of(1, name),
    )
    context = Context(params, {}, FALSE_ALARMS, lambda name: generator_of(1, name))
    document = assess(reference, current, context).document
    words = {line["column"]: line["verdict"] for line in document["verdicts"]}
    assert document["columns"]["drifted"] == 0
    assert {words["constant"], words["empty"]} <= {"stable", "unclear"}
    assert bool(document["chunks"]) == (folds == "time")
    assert document["whole_table"]["verdict"] == "not distinguishable"
