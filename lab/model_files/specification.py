"""What a model is: an estimator by name, its settings in whole words, and the features it may see."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from lab.core.params import Params

# A number, a text, a switch; only an ensemble's members are more: specifications of their own.
Setting = bool | int | float | str | None | list[Any] | dict[str, Any]
Calibration = Literal["none", "sigmoid", "isotonic", "best"]


class Keep(Params):
    """Which prepared columns an estimator may see: the best so many, by a test or by a model, on training rows only."""

    by: Literal["anova", "mutual_information", "model"]
    count: int = Field(ge=1)


class Preparation(Params):
    """How features become an estimator's columns, inside its own pipeline."""

    # A category with more levels than this is encoded as one column: by the share of positives, or by a number a level.
    one_hot_up_to: int = Field(default=20, ge=0)
    many_levels: Literal["target", "ordinal"] = "target"
    # Products of so many numbers at most; 1 makes none.
    polynomial_degree: int = Field(default=1, ge=1, le=3)
    interactions_only: bool = False
    keep: Keep | None = None

    @model_validator(mode="after")
    def interactions_need_products(self) -> Self:
        if self.interactions_only and self.polynomial_degree == 1:
            raise ValueError(
                "interactions_only chooses among products, and polynomial_degree 1 makes none: set it to 2"
            )
        return self


class Specification(Params):
    """The whole recipe of a model; the same recipe on the same rows is the same model, to the byte."""

    estimator: str
    settings: dict[str, Setting] = Field(default_factory=dict)
    features: Annotated[tuple[str, ...], Field(strict=False, min_length=1)] | None = None
    class_weights: Literal["none", "balanced"] = "none"
    calibration: Calibration = "none"
    preparation: Preparation = Field(default_factory=Preparation)
