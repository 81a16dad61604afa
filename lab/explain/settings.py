"""How much is explained: the section `explain` of params.yaml."""

from pydantic import Field

from lab.core.params import Params


class RowLimits(Params):
    """The most rows of a window that are explained, by the way in which that is done."""

    exact: int = Field(ge=1)
    # Of trees: rows times leaves times squared depth; a boosting takes 1e5 a row, a forest of 200 deep trees 1e8.
    tree_steps: int = Field(ge=1)
    permutation: int = Field(ge=1)


class ShuffleSettings(Params):
    """Permutation importance: of the features that contribute most, shuffled so often, among so many rows at most."""

    features: int = Field(ge=1)
    repeats: int = Field(ge=1)
    rows: int = Field(ge=10)
    # Numbers whose rank correlation lies beyond this share what they are worth.
    correlated_above: float = Field(gt=0, lt=1)


class DependenceSettings(Params):
    """Partial dependence: of how many features, at how many points, over how many rows."""

    features: int = Field(ge=1)
    points: int = Field(ge=2, le=20)
    rows: int = Field(ge=10)


class ExplainParams(Params):
    """What stands for the training rows, and how many rows, shuffles and features are enough."""

    reference_rows: int = Field(ge=10)
    walks: int = Field(ge=2)
    rows: RowLimits
    shuffles: ShuffleSettings
    dependence: DependenceSettings
    features_shown: int = Field(ge=1)
    reasons: int = Field(ge=1, le=10)
