"""The result of an adapter, and helpers that build it."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Inputs = Mapping[str, Any]
Lazy = Mapping[str, Callable[[], Any]]


@dataclass(frozen=True)
class Answer:
    """What the library says: values by the names of the reference file, and the reason where one was asked for."""

    values: dict[str, Any]
    reason: str = ""


def answered(values: Lazy, inputs: Inputs, *, reason: str = "") -> Answer:
    """Return the values that a case asks for; where it does not say, all that can be given."""
    asked: Iterable[str] | None = inputs.get("asked")
    if asked is not None:
        return Answer({name: values[name]() for name in asked if name in values}, reason)
    return Answer({name: value for name, of in values.items() if (value := _tried(of)) is not None}, reason)


def refusal(call: Callable[[], object]) -> Answer:
    try:
        call()
    except ValueError as error:
        return Answer({}, str(error))
    raise AssertionError("expected a refusal, got an answer")


def ends(low: float | None, high: float | None) -> list[float | str]:
    """Return the two ends of an interval; the file writes an open one as a word."""
    return ["-inf" if low is None else low, "inf" if high is None else high]


def root(variance: float) -> float:
    return math.sqrt(variance)


def _tried(of: Callable[[], Any]) -> Any:
    try:
        return of()
    except (ValueError, TypeError):
        return None
