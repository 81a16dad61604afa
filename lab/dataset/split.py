"""How a task's rows are divided into train, test and current (the newest, as production sees them)."""

from typing import Annotated, Literal

from pydantic import Field

from lab.core.params import Params


class TimeSplit(Params):
    """By time: current is the last `current_days`, test the `test_days` before, train what came earlier.

    A row belongs to test or train only when its label, known `horizon_days` after its moment, was known before the
    next part begins: that is the embargo.
    """

    kind: Literal["time"]
    horizon_days: int = Field(default=0, ge=0)
    current_days: int = Field(gt=0)
    test_days: int = Field(gt=0)


class GroupSplit(Params):
    """By group: all rows of one unit fall on the same side."""

    kind: Literal["group"]
    column: str
    test_share: float = Field(default=0.2, gt=0, lt=1)
    current_share: float = Field(default=0.2, gt=0, lt=1)


class RandomSplit(Params):
    """By chance within each class, for a table that has neither time nor repeated units."""

    kind: Literal["random"]
    test_share: float = Field(default=0.2, gt=0, lt=1)
    current_share: float = Field(default=0.2, gt=0, lt=1)


Split = Annotated[TimeSplit | GroupSplit | RandomSplit, Field(discriminator="kind")]


class SplitSection(Params):
    """The `split` section of a task file."""

    split: Split
