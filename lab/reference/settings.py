"""When a change is more than noise, when it matters, and when to act: the section `drift` of params.yaml."""

from typing import Self

from pydantic import ConfigDict, Field, model_validator

from lab.core.params import Params

NEWEST = "data/features/current.parquet"


class Material(Params):
    """How large a change must be to matter, by measure."""

    kolmogorov_smirnov: float = Field(gt=0)
    wasserstein: float = Field(gt=0)
    population_stability: float = Field(gt=0)
    jensen_shannon: float = Field(gt=0)
    missing: float = Field(gt=0)
    tails: float = Field(gt=0)
    largest_change: float = Field(gt=0)
    unseen: float = Field(gt=0)


class ReferenceSettings(Params):
    """How much is kept of the reference rows, and how unusual a row must be to count as anomalous."""

    points: int = Field(ge=100)
    rows: int = Field(ge=100)
    chunks: int = Field(ge=3)
    false_alarm_rate: float = Field(gt=0, lt=0.5)
    trees: int = Field(ge=10)


class Streams(Params):
    """The detectors on labelled errors: how large a rise they look for, and how seldom they may be wrong."""

    slack: float = Field(gt=0)
    rows_per_false_alarm: int = Field(ge=100)
    confidence: float = Field(gt=0, lt=1)


class Policy(Params):
    """A rule for retraining: it fires beyond its limit, and suggests a retraining by itself where it counts."""

    limit: float | None = Field(default=None, gt=0)
    counts: bool


class Limited(Policy):
    """A rule that must have a limit."""

    limit: float = Field(gt=0)


class Policies(Params):
    """The rules by name; the naive ones are what many teams use, kept beside the sound ones to be compared with."""

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
            raise ValueError("age counts without a limit: give it one in days, or set counts to false")
        return self


class DriftParams(Params):
    """All that the stage drift asks; `current` is what it judges, the newest window or, say, the log of a server."""

    current: str
    significance: float = Field(gt=0, lt=1)
    material: Material
    performance_margin: float = Field(ge=0, lt=1)
    reference: ReferenceSettings
    chunks: int = Field(ge=1, le=100)
    streams: Streams
    policies: Policies


class OfReference(Params):
    """What of the section the stage reference asks; the rest is not its business."""

    model_config = ConfigDict(extra="ignore")
    reference: ReferenceSettings
