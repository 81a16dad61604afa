"""Settings of every estimator, with defaults; each alias is the name in scikit-learn."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from lab.core.params import Params
from lab.model_files.specification import Preparation, Setting

# The upper limits are far above sensible values: without them a typing error runs for days, or overflows.
MOST_TREES = 10_000
MOST_STEPS = 100_000
DEEPEST = 1_000
LARGEST = 1_000_000
STRONGEST = 1e9
FASTEST = 10.0
Count = Annotated[int, Field(ge=1, le=10_000)]
Share = Annotated[float, Field(gt=0, le=1)]


class DummySettings(Params):
    """No settings: it predicts the share of positives."""


class LogisticRegressionSettings(Params):
    """A smaller inverse penalty regularises more."""

    inverse_penalty: float = Field(default=1.0, gt=0, le=STRONGEST, serialization_alias="C")
    most_steps: int = Field(default=100, ge=1, le=MOST_STEPS, serialization_alias="max_iter")


class NaiveBayesSettings(Params):
    """Columns are modelled as normal and independent; smoothing increases their variances."""

    smoothing: float = Field(default=1.0, gt=0, le=STRONGEST, serialization_alias="var_smoothing")


class NearestNeighboursSettings(Params):
    """The share of positives among the nearest training rows; the model stores all training rows."""

    neighbours: int = Field(default=50, ge=1, le=LARGEST, serialization_alias="n_neighbors")
    weights: Literal["uniform", "distance"] = Field(default="uniform", serialization_alias="weights")


class TreeSettings(Params):
    """Deeper trees with smaller leaves fit the training rows more closely and can overfit."""

    deepest: int | None = Field(default=6, ge=1, le=DEEPEST, serialization_alias="max_depth")
    smallest_leaf: int = Field(default=50, ge=1, le=LARGEST, serialization_alias="min_samples_leaf")


class ForestSettings(Params):
    """More trees are slower but never worse; larger leaves are smoother."""

    trees: int = Field(default=200, ge=1, le=MOST_TREES, serialization_alias="n_estimators")
    deepest: int | None = Field(default=None, ge=1, le=DEEPEST, serialization_alias="max_depth")
    smallest_leaf: int = Field(default=5, ge=1, le=LARGEST, serialization_alias="min_samples_leaf")
    feature_share: Share | Literal["sqrt", "log2"] = Field(default="sqrt", serialization_alias="max_features")


class ExtraTreesSettings(ForestSettings):
    """Trees with random split points, which need more features per split than a forest."""

    feature_share: Share | Literal["sqrt", "log2"] = Field(default=0.6, serialization_alias="max_features")


class AdaBoostSettings(Params):
    """Shallow trees, each fitted on the errors of those before; deeper ones need a smaller learning rate."""

    trees: int = Field(default=100, ge=1, le=MOST_TREES, serialization_alias="n_estimators")
    learning_rate: float = Field(default=0.1, gt=0, le=FASTEST, serialization_alias="learning_rate")
    deepest: int = Field(default=2, ge=1, le=DEEPEST, serialization_alias="estimator__max_depth")


class GradientBoostingSettings(Params):
    """Fewer trees need a larger learning rate; with a row share below 1 each tree uses a sample of the rows."""

    trees: int = Field(default=150, ge=1, le=MOST_TREES, serialization_alias="n_estimators")
    learning_rate: float = Field(default=0.06, gt=0, le=FASTEST, serialization_alias="learning_rate")
    deepest: int = Field(default=3, ge=1, le=DEEPEST, serialization_alias="max_depth")
    smallest_leaf: int = Field(default=20, ge=1, le=LARGEST, serialization_alias="min_samples_leaf")
    row_share: Share = Field(default=0.8, serialization_alias="subsample")


class HistogramGradientBoostingSettings(Params):
    """Fewer trees need a larger learning rate; missing values are handled by the splits."""

    trees: int = Field(default=150, ge=1, le=MOST_TREES, serialization_alias="max_iter")
    learning_rate: float = Field(default=0.06, gt=0, le=FASTEST, serialization_alias="learning_rate")
    most_leaves: int = Field(default=15, ge=2, le=MOST_TREES, serialization_alias="max_leaf_nodes")
    smallest_leaf: int = Field(default=20, ge=1, le=LARGEST, serialization_alias="min_samples_leaf")
    penalty: float = Field(default=1.0, ge=0, le=STRONGEST, serialization_alias="l2_regularization")


class SupportVectorMachineSettings(Params):
    """Radial kernel; the time grows at least with the square of the rows: slow from 10,000 rows, unusable from 100,000.

    Probabilities come from a sigmoid, fitted on margins of three inner folds. The kernel coefficient `scale` is
    1 / (columns × their variance).
    """

    inverse_penalty: float = Field(default=1.0, gt=0, le=STRONGEST, serialization_alias="estimator__C")
    kernel_coefficient: Annotated[float, Field(gt=0, le=STRONGEST)] | Literal["scale"] = Field(
        default=0.01, serialization_alias="estimator__gamma"
    )


class MultilayerPerceptronSettings(Params):
    """One hidden layer of neurons, or a list with the size of each; it learns for exactly this number of epochs."""

    neurons: Count | Annotated[list[Count], Field(min_length=1, max_length=10)] = Field(
        default=32, serialization_alias="hidden_layer_sizes"
    )
    epochs: int = Field(default=30, ge=1, le=MOST_STEPS, serialization_alias="max_iter")
    learning_rate: float = Field(default=0.003, gt=0, le=FASTEST, serialization_alias="learning_rate_init")
    penalty: float = Field(default=1.0, ge=0, le=STRONGEST, serialization_alias="alpha")


class Member(Params):
    """One model of an ensemble: a specification without class weights and calibration."""

    estimator: str
    settings: dict[str, Setting] = Field(default_factory=dict)
    features: Annotated[tuple[str, ...], Field(strict=False, min_length=1)] | None = None
    preparation: Preparation = Field(default_factory=Preparation)


MemberName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]
Members = Annotated[dict[MemberName, Member], Field(min_length=2, max_length=20)]


def default_members() -> dict[str, Member]:
    return {
        "boosting": Member(estimator="histogram_gradient_boosting"),
        "forest": Member(estimator="random_forest"),
        "logistic": Member(estimator="logistic_regression"),
    }


class VotingSettings(Params):
    """The mean of the members' probabilities, weighted by `weights`, equally without it."""

    members: Members = Field(default_factory=default_members)
    weights: dict[str, Annotated[float, Field(gt=0, le=STRONGEST)]] | None = None

    @model_validator(mode="after")
    def every_member_has_its_weight(self) -> Self:
        if self.weights is not None and set(self.weights) != set(self.members):
            raise ValueError(f"weights name {sorted(self.weights)}, expected the members {sorted(self.members)}")
        return self


class StackingSettings(Params):
    """A logistic regression on the members' out-of-fold probabilities.

    The inner folds are stratified: scikit-learn needs each row in exactly one of them, which folds in time do not give.
    The folds that score the candidate follow the rule of the data, as for every candidate.
    """

    members: Members = Field(default_factory=default_members)
    inverse_penalty: float = Field(default=1.0, gt=0, le=STRONGEST, serialization_alias="final_estimator__C")
    inner_folds: int = Field(default=3, ge=2, le=50)


EnsembleSettings = VotingSettings | StackingSettings


def sklearn_parameters(settings: Params) -> Mapping[str, Any]:
    """Return the settings of the estimator itself under scikit-learn's names."""
    named = {field.serialization_alias: name for name, field in type(settings).model_fields.items()}
    return {alias: getattr(settings, name) for alias, name in named.items() if alias}
