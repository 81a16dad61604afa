"""What a model sees of its rows: one frame, prepared inside the pipeline, whatever the columns bring."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer

from lab.errors import SourceError
from lab.frames import frame_of, unusable_numbers
from lab.preprocessing import MOST_LEVELS_ONE_HOT, Numbers, build_preprocessing
from lab.schema import Feature
from tests.tables import feature_rows, schema_of

KINDS: list[Numbers] = ["scaled", "imputed", "as_they_are"]
LABELS = np.tile(np.array([0, 1], dtype=np.int8), 50)


def features(**kinds: str) -> dict[str, Feature]:
    return {name: Feature.model_validate({"kind": kind}) for name, kind in kinds.items()}


def fitted(columns: Mapping[str, Any], kinds: Mapping[str, Feature], numbers: Numbers = "imputed") -> ColumnTransformer:
    frame = frame_of(pa.table(dict(columns)), kinds)
    return build_preprocessing(frame, LABELS, kinds, numbers=numbers, seed=1).fit(frame, LABELS)


def transformed(step: ColumnTransformer, columns: Mapping[str, Any], kinds: Mapping[str, Feature]) -> NDArray[Any]:
    rows: NDArray[Any] = step.transform(frame_of(pa.table(dict(columns)), kinds))
    return rows


def test_a_frame_holds_the_features_in_the_order_of_their_names_and_nothing_else() -> None:
    rows, schema = feature_rows(np.random.default_rng(1), 60), schema_of("time")
    shuffled = rows.select(list(reversed(rows.column_names)))
    frame = frame_of(shuffled, schema.features)
    assert list(frame.columns) == sorted(schema.features)
    pd.testing.assert_frame_equal(frame, frame_of(rows, schema.features))


def test_what_is_missing_is_nan_in_a_number_and_none_in_a_category() -> None:
    columns = {"age": pa.array([1, None]), "senior": pa.array([True, None]), "region": pa.array(["east", None])}
    frame = frame_of(pa.table(columns), features(age="number", senior="boolean", region="category"))
    assert frame["age"].dtype == frame["senior"].dtype == np.float64
    assert frame.isna().to_numpy().tolist() == [[False] * 3, [True] * 3]
    assert frame["region"].tolist() == ["east", None]


def test_a_column_without_any_value_has_the_type_that_its_kind_asks_for() -> None:
    columns = {name: pa.nulls(2) for name in ("age", "senior", "region")}
    frame = frame_of(pa.table(columns), features(age="number", senior="boolean", region="category"))
    assert [str(kind) for kind in frame.dtypes] == ["float64", "object", "float64"]


def test_numbers_without_a_sensible_size_count_as_missing_and_are_counted() -> None:
    table, kinds = pa.table({"age": [1.0, np.inf, -1e31, None, np.nan]}), features(age="number")
    assert frame_of(table, kinds)["age"].isna().tolist() == [False, True, True, True, True]
    assert unusable_numbers(table, kinds) == {"age": 2}


def test_a_missing_column_is_refused_with_those_there_are() -> None:
    with pytest.raises(SourceError, match=r"lack \['age'\]; they have \['region'\]"):
        frame_of(pa.table({"region": ["east"]}), features(age="number", region="category"))


def test_text_where_a_number_is_expected_is_refused() -> None:
    with pytest.raises(SourceError, match="age holds string, expected a number"):
        frame_of(pa.table({"age": ["old"]}), features(age="number"))


@pytest.mark.parametrize("numbers", KINDS)
def test_constant_empty_and_unseen_columns_give_finite_numbers_of_one_width(numbers: Numbers) -> None:
    kinds = features(constant="number", empty="number", nothing="category", region="category", product="category")
    columns = {
        "constant": np.ones(100),
        "empty": pa.nulls(100),
        "nothing": pa.nulls(100),
        "region": ["east", "west"] * 50,
        "product": [f"product {place % 30}" for place in range(100)],
    }
    step = fitted(columns, kinds, numbers)
    unseen = {"constant": [7.0], "empty": [3.0], "nothing": ["new"], "region": ["north"], "product": ["new"]}
    rows = transformed(step, unseen, kinds)
    assert rows.shape[1] == transformed(step, columns, kinds).shape[1]
    assert np.isfinite(rows).all()


def test_a_missing_number_becomes_the_median_of_training_and_says_so() -> None:
    kinds = features(age="number")
    step = fitted({"age": pa.array([None, *([10.0] * 49), *([30.0] * 50)])}, kinds)
    assert transformed(step, {"age": pa.array([None], pa.float64())}, kinds).tolist() == [[30.0, 1.0]]


def test_a_missing_level_is_a_level_and_an_unseen_one_is_none() -> None:
    kinds = features(region="category")
    step = fitted({"region": pa.array(["east", "west", None, "east"] * 25)}, kinds)
    assert transformed(step, {"region": pa.array([None, "north"])}, kinds).tolist() == [[0, 0, 1], [0, 0, 0]]


@pytest.mark.parametrize(
    ("levels", "width"), [(MOST_LEVELS_ONE_HOT, MOST_LEVELS_ONE_HOT), (MOST_LEVELS_ONE_HOT + 1, 1)]
)
def test_many_levels_become_one_number(levels: int, width: int) -> None:
    kinds = features(product="category")
    columns = {"product": [f"product {place % levels}" for place in range(100)]}
    assert transformed(fitted(columns, kinds), columns, kinds).shape == (100, width)


def test_an_unseen_one_of_many_levels_counts_as_the_share_of_all_rows() -> None:
    kinds = features(product="category")
    step = fitted({"product": [f"product {place % 40}" for place in range(100)]}, kinds)
    assert transformed(step, {"product": ["new"]}, kinds).tolist() == [[0.5]]


def test_a_rows_own_label_stays_out_of_its_own_encoding() -> None:
    kinds = features(product="category")
    frame = frame_of(pa.table({"product": [f"product {place}" for place in range(100)]}), kinds)
    step = build_preprocessing(frame, LABELS, kinds, numbers="imputed", seed=1)
    encoded = step.fit_transform(frame, LABELS)[:, 0]
    assert abs(np.corrcoef(encoded, LABELS)[0, 1] if encoded.std() > 1e-9 else 0.0) < 0.3


@pytest.mark.parametrize("numbers", KINDS)
def test_rows_without_any_value_are_refused(numbers: Numbers) -> None:
    with pytest.raises(SourceError, match=r"every feature of .*'age'.* is missing in all rows"):
        fitted({"age": pa.nulls(100)}, features(age="number"), numbers)
