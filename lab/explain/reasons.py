"""Give the reasons for the scores of a frame's rows: the features that move them most; never what causes it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lab.compiled.wording import Kind, Reason, Row, Usual, Value, Words, weightiest
from lab.core.errors import ParamsError
from lab.core.schema import Feature
from lab.explain.contributions import Contributions
from lab.task.words import FeatureWords, named_in, placeholders_of


def words_of(words: Mapping[str, FeatureWords]) -> dict[str, Words]:
    """Return the words of a task with their sentences taken apart, ready to be filled."""
    return {name: _taken_apart(own) for name, own in words.items()}


def usual_of(reference: pd.DataFrame, features: Mapping[str, Feature]) -> dict[str, Usual]:
    """Return what is usual for each feature among the reference rows."""
    return {name: _usual(reference[name], feature.kind) for name, feature in features.items()}


def rows_of(frame: pd.DataFrame) -> list[dict[str, Value]]:
    """Return the rows of a frame that `frame_of` made, None where a value is missing."""
    columns = {
        name: [None if value is None or value != value else value for value in frame[name].tolist()]  # noqa: PLR0124
        for name in frame.columns
    }
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def reasons_of(
    contributions: Contributions,
    rows: Sequence[Row],
    words: Mapping[str, FeatureWords],
    usual: Mapping[str, Usual],
    *,
    most: int,
) -> list[list[Reason]]:
    """Return each row's reasons, the weightiest first, ties by name; a feature that moves nothing is no reason."""
    own = words_of(words)
    return [
        weightiest(contributions.features, moved, row, own, usual, most=most)
        for moved, row in zip(contributions.values, rows, strict=True)
    ]


def check_words(words: Mapping[str, FeatureWords], features: Mapping[str, Feature]) -> list[str]:
    """Return the names that words are for or mention and that are no features; refuse a form that does not fit.

    Unknown names are no mistake by themselves: a column that too many rows lack is left out, and its words with it.
    """
    for own in words.values():
        for template in own.templates:
            for _, name, form in placeholders_of(template):
                if form and name and name in features and features[name].kind != "number":
                    raise ParamsError(
                        f"words: {template!r} forms {name} as {form!r}, which is for numbers; {name} is a "
                        f"{features[name].kind}. Cure: write {{{name}}} in the task file, and dvc repro task."
                    )
    return [name for name in named_in(dict(words)) if name not in features]


def _taken_apart(own: FeatureWords) -> Words:
    parts = {
        name: tuple(tuple(placeholders_of(template)) for template in templates)
        for name, templates in (
            ("says", own.says),
            ("raises", own.raises),
            ("lowers", own.lowers),
            ("missing", own.missing),
        )
    }
    return Words(own.called, **parts)


def _usual(values: pd.Series, kind: Kind) -> Usual:
    present = values.dropna()
    if kind == "number":
        return Usual(kind, len(values), np.sort(present.to_numpy(), kind="stable"), {})
    counts: Mapping[Any, int] = present.value_counts(sort=False).to_dict()
    return Usual(kind, len(values), np.empty(0), counts)
