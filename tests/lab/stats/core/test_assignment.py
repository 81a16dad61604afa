"""Units keep their arm in every process, and arms receive their weights."""

import os
import subprocess
import sys
from collections import Counter

import pytest

from lab.stats.core.assignment import arm_at, assign, hash_to_unit_interval
from lab.stats.experiments.sample_ratio import check_sample_ratio

UNITS = [f"unit-{number}" for number in range(20_000)]


def arms_of(salt: str, weights: list[float]) -> list[int]:
    return [assign(unit, salt=salt, weights=weights) for unit in UNITS]


def test_another_process_with_another_hash_seed_assigns_the_same() -> None:
    code = (
        "from lab.stats.core.assignment import assign; "
        "print([assign(str(n), salt='s', weights=[1, 2]) for n in range(50)])"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert seen == {f"{[assign(str(number), salt='s', weights=[1, 2]) for number in range(50)]}\n"}


@pytest.mark.parametrize("weights", [[1, 1], [9, 1], [0.5, 0.3, 0.2], [1, 0, 1]])
def test_arms_fill_in_proportion_to_their_weights(weights: list[float]) -> None:
    counts = Counter(arms_of("proportions", weights))
    assert not check_sample_ratio([counts[arm] for arm in range(len(weights))], weights).invalid
    assert all(counts[arm] == 0 for arm, weight in enumerate(weights) if weight == 0)


def test_another_salt_is_another_draw() -> None:
    first, second = arms_of("one", [1, 1]), arms_of("two", [1, 1])
    agree = sum(one == two for one, two in zip(first, second, strict=True))
    assert not check_sample_ratio([agree, len(UNITS) - agree], [1, 1]).invalid


def test_a_stratum_is_divided_by_itself() -> None:
    first = [assign(unit, salt="s", weights=[1, 1], stratum="north") for unit in UNITS]
    second = [assign(unit, salt="s", weights=[1, 1], stratum="south") for unit in UNITS]
    agree = sum(one == two for one, two in zip(first, second, strict=True))
    assert not check_sample_ratio([agree, len(UNITS) - agree], [1, 1]).invalid


@pytest.mark.parametrize("weights", [[], [0, 0], [-1, 2], [float("nan"), 1], [float("inf"), 1]])
def test_weights_that_divide_nothing_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="expected weights of at least 0"):
        arm_at(0.5, weights)


def test_the_last_place_on_the_line_belongs_to_an_arm() -> None:
    assert arm_at(1 - 2**-53, [0.1] * 10) == 9
    assert arm_at(1 - 2**-53, [0.1] * 10 + [0.0]) == 9
    assert 0 <= hash_to_unit_interval("unit", salt="s") < 1
