"""Columns of every kind get a shift with a reason, without infinite numbers."""

import math
from typing import Any

import numpy as np
import pytest

from lab.stats.shift.shifts import Shift, measure_levels, measure_numbers

RNG = np.random.default_rng(9)
NORMAL = RNG.normal(0, 1, 5000)
NOTHING = np.array([])
MISSING = np.full(5000, np.nan)

UGLY: dict[str, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = {
    "all missing in both": (MISSING, MISSING),
    "all missing in the reference": (MISSING, NORMAL),
    "all missing in the current": (NORMAL, MISSING),
    "constant and the same": (np.ones(5000), np.ones(3000)),
    "constant and another": (np.ones(5000), np.zeros(3000)),
    "constant in the reference only": (np.ones(5000), NORMAL),
    "no current row": (NORMAL, NOTHING),
    "no reference row": (NOTHING, NORMAL),
    "no row": (NOTHING, NOTHING),
    "one row each": (np.array([1.0]), np.array([2.0])),
    "one row against many": (NORMAL, np.array([0.0])),
    "infinite in part": (NORMAL, np.where(NORMAL > 2, np.inf, NORMAL)),
    "infinite throughout": (np.full(50, np.inf), np.full(50, -np.inf)),
    "far from nought": (NORMAL + 1e9, NORMAL + 1e9),
    "huge": (NORMAL * 1e300, NORMAL * 1e300),
    "a few rows": (NORMAL[:30], NORMAL[30:55]),
}


@pytest.mark.parametrize("case", UGLY)
def test_every_column_gets_numbers_or_a_reason(case: str) -> None:
    shift = measure_numbers(*UGLY[case])
    assert all(math.isfinite(size) for size in shift.sizes.values())
    assert (shift.p_value is not None and 0 <= shift.p_value <= 1) or shift.remarks


@pytest.mark.parametrize("case", UGLY)
def test_the_bins_hold_every_row(case: str) -> None:
    reference, current = UGLY[case]
    assert measure_numbers(reference, current).rows == (len(reference), len(current))


@pytest.mark.parametrize(
    ("case", "remark"),
    [
        ("all missing in both", "no value in reference and current"),
        ("all missing in the current", "no value in current"),
        ("no current row", "no row in current"),
        ("infinite in part", f"{int(np.sum(NORMAL > 2))} infinite values, excluded from the distance"),
        ("constant and the same", "only one level"),
    ],
)
def test_the_reason_is_said(case: str, remark: str) -> None:
    assert measure_numbers(*UGLY[case]).remarks == (remark,)


def test_a_column_that_went_missing_has_moved_entirely() -> None:
    shift = measure_numbers(NORMAL, MISSING)
    assert shift.sizes == {"missing": 1.0}
    assert (shift.p_value or 0) < 1e-100


def test_a_constant_that_became_another_has_moved_entirely() -> None:
    shift = measure_numbers(*UGLY["constant and another"])
    assert shift.sizes["jensen_shannon"] == pytest.approx(1, abs=1e-3)
    assert (shift.p_value or 0) < 1e-100


def test_missing_values_alone_are_enough() -> None:
    current = np.where(np.arange(5000) < 200, np.nan, NORMAL[::-1])
    shift = measure_numbers(NORMAL, current)
    assert (shift.p_value or 1) < 1e-20
    assert shift.sizes["missing"] == pytest.approx(0.04)


def test_a_shift_of_one_deviation_is_that_far() -> None:
    shift = measure_numbers(NORMAL, NORMAL + NORMAL.std(ddof=1))
    assert shift.sizes["wasserstein"] == pytest.approx(1)


def test_a_few_values_keep_the_distances_of_numbers() -> None:
    visits = RNG.poisson(3, (2, 10_000)).astype(float)
    visits[1] += RNG.random(10_000) < 0.3
    shift = measure_numbers(*visits)
    assert shift.sizes["wasserstein"] == pytest.approx(0.3 / 3**0.5, abs=0.03)
    assert shift.sizes["kolmogorov_smirnov"] > 0.05


def test_thousands_are_written_out() -> None:
    assert measure_numbers(np.full(9, 1300.0), np.full(9, 2e15)).bins[0].name == "1300"
    assert measure_numbers(np.full(9, 1300.0), np.full(9, 2e15)).bins[1].name == "2e+15"


@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_bins_have_names_of_their_own(offset: float) -> None:
    names = [part.name for part in measure_numbers(NORMAL + offset, NORMAL + offset).bins]
    assert len(set(names)) == 10
    assert names[0].startswith("up to")


def test_a_new_level_is_unseen_mass() -> None:
    shift = measure_levels(np.array([500, 500, 0]), np.array([480, 490, 30]), names=["a", "b", "c"])
    assert shift.sizes["unseen"] == pytest.approx(0.03)
    assert (shift.p_value or 1) < 1e-5


def test_missing_is_a_level_of_its_own() -> None:
    shift = measure_levels(np.array([500, 500]), np.array([450, 450]), names=["a", "b"], missing=(0, 100))
    assert shift.sizes["missing"] == pytest.approx(0.1)
    assert (shift.p_value or 1) < 1e-20
    assert shift.bins[-1].name == "missing"


def test_ten_thousand_levels_with_a_row_each_say_that_they_cannot_be_tested() -> None:
    names = [str(place) for place in range(10_000)]
    levels = np.arange(10_000) % 2
    shift = measure_levels(1 - levels, levels, names=names)
    assert (shift.p_value, shift.remarks) == (None, ("all levels are too rare to test",))
    assert len(shift.bins) <= 200
    assert shift.rows == (5000, 5000)


def test_many_levels_do_not_diverge_by_chance() -> None:
    counts = RNG.multinomial(10_000, np.full(2000, 1 / 2000), size=2)
    shift: Shift = measure_levels(counts[0], counts[1], names=[str(place) for place in range(2000)])
    assert shift.sizes["jensen_shannon"] < 0.1
