"""Say in plain words why a row has its score, from numbers and texts alone: the pipeline and the server share it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lab.compiled.parts import Numbers

Value = float | str | None
Row = Mapping[str, Value]
Kind = Literal["number", "boolean", "category"]
Template = tuple[
    tuple[str, str | None, str], ...
]  # text, the feature whose value follows it or none, that value's form

LONGEST_LEVEL = 60


@dataclass(frozen=True)
class Words:
    """What a task says of a feature, ready to be filled: of several sentences the first serves that can be."""

    called: str | None = None
    says: tuple[Template, ...] = ()
    raises: tuple[Template, ...] = ()
    lowers: tuple[Template, ...] = ()
    missing: tuple[Template, ...] = ()


@dataclass(frozen=True)
class Usual:
    """The reference rows of one feature: how many, the numbers in order, the rows of each level."""

    kind: Kind
    rows: int
    numbers: Numbers
    levels: Mapping[Value, int]


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


PLAIN = Words()


def weightiest(
    features: Sequence[str],
    contributions: Numbers,
    row: Row,
    words: Mapping[str, Words],
    usual: Mapping[str, Usual],
    *,
    most: int,
) -> list[Reason]:
    """Return a row's reasons, the weightiest first, ties by place; a feature that moves nothing is no reason."""
    places = np.argsort(-np.abs(contributions), kind="stable")[:most].tolist()
    moved = contributions.tolist()
    return [
        reason_for(features[place], moved[place], row, words=words, usual=usual) for place in places if moved[place]
    ]


def reason_for(
    feature: str, contribution: float, row: Row, *, words: Mapping[str, Words], usual: Mapping[str, Usual]
) -> Reason:
    """Return one reason, in the task's words where they serve for this row, else in general ones."""
    effect: Literal["raises", "lowers"] = "raises" if contribution > 0 else "lowers"
    own = words.get(feature, PLAIN)
    directed = own.raises if effect == "raises" else own.lowers
    templates = own.missing if row[feature] is None else (*directed, *own.says)
    filled = (fill(template, row, usual) for template in templates)
    sentence = next((text for text in filled if text is not None), None)
    return Reason(feature, effect, contribution, sentence or general(feature, row[feature], own, usual[feature]))


def fill(template: Template, row: Row, usual: Mapping[str, Usual]) -> str | None:
    """Return a template with the row's values in it; None where one of them is missing, or no feature any more."""
    text = ""
    for before, name, form in template:
        text += before
        if name is None:
            continue
        value = row.get(name)
        if value is None:
            return None
        text += shown(value, usual[name].kind, form)
    return text


def general(feature: str, value: Value, own: Words, usual: Usual) -> str:
    """Return the sentence for a value that no words are given for: what it is, and how usual that is."""
    name = own.called or feature.replace("_", " ")
    if value is None:
        return f"{name} is not known, {_as_in(usual.rows - _known(usual), usual.rows)}"
    word = shown(value, usual.kind)
    if usual.kind != "number":
        return f"{name} is {word}, {_as_in(usual.levels.get(value, 0), usual.rows)}"
    return f"{name} is {word}, {_standing(float(value), usual.numbers)}"


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


def _known(usual: Usual) -> int:
    return len(usual.numbers) if usual.kind == "number" else sum(usual.levels.values())


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
