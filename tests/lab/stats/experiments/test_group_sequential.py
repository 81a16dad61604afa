"""Sequential bounds against published constants, quadrature and simulated paths."""

import math

import numpy as np
import pytest
from scipy import stats

from lab.stats.experiments import crossing
from lab.stats.experiments.confidence_sequences import anytime_bounds, anytime_comparison
from lab.stats.experiments.crossing import Density, crossing_probabilities, propagate
from lab.stats.experiments.group_sequential import (
    Bounds,
    analyse_stop,
    inflation,
    refuse_fixed_p_value,
    sequential_power,
    spending_bounds,
)
from lab.stats.experiments.spending import spending_named

FIVE = [0.2, 0.4, 0.6, 0.8, 1.0]


@pytest.mark.parametrize(
    "name", ["obrien_fleming", "pocock", "power1.5", "exponential-4", "exponential0", "exponential1"]
)
def test_one_look_at_the_end_is_the_fixed_test(name: str) -> None:
    bounds = spending_bounds([1.0], spending=spending_named(name))
    assert bounds.z[0] == pytest.approx(1.959963984540054)
    assert sequential_power(bounds, drift=2.801585218) == pytest.approx(0.8, abs=1e-5)
    assert inflation(bounds) == pytest.approx(1.0, abs=1e-5)


def test_a_search_over_drifts_integrates_the_looks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds, integrated = spending_bounds([0.23, 0.47, 0.71, 1.0]), []

    def counted(density: Density, low: float, high: float, share: float) -> Density:
        integrated.append(share)
        return propagate(density, low, high, share)

    monkeypatch.setattr(crossing, "propagate", counted)
    for drift in (0.0, 1.0, 2.0):
        sequential_power(bounds, drift=drift)
    assert len(integrated) == 3  # before looks 2, 3 and 4


@pytest.mark.parametrize("name", ["obrien_fleming", "pocock", "power3", "exponential-4"])
@pytest.mark.parametrize("information", [FIVE, [0.1, 0.11, 0.9, 1.0], [0.31, 0.32, 0.33, 0.34], [0.999, 1.0]])
def test_what_is_spent_is_what_is_crossed(name: str, information: list[float]) -> None:
    bounds = spending_bounds(information, spending=spending_named(name))
    crossed = np.cumsum(crossing_probabilities(bounds.crossable, information))
    assert crossed == pytest.approx(bounds.spent, rel=1e-9)


def test_two_looks_agree_with_the_bivariate_normal_distribution() -> None:
    bounds, shares, drift = [2.2, 2.0], [0.4, 1.0], 1.3
    cov = [[1.0, math.sqrt(0.4)], [math.sqrt(0.4), 1.0]]
    means = [drift * math.sqrt(share) for share in shares]
    inside = stats.multivariate_normal(means, cov)
    first = stats.norm.sf(2.2 - means[0]) + stats.norm.cdf(-2.2 - means[0])
    stay = inside.cdf(bounds, lower_limit=[-2.2, -2.0], rng=np.random.default_rng(1))
    found = crossing_probabilities(bounds, shares, drift=drift)
    assert found == pytest.approx([first, 1 - first - stay], abs=1e-8)


def test_a_look_that_may_spend_nothing_has_no_bound() -> None:
    bounds = spending_bounds([0.001, 0.5, 1.0])
    assert bounds.z[0] is None
    assert bounds.p_values[0] == 0.0
    assert all(math.isfinite(bound) for bound in bounds.crossable)
    assert sum(crossing_probabilities(bounds.crossable, bounds.information)) == pytest.approx(0.05)


def test_twenty_looks_cost_less_than_five_in_a_hundred_more_units() -> None:
    assert inflation(spending_bounds([look / 20 for look in range(1, 21)])) == pytest.approx(1.046, abs=5e-4)


def test_looking_without_a_plan_is_wrong_a_quarter_of_the_time() -> None:
    # Armitage, McPherson and Rowe (1969), table 2: 5, 10 and 20 looks at 0.05.
    for looks, chance in ((5, 0.142), (10, 0.193), (20, 0.248)):
        found = sum(crossing_probabilities([1.96] * looks, [look / looks for look in range(1, looks + 1)]))
        assert found == pytest.approx(chance, abs=5e-4)


@pytest.mark.parametrize("information", [[], [0.0, 1.0], [0.5, 0.5], [0.8, 0.4], [0.5, 1.2], [-0.1]])
def test_information_that_does_not_rise_is_refused(information: list[float]) -> None:
    with pytest.raises(ValueError, match="increasing shares of information above 0"):
        spending_bounds(information)


@pytest.mark.parametrize("name", ["haybittle", "powerful", "exponential"])
def test_an_unknown_spending_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"got {name}"):
        spending_named(name)


def test_a_fixed_p_value_is_refused_before_the_last_look() -> None:
    refuse_fixed_p_value(look=5, looks=5)
    with pytest.raises(ValueError, match="look 3 of 5: a fixed-horizon p-value is valid only at the last look"):
        refuse_fixed_p_value(look=3, looks=5)


BOUNDS = spending_bounds(FIVE)


def test_an_early_stop_is_drawn_back_towards_nothing() -> None:
    found = analyse_stop(BOUNDS, look=3, z=2.9)
    assert found.low < found.estimate < found.naive < found.high
    mirrored = analyse_stop(BOUNDS, look=3, z=-2.9)
    assert (mirrored.estimate, mirrored.low, mirrored.p_value) == pytest.approx(
        (-found.estimate, -found.high, found.p_value), rel=1e-9
    )


def test_an_experiment_that_just_crosses_at_its_end_has_a_p_value_of_the_level() -> None:
    assert analyse_stop(BOUNDS, look=5, z=BOUNDS.z[-1] or 0).p_value == pytest.approx(0.05)


def test_the_estimate_after_a_stop_is_right_half_of_the_time_and_its_interval_nearly_always() -> None:
    rng, drift, runs = np.random.default_rng(7), 2.5, 400
    motion = np.cumsum(rng.normal(0.2 * drift, math.sqrt(0.2), (runs, 5)), axis=1)
    z = motion / np.sqrt(FIVE)
    crossed = np.abs(z) >= BOUNDS.crossable
    looks = np.where(crossed.any(axis=1), crossed.argmax(axis=1), 4)
    below, held, naive = 0, 0, []
    for run in range(runs):
        found = analyse_stop(BOUNDS, look=int(looks[run]) + 1, z=float(z[run, looks[run]]))
        below += found.estimate < drift
        held += found.low <= drift <= found.high
        naive.append(found.naive)
    assert abs(below / runs - 0.5) < 3.5 * 0.5 / math.sqrt(runs)
    assert held / runs > 0.95 - 3.5 * math.sqrt(0.05 * 0.95 / runs)
    assert np.mean(naive) > drift + 2 * np.std(naive) / math.sqrt(runs)  # what is not adjusted is too large


def test_an_anytime_interval_is_narrowest_where_it_was_tuned() -> None:
    here = anytime_comparison(0.0, 1.0, 5000, tuned_to=5000).high
    for tuned_to in (500, 3000, 8000, 50_000):
        assert here <= anytime_comparison(0.0, 1.0, 5000, tuned_to=tuned_to).high * (1 + 1e-3)


def test_an_anytime_interval_that_touches_0_has_a_p_value_of_the_level() -> None:
    unit = anytime_comparison(0.0, 1.0, 4000, tuned_to=5000)
    touching = anytime_comparison(unit.high, 1.0, 4000, tuned_to=5000)
    assert touching.low == pytest.approx(0.0, abs=1e-12)
    assert touching.p_value == pytest.approx(0.05)


def test_an_open_end_costs_seventy_four_in_a_hundred_more_units() -> None:
    bounds = anytime_bounds([look / 20 for look in range(1, 21)])
    assert isinstance(bounds, Bounds)
    assert bounds.spent[-1] < 0.05
    assert inflation(bounds) == pytest.approx(1.74, abs=0.005)


@pytest.mark.parametrize(("units", "error"), [(0, 1.0), (10, 0.0)])
def test_an_anytime_interval_of_nothing_is_refused(units: int, error: float) -> None:
    with pytest.raises(ValueError, match="standard error and tuned_to above 0"):
        anytime_comparison(0.1, error, units, tuned_to=100)
