"""Hold the library to cases whose values were computed elsewhere and checked against R.

The environment variable REFERENCE_CASES points the same test at another file of the same form.
"""

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

from tests.stats.adapter import METHODS, Answer

COMMITTED = Path(__file__).parents[1] / "reference" / "statistics.json"
CASES = json.loads(Path(os.environ.get("REFERENCE_CASES", COMMITTED)).read_text(encoding="utf-8"))["cases"]
SMALLEST = 1e-12  # a value that is zero but for rounding

NOT_YET_COVERED = {
    "always_valid_asymp_cs",
    "always_valid_proportion_cs",
    "assignment_counts",
    "assignment_hash",
    "bayes_beta_binomial",
    "bayes_beta_binomial_large",
    "bayes_gaussian_effect",
    "bayes_multi_variant",
    "cuped",
    "group_sequential_alpha_spending",
    "group_sequential_classical",
    "group_sequential_power",
    "guardrail_equivalence",
    "guardrail_noninferiority",
    "msprt_normal_mixture",
    "multi_variant_means",
    "paired_bootstrap",
    "pairing",
    "post_stratification",
    "power_means",
    "power_proportions",
    "proportion_ci",
    "ratio_metric_delta_method",
    "sample_size_means",
    "sample_size_proportions",
    "sign_test",
    "srm",
    "stratified_binary",
    "trap_cumulative_alpha_as_nominal",
    "trap_naive_peeking",
    "two_means",
    "two_means_relative_lift",
    "two_means_summary",
    "two_proportions",
    "two_proportions_welch_unpooled",
}


def covered(cases: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(case, id=case["name"]) for case in cases if case["method"] in METHODS]


def flat(value: Any) -> list[float]:
    if isinstance(value, list | tuple):
        return [number for item in value for number in flat(item)]
    return [value]


def near(value: float, *, relative: float) -> Any:
    return pytest.approx(value, rel=relative, abs=SMALLEST if value == 0 else 0)


@pytest.mark.parametrize("case", covered(CASES))
def test_agrees_with_the_reference(case: dict[str, Any]) -> None:
    answer = METHODS[case["method"]](case["inputs"])
    for name, expected in case["expected"].items():
        if name == "required":
            continue
        got = flat(answer.values[name])
        assert got == [near(value, relative=case["rtol"]) for value in flat(expected)], name


@pytest.mark.parametrize("case", covered(CASES))
def test_no_answer_is_infinite_or_not_a_number(case: dict[str, Any]) -> None:
    answer = METHODS[case["method"]](case["inputs"])
    numbers = [number for number in flat(list(answer.values.values())) if number is not None]
    assert all(math.isfinite(number) for number in numbers)


@pytest.mark.parametrize("case", [case for case in covered(CASES) if "required" in case.values[0]["expected"]])
def test_a_case_without_an_answer_has_a_reason_and_no_p_value(case: dict[str, Any]) -> None:
    answer: Answer = METHODS[case["method"]](case["inputs"])
    assert answer.reason
    assert answer.values.get("p") is None


def test_the_list_of_methods_not_yet_covered_is_exact() -> None:
    committed = json.loads(COMMITTED.read_text(encoding="utf-8"))["cases"]
    assert {case["method"] for case in committed} - set(METHODS) == NOT_YET_COVERED
