"""Every row is in one group of each column, and small groups are called small."""

import numpy as np
import pytest

from lab.measurement import POSITIVE_SHARE, Window
from lab.slices import MISSING, group_rows, levels_of, remark_on, small_groups
from lab.task.money import Money


def test_levels_have_plain_names_and_nulls_are_a_level() -> None:
    assert set(levels_of([True, False, None])) == {"true", "false", MISSING}
    assert levels_of(["b", "a", "b"])["b"].tolist() == [True, False, True]


def test_the_largest_of_many_levels_stay_and_the_rest_is_one() -> None:
    values = [f"level {number:02d}" for number in range(30) for _ in range(30 - number)]
    levels = levels_of(values)
    assert len(levels) == 20
    assert set(levels) == {*(f"level {number:02d}" for number in range(19)), "11 others"}
    assert np.array_equal(sum(rows.astype(int) for rows in levels.values()), np.ones(len(values)))


@pytest.mark.parametrize(
    ("rows", "positives", "note"),
    [
        (50, 10, ""),
        (49, 20, "too small to say: 49 rows, 20 positive"),
        (500, 9, "too small to say: 500 rows, 9 positive"),
        (500, 491, "too small to say: 500 rows, 491 positive"),
    ],
)
def test_a_group_needs_enough_rows_of_both_classes(rows: int, positives: int, note: str) -> None:
    assert remark_on(np.arange(rows) < positives, smallest=50) == note


def window() -> Window:
    rng = np.random.default_rng(0)
    labels = rng.random(400) < 0.5
    scores = {name: rng.random(400).round(6) for name in ("champion", "challenger")}
    thresholds = {"champion": 0.5, "challenger": 0.3}
    return Window(labels, scores, thresholds, {"gender": ["f", "m"] * 195 + ["x"] * 10})


def test_a_group_is_measured_on_its_own_rows() -> None:
    given = window()
    rows = list(
        group_rows(given, money=Money(), resamples=100, smallest=50, stream_of=lambda _: np.random.default_rng(1))
    )
    inside = np.array(given.groups["gender"]) == "f"
    decided = given.scores["challenger"][inside] >= 0.3
    found = {row["metric"]: row for row in rows if (row["level"], row["model"]) == ("f", "challenger")}
    assert found["accuracy"]["value"] == pytest.approx(np.mean(decided == given.labels[inside]))
    assert found[POSITIVE_SHARE]["value"] == pytest.approx(decided.mean())
    assert (found["accuracy"]["rows"], found["accuracy"]["positives"]) == (195, int(given.labels[inside].sum()))
    assert small_groups(rows) == {("gender", "x")}
