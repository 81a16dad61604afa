"""Settings of drift detection and retraining rules: the section `drift` of params.yaml."""

from typing import Self

from pydantic import ConfigDict, Field, model_validator

from lab.core.params import Params

NEWEST = "data/features/current.parquet"


class Material(Params):
    """The smallest material change of each measure."""

    kolmogorov_smirnov: float = Field(gt=0)
    wasserstein: float = Field(gt=0)
    population_stability: float = Field(gt=0)
    jensen_shannon: float = Field(gt=0)
    missing: float = Field(gt=0)
    tails: float = Field(gt=0)
    largest_change: float = Field(gt=0)
    unseen: float = Field(gt=0)


class FaultLimits(Params):
    """When a column or a batch is damaged, by shares of rows and by the distance that a changed unit may leave.

    Seasonal columns may have one value or new levels in a batch.
    """

    rows: float = Field(gt=0, lt=1)
    constant: float = Field(gt=0, lt=1)
    unit: float = Field(gt=0, lt=0.7)
    unreadable: float = Field(ge=0, lt=1)
    seasonal: tuple[str, ...] = Field(strict=False)


class ReferenceSettings(Params):
    """The size of the reference, and the false alarm rate of the anomaly detector."""

    points: int = Field(ge=100, le=1_000_000)
    rows: int = Field(ge=100, le=1_000_000)
    chunks: int = Field(ge=3, le=1000)
    false_alarm_rate: float = Field(gt=0, lt=0.5)
    trees: int = Field(ge=10, le=10_000)


class Streams(Params):
    """The detectors on labelled errors: the rise to detect (slack), and the false alarm rates."""

    slack: float = Field(gt=0)
    rows_per_false_alarm: int = Field(ge=100)
    confidence: float = Field(gt=0, lt=1)


class Policy(Params):
    """A rule for retraining: it fires above its limit, and suggests a retraining when `counts` is true."""

    limit: float | None = Field(default=None, gt=0)
    counts: bool


class Limited(Policy):
    """A rule whose limit is required."""

    limit: float = Field(gt=0)


class Policies(Params):
    """The rules by name; the naive ones are common in practice and included for comparison."""

    drifted_columns: Limited
    weighted_columns: Limited
    realised_performance: Policy
    estimated_performance: Policy
    age: Policy
    naive_columns: Limited
    naive_performance: Limited
    naive_rolling_mean: Limited
    naive_mean_score: Limited

    @model_validator(mode="after")
    def an_age_that_counts_has_a_limit(self) -> Self:
        if self.age.counts and self.age.limit is None:
            raise ValueError("age counts without a limit: set limit to a number of days, or counts to false")
        return self


class DriftParams(Params):
    """The settings of the stage drift; `current` is the batch, such as the newest window or the log of a server."""

    current: str
    significance: float = Field(gt=0, lt=1)
    material: Material
    faults: FaultLimits
    performance_margin: float = Field(ge=0, lt=1)
    reference: ReferenceSettings
    chunks: int = Field(ge=1, le=100)
    streams: Streams
    policies: Policies


class OfReference(Params):
    """The part of the section that the stage reference reads."""

    model_config = ConfigDict(extra="ignore")
    reference: ReferenceSettings
