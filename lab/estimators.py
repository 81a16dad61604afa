"""The estimators by name: their settings in whole words, with sound defaults, and scikit-learn's names behind them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field, ValidationError
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from lab.errors import ParamsError
from lab.params import Params
from lab.specification import Setting, Specification


class DummySettings(Params):
    """No settings: it says the share of positives, whatever the row."""


class LogisticRegressionSettings(Params):
    """A small inverse penalty keeps coefficients small."""

    inverse_penalty: float = Field(default=1.0, gt=0, serialization_alias="C")
    most_steps: int = Field(default=100, ge=1, serialization_alias="max_iter")


class RandomForestSettings(Params):
    """More trees are never worse, only slower; larger leaves are smoother."""

    trees: int = Field(default=200, ge=1, serialization_alias="n_estimators")
    deepest: int | None = Field(default=None, ge=1, serialization_alias="max_depth")
    smallest_leaf: int = Field(default=5, ge=1, serialization_alias="min_samples_leaf")
    feature_share: float | Literal["sqrt", "log2"] = Field(default="sqrt", serialization_alias="max_features")


class HistogramGradientBoostingSettings(Params):
    """Fewer trees want a larger learning rate; missing values are split on as they are."""

    trees: int = Field(default=150, ge=1, serialization_alias="max_iter")
    learning_rate: float = Field(default=0.06, gt=0, serialization_alias="learning_rate")
    most_leaves: int = Field(default=15, ge=2, serialization_alias="max_leaf_nodes")
    smallest_leaf: int = Field(default=20, ge=1, serialization_alias="min_samples_leaf")
    penalty: float = Field(default=1.0, ge=0, serialization_alias="l2_regularization")


@dataclass(frozen=True)
class Recipe:
    """How an estimator is built, and how it wants its numbers: scaled, imputed, or with the gaps they have."""

    build: type[Any]
    settings: type[Params]
    numbers: Literal["scaled", "imputed", "as_they_are"]
    seeded: bool = False
    fixed: Mapping[str, Any] = field(default_factory=dict)


ESTIMATORS: Mapping[str, Recipe] = {
    "dummy": Recipe(DummyClassifier, DummySettings, "imputed", fixed={"strategy": "prior"}),
    "histogram_gradient_boosting": Recipe(
        HistGradientBoostingClassifier,
        HistogramGradientBoostingSettings,
        "as_they_are",
        seeded=True,
        # Stopping early by chance of a split of its own would spend rows and ignore the folds' rule.
        fixed={"early_stopping": False},
    ),
    "logistic_regression": Recipe(
        LogisticRegression,
        LogisticRegressionSettings,
        "scaled",
        # Newton's steps end so near the optimum that another processor's last bits do not outlive the rounding.
        fixed={"solver": "newton-cholesky", "tol": 1e-10},
    ),
    "random_forest": Recipe(RandomForestClassifier, RandomForestSettings, "imputed", seeded=True),
}


def recipe_of(specification: Specification, *, where: str) -> Recipe:
    """Return the recipe of a specification's estimator; `where` says whose mistake an unknown name is."""
    recipe = ESTIMATORS.get(specification.estimator)
    if recipe is None:
        raise ParamsError(
            f"{where}.estimator is {specification.estimator!r}, expected one of {sorted(ESTIMATORS)}. Correct it there."
        )
    return recipe


def completed(specification: Specification, *, where: str) -> Specification:
    """Return a specification with every setting written out; refuse an unknown estimator, setting or value."""
    settings = _checked(specification, where=where)
    return specification.model_copy(update={"settings": settings.model_dump(mode="json")})


def build_estimator(specification: Specification, *, seed: int, where: str) -> Any:
    """Return the unfitted estimator of a specification; equal specifications with equal seeds are equal."""
    recipe = recipe_of(specification, where=where)
    named = _checked(specification, where=where).model_dump(by_alias=True)
    return recipe.build(**named, **recipe.fixed, **({"random_state": seed} if recipe.seeded else {}))


def _checked(specification: Specification, *, where: str) -> Params:
    kind = recipe_of(specification, where=where).settings
    try:
        return kind.model_validate(specification.settings)
    except ValidationError as error:
        raise ParamsError(_explain(error, kind, specification.settings, where=f"{where}.settings")) from error


def _explain(error: ValidationError, kind: type[Params], settings: Mapping[str, Setting], *, where: str) -> str:
    known = ", ".join(f"{name} ({field.default})" for name, field in sorted(kind.model_fields.items())) or "none"
    lines = []
    for mistake in error.errors(include_url=False):
        name = str(mistake["loc"][0])
        reason = "unknown setting" if mistake["type"] == "extra_forbidden" else mistake["msg"]
        lines.append(f"{where}.{name}: {reason} (found {settings.get(name)!r})")
    return "\n".join([*lines, f"Known settings, with their defaults: {known}. Correct it there."])
