"""The false positive rate of each test, by seeded simulations.

The band is that of the binomial distribution at the promised level, wide enough for one in ten thousand.
"""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from benchmarks import error_rates_by_unit as by_unit
from benchmarks.error_rates import Case, cases, rate, variance_left
from lab.stats.core.areas import area_under_curve, area_variance, compare_areas, compare_independent_areas
from lab.stats.core.arm_means import compare_arm_means
from lab.stats.core.contingency import compare_counts, compare_shares
from lab.stats.core.corrections import benjamini_hochberg
from lab.stats.core.paired import compare_means
from lab.stats.models.cochran import cochran_test
from lab.stats.models.decisions import compare_decisions, count_decisions
from lab.stats.models.mcnemar import compare_correctness
from lab.stats.shift.ranks import kolmogorov_smirnov, merge, tails_test
from lab.stats.shift.shifts import measure_levels, measure_numbers
from tests.lab.stats.samples import summarise

RUNS, LEVEL = 400, 0.05
Draw = Callable[[np.random.Generator], float | None]


def false_alarms(draw: Draw, *, seed: int = 2024) -> int:
    rng = np.random.default_rng(seed)
    p_values = [draw(rng) for _ in range(RUNS)]
    return sum(p_value is not None and p_value < LEVEL for p_value in p_values)


LOWEST, HIGHEST = (int(stats.binom.ppf(share, RUNS, LEVEL)) for share in (5e-5, 1 - 5e-5))


def two_models(rng: np.random.Generator, rows: int = 2000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return labels and two models' scores of equal skill that share half of their noise."""
    labels = rng.random(rows) < 0.3
    shared = rng.normal(labels, 1)
    return labels, shared + rng.normal(0, 1, rows), shared + rng.normal(0, 1, rows)


def of_rank_distance(rng: np.random.Generator) -> float | None:
    return kolmogorov_smirnov(merge(rng.normal(0, 1, 2000), rng.normal(0, 1, 1500))).p_value


def of_tails(rng: np.random.Generator) -> float | None:
    return tails_test(merge(rng.lognormal(0, 1, 10_000), rng.lognormal(0, 1, 7000))).test.p_value


def of_many_levels(rng: np.random.Generator) -> float | None:
    shares = np.arange(1, 31) / 465
    return compare_counts(np.stack([rng.multinomial(rows, shares) for rows in (1000, 3000)])).p_value


def of_shares(rng: np.random.Generator) -> float | None:
    return compare_shares(
        reference=(int(rng.binomial(3000, 0.03)), 3000), current=(int(rng.binomial(1500, 0.03)), 1500)
    ).p_value


def of_correctness(rng: np.random.Generator) -> float | None:
    labels, first, second = two_models(rng)
    return compare_correctness((first > 0.5) == labels, (second > 0.5) == labels).p_value


def of_paired_areas(rng: np.random.Generator) -> float | None:
    return compare_areas(*two_models(rng)).p_value


def of_areas_of_two_samples(rng: np.random.Generator) -> float | None:
    areas = [area_under_curve(*two_models(rng, rows)[:2]) for rows in (2000, 1000)]
    return compare_independent_areas(*((area.value, area_variance(area)) for area in areas)).p_value


def of_paired_means(rng: np.random.Generator) -> float | None:
    losses = rng.exponential(1, (2, 500))
    return compare_means(*losses).p_value


def of_sample_means(rng: np.random.Generator) -> float | None:
    return compare_arm_means(summarise(rng.normal(0, 1, 300)), summarise(rng.normal(0, 3, 100))).p_value


def of_several_models(rng: np.random.Generator) -> float | None:
    labels = rng.random(2000) < 0.3
    scores = rng.normal(labels, 1)[:, None] + rng.normal(0, 1, (2000, 4))
    return cochran_test((scores > 0.5) == labels[:, None]).p_value


def of_f1(rng: np.random.Generator) -> float | None:
    labels, first, second = two_models(rng)
    cells = count_decisions(labels, first > 0.8, second > 0.8)
    return compare_decisions(cells, resamples=500, rng=rng)["f1"].p_value


ON_THE_LEVEL = [
    of_tails,
    of_many_levels,
    of_shares,
    of_correctness,
    of_paired_areas,
    of_areas_of_two_samples,
    of_paired_means,
    of_sample_means,
    of_several_models,
    of_f1,
    of_rank_distance,
]


@pytest.mark.parametrize("draw", ON_THE_LEVEL)
def test_false_alarms_are_as_many_as_promised(draw: Draw) -> None:
    assert LOWEST <= false_alarms(draw) <= HIGHEST


def test_ties_make_the_rank_test_cautious_and_no_worse() -> None:
    draws = false_alarms(lambda rng: kolmogorov_smirnov(merge(rng.poisson(3, 2000), rng.poisson(3, 2000))).p_value)
    assert draws <= HIGHEST


def test_the_test_of_a_rare_event_is_conservative() -> None:
    draws = false_alarms(
        lambda rng: (
            compare_shares(
                reference=(int(rng.binomial(20_000, 0.001)), 20_000), current=(int(rng.binomial(500, 0.001)), 500)
            ).p_value
        )
    )
    assert draws <= HIGHEST


def test_the_three_tests_of_a_column_of_numbers_share_one_level() -> None:
    def draw(rng: np.random.Generator) -> float | None:
        return measure_numbers(*np.where(rng.random((2, 1500)) < 0.1, np.nan, rng.normal(0, 1, (2, 1500)))).p_value

    assert false_alarms(draw) <= HIGHEST


@pytest.mark.parametrize("levels", [2, 4, 8, 30])
def test_levels_keep_the_level_in_samples_of_other_sizes(levels: int) -> None:
    def draw(rng: np.random.Generator) -> float | None:
        counts = [rng.multinomial(rows, np.full(levels, 1 / levels)) for rows in (1000, 100_000)]
        return measure_levels(*counts, names=[str(level) for level in range(levels)]).p_value

    assert 0.02 * RUNS <= false_alarms(draw) <= 0.09 * RUNS


def test_the_one_sample_test_that_others_use_would_fail_here() -> None:
    def draw(rng: np.random.Generator) -> float | None:
        reference, current = rng.multinomial(1000, np.full(8, 1 / 8)), rng.multinomial(10_000, np.full(8, 1 / 8))
        return float(stats.chisquare(current, reference * 10).pvalue)

    assert false_alarms(draw) > 0.09 * RUNS


def test_no_column_of_fifty_is_called_in_nearly_all_runs_without_a_change() -> None:
    rng = np.random.default_rng(3)
    called = 0
    for _ in range(40):
        p_values = [measure_numbers(*rng.normal(0, 1, (2, 500))).p_value or 1.0 for _ in range(50)]
        called += min(benjamini_hochberg(p_values)) < 0.01
    assert called <= 4


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in cases()])
def test_an_experiment_is_wrong_as_often_as_promised(case: Case) -> None:
    runs = RUNS * case.times
    lowest, highest = stats.binom.ppf(5e-5, runs, case.low), stats.binom.ppf(1 - 5e-5, runs, case.high)
    assert lowest <= round(rate(case, runs=runs) * runs) <= highest


def test_a_covariate_takes_away_what_it_explains() -> None:
    assert variance_left(runs=60) == pytest.approx(0.51, abs=0.02)


def test_rows_that_share_units_keep_the_level_of_every_comparison() -> None:
    runs = 50
    lowest, highest = (int(stats.binom.ppf(share, 4 * runs, LEVEL)) for share in (5e-5, 1 - 5e-5))
    found = [by_unit.rates(design, runs=runs, seed=7) for design in by_unit.DESIGNS if design.rows > 1]
    called = {name: round(runs * sum(each[name] for each in found)) for name in found[0]}
    assert {name: called[name] for name in by_unit.TESTED if not lowest <= called[name] <= highest} == {}
    assert called[by_unit.PROMOTED] <= highest
    assert called[by_unit.IGNORED] > highest  # what the tests of independent rows would do
