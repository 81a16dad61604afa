"""A compiled model gives bit-identical predictions, for every family, preprocessing and hard rows."""

import json
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from scipy import special
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline

from lab.compile.compile import InexactError, compile_pipeline
from lab.compiled.estimates import expit, probabilities
from lab.compiled.files import Compiled
from lab.core.errors import SourceError
from lab.models.calibrated import CalibratedScores
from lab.models.frames import frame_of
from tests.fitted import MEMBERS, OTHER_ROWS, SCHEMA, VARIANTS, fit, fitted

EXACT_MEMBERS = {name: member for name, member in MEMBERS.items() if name != "vectors"}
WEIGHTS = {"boosting": 0.5, "forest": 0.3, "logistic": 0.2}
MORE: dict[str, dict[str, Any]] = {
    "products of three": {"estimator": "naive_bayes", "preparation": {"polynomial_degree": 3}},
    "stacking, exact": {"estimator": "stacking", "settings": {"members": EXACT_MEMBERS}},
    "voting, exact": {"estimator": "voting", "settings": {"members": EXACT_MEMBERS}},
    "voting by weight": {"estimator": "voting", "settings": {"members": EXACT_MEMBERS, "weights": WEIGHTS}},
}
OTHER_FAMILIES = ("multilayer_perceptron", "nearest_neighbours", "support_vector_machine", "stacking", "voting")
EXACT = (*(name for name in VARIANTS if name not in OTHER_FAMILIES), *MORE)
HARD: dict[str, list[Any]] = {
    "amount": [None, 1e30, -1e30, 5e-324, -0.0, 3.4e38, 0.1 + 0.2],
    "visits": [None, 0, 1e9, -1e9, 16777217, 3, 4],  # 2**24 + 1 is no number of 32 bits
    "region": ["never seen", None, "", "north", "é", "east", "west"],
    "product": ["never seen", None, "", "p1", "p2", "x" * 1000, "p3"],
    "senior": [None, True, False, None, True, False, True],
}


@cache
def pipeline_of(name: str) -> Pipeline:
    return fit(**MORE[name]) if name in MORE else fitted(name)


@cache
def rows() -> pd.DataFrame:
    """Ordinary rows, and after them hard ones."""
    first = OTHER_ROWS.slice(0, len(HARD["amount"])).to_pydict()
    hard = pa.table({name: pa.array(HARD.get(name, first[name])) for name in SCHEMA.features})
    frames = [frame_of(table, SCHEMA.features) for table in (OTHER_ROWS, hard)]
    return pd.concat(frames, ignore_index=True)


def bits(values: NDArray[np.float64]) -> list[int]:
    found: list[int] = np.ascontiguousarray(values).view(np.int64).tolist()
    return found


def columns_of(frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
    return {str(name): frame[name].to_numpy() for name in frame}


def assert_equal_bits(pipeline: Pipeline, *frames: pd.DataFrame, sample: pd.DataFrame | None = None) -> None:
    program, arrays = compile_pipeline(pipeline, rows() if sample is None else sample)
    program = json.loads(json.dumps(program))
    compiled = Compiled(program, arrays)
    for frame in frames:
        columns = columns_of(frame)
        expected = bits(pipeline.predict_proba(frame)[:, 1])
        assert bits(probabilities(program, arrays, columns)) == expected
        assert bits(compiled.probabilities(columns)) == expected  # with what was worked out beforehand


@pytest.mark.parametrize("name", EXACT)
def test_no_bit_differs_for_many_rows_few_or_one(name: str) -> None:
    frame = rows()
    if name == "random_forest, multiplied":  # a forest refuses products of numbers as large as the hard rows'
        frame = frame[frame[["amount", "visits"]].abs().max(axis=1).fillna(0) < 1e8]
    single = (frame.iloc[[place]] for place in range(len(frame) - 12, len(frame)))
    assert_equal_bits(pipeline_of(name), frame, frame.iloc[:2], frame.iloc[20:29], *single)


@pytest.mark.parametrize("name", OTHER_FAMILIES)
def test_a_family_without_an_exact_program_is_refused(name: str) -> None:
    with pytest.raises(InexactError, match=r"Neighbours|MLP|Calibrated"):
        compile_pipeline(pipeline_of(name), rows())


@pytest.mark.parametrize(
    "line",
    [{"slope": 1.3, "intercept": -0.2}, {"scores": np.array([0.1, 0.5, 0.9]), "shares": np.array([0.0, 0.6, 0.7])}],
    ids=["sigmoid", "isotonic"],
)
def test_calibration_is_compiled(line: dict[str, Any]) -> None:
    plain = pipeline_of("histogram_gradient_boosting")
    steps = [*plain.steps[:-1], ("estimate", CalibratedScores(plain[-1], **line))]
    assert_equal_bits(Pipeline(steps), rows(), rows().iloc[:1])


def test_the_logistic_function_agrees_with_scipy_to_the_bit() -> None:
    values = np.concatenate([np.linspace(-800, 800, 40_001), np.random.default_rng(3).normal(0, 5, 20_000)])
    assert bits(expit(values)) == bits(special.expit(values))


def test_unknown_categories_of_histogram_boosting_are_treated_as_missing() -> None:
    rng = np.random.default_rng(5)
    amount = np.where(rng.random(2000) < 0.1, np.nan, rng.integers(0, 40, 2000).astype(float))
    frame = pd.DataFrame({"amount": amount, "visits": rng.normal(size=2000)})
    labels = (np.isin(amount, rng.choice(40, 15, replace=False)) ^ (rng.random(2000) < 0.1)).astype(int)
    as_they_are = ColumnTransformer([("numbers", "passthrough", ["visits", "amount"])])
    boosted = HistGradientBoostingClassifier(categorical_features=[1], max_iter=20, early_stopping=False)
    pipeline = Pipeline([("prepare", as_they_are), ("estimate", boosted)]).fit(frame, labels)
    asked = pd.DataFrame({"amount": [*range(-3, 300), np.nan, 0.5], "visits": 0.1})
    assert_equal_bits(pipeline, frame, asked, asked.iloc[:1], sample=frame)


def test_a_row_that_the_pipeline_refuses_is_refused() -> None:
    frame = rows().iloc[[0]].assign(amount=1e30)
    pipeline = pipeline_of("random_forest, multiplied")
    program, arrays = compile_pipeline(pipeline, rows().iloc[:2])
    columns = columns_of(frame)
    with pytest.raises(ValueError, match="infinity or a value too large"), np.errstate(over="ignore"):
        pipeline.predict_proba(frame)
    with pytest.raises(SourceError, match="after products"):
        probabilities(program, arrays, columns)
