"""Texts of reasons from numbers and strings alone; shared by pipeline and server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lab.compiled.parts import Numbers

Value = float | str | None
Row = Mapping[str, Value]
Kind = Literal["number", "boolean", "category"]
Template = tuple[tuple[str, str | None, str], ...]  # text, the feature whose value follows or None, its format

LONGEST_LEVEL = 60


@dataclass(frozen=True)
class Words:
    """The parsed sentences of a task for one feature; the first one that can be filled is used."""

    called: str | None = None
    says: tuple[Template, ...] = ()
    raises: tuple[Template, ...] = ()
    lowers: tuple[Template, ...] = ()
    missing: tuple[Template, ...] = ()


@dataclass(frozen=True)
class ReferenceValues:
    """The values of one feature in the reference rows: sorted numbers, or the rows of each level."""

    kind: Kind
    rows: int
    numbers: Numbers
    levels: Mapping[Value, int]


@dataclass(frozen=True)
class Reason:
    """One feature's contribution to a score, on the scale of the model's output, with its sentence."""

    feature: str
    effect: Literal["raises", "lowers"]
    contribution: float
    sentence: str

    @property
    def text(self) -> str:
        return f"{self.effect} the score: {self.sentence}"


NO_WORDS = Words()


def strongest_reasons(
    features: Sequence[str],
    contributions: Numbers,
    row: Row,
    words: Mapping[str, Words],
    usual: Mapping[str, ReferenceValues],
    *,
    most: int,
) -> list[Reason]:
    """Return the reasons of a row, the strongest first, without contributions of 0."""
    places = np.argsort(-np.abs(contributions), kind="stable")[:most].tolist()
    values = contributions.tolist()
    return [
        reason_for(features[place], values[place], row, words=words, usual=usual) for place in places if values[place]
    ]


def reason_for(
    feature: str, contribution: float, row: Row, *, words: Mapping[str, Words], usual: Mapping[str, ReferenceValues]
) -> Reason:
    """Return one reason, with a sentence of the task where one can be filled, else with a default sentence."""
    effect: Literal["raises", "lowers"] = "raises" if contribution > 0 else "lowers"
    own = words.get(feature, NO_WORDS)
    directed = own.raises if effect == "raises" else own.lowers
    templates = own.missing if row[feature] is None else (*directed, *own.says)
    filled = (fill(template, row, usual) for template in templates)
    sentence = next((text for text in filled if text is not None), None)
    return Reason(
        feature, effect, contribution, sentence or default_sentence(feature, row[feature], own, usual[feature])
    )


def fill(template: Template, row: Row, usual: Mapping[str, ReferenceValues]) -> str | None:
    """Return a template filled with values of the row; None where a value is missing."""
    text = ""
    for before, name, form in template:
        text += before
        if name is None:
            continue
        value = row.get(name)
        if value is None:
            return None
        text += format_value(value, usual[name].kind, form)
    return text


def default_sentence(feature: str, value: Value, own: Words, usual: ReferenceValues) -> str:
    """Return the default sentence: the value, and its position in the reference rows."""
    name = own.called or feature.replace("_", " ")
    if value is None:
        return f"{name} is not known, {_as_in(usual.rows - _known(usual), usual.rows)}"
    word = format_value(value, usual.kind)
    if usual.kind != "number":
        return f"{name} is {word}, {_as_in(usual.levels.get(value, 0), usual.rows)}"
    return f"{name} is {word}, {_standing(float(value), usual.numbers)}"


def format_value(value: Value, kind: str, form: str = "") -> str:
    """Return a value as text on one line."""
    if value is None:
        return "not known"
    if isinstance(value, str):
        plain = " ".join("".join(sign if sign.isprintable() else " " for sign in value).split())
        return plain if len(plain) <= LONGEST_LEVEL else f"{plain[: LONGEST_LEVEL - 1]}…"
    if kind == "boolean":
        return "yes" if value else "no"
    sign, rest = ("+", form[1:]) if form.startswith("+") else ("", form)
    text = format(float(value), f"{sign}z{rest or _form_for(value)}")  # z: no negative zero
    return text.replace("%", " %")


def _known(usual: ReferenceValues) -> int:
    return len(usual.numbers) if usual.kind == "number" else sum(usual.levels.values())


def _form_for(value: float) -> str:
    """Return a format with three significant digits for fractions, and all digits for whole or large numbers."""
    if value == round(value) or abs(value) >= 100:
        return ",.0f"
    return ".3g"


def _standing(value: float, numbers: Numbers) -> str:
    if not len(numbers):
        return "which no reference row has"
    below = int(np.searchsorted(numbers, value, side="left"))
    above = len(numbers) - int(np.searchsorted(numbers, value, side="right"))
    same = len(numbers) - below - above
    if same >= max(below, above):
        return _as_in(same, len(numbers))
    side, count = ("higher", below) if below >= above else ("lower", above)
    return f"{side} than in {_share(count, len(numbers))} of the rows"


def _as_in(count: int, rows: int) -> str:
    return f"as in {_share(count, rows)} of the rows" if count else "as in none of the reference rows"


def _share(count: int, rows: int) -> str:
    if count == rows:
        return "all"
    percent = round(100 * count / rows)
    return "fewer than 1 %" if percent < 1 else "more than 99 %" if percent > 99 else f"{percent} %"
