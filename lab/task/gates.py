"""The `gates` section of a task file: overrides of params.yaml: validate."""

from typing import Annotated, Literal

from pydantic import Field

from lab.core.params import Params

Share = Annotated[float, Field(ge=0, le=1)]
Floor = Share | Literal["none"]
Positive = Annotated[float, Field(gt=0, le=1)]
Noise = Annotated[float, Field(gt=0, le=10)]  # in standard deviations
Margin = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Repeats = Annotated[int, Field(ge=1, le=1000)]
Resamples = Annotated[int, Field(ge=100, le=100_000)]

Measure = Literal[
    "accuracy",
    "precision",
    "recall",
    "f1",
    "roc_auc",
    "chance",
    "lift",
    "net_value",
    "calibration_error",
    "accuracy_gap",
    "selection_ratio",
    "recall_gap",
    "precision_gap",
    "calibration_gap",
    "noise",
    "missing",
    "unseen_category",
    "champion",
]


class RobustnessOverrides(Params):
    """Overrides of params.yaml: validate.robustness."""

    noise: tuple[Noise, ...] | None = Field(default=None, strict=False)
    missing: tuple[Positive, ...] | None = Field(default=None, strict=False)
    accuracy_loss: Share | None = None
    repeats: Repeats | None = None
    most_rows: Count | None = None


class ChampionOverrides(Params):
    """Overrides of params.yaml: validate.champion."""

    margin: Margin | None = None
    resamples: Resamples | None = None


class GateOverrides(Params):
    """Overrides of params.yaml: validate; the floor of a metric has its name, and `none` removes it."""

    accuracy: Floor | None = None
    precision: Floor | None = None
    recall: Floor | None = None
    f1: Floor | None = None
    roc_auc: Floor | None = None
    calibration_error: Positive | None = None
    accuracy_gap: Share | None = None
    selection_ratio: Share | None = None
    recall_gap: Share | None = None
    precision_gap: Share | None = None
    calibration_gap: Share | None = None
    smallest_group: Count | None = None
    robustness: RobustnessOverrides = RobustnessOverrides()
    champion: ChampionOverrides = ChampionOverrides()
    reported: tuple[Measure, ...] | None = Field(default=None, strict=False)


class GatesSection(Params):
    """The `gates` section of a task file."""

    gates: GateOverrides
