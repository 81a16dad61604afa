"""Plans of splits: windows with an embargo, and errors for too little history."""

from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from lab.core.errors import SourceError
from lab.core.seeds import generator_of, integer_of
from lab.dataset.split import GroupSplit, RandomSplit, TimeSplit
from lab.dataset.windows import plan_split
from lab.featurize.shares import CURRENT, TEST, TRAIN, parts_by_group, parts_within_classes
from lab.featurize.snapshots import period_ends


def day(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_windows_count_back_from_the_end_of_the_last_day() -> None:
    split = TimeSplit(kind="time", horizon_days=60, current_days=120, test_days=45)
    plan = plan_split(split, first=day("2024-01-01T08:00"), last=day("2025-12-31T21:00"))
    windows = {part: (window.starts, window.ends) for part, window in plan.windows.items()}
    assert windows == {
        "train": (day("2024-01-01"), day("2025-03-22")),
        "test": (day("2025-05-21"), day("2025-07-05")),
        "current": (day("2025-09-03"), day("2025-11-02")),
    }


@pytest.mark.parametrize("horizon", [0, 1, 30, 90])
def test_no_label_reaches_into_the_next_part(horizon: int) -> None:
    split = TimeSplit(kind="time", horizon_days=horizon, current_days=120, test_days=60)
    windows = plan_split(split, first=day("2020-01-01"), last=day("2025-12-31")).windows
    assert windows["train"].ends + timedelta(days=horizon) == windows["test"].starts
    assert windows["test"].ends + timedelta(days=horizon) == windows["current"].starts
    assert windows["current"].ends + timedelta(days=horizon) == day("2026-01-01")


def test_too_little_history_is_refused_with_the_days_that_are_needed() -> None:
    split = TimeSplit(kind="time", horizon_days=60, current_days=120, test_days=60)
    with pytest.raises(SourceError, match="from 2025-06-01 to 2026-01-01, expected more than 300 days"):
        plan_split(split, first=day("2025-06-01"), last=day("2025-12-31"))


def test_a_split_by_time_needs_moments() -> None:
    split = TimeSplit(kind="time", current_days=1, test_days=1)
    with pytest.raises(SourceError, match="found no moment in the data"):
        plan_split(split, first=None, last=None)


def test_every_plan_has_a_reason() -> None:
    for split in (GroupSplit(kind="group", column="household"), RandomSplit(kind="random")):
        assert len(plan_split(split, first=None, last=None).reason) > 20


def test_periods_end_at_the_newest_moment_and_cover_the_first() -> None:
    ends = period_ends(day("2024-01-01"), day("2024-07-01"), every_days=60)
    assert ends[-1] == day("2024-07-01")
    assert ends[0] > day("2024-01-01") >= ends[0] - timedelta(days=60)
    assert {later - earlier for earlier, later in pairwise(ends)} == {timedelta(days=60)}


def test_random_parts_divide_each_class_by_the_shares() -> None:
    labels = np.array([0] * 100 + [1] * 50)
    parts = parts_within_classes(labels, test_share=0.2, current_share=0.1, rng=generator_of(1, "a"))
    for value, size in ((0, 100), (1, 50)):
        counts = [int(np.sum(parts[labels == value] == part)) for part in (TRAIN, TEST, CURRENT)]
        assert counts == [0.7 * size, 0.2 * size, 0.1 * size]


def test_parts_by_group_keep_each_group_whole() -> None:
    groups = np.repeat(np.arange(10), 7)
    parts = parts_by_group(groups, test_share=0.2, current_share=0.2, rng=generator_of(1, "a"))
    by_group = [set(parts[groups == group].tolist()) for group in range(10)]
    assert all(len(sides) == 1 for sides in by_group)
    assert sorted(side for sides in by_group for side in sides) == [TRAIN] * 6 + [TEST] * 2 + [CURRENT] * 2


def test_streams_differ_by_name_and_seed_and_repeat() -> None:
    first = integer_of(7, "train/forest")
    assert first == integer_of(7, "train/forest")
    assert len({first, integer_of(7, "train/boosting"), integer_of(8, "train/forest")}) == 3
    assert 0 <= first < 2**31


def test_a_stream_reproduces_committed_results() -> None:
    """A change of these numbers changes every committed result."""
    assert generator_of(2024, "example").integers(0, 1000, 5).tolist() == [496, 756, 142, 518, 956]
