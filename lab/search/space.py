"""Search spaces: choices or ranges of numbers."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from lab.core.params import Params
from lab.model_files.specification import Setting

CLASS_WEIGHTS = "class_weights"  # the only name in a space that is not a setting of the estimator


class Range(Params):
    """Numbers from low to high, integers when both ends are; a grid has `points` of them, evenly spaced by scale."""

    low: int | float
    high: int | float
    scale: Literal["linear", "log"] = "linear"
    points: int = Field(default=3, ge=2, le=1000)

    @model_validator(mode="after")
    def is_a_range(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low must be below high ({self.high}), found {self.low}")
        if self.scale == "log" and self.low <= 0:
            raise ValueError(f"a logarithmic range starts above 0, found {self.low}")
        return self

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)


Choices = list[Setting]
Dimension = Choices | Range
Space = Mapping[str, Dimension]
Point = Mapping[str, Setting]
