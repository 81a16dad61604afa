"""The gates of a task that differ from those in params.yaml: validate."""

from pydantic import Field

from lab.params import Params


class GateOverrides(Params):
    """Floors for this task; an absent one stays as params.yaml has it."""

    accuracy: float | None = Field(default=None, ge=0, le=1)
    precision: float | None = Field(default=None, ge=0, le=1)
    recall: float | None = Field(default=None, ge=0, le=1)
    f1: float | None = Field(default=None, ge=0, le=1)
    roc_auc: float | None = Field(default=None, ge=0, le=1)


class GatesSection(Params):
    """The `gates` section of a task file."""

    gates: GateOverrides
