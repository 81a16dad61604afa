"""The section `explain` of params.yaml."""

from pydantic import Field

from lab.core.params import Params


class RowLimits(Params):
    """The maximum number of explained rows of a window, by method."""

    exact: int = Field(ge=1)
    # Rows times leaves times squared depth: a boosting needs 1e5 a row, a forest of 200 deep trees 1e8.
    tree_steps: int = Field(ge=1)
    permutation: int = Field(ge=1)


class ShuffleSettings(Params):
    """Permutation importance: the number of features, repeats and rows."""

    features: int = Field(ge=1)
    repeats: int = Field(ge=1, le=1000)
    rows: int = Field(ge=10)
    # Features with a rank correlation above this are one group.
    correlated_above: float = Field(gt=0, lt=1)


class DependenceSettings(Params):
    """Partial dependence: the number of features, grid points and rows."""

    features: int = Field(ge=1)
    points: int = Field(ge=2, le=20)
    rows: int = Field(ge=10)


class ExplainParams(Params):
    """The number of reference rows, walks, features and reasons."""

    reference_rows: int = Field(ge=10)
    walks: int = Field(ge=2, le=10_000)
    rows: RowLimits
    shuffles: ShuffleSettings
    dependence: DependenceSettings
    features_shown: int = Field(ge=1)
    reasons: int = Field(ge=1, le=10)
