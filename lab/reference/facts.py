"""Schema of reference.json, the summary of the drift reference."""

from typing import Literal

from pydantic import Field

from lab.core.params import Params
from lab.core.schema import FeatureSchema


class ColumnFacts(Params):
    """One column of the reference: type, missing values, and the design effect of correlated rows (inflation)."""

    kind: Literal["number", "boolean", "category"]
    type: str
    missing: int = Field(ge=0)
    spread: float = Field(ge=0)
    exact: bool
    inflation: float = Field(ge=1)


class Mean(Params):
    """A mean, the variance and the number of its rows; None without rows."""

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
    """The scores of a model on the reference rows: distribution, performance, calibration."""

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
    """A figure over the chunks of the reference: its mean, standard deviation and degrees of freedom."""

    mean: float
    deviation: float
    chunks: int
    degrees: float


class ChunkFacts(Params):
    """The chunks of the reference: by time or chance, rows per chunk, and the limits by figure."""

    by: str
    rows: float
    limits: dict[str, ChunkLimit]


class AnomalyFacts(Params):
    """The threshold of the anomaly score, exceeded by `above` of `rows` held-out rows of the reference."""

    threshold: float
    above: int
    rows: int
    fitted_on: int


class ReferenceFacts(Params):
    """The content of reference.json."""

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
