"""Every row is in one group of each column, and small groups are marked."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from lab.evaluate.measurement import POSITIVE_SHARE, Window
from lab.evaluate.slices import MISSING, group_rows, levels_of, note_on, small_groups, unseen_groups
from lab.stats.core.classification import METRICS
from lab.task.money import Money


def test_levels_have_plain_names_and_nulls_are_a_level() -> None:
    assert set(levels_of([True, False, None])) == {"true", "false", MISSING}
    assert levels_of(["b", "a", "b"])["b"].tolist() == [True, False, True]


def test_the_largest_of_many_levels_are_kept_and_the_rest_is_merged() -> None:
    values = [f"level {number:02d}" for number in range(30) for _ in range(30 - number)]
    levels = levels_of(values)
    assert len(levels) == 20
    assert set(levels) == {*(f"level {number:02d}" for number in range(19)), "11 others"}
    assert np.array_equal(sum(rows.astype(int) for rows in levels.values()), np.ones(len(values)))


@pytest.mark.parametrize(
    ("rows", "positives", "note"),
    [
        (50, 10, ""),
        (49, 20, "too small to judge: 49 rows, 20 positive"),
        (500, 9, "too small to judge: 500 rows, 9 positive"),
        (500, 491, "too small to judge: 500 rows, 491 positive"),
    ],
)
def test_a_group_needs_enough_rows_of_both_classes(rows: int, positives: int, note: str) -> None:
    assert note_on(np.arange(rows) < positives, smallest=50, unseen=False) == note


def window() -> Window:
    rng = np.random.default_rng(0)
    labels = rng.random(400) < 0.5
    scores = {name: rng.random(400).round(6) for name in ("champion", "challenger")}
    thresholds = {"champion": 0.5, "challenger": 0.3}
    return Window(labels, scores, thresholds, {"gender": ["f", "m"] * 195 + ["x"] * 10})


def rows_of(given: Window, *, trained_on: set[str]) -> list[dict[str, Any]]:
    return list(
        group_rows(
            given,
            trained_on={"gender": trained_on},
            money=Money(),
            resamples=100,
            smallest=50,
            stream_of=lambda _: np.random.default_rng(1),
        )
    )


def test_a_group_is_measured_on_its_own_rows() -> None:
    given = window()
    rows = rows_of(given, trained_on={"f", "m", "x"})
    inside = np.array(given.groups["gender"]) == "f"
    decided = given.scores["challenger"][inside] >= 0.3
    found = {row["metric"]: row for row in rows if (row["level"], row["model"]) == ("f", "challenger")}
    assert set(found) == {*METRICS, POSITIVE_SHARE}
    assert found["accuracy"]["value"] == pytest.approx(np.mean(decided == given.labels[inside]))
    assert found["brier"]["value"] == pytest.approx(
        brier_score_loss(given.labels[inside], given.scores["challenger"][inside])
    )
    assert found[POSITIVE_SHARE]["value"] == pytest.approx(decided.mean())
    assert (found["accuracy"]["rows"], found["accuracy"]["positives"]) == (195, int(given.labels[inside].sum()))
    assert small_groups(rows) == [("gender", "x")]
    assert unseen_groups(rows) == []


def test_a_level_without_training_rows_is_noted() -> None:
    rows = rows_of(window(), trained_on={"f"})
    assert unseen_groups(rows) == [("gender", "m"), ("gender", "x")]
    notes = {row["level"]: row["note"] for row in rows}
    assert notes["f"] == ""
    assert notes["m"] == "not in the training rows"
    assert notes["x"].startswith("too small to judge: 10 rows")
    assert notes["x"].endswith("; not in the training rows")


def test_a_column_that_is_all_missing_is_one_group() -> None:
    given = window()
    empty = Window(given.labels, given.scores, given.thresholds, {"gender": [None] * 400})
    rows = rows_of(empty, trained_on={MISSING})
    assert {row["level"] for row in rows} == {MISSING}
    assert {row["rows"] for row in rows} == {400}
    assert unseen_groups(rows) == []
