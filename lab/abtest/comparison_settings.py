"""Settings of the model comparison: the section `abtest` of params.yaml."""

from typing import Self

from pydantic import Field, model_validator

from lab.abtest.compare_models import METRICS
from lab.core.params import Params


class ComparisonParams(Params):
    """Significance level, resamples, primary metric, and margins of equivalence."""

    significance: float = Field(gt=0, lt=1)
    resamples: int = Field(ge=1000, le=1_000_000)
    primary: str
    margins: dict[str, float]

    @model_validator(mode="after")
    def metrics_are_known(self) -> Self:
        if self.primary not in METRICS:
            raise ValueError(f"primary is {self.primary!r}, expected one of {list(METRICS)}")
        if set(self.margins) != set(METRICS) or min(self.margins.values()) < 0:
            raise ValueError(f"margins needs a number of at least 0 for each of {list(METRICS)}")
        return self
