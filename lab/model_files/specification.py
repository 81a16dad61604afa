"""The specification of a model: estimator, settings, features, preprocessing, calibration."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from lab.core.params import Params

# Numbers, text, booleans; members of an ensemble are nested specifications.
Setting = bool | int | float | str | None | list[Any] | dict[str, Any]
Calibration = Literal["none", "sigmoid", "isotonic", "best"]


class Keep(Params):
    """Selection of the best prepared columns by a test or a model, on training rows only."""

    by: Literal["anova", "mutual_information", "model"]
    count: int = Field(ge=1, le=1_000_000)


class Preparation(Params):
    """The preprocessing of features, as part of the pipeline."""

    # Categories with more levels are encoded in one column: target or ordinal encoding.
    one_hot_up_to: int = Field(default=20, ge=0, le=10_000)
    many_levels: Literal["target", "ordinal"] = "target"
    # The maximum number of factors of a product; 1 creates no products.
    polynomial_degree: int = Field(default=1, ge=1, le=3)
    interactions_only: bool = False
    keep: Keep | None = None

    @model_validator(mode="after")
    def interactions_need_products(self) -> Self:
        if self.interactions_only and self.polynomial_degree == 1:
            raise ValueError("interactions_only needs products, and polynomial_degree 1 creates none: set it to 2")
        return self


class Specification(Params):
    """The complete definition of a model; equal specifications on equal rows give equal models, to the byte."""

    estimator: str
    settings: dict[str, Setting] = Field(default_factory=dict)
    features: Annotated[tuple[str, ...], Field(strict=False, min_length=1)] | None = None
    class_weights: Literal["none", "balanced"] = "none"
    calibration: Calibration = "none"
    preparation: Preparation = Field(default_factory=Preparation)
