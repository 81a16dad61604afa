"""What the columns of the feature tables are; written by featurize, read by everything after it."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from lab.core.params import Params
from lab.core.stage_files import read_handed

FEATURES = Path("data/features")
SCHEMA = FEATURES / "schema.json"


class Feature(Params):
    """One feature: how its values are to be understood."""

    kind: Literal["number", "boolean", "category"]


class FoldRule(Params):
    """How the training rows may be divided into folds, and why."""

    kind: Literal["time", "group", "stratified"]
    horizon_days: int = Field(default=0, ge=0)
    group: str | None = None
    reason: str


class FeatureSchema(Params):
    """The columns of the feature tables; models take the features in the order of their names."""

    question: str
    unit: tuple[str, ...] = Field(strict=False)
    moment: str | None
    positive: str | int | bool
    groups: tuple[str, ...] = Field(strict=False)
    features: dict[str, Feature]
    folds: FoldRule

    @property
    def keys(self) -> list[str]:
        """The columns that together name a row: the unit, and the moment where the task has time."""
        return [*self.unit, *([self.moment] if self.moment else [])]


def load_schema(path: Path = SCHEMA) -> FeatureSchema:
    """Return the schema of the feature tables."""
    return read_handed(path, kind=FeatureSchema, stage="featurize")
