"""What the reference says of itself: the small part, kept as JSON; strict, so that a damaged one is refused."""

from typing import Literal

from pydantic import Field

from lab.core.params import Params
from lab.core.schema import FeatureSchema


class ColumnFacts(Params):
    """One column of the reference: what its type was, how much of it is missing, and how alike its rows are."""

    kind: Literal["number", "boolean", "category"]
    type: str
    missing: int = Field(ge=0)
    spread: float = Field(ge=0)
    exact: bool
    inflation: float = Field(ge=1)


class Mean(Params):
    """A mean, its rows' variance and their number; None where there is none."""

    mean: float | None
    variance: float | None
    rows: int


class AreaFacts(Params):
    """An area under the ROC curve with its variance, and the variance of one row of each class."""

    value: float
    variance: float | None
    of_positives: float
    of_negatives: float


class ModelFacts(Params):
    """What a model's scores were on the reference rows, and how far they could be trusted."""

    threshold: float
    score: Mean
    log_odds: Mean
    decided: int
    labelled: int
    positives: int
    area: AreaFacts | None
    metrics: dict[str, float | None]
    error_rate: float | None
    calibration_error: float | None
    calibrated_error: float | None
    curve_x: tuple[float, ...] = Field(strict=False)
    curve_y: tuple[float, ...] = Field(strict=False)


class ChunkLimit(Params):
    """A figure over the chunks of the reference: its mean and deviation, and how well both are known."""

    mean: float
    deviation: float
    chunks: int
    degrees: float


class ChunkFacts(Params):
    """How the reference was cut, how many rows a chunk has, and the limits that follow, by figure."""

    by: str
    rows: float
    limits: dict[str, ChunkLimit]


class AnomalyFacts(Params):
    """The threshold of the anomaly score: passed by `above` of `rows` held-out rows of the reference."""

    threshold: float
    above: int
    rows: int
    fitted_on: int


class ReferenceFacts(Params):
    """All of the reference that is neither a distribution, nor a row, nor the forest."""

    window: str
    rows: int
    first_moment: str | None
    last_moment: str | None
    inputs: FeatureSchema
    units: dict[str, str]
    columns: dict[str, ColumnFacts]
    models: dict[str, ModelFacts]
    chunks: ChunkFacts
    anomalies: AnomalyFacts | None
    files: dict[str, str] = Field(default_factory=dict)
