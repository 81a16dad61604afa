"""The schema of the feature tables: written by featurize, read by later stages."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from lab.core.params import Params
from lab.core.stage_files import read_stage_file

FEATURES = Path("data/features")
SCHEMA = FEATURES / "schema.json"


class Feature(Params):
    """The kind of one feature."""

    kind: Literal["number", "boolean", "category"]


class FoldRule(Params):
    """How training rows are split into folds, and the reason."""

    kind: Literal["time", "group", "stratified"]
    horizon_days: int = Field(default=0, ge=0)
    group: str | None = None
    reason: str


class FeatureSchema(Params):
    """The columns of the feature tables; models use the features sorted by name."""

    question: str
    unit: tuple[str, ...] = Field(strict=False)
    moment: str | None
    positive: str | int | bool
    groups: tuple[str, ...] = Field(strict=False)
    features: dict[str, Feature]
    folds: FoldRule

    @property
    def keys(self) -> list[str]:
        """The columns that identify a row: the unit, and the moment if the task has one."""
        return [*self.unit, *([self.moment] if self.moment else [])]

    @property
    def unit_columns(self) -> list[str]:
        """The columns that name independent units: the group that the split keeps together, else the unit."""
        return [self.folds.group] if self.folds.group is not None else [*self.unit]


def load_schema(path: Path = SCHEMA) -> FeatureSchema:
    return read_stage_file(path, kind=FeatureSchema, stage="featurize")
