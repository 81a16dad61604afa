"""Plan the split: windows or shares of train, test and current."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field

from lab.core.errors import SourceError
from lab.core.params import Params
from lab.core.stage_files import read_stage_file
from lab.dataset.split import GroupSplit, RandomSplit, Split, TimeSplit

WINDOWS = Path("data/prepared/windows.json")


class Window(Params):
    """One window, both ends included; a moment in two windows belongs to the later one."""

    starts: datetime
    ends: datetime


class SplitPlan(Params):
    """The split of a task's rows: windows for a split by time, shares otherwise."""

    kind: Literal["time", "group", "random"]
    reason: str
    horizon_days: int = 0
    windows: dict[str, Window] = Field(default_factory=dict)
    group: str | None = None
    test_share: float | None = None
    current_share: float | None = None


def plan_split(split: Split, *, first: datetime | None, last: datetime | None) -> SplitPlan:
    """Return the plan for a task's split; first and last are the oldest and newest moments of the data."""
    if isinstance(split, TimeSplit):
        if first is None or last is None:
            raise SourceError("found no moment in the data, expected a column of moments for split.kind: time")
        return _plan_by_time(split, first=first, last=last)
    if isinstance(split, GroupSplit):
        reason = f"rows with the same {split.column} stay together, for they are not independent"
        group = split.column
    else:
        assert isinstance(split, RandomSplit)
        reason, group = "rows have neither a moment nor a repeated unit, so chance within each class divides them", None
    return SplitPlan(
        kind=split.kind, reason=reason, group=group, test_share=split.test_share, current_share=split.current_share
    )


def load_plan(path: Path = WINDOWS) -> SplitPlan:
    """Return the plan that the stage prepare wrote."""
    return read_stage_file(path, kind=SplitPlan, stage="prepare")


def _plan_by_time(split: TimeSplit, *, first: datetime, last: datetime) -> SplitPlan:
    horizon = timedelta(days=split.horizon_days)
    end = datetime(last.year, last.month, last.day) + timedelta(days=1)  # noqa: DTZ001 - the data's own zone
    current = end - timedelta(days=split.current_days)
    test = current - horizon - timedelta(days=split.test_days)
    start = datetime(first.year, first.month, first.day)  # noqa: DTZ001 - the data's own zone
    if test - horizon <= start:
        raise SourceError(
            f"found moments from {start:%Y-%m-%d} to {end:%Y-%m-%d}, expected more than "
            f"{(end - test + horizon).days} days, to leave rows for training. "
            "Cure: add history, or lower split.current_days and split.test_days in the task file."
        )
    return SplitPlan(
        kind="time",
        reason=f"the future is predicted from the past; a label is known after {split.horizon_days} days, "
        "and no row's label reaches into the next part",
        horizon_days=split.horizon_days,
        windows={
            "train": Window(starts=start, ends=test - horizon),
            "test": Window(starts=test, ends=current - horizon),
            "current": Window(starts=current, ends=end - horizon),
        },
    )
