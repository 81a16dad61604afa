"""What the columns of the feature tables are; written by featurize, read by everything after it."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from lab.errors import SourceError
from lab.params import Params, parse_json

FEATURES = Path("data/features")
SCHEMA = FEATURES / "schema.json"
CURE = "Cure: dvc repro featurize"


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


def load_schema(path: Path = SCHEMA) -> FeatureSchema:
    """Return the schema of the feature tables."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SourceError(f"{path} is missing, expected what the stage featurize writes. {CURE}") from None
    return parse_json(text, kind=FeatureSchema, where=str(path), cure=CURE)
