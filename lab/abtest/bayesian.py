"""Bayesian posteriors of the primary outcome; they do not decide the experiment."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from lab.abtest.effects import Effect, trials_of
from lab.stats.experiments.moments import Moments
from lab.stats.experiments.posteriors import Posterior, compare_posteriors, normal_posterior, posterior_of

POINTS = 120
HALF_WIDTH = 4.0  # standard deviations plotted on each side


@dataclass(frozen=True)
class ArmPosterior:
    """An arm: the probability that it is best, the expected loss of choosing it, its mean and 95 % interval.

    For a share, mean and interval are those of the arm; for a mean, those of the difference from the control.
    """

    arm: str
    best: float
    loss: float
    mean: float
    low: float
    high: float


def share_posteriors(
    names: list[str], arms: tuple[Moments, ...], place: int, *, higher_is_better: bool
) -> list[ArmPosterior]:
    """Return the posterior of each arm's share, with flat priors; empty when an arm has no unit."""
    if not all(arm.count for arm in arms):
        return []
    posteriors = [_of_share(arm, place, higher_is_better=higher_is_better) for arm in arms]
    found = compare_posteriors(posteriors)
    own = [posterior_of(trials_of(arm, place)) for arm in arms]
    return [
        ArmPosterior(name, best, loss, each.mean, each.low, each.high)
        for name, best, loss, each in zip(names, found.best, found.losses, own, strict=True)
    ]


def effect_posteriors(control: str, effect: Effect) -> list[ArmPosterior]:
    """Return the posteriors of two arms' means from their difference, with a flat prior."""
    if effect.standard_error is None or effect.difference is None:
        return []
    improvement = effect.difference if effect.higher_is_better else -effect.difference
    found = normal_posterior(improvement, effect.standard_error)
    half_width = (found.high - found.low) / 2
    return [
        ArmPosterior(control, 1 - found.above_zero, found.loss_of_control, 0.0, 0.0, 0.0),
        ArmPosterior(
            effect.treatment,
            found.above_zero,
            found.loss_of_treatment,
            effect.difference,
            effect.difference - half_width,
            effect.difference + half_width,
        ),
    ]


def share_points(name: str, arm: Moments, place: int) -> list[dict[str, Any]]:
    """Return the posterior density of an arm's share, as a curve."""
    if not arm.count:
        return []
    found = posterior_of(trials_of(arm, place))
    spread = math.sqrt(found.mean * (1 - found.mean) / (found.alpha + found.beta + 1))
    low, high = max(1e-9, found.mean - HALF_WIDTH * spread), min(1 - 1e-9, found.mean + HALF_WIDTH * spread)
    shares = np.linspace(low, high, POINTS)
    logs = special.xlogy(found.alpha - 1, shares) + special.xlog1py(found.beta - 1, -shares)
    return _curve(name, shares, logs - float(special.betaln(found.alpha, found.beta)))


def effect_points(effect: Effect) -> list[dict[str, Any]]:
    """Return the posterior density of a difference of means, as a curve."""
    if effect.standard_error is None or effect.difference is None:
        return []
    values = effect.difference + effect.standard_error * np.linspace(-HALF_WIDTH, HALF_WIDTH, POINTS)
    logs = -(((values - effect.difference) / effect.standard_error) ** 2) / 2
    return _curve(effect.treatment, values, logs - math.log(effect.standard_error * math.sqrt(2 * math.pi)))


def _of_share(arm: Moments, place: int, *, higher_is_better: bool) -> Posterior:
    hits, rows = trials_of(arm, place)
    return posterior_of((hits if higher_is_better else rows - hits, rows))


def _curve(name: str, values: np.ndarray[Any, Any], logs: np.ndarray[Any, Any]) -> list[dict[str, Any]]:
    return [{"arm": name, "value": float(x), "density": math.exp(y)} for x, y in zip(values, logs, strict=True)]
