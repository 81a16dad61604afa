"""The server gives the reasons of the pipeline, with numpy alone, for every family."""

import json
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.pipeline import Pipeline

from lab.compile.compile import compile_pipeline
from lab.compiled.estimates import expit
from lab.compiled.files import Compiled
from lab.explain.contributions import contributions_of
from lab.explain.walks import columns_of
from lab.models.calibrated import CalibratedScores
from lab.models.frames import frame_of
from lab.models.models import Model
from lab.reasons.reasons import RowExplanation, reasoner_of
from lab.task.words import FeatureWords
from ops.pack.compile_reasons import Drawn, UnlikeError, check_reasons, compile_reasons
from ops.pack.reasoning import Reasoning, reasoning_of, reasons_for
from tests.fitted import OTHER_ROWS, ROWS, SCHEMA, model_of
from tests.lab.compiled.test_parity import EXACT, HARD, pipeline_of

WORDS = {
    "visits": FeatureWords(
        raises=("came {visits:.0f} times and spent {amount:,.0f}", "came {visits:.0f} times"),
        lowers=("came only {visits:.0f} times",),
        missing=("never came",),
    ),
    "region": FeatureWords(called="part of the country"),
}
DRAWN = Drawn(walks=4, seed=7)
FEATURES = sorted(SCHEMA.features)
HARD_ROWS = pa.table(
    {name: pa.array(HARD.get(name, OTHER_ROWS[name].slice(0, 7).to_pylist())[:5]) for name in FEATURES}
).take([0, 2, 3, 4])  # without the largest number, whose products no pipeline takes
EVERY_ROW = pa.concat_tables([OTHER_ROWS.select(FEATURES).slice(0, 8), HARD_ROWS], promote_options="permissive")


@cache
def explained_by(name: str) -> tuple[Reasoning, tuple[dict[str, Any], dict[str, Any]], Compiled]:
    """Return the explainer of the pipeline and its compiled form, after a round trip through JSON."""
    return compiled_of(pipeline_of(name))


def compiled_of(pipeline: Pipeline) -> tuple[Reasoning, tuple[dict[str, Any], dict[str, Any]], Compiled]:
    model = Model(pipeline, model_of("logistic_regression").manifest)
    compiled = Compiled(*compile_pipeline(pipeline, frame_of(OTHER_ROWS, SCHEMA.features).head(3)))
    reasoning = reasoning_of(model, ROWS, SCHEMA.features, WORDS, walks=DRAWN.walks, seed=DRAWN.seed)
    program, arrays = compile_reasons(reasoning, ROWS, compiled, drawn=DRAWN, fingerprint="mine")
    return reasoning, (json.loads(json.dumps(program)), arrays), compiled


@cache
def served(name: str) -> list[RowExplanation]:
    _, compiled, model = explained_by(name)
    return reasoner_of(*compiled, model).explain(columns_of(frame_of(rows_for(name), SCHEMA.features)), most=3)


def rows_for(name: str) -> pa.Table:
    small = OTHER_ROWS.select(FEATURES).slice(0, 8)
    return small if "multiplied" in name or "products" in name else EVERY_ROW


@pytest.mark.parametrize("name", EXACT)
def test_a_row_has_the_reasons_of_the_pipeline(name: str) -> None:
    reasoning, _, _ = explained_by(name)
    rows = rows_for(name)
    found = served(name)
    expected = contributions_of(reasoning.explainer, frame_of(rows, SCHEMA.features)[FEATURES])
    assert [list(one.contributions) for one in found] == [FEATURES] * rows.num_rows
    values = np.array([list(one.contributions.values()) for one in found])
    assert values == pytest.approx(expected.values, abs=1e-6)
    assert [one.output for one in found] == pytest.approx(expected.outputs.tolist(), abs=1e-6)
    assert [one.base for one in found] == pytest.approx([expected.base] * rows.num_rows, abs=1e-6)
    own = reasons_for(reasoning, rows, most=3)
    assert [[reason.text for reason in one.reasons] for one in found] == [[one.text for one in row] for row in own]


@pytest.mark.parametrize("name", EXACT)
def test_base_and_contributions_add_up_to_the_models_own_output(name: str) -> None:
    reasoning, _, model = explained_by(name)
    rows = rows_for(name)
    outputs = np.array([one.base + sum(one.contributions.values()) for one in served(name)])
    shares = expit(outputs) if reasoning.explainer.unit == "log_odds" else outputs
    assert shares == pytest.approx(model.scores(columns_of(frame_of(rows, SCHEMA.features))), abs=2e-5)


@pytest.mark.parametrize(
    "line",
    [{"slope": 1.3, "intercept": -0.2}, {"scores": np.array([0.1, 0.5, 0.9]), "shares": np.array([0.0, 0.6, 0.7])}],
    ids=["sigmoid", "isotonic"],
)
@pytest.mark.parametrize("name", ["histogram_gradient_boosting", "logistic_regression", "random_forest"])
def test_a_calibrated_model_is_explained_as_the_pipeline_explains_it(name: str, line: dict[str, Any]) -> None:
    plain = pipeline_of(name)
    calibrated = Pipeline([*plain.steps[:-1], ("estimate", CalibratedScores(plain[-1], **line))])
    reasoning, program, model = compiled_of(calibrated)
    check_reasons(reasoning, program, model, EVERY_ROW.slice(0, 6))


def test_differences_from_the_pipeline_are_refused() -> None:
    reasoning, (program, arrays), model = explained_by("random_forest")
    heavier = {name: values + 1 if name == program["additions"]["cover"] else values for name, values in arrays.items()}
    with pytest.raises(UnlikeError, match="contributions differ"):
        check_reasons(reasoning, (program, heavier), model, EVERY_ROW)
    called = {**program, "words": {**program["words"], "region": {**program["words"]["region"], "called": "colour"}}}
    with pytest.raises(UnlikeError, match=r"colour is \w+, .*', expected the pipeline's '.*: part of the"):
        check_reasons(reasoning, (called, arrays), model, EVERY_ROW)
