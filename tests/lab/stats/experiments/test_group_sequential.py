"""Sequential bounds against published constants, quadrature and simulated paths."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from lab.stats.experiments.confidence_sequences import anytime_bounds, anytime_comparison, anytime_share
from lab.stats.experiments.crossing import crossing_probabilities
from lab.stats.experiments.group_sequential import (
    Bounds,
    analyse_stop,
    classical_bounds,
    inflation,
    refuse_fixed_p_value,
    sequential_power,
    spending_bounds,
)
from lab.stats.experiments.mixtures import log_mixture, mixing_variance, mixture_bound, stitched_bound
from lab.stats.experiments.spending import spending_named

FIVE = [0.2, 0.4, 0.6, 0.8, 1.0]


@pytest.mark.parametrize(
    ("looks", "pocock", "obrien_fleming"),
    [(2, 2.178, 1.977), (3, 2.289, 2.004), (5, 2.413, 2.040), (10, 2.555, 2.087), (20, 2.672, 2.126)],
)
def test_the_constants_are_those_of_jennison_and_turnbull(looks: int, pocock: float, obrien_fleming: float) -> None:
    assert classical_bounds(looks, shape=0.5).z[-1] == pytest.approx(pocock, abs=5e-4)
    assert classical_bounds(looks).z[-1] == pytest.approx(obrien_fleming, abs=5e-4)


@pytest.mark.parametrize(
    "name", ["obrien_fleming", "pocock", "power1.5", "exponential-4", "exponential0", "exponential1"]
)
def test_one_look_at_the_end_is_the_fixed_test(name: str) -> None:
    bounds = spending_bounds([1.0], spending=spending_named(name))
    assert bounds.z[0] == pytest.approx(1.959963984540054)
    assert sequential_power(bounds, drift=2.801585218).power == pytest.approx(0.8, abs=1e-5)
    assert inflation(bounds) == pytest.approx(1.0, abs=1e-5)


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


def test_a_bound_below_need_not_mirror_the_one_above() -> None:
    found = crossing_probabilities([10.0, 10.0], [0.5, 1.0], lower=[0.0, -10.0])
    assert found[0] == pytest.approx(0.5)
    assert found[1] == pytest.approx(0.0, abs=1e-12)


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


def test_a_mixture_is_the_likelihood_ratio_added_up_over_effects() -> None:
    s, v, rho = 12.0, 40.0, 9.0

    def part(effect: float) -> float:
        return math.exp(effect * s - effect**2 * v / 2) * float(stats.norm.pdf(effect, 0, 1 / math.sqrt(rho)))

    both = integrate.quad(part, -5, 5, epsrel=1e-12)[0]
    upper = 2 * integrate.quad(part, 0, 5, epsrel=1e-12)[0]
    assert log_mixture(s, v, rho=rho) == pytest.approx(math.log(both))
    assert log_mixture(s, v, rho=rho, one_sided=True) == pytest.approx(math.log(upper))


def test_a_mixture_is_narrowest_where_it_was_tuned() -> None:
    here = mixture_bound(100.0, 0.05, rho=mixing_variance(100.0, 0.05))
    for tuned_to in (10.0, 60.0, 160.0, 1000.0):
        assert here <= mixture_bound(100.0, 0.05, rho=mixing_variance(tuned_to, 0.05)) * (1 + 1e-3)


def test_before_its_start_a_stitched_bound_stays_at_its_first_value() -> None:
    assert stitched_bound(1.0, 0.05, v_start=100.0) == stitched_bound(100.0, 0.05, v_start=100.0)


def test_an_anytime_interval_that_touches_0_has_a_p_value_of_the_level() -> None:
    unit = anytime_comparison(0.0, 1.0, 4000, tuned_to=5000)
    touching = anytime_comparison(unit.high or 0, 1.0, 4000, tuned_to=5000)
    assert touching.low == pytest.approx(0.0, abs=1e-12)
    assert touching.p_value == pytest.approx(0.05)


def test_one_side_of_an_anytime_interval_reaches_less_far() -> None:
    both, greater = (
        anytime_comparison(0.01, 0.005, 4000, tuned_to=5000, side=side) for side in ("two-sided", "greater")
    )
    assert (greater.low or 0) > (both.low or 0)
    assert greater.high is None


@pytest.mark.parametrize("trials", [(0, 1), (1, 1), (0, 300), (300, 300), (1, 2), (150, 300)])
def test_the_anytime_interval_of_a_share_holds_what_was_seen(trials: tuple[int, int]) -> None:
    low, high = anytime_share(trials, tuned_to=100)
    assert 0 <= low <= trials[0] / trials[1] <= high <= 1
    mirrored = anytime_share((trials[1] - trials[0], trials[1]), tuned_to=100)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high), abs=1e-9)


def test_an_open_end_costs_seventy_four_in_a_hundred_more_units() -> None:
    bounds = anytime_bounds([look / 20 for look in range(1, 21)])
    assert isinstance(bounds, Bounds)
    assert bounds.spent[-1] < 0.05
    assert inflation(bounds) == pytest.approx(1.74, abs=0.005)


@pytest.mark.parametrize(("units", "error"), [(0, 1.0), (10, 0.0)])
def test_an_anytime_interval_of_nothing_is_refused(units: int, error: float) -> None:
    with pytest.raises(ValueError, match="standard error and tuned_to above 0"):
        anytime_comparison(0.1, error, units, tuned_to=100)
