"""Frames and preprocessing inside the pipeline, for all kinds of columns."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from lab.core.errors import ParamsError, SourceError
from lab.core.schema import Feature
from lab.model_files.specification import Preparation
from lab.models.frames import frame_of, unusable_numbers
from lab.train.preprocessing import Numbers, build_columns, build_steps
from tests.tables import feature_rows, schema_of

KINDS: list[Numbers] = ["scaled", "imputed", "as_they_are"]
LABELS = np.tile(np.array([0, 1], dtype=np.int8), 50)


def features(**kinds: str) -> dict[str, Feature]:
    return {name: Feature.model_validate({"kind": kind}) for name, kind in kinds.items()}


def unfitted(frame: pd.DataFrame, kinds: Mapping[str, Feature], numbers: Numbers, **settings: Any) -> ColumnTransformer:
    preparation = Preparation.model_validate(settings)
    return build_columns(frame, kinds, preparation, numbers=numbers, rarest=50, seed=1, where="here")


def fitted(
    columns: Mapping[str, Any], kinds: Mapping[str, Feature], numbers: Numbers = "imputed", **settings: Any
) -> ColumnTransformer:
    frame = frame_of(pa.table(dict(columns)), kinds)
    return unfitted(frame, kinds, numbers, **settings).fit(frame, LABELS)


def transformed(step: ColumnTransformer, columns: Mapping[str, Any], kinds: Mapping[str, Feature]) -> NDArray[Any]:
    rows: NDArray[Any] = step.transform(frame_of(pa.table(dict(columns)), kinds))
    return rows


def test_a_frame_has_exactly_the_features_sorted_by_name() -> None:
    rows, schema = feature_rows(np.random.default_rng(1), 60), schema_of("time")
    shuffled = rows.select(list(reversed(rows.column_names)))
    frame = frame_of(shuffled, schema.features)
    assert list(frame.columns) == sorted(schema.features)
    pd.testing.assert_frame_equal(frame, frame_of(rows, schema.features))


def test_missing_is_nan_in_numbers_and_none_in_categories() -> None:
    columns = {"age": pa.array([1, None]), "senior": pa.array([True, None]), "region": pa.array(["east", None])}
    frame = frame_of(pa.table(columns), features(age="number", senior="boolean", region="category"))
    assert frame["age"].dtype == frame["senior"].dtype == np.float64
    assert frame.isna().to_numpy().tolist() == [[False] * 3, [True] * 3]
    assert frame["region"].tolist() == ["east", None]


def test_an_empty_column_has_the_type_of_its_kind() -> None:
    columns = {name: pa.nulls(2) for name in ("age", "senior", "region")}
    frame = frame_of(pa.table(columns), features(age="number", senior="boolean", region="category"))
    assert [str(kind) for kind in frame.dtypes] == ["float64", "object", "float64"]


def test_infinite_and_huge_numbers_are_treated_as_missing() -> None:
    table, kinds = pa.table({"age": [1.0, np.inf, -1e31, None, np.nan]}), features(age="number")
    assert frame_of(table, kinds)["age"].isna().tolist() == [False, True, True, True, True]
    assert unusable_numbers(table, kinds) == {"age": 2}


def test_a_missing_column_is_refused_with_the_existing_ones() -> None:
    with pytest.raises(SourceError, match=r"lack \['age'\]; they have \['region'\]"):
        frame_of(pa.table({"region": ["east"]}), features(age="number", region="category"))


def test_text_where_a_number_is_expected_is_refused() -> None:
    with pytest.raises(SourceError, match="age has the type string, expected a number"):
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


def test_a_missing_number_is_imputed_with_an_indicator() -> None:
    kinds = features(age="number")
    step = fitted({"age": pa.array([None, *([10.0] * 49), *([30.0] * 50)])}, kinds)
    assert transformed(step, {"age": pa.array([None], pa.float64())}, kinds).tolist() == [[30.0, 1.0]]


def test_a_missing_level_is_a_level_and_an_unseen_one_is_not() -> None:
    kinds = features(region="category")
    step = fitted({"region": pa.array(["east", "west", None, "east"] * 25)}, kinds)
    assert transformed(step, {"region": pa.array([None, "north"])}, kinds).tolist() == [[0, 0, 1], [0, 0, 0]]


@pytest.mark.parametrize("numbers", KINDS)
@pytest.mark.parametrize("many", ["target", "ordinal"])
@pytest.mark.parametrize(("levels", "up_to", "width"), [(20, 20, 20), (21, 20, 1), (2, 0, 1), (30, 30, 30)])
def test_many_levels_become_one_number(levels: int, up_to: int, width: int, many: str, numbers: Numbers) -> None:
    kinds = features(product="category")
    columns = {"product": [f"product {place % levels}" for place in range(100)]}
    step = fitted(columns, kinds, numbers, one_hot_up_to=up_to, many_levels=many)
    assert transformed(step, columns, kinds).shape == (100, width)


def test_a_column_for_each_of_very_many_levels_is_refused() -> None:
    kinds = features(product="category")
    frame = frame_of(pa.table({"product": [f"product {place}" for place in range(2_001)]}), kinds)
    with pytest.raises(
        ParamsError, match=r"here\.preparation\.one_hot_up_to creates .*\{'product': 2001\}, expected at most"
    ):
        unfitted(frame, kinds, "imputed", one_hot_up_to=5_000)


def test_ordinals_are_sorted_by_name_with_missing_last() -> None:
    kinds = features(product="category")
    columns = {"product": pa.array(["b", "a", None, "c"] * 25)}
    step = fitted(columns, kinds, one_hot_up_to=1, many_levels="ordinal")
    found = transformed(step, {"product": pa.array(["a", "b", "c", None, "new"])}, kinds)
    assert found.ravel().tolist() == [0, 1, 2, 3, -1]


def test_target_encoding_is_shrunk_by_ten_prior_rows() -> None:
    kinds = features(product="category")
    step = fitted({"product": [f"product {place % 50:02d}" for place in range(100)]}, kinds)
    found = transformed(step, {"product": ["product 00", "product 01"]}, kinds)
    assert found.ravel() == pytest.approx([(0 + 10 * 0.5) / 12, (2 + 10 * 0.5) / 12])


def test_an_unseen_level_has_the_overall_share() -> None:
    kinds = features(product="category")
    step = fitted({"product": [f"product {place % 40}" for place in range(100)]}, kinds)
    assert transformed(step, {"product": ["new"]}, kinds).tolist() == [[0.5]]


def test_target_encoding_is_cross_fitted() -> None:
    kinds = features(product="category")
    frame = frame_of(pa.table({"product": [f"product {place}" for place in range(100)]}), kinds)
    step = unfitted(frame, kinds, "imputed")
    encoded = step.fit_transform(frame, LABELS)[:, 0]
    assert abs(np.corrcoef(encoded, LABELS)[0, 1] if encoded.std() > 1e-9 else 0.0) < 0.3


@pytest.mark.parametrize("numbers", KINDS)
def test_rows_without_any_value_are_refused(numbers: Numbers) -> None:
    with pytest.raises(SourceError, match=r"every feature of .*'age'.* is missing in all rows"):
        fitted({"age": pa.nulls(100)}, features(age="number"), numbers)


AGES = np.tile([10.0, 20.0, 30.0, 40.0, 50.0], 20)
HEIGHTS = np.repeat([1.0, 2.0, 4.0, 8.0], 25)


def standard(values: NDArray[Any]) -> NDArray[Any]:
    return np.asarray((values - values.mean()) / values.std())


def test_products_are_of_scaled_numbers() -> None:
    kinds = features(age="number", height="number")
    columns = {"age": AGES, "height": HEIGHTS}
    found = transformed(fitted(columns, kinds, polynomial_degree=2), columns, kinds)
    age, height = standard(AGES), standard(HEIGHTS)
    np.testing.assert_allclose(found, np.column_stack([age, height, age**2, age * height, height**2]), atol=1e-12)
    between = transformed(fitted(columns, kinds, polynomial_degree=2, interactions_only=True), columns, kinds)
    np.testing.assert_allclose(between, np.column_stack([age, height, age * height]), atol=1e-12)


def test_products_are_scaled_and_exclude_indicators() -> None:
    kinds = features(age="number", height="number", region="category")
    ages = pa.array([None, *AGES[1:]])
    columns = {"age": ages, "height": HEIGHTS, "region": ["east", "west"] * 50}
    found = transformed(fitted(columns, kinds, "scaled", polynomial_degree=2), columns, kinds)
    assert found.shape == (100, 5 + 1 + 2)
    np.testing.assert_allclose(found[:, :5].std(axis=0), 1.0)
    assert found[:, 5].tolist() == [1.0] + [0.0] * 99


def test_too_many_products_are_refused_with_their_number() -> None:
    names = {f"number_{place}": np.arange(100.0) for place in range(25)}
    kinds = features(**dict.fromkeys(names, "number"))
    assert transformed(fitted(names, kinds, polynomial_degree=2), names, kinds).shape == (100, 350)
    with pytest.raises(
        ParamsError, match=r"here\.preparation\.polynomial_degree is 3, which creates 3,275 columns from 25"
    ):
        fitted(names, kinds, polynomial_degree=3)
    distinct = fitted(names, kinds, polynomial_degree=2, interactions_only=True)
    assert transformed(distinct, names, kinds).shape == (100, 325)


@pytest.mark.parametrize("settings", [{"polynomial_degree": 2}, {"keep": {"by": "anova", "count": 9}}])
def test_products_and_selection_have_no_missing_values(settings: dict[str, Any]) -> None:
    kinds = features(age="number")
    frame = frame_of(pa.table({"age": pa.array([None, *AGES[1:]])}), kinds)
    preparation = Preparation.model_validate(settings)
    steps = build_steps(frame, kinds, preparation, numbers="as_they_are", rarest=50, seed=1, where="here")
    assert np.isfinite(Pipeline(steps).fit_transform(frame, LABELS)).all()
