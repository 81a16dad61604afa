"""What a model is: an estimator by name, its settings in whole words, and the features it may see."""

from pydantic import Field

from lab.params import Params

Setting = bool | int | float | str | None


class Specification(Params):
    """The whole recipe of a model; the same recipe on the same rows is the same model, to the byte."""

    estimator: str
    settings: dict[str, Setting] = Field(default_factory=dict)
    features: tuple[str, ...] | None = Field(default=None, strict=False, min_length=1)
