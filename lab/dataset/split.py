"""The `split` section of a task file: rows into train, test and current."""

from typing import Annotated, Literal

from pydantic import Field

from lab.core.params import Params

MOST_DAYS = 36_500  # a century: what is longer leaves the calendar


class TimeSplit(Params):
    """By time: current is the last `current_days`, test the `test_days` before, train all earlier rows.

    A label is known `horizon_days` after its moment. The embargo leaves out rows of train and test whose label is not
    known when the next part begins.
    """

    kind: Literal["time"]
    horizon_days: int = Field(default=0, ge=0, le=MOST_DAYS)
    current_days: int = Field(gt=0, le=MOST_DAYS)
    test_days: int = Field(gt=0, le=MOST_DAYS)


class GroupSplit(Params):
    """By group: all rows of one unit are in the same part."""

    kind: Literal["group"]
    column: str
    test_share: float = Field(default=0.2, gt=0, lt=1)
    current_share: float = Field(default=0.2, gt=0, lt=1)


class RandomSplit(Params):
    """At random within each class, for a table without time and repeated units."""

    kind: Literal["random"]
    test_share: float = Field(default=0.2, gt=0, lt=1)
    current_share: float = Field(default=0.2, gt=0, lt=1)


Split = Annotated[TimeSplit | GroupSplit | RandomSplit, Field(discriminator="kind")]


class SplitSection(Params):
    """The `split` section of a task file."""

    split: Split
