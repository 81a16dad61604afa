"""Posteriors against exact fractions, at every sample size."""

from fractions import Fraction
from math import comb, factorial

import numpy as np
import pytest
from scipy import stats

from lab.stats.experiments.posteriors import (
    Posterior,
    compare_posteriors,
    normal_posterior,
    posterior_of,
)


def beta_function(alpha: int, beta: int) -> Fraction:
    return Fraction(factorial(alpha - 1) * factorial(beta - 1), factorial(alpha + beta - 1))


def exact_chance(control: tuple[int, int], treatment: tuple[int, int]) -> Fraction:
    """Return the chance that the treated share is higher, by the closed form for whole counts (Miller, 2015)."""
    (alpha, beta), (other_alpha, other_beta) = control, treatment
    return sum(
        (
            beta_function(alpha + hits, beta + other_beta)
            / ((other_beta + hits) * beta_function(1 + hits, other_beta) * beta_function(alpha, beta))
            for hits in range(other_alpha)
        ),
        Fraction(0),
    )


@pytest.mark.parametrize(
    ("control", "treatment"), [((1, 1), (1, 1)), ((3, 9), (7, 5)), ((40, 60), (20, 90)), ((1, 200), (12, 190))]
)
def test_the_chance_to_be_better_is_that_of_the_closed_form(
    control: tuple[int, int], treatment: tuple[int, int]
) -> None:
    arms = [Posterior(*shape, shape[0] / sum(shape), 0.0, 1.0) for shape in (control, treatment)]
    found, expected = compare_posteriors(arms), exact_chance(control, treatment)
    assert found.best[1] == pytest.approx(float(expected), rel=1e-12)
    assert found.best[0] == pytest.approx(float(1 - expected), rel=1e-12)
    better = exact_chance((control[0], control[1]), (treatment[0] + 1, treatment[1])) * Fraction(
        treatment[0], sum(treatment)
    )
    worse = exact_chance((control[0] + 1, control[1]), treatment) * Fraction(control[0], sum(control))
    assert found.losses[0] == pytest.approx(float(better - worse), rel=1e-10)


def test_halves_of_a_prior_are_as_exact_as_whole_ones() -> None:
    found = compare_posteriors([posterior_of((0, 0), prior=(0.5, 0.5)), posterior_of((0, 0), prior=(1.0, 1.0))])
    # Under Jeffreys' prior the angle is uniform: the mean of its squared sine is a half.
    assert found.best == pytest.approx((0.5, 0.5), rel=1e-9)


@pytest.mark.parametrize("rows", [10, 10**4, 10**7, 10**9])
def test_millions_of_units_near_the_normal_limit(rows: int) -> None:
    hits = rows // 10
    step = round(1.5 * np.sqrt(2 * rows * 0.09))
    arms = posterior_of((hits, rows)), posterior_of((hits + step, rows))
    spread = np.sqrt(sum(arm.mean * (1 - arm.mean) / (rows + 3) for arm in arms))
    expected = stats.norm.cdf((arms[1].mean - arms[0].mean) / spread)
    assert compare_posteriors(arms).best[1] == pytest.approx(expected, abs=0.3 / np.sqrt(rows))


def test_arms_far_apart_leave_no_doubt_and_the_whole_loss() -> None:
    found = compare_posteriors([posterior_of((10, 1000)), posterior_of((900, 1000))])
    assert found.best[1] == pytest.approx(1.0)
    assert found.losses[0] == pytest.approx(901 / 1002 - 11 / 1002)
    assert found.losses[1] < 1e-12


def test_the_chances_of_all_arms_add_up_to_1() -> None:
    arms = [posterior_of((hits, 1000)) for hits in (120, 130, 135, 160, 100)]
    assert sum(compare_posteriors(arms).best) == pytest.approx(1.0, rel=1e-12)


def test_a_flat_prior_leaves_the_estimate_and_a_sure_one_the_prior() -> None:
    flat, sure = normal_posterior(0.1, 0.05), normal_posterior(0.1, 0.05, prior_mean=-1.0, prior_spread=1e-6)
    assert (flat.mean, flat.spread) == pytest.approx((0.1, 0.05))
    assert sure.mean == pytest.approx(-1.0)
    assert flat.loss_of_control - flat.loss_of_treatment == pytest.approx(0.1)


def test_a_loss_far_in_the_tail_keeps_its_digits() -> None:
    belief = normal_posterior(10.0, 1.0)
    expected = stats.norm.pdf(10) - 10 * stats.norm.sf(10)
    assert belief.loss_of_treatment == pytest.approx(expected, rel=1e-9)


def test_every_answer_says_that_it_is_no_rule_to_stop_by() -> None:
    assert "not a stopping rule" in compare_posteriors([posterior_of((1, 2)), posterior_of((1, 2))]).warning
    assert "not a stopping rule" in normal_posterior(0.0, 1.0).warning


@pytest.mark.parametrize(("trials", "prior"), [((3, 2), (1, 1)), ((-1, 2), (1, 1)), ((1, 2), (0, 1))])
def test_what_is_no_posterior_is_refused(trials: tuple[int, int], prior: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="expected successes between 0 and the trials and a prior above 0"):
        posterior_of(trials, prior=prior)


def test_the_closed_form_is_that_of_the_urn() -> None:
    # The oracle's own check: two flat arms after one success and one failure.
    assert exact_chance((1, 2), (2, 1)) == Fraction(5, 6)
    assert comb(4, 2) == 6
