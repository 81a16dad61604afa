"""One row has the reasons that the stage gave it among all others."""

from typing import Any

import pytest

from lab.core.seeds import generator_of
from lab.explain.explain import explain
from lab.task.words import FeatureWords
from ops.pack.reasoning import Reasoning, reasoning_of, reasons_for
from tests.lab.explain.models import SCHEMA, TABLES, model, params

WORDS = {"visits": FeatureWords(says=("came {visits:.0f} times and spent {amount:.0f}", "came {visits:.0f} times"))}
ESTIMATORS = ("histogram_gradient_boosting", "logistic_regression")


def reasoning(estimator: str, reference: Any) -> Reasoning:
    return reasoning_of(model(estimator), reference, SCHEMA.features, WORDS, walks=6, seed=7)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_row_alone_has_the_reasons_of_the_stage(estimator: str) -> None:
    found = explain(
        {"challenger": model(estimator)},
        TABLES,
        SCHEMA,
        WORDS,
        params=params(),
        stream_of=lambda name: generator_of(7, f"explain/{name}"),
    )
    made = reasoning(estimator, found.tables["reference"])
    expected = found.tables["challenger/test"].select(["reason_1", "reason_2", "reason_3"]).to_pylist()
    for place in (0, 40, 159):
        (reasons,) = reasons_for(made, TABLES["test"].slice(place, 1), most=3)
        assert [reason.text for reason in reasons] == list(expected[place].values())


def test_a_row_without_what_only_words_need_has_the_next_words() -> None:
    narrow = model("logistic_regression", without="amount")
    made = reasoning_of(narrow, TABLES["train"], SCHEMA.features, WORDS, walks=6, seed=7)
    found = reasons_for(made, TABLES["test"].drop_columns(["amount"]), most=8)
    assert "came 3 times" in {reason.sentence for row in found for reason in row}
