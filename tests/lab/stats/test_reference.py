"""The library agrees with reference values computed elsewhere and checked against R.

The environment variable REFERENCE_CASES points the same test at another file of the same form.
"""

import json
import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.stats.adapter import METHODS, UNKNOWN, is_unknown
from tests.lab.stats.answers import Answer

COMMITTED = Path(__file__).parents[2] / "reference" / "statistics.json"
CASES = json.loads(Path(os.environ.get("REFERENCE_CASES", COMMITTED)).read_text(encoding="utf-8"))["cases"]
SMALLEST = 1e-12  # a value that is zero but for rounding
NUMBERS_IN_WORDS = {"inf": "inf", "-inf": "-inf", "nan": None}


def every(cases: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in cases]


def answer_to(case: dict[str, Any]) -> Answer:
    asked = list(case["expected"])
    if case["method"] not in METHODS:
        pytest.skip(f"unknown: the library does not offer {case['method']}")
    try:
        return METHODS[case["method"]](case["inputs"] | {"asked": asked})
    except ValueError as refused:
        return Answer({}, str(refused))


def is_a_demand(expected: Any) -> bool:
    """Say whether a case asks in words for a status, or a refusal, instead of a number."""
    return isinstance(expected, str) and expected not in NUMBERS_IN_WORDS


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from leaves(item, f"{path}[{place}]")
    else:
        yield path, value


def near(value: Any, case: dict[str, Any]) -> Any:
    if isinstance(value, str):
        return NUMBERS_IN_WORDS.get(value, value)
    if value is None or isinstance(value, bool):
        return value
    within = re.search(r"([\d.]+e-?\d+) absolute", case.get("note") or "")
    if case["rtol"] is None and within:
        return pytest.approx(value, rel=0, abs=float(within[1]))
    relative = 1e-9 if case["rtol"] is None else case["rtol"]  # drawn there, exact here
    return pytest.approx(value, rel=relative, abs=SMALLEST if value == 0 else 0)


@pytest.mark.parametrize("case", every(CASES))
def test_agrees_with_the_reference(case: dict[str, Any]) -> None:
    answer = answer_to(case)
    for name, expected in case["expected"].items():
        if is_a_demand(expected):
            assert answer.reason, f"{name}: {expected}"
            continue
        got = dict(leaves(answer.values.get(name, answer.values.get(name.removeprefix("required_"))), name))
        for path, value in leaves(expected, name):
            if is_unknown(case["method"], path):
                continue
            assert got[path] == near(value, case), path


@pytest.mark.parametrize("case", every(CASES))
def test_no_answer_is_infinite_or_not_a_number(case: dict[str, Any]) -> None:
    numbers = [value for _, value in leaves(answer_to(case).values) if isinstance(value, float)]
    assert all(math.isfinite(number) for number in numbers)


DEMANDS = [case for case in CASES if any(is_a_demand(value) for value in case["expected"].values())]


@pytest.mark.parametrize("case", every(DEMANDS))
def test_a_case_without_an_answer_has_a_reason_and_no_p_value(case: dict[str, Any]) -> None:
    answer = answer_to(case)
    assert answer.reason
    assert answer.values.get("p") is None


def test_every_method_of_the_reference_is_covered_or_listed_as_unknown() -> None:
    absent = {method for method, fields in UNKNOWN.items() if not fields}
    assert {case["method"] for case in CASES} - set(METHODS) <= absent
    assert absent.isdisjoint(METHODS)
