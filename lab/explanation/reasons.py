"""Say in plain words why a row has its score: the features that move it most, and how; never what causes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lab.errors import ParamsError
from lab.explanation.contributions import Contributions
from lab.schema import Feature
from lab.task.words import FeatureWords, named_in, placeholders_of

Numbers = NDArray[np.float64]
Value = float | str | None
Row = Mapping[str, Value]

LONGEST_LEVEL = 60
PLAIN = FeatureWords()


@dataclass(frozen=True)
class Reason:
    """One feature's part in a row's score; the contribution is in the unit of the model's output."""

    feature: str
    effect: Literal["raises", "lowers"]
    contribution: float
    sentence: str

    @property
    def text(self) -> str:
        """The whole reason for a reader."""
        return f"{self.effect} the score: {self.sentence}"


@dataclass(frozen=True)
class Usual:
    """The reference rows of one feature: how many, the numbers in order, the rows of each level."""

    kind: Literal["number", "boolean", "category"]
    rows: int
    numbers: Numbers
    levels: Mapping[Value, int]


def usual_of(reference: pd.DataFrame, features: Mapping[str, Feature]) -> dict[str, Usual]:
    """Return what is usual for each feature among the reference rows."""
    return {name: _usual(reference[name], feature) for name, feature in features.items()}


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
    order = np.argsort(-np.abs(contributions.values), axis=1, kind="stable")[:, :most]
    return [
        [
            reason_for(contributions.features[place], moved[place], row, words=words, usual=usual)
            for place in places
            if moved[place] != 0
        ]
        for places, moved, row in zip(order.tolist(), contributions.values.tolist(), rows, strict=True)
    ]


def reason_for(
    feature: str, contribution: float, row: Row, *, words: Mapping[str, FeatureWords], usual: Mapping[str, Usual]
) -> Reason:
    """Return one reason, in the task's words where they serve for this row, else in general ones."""
    effect: Literal["raises", "lowers"] = "raises" if contribution > 0 else "lowers"
    own = words.get(feature, PLAIN)
    directed = own.raises if effect == "raises" else own.lowers
    templates = own.missing if row[feature] is None else (*directed, *own.says)
    filled = (fill(template, row, usual) for template in templates)
    sentence = next((text for text in filled if text is not None), None)
    return Reason(feature, effect, contribution, sentence or general(feature, row[feature], own, usual[feature]))


def fill(template: str, row: Row, usual: Mapping[str, Usual]) -> str | None:
    """Return a template with the row's values in it; None where one of them is missing, or no feature any more."""
    text = ""
    for before, name, form in placeholders_of(template):
        text += before
        if name is None:
            continue
        value = row.get(name)
        if value is None:
            return None
        text += shown(value, usual[name].kind, form)
    return text


def general(feature: str, value: Value, own: FeatureWords, usual: Usual) -> str:
    """Return the sentence for a value that no words are given for: what it is, and how usual that is."""
    name = own.called or feature.replace("_", " ")
    if value is None:
        return f"{name} is not known, {_as_in(usual.rows - _known(usual), usual.rows)}"
    word = shown(value, usual.kind)
    if usual.kind != "number":
        return f"{name} is {word}, {_as_in(usual.levels.get(value, 0), usual.rows)}"
    return f"{name} is {word}, {_standing(float(value), usual.numbers)}"


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


def _usual(values: pd.Series, feature: Feature) -> Usual:
    present = values.dropna()
    if feature.kind == "number":
        return Usual(feature.kind, len(values), np.sort(present.to_numpy(), kind="stable"), {})
    counts: Mapping[Any, int] = present.value_counts(sort=False).to_dict()
    return Usual(feature.kind, len(values), np.empty(0), counts)


def _known(usual: Usual) -> int:
    return len(usual.numbers) if usual.kind == "number" else sum(usual.levels.values())


def shown(value: Value, kind: str, form: str = "") -> str:
    """Return a value as a reader would write it, on one line."""
    if value is None:
        return "not known"
    if isinstance(value, str):
        plain = " ".join("".join(sign if sign.isprintable() else " " for sign in value).split())
        return plain if len(plain) <= LONGEST_LEVEL else f"{plain[: LONGEST_LEVEL - 1]}…"
    if kind == "boolean":
        return "yes" if value else "no"
    sign, rest = ("+", form[1:]) if form.startswith("+") else ("", form)
    text = format(float(value), f"{sign}z{rest or _form_for(value)}")  # z: no minus before a zero
    return text.replace("%", " %")


def _form_for(value: float) -> str:
    """Return a form that shows three digits of a fraction, and all digits of a whole number or a large one."""
    if value == round(value) or abs(value) >= 100:
        return ",.0f"
    return ".3g"


def _standing(value: float, numbers: Numbers) -> str:
    if not len(numbers):
        return "which no row that it is held against has"
    below = int(np.searchsorted(numbers, value, side="left"))
    above = len(numbers) - int(np.searchsorted(numbers, value, side="right"))
    same = len(numbers) - below - above
    if same >= max(below, above):
        return _as_in(same, len(numbers))
    side, count = ("higher", below) if below >= above else ("lower", above)
    return f"{side} than in {_share(count, len(numbers))} of the rows"


def _as_in(count: int, rows: int) -> str:
    return f"as in {_share(count, rows)} of the rows" if count else "as in none of the rows it is held against"


def _share(count: int, rows: int) -> str:
    if count == rows:
        return "all"
    percent = round(100 * count / rows)
    return "fewer than 1 %" if percent < 1 else "more than 99 %" if percent > 99 else f"{percent} %"
