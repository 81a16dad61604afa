"""Reasons are true sentences about a row, for any words and missing values."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from lab.compiled.wording import Reason, reason_for
from lab.core.errors import ParamsError
from lab.core.schema import Feature
from lab.explain.contributions import Contributions
from lab.explain.reasons import check_words, reasons_of, reference_values_of, rows_of, words_of
from lab.task.words import FeatureWords

KINDS = {"channel": "category", "days": "number", "gap": "number", "senior": "boolean"}
FEATURES = {name: Feature.model_validate({"kind": kind}) for name, kind in KINDS.items()}
REFERENCE = pd.DataFrame(
    {
        "channel": pd.Series(["web"] * 60 + ["app"] * 39 + [None], dtype=object),
        "days": np.arange(100.0),
        "gap": [np.nan] * 20 + [0.0] * 50 + [7.0] * 30,
        "senior": [1.0] * 25 + [0.0] * 75,
    }
)
USUAL = reference_values_of(REFERENCE, FEATURES)
ROW: dict[str, Any] = {"channel": "web", "days": 63.4, "gap": 12.0, "senior": 1.0}


def words(**own: Any) -> dict[str, FeatureWords]:
    return {name: FeatureWords.model_validate(value) for name, value in own.items()}


def sentence(feature: str, *, contribution: float = 1.0, row: Any = None, own: Any = None) -> str:
    return reason_for(feature, contribution, {**ROW, **(row or {})}, words=words_of(own or {}), usual=USUAL).sentence


RECENCY = words(
    days={
        "raises": ["has not bought for {days:.0f} days; usually every {gap:.0f}", "has not bought for {days:.0f} days"],
        "lowers": "bought {days:.0f} days ago",
        "missing": "never bought",
    }
)


def test_a_sentence_of_the_task_contains_the_values_of_the_row() -> None:
    assert sentence("days", own=RECENCY) == "has not bought for 63 days; usually every 12"
    assert sentence("days", own=RECENCY, contribution=-1.0) == "bought 63 days ago"


def test_when_a_feature_of_a_sentence_is_missing_the_next_sentence_is_used() -> None:
    assert sentence("days", own=RECENCY, row={"gap": None}) == "has not bought for 63 days"


def test_a_missing_value_has_its_own_sentence() -> None:
    assert sentence("days", own=RECENCY, row={"days": None}) == "never bought"


def test_undirected_sentences_are_used_in_both_directions() -> None:
    own = words(days={"says": "{days:.1f} days"})
    assert sentence("days", own=own) == sentence("days", own=own, contribution=-1.0) == "63.4 days"


def test_when_no_sentence_can_be_filled_the_default_is_used() -> None:
    own = words(days={"called": "days since then", "says": "{gap:.0f}"})
    assert sentence("days", own=own, row={"gap": None}) == "days since then is 63.4, higher than in 64 % of the rows"
    assert sentence("days", own=words(days={"says": "{gone}"})).startswith("days is 63.4")


@pytest.mark.parametrize(
    ("feature", "value", "expected"),
    [
        ("days", 20.0, "days is 20, lower than in 79 % of the rows"),
        ("days", 99.0, "days is 99, higher than in 99 % of the rows"),
        ("days", 1234.5, "days is 1,234, higher than in all of the rows"),
        ("days", None, "days is not known, as in none of the reference rows"),
        ("gap", 0.0, "gap is 0, as in 62 % of the rows"),
        ("gap", None, "gap is not known, as in 20 % of the rows"),
        ("channel", "app", "channel is app, as in 39 % of the rows"),
        ("channel", "fax", "channel is fax, as in none of the reference rows"),
        ("channel", None, "channel is not known, as in 1 % of the rows"),
        ("senior", 1.0, "senior is yes, as in 25 % of the rows"),
        ("senior", 0.0, "senior is no, as in 75 % of the rows"),
    ],
)
def test_the_default_sentence_contains_the_value_and_its_frequency(feature: str, value: Any, expected: str) -> None:
    assert sentence(feature, row={feature: value}) == expected


@pytest.mark.parametrize(
    ("form", "value", "expected"),
    [
        (".0f", -0.2, "0"),
        ("+.1f", 2.0, "+2.0"),
        (".0%", 0.256, "26 %"),
        (",.0f", 12345.6, "12,346"),
        ("", 0.1234, "0.123"),
    ],
)
def test_numbers_have_a_readable_format(form: str, value: float, expected: str) -> None:
    own = words(days={"says": f"{{days:{form}}}" if form else "{days}"})
    assert sentence("days", row={"days": value}, own=own) == expected


def test_a_level_from_the_data_is_one_short_line() -> None:
    own = words(channel={"says": "by {channel}"})
    assert sentence("channel", row={"channel": "a\nb\x00{days}"}, own=own) == "by a b {days}"
    assert len(sentence("channel", row={"channel": "x" * 5000}, own=own)) < 70


def test_the_strongest_reasons_come_first_without_contributions_of_zero() -> None:
    values = np.array([[0.1, -0.5, 0.1, 0.0], [0.0, 0.0, 0.0, 0.0]])
    found = reasons_of(Contributions(tuple(KINDS), values, 0.0, np.zeros(2)), [ROW, ROW], {}, USUAL, most=3)
    assert [(reason.feature, reason.effect) for reason in found[0]] == [
        ("days", "lowers"),
        ("channel", "raises"),
        ("gap", "raises"),
    ]
    assert found[1] == []


def test_a_reason_names_its_effect_on_the_score() -> None:
    assert Reason("days", "raises", 0.2, "days is 63").text == "raises the score: days is 63"


def test_rows_have_none_for_missing_values() -> None:
    assert rows_of(REFERENCE.iloc[[99, 0]]) == [
        {"channel": None, "days": 99.0, "gap": 7.0, "senior": 0.0},
        {"channel": "web", "days": 0.0, "gap": None, "senior": 1.0},
    ]


def test_names_that_are_not_features_are_returned() -> None:
    assert check_words(words(days={"says": "{dais}"}, age={"says": "old"}), FEATURES) == ["age", "dais"]


@pytest.mark.parametrize("name", ["channel", "senior"])
def test_a_number_format_for_other_features_is_refused(name: str) -> None:
    with pytest.raises(ParamsError, match=rf"formats {name} as '\.0f', which is for numbers.*Cure"):
        check_words(words(days={"says": f"{{{name}:.0f}}"}), FEATURES)
