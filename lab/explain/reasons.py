"""Reasons for the scores of rows, as text: the features with the largest contributions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lab.compiled.wording import Kind, Reason, ReferenceValues, Row, Value, Words, strongest_reasons
from lab.core.errors import ParamsError
from lab.core.schema import Feature
from lab.explain.contributions import Contributions
from lab.task.words import FeatureWords, features_in, placeholders_of


def words_of(words: Mapping[str, FeatureWords]) -> dict[str, Words]:
    """Return the words of a task with parsed sentence templates."""
    return {name: _parsed(own) for name, own in words.items()}


def reference_values_of(reference: pd.DataFrame, features: Mapping[str, Feature]) -> dict[str, ReferenceValues]:
    """Return the distribution of each feature in the reference rows."""
    return {name: _reference_values(reference[name], feature.kind) for name, feature in features.items()}


def rows_of(frame: pd.DataFrame) -> list[dict[str, Value]]:
    """Return the rows of a frame as mappings, with None for missing values."""
    columns = {
        name: [None if value is None or value != value else value for value in frame[name].tolist()]  # noqa: PLR0124
        for name in frame.columns
    }
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def reasons_of(
    contributions: Contributions,
    rows: Sequence[Row],
    words: Mapping[str, FeatureWords],
    usual: Mapping[str, ReferenceValues],
    *,
    most: int,
) -> list[list[Reason]]:
    """Return the reasons of each row, the strongest first, ties by name, without contributions of 0."""
    own = words_of(words)
    return [
        strongest_reasons(contributions.features, values, row, own, usual, most=most)
        for values, row in zip(contributions.values, rows, strict=True)
    ]


def check_words(words: Mapping[str, FeatureWords], features: Mapping[str, Feature]) -> list[str]:
    """Return names in words that are not features; refuse a number format for a feature that is not a number.

    Unknown names are allowed: a feature with too many missing values is dropped, and its words with it.
    """
    for own in words.values():
        for template in own.templates:
            for _, name, form in placeholders_of(template):
                if form and name and name in features and features[name].kind != "number":
                    raise ParamsError(
                        f"words: {template!r} formats {name} as {form!r}, which is for numbers; {name} is a "
                        f"{features[name].kind}. Cure: write {{{name}}} in the task file, and dvc repro task."
                    )
    return [name for name in features_in(dict(words)) if name not in features]


def _parsed(own: FeatureWords) -> Words:
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


def _reference_values(values: pd.Series, kind: Kind) -> ReferenceValues:
    present = values.dropna()
    if kind == "number":
        return ReferenceValues(kind, len(values), np.sort(present.to_numpy(), kind="stable"), {})
    counts: Mapping[Any, int] = present.value_counts(sort=False).to_dict()
    return ReferenceValues(kind, len(values), np.empty(0), counts)
