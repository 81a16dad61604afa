"""`python -m benchmarks.error_rates [RUNS]`: error rates of the tests for experiments.

Every run draws an experiment and hands it to the library's own function; the table holds what was seen of it.
"""

import lab.core.determinism  # noqa: F401 - pins the kernels before numpy is imported

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lab.stats.core.areas import compare_areas
from lab.stats.core.arm_means import Summary, compare_arm_means
from lab.stats.core.comparison import Comparison
from lab.stats.core.contingency import compare_counts
from lab.stats.core.corrections import holm
from lab.stats.core.paired import compare_means
from lab.stats.core.proportions import newcombe_interval
from lab.stats.experiments.confidence_sequences import anytime_comparison
from lab.stats.experiments.covariates import adjust_for_covariates, lift_after_adjustment
from lab.stats.experiments.effect_sizes import cohen_h_interval, standardised_difference
from lab.stats.experiments.exact_tables import fisher_p_value
from lab.stats.experiments.group_sequential import Bounds, analyse_stop, inflation, spending_bounds
from lab.stats.experiments.lifts import lift_of_proportions, relative_lift
from lab.stats.experiments.moments import Moments
from lab.stats.experiments.power_of_proportions import Formula, proportion_units
from lab.stats.experiments.ratios import ratio_of
from lab.stats.experiments.sample_ratio import check_sample_ratio
from lab.stats.experiments.several_arms import compare_several_means, compare_with_control
from lab.stats.experiments.spending import pocock_spending
from lab.stats.experiments.strata import post_stratify, stratified_test
from lab.stats.experiments.two_proportions import (
    compare_by_normal_limit,
    compare_proportions,
)
from lab.stats.models.cochran import cochran_test
from lab.stats.models.mcnemar import mcnemar_test
from tests.lab.stats.samples import summarise, take_moments, take_moments_by_arm

RUNS, ROWS, LEVEL, SHARE = 20_000, 2000, 0.05, 0.1
LOOKS = [look / 20 for look in range(1, 21)]
Z = 1.959963984540054

Rng = np.random.Generator
Numbers = NDArray[np.float64]
Draw = Callable[[Rng], bool]  # whether the run ends in the event that is counted


@dataclass(frozen=True)
class Case:
    """One line of the table: an event, how often it is to happen, and how many times the usual number of runs."""

    name: str
    draw: Draw
    low: float
    high: float
    times: int = 1


def significant(p_value: float | None) -> bool:
    return p_value is not None and p_value < LEVEL


def hits(rng: Rng, rows: int = ROWS, share: float = SHARE) -> tuple[int, int]:
    return int(rng.binomial(rows, share)), rows


def of_shares(
    rng: Rng, compare: Callable[..., object], rows: tuple[int, int] = (ROWS, ROWS), **options: object
) -> bool:
    found = compare(control=hits(rng, rows[0]), treatment=hits(rng, rows[1]), **options)
    return significant(getattr(found, "p_value", None))


def arm(rng: Rng, rows: int = ROWS, spread: float = 1.0) -> Summary:
    """Return an arm of money: skewed, and always the same mean."""
    return summarise(10 + spread * (rng.exponential(1.0, rows) - 1))


def of_means(rng: Rng, spread: float = 3.0, rows: int = 3 * ROWS) -> bool:
    return significant(compare_arm_means(arm(rng), arm(rng, rows, spread)).p_value)


def of_lift(rng: Rng) -> bool:
    return significant(relative_lift(arm(rng), arm(rng, spread=2.0)).p_value)


def of_ratio(rng: Rng) -> bool:
    """Return whether clicks per view differ, where a unit with a taste for clicking has more views too."""
    arms = []
    for _ in range(2):
        taste = rng.beta(2, 8, ROWS)
        views = 1 + rng.poisson(20 * taste)
        clicks = rng.binomial(views, taste)
        arms.append(ratio_of(take_moments([clicks, views]), numerator=0, denominator=1).summary)
    assert arms[0] is not None
    assert arms[1] is not None
    return significant(compare_arm_means(arms[0], arms[1]).p_value)


def before_and_after(rng: Rng, correlation: float = 0.7) -> tuple[Numbers, Numbers, NDArray[np.int64]]:
    known = rng.normal(0, 1, 2 * ROWS)
    outcome = correlation * known + math.sqrt(1 - correlation**2) * rng.normal(0, 1, 2 * ROWS)
    return outcome, known, rng.integers(0, 2, 2 * ROWS)


def compare_adjusted(control: Moments, treatment: Moments, *, outcome: int, covariates: list[int]) -> Comparison:
    return compare_arm_means(*adjust_for_covariates([control, treatment], outcome=outcome, covariates=covariates).arms)


def of_covariate(rng: Rng, compare: Callable[..., object] = compare_adjusted, offset: float = 0.0) -> bool:
    outcome, known, arms = before_and_after(rng)
    control, treatment = take_moments_by_arm(arms, [outcome + offset, known], count=2)
    return significant(getattr(compare(control, treatment, outcome=0, covariates=[1]), "p_value", None))


def of_strata(rng: Rng) -> bool:
    pairs = []
    for mean, rows in ((1.0, 900), (2.0, 600), (5.0, 500)):
        sizes = rng.multinomial(2 * rows, [0.5, 0.5])
        pairs.append(tuple(summarise(rng.normal(mean, 1 + mean / 5, int(size))) for size in sizes))
    return significant(post_stratify([(pair[0], pair[1]) for pair in pairs]).absolute.p_value)


def of_tables(rng: Rng) -> bool:
    tables = []
    for share, rows in ((0.05, (900, 300)), (0.2, (300, 900)), (0.4, (800, 800))):
        tables.append([[int(got := rng.binomial(size, share)), size - int(got)] for size in rows])
    return significant(stratified_test(tables).p_value)


def of_four_arms_counts(rng: Rng) -> bool:
    counts = rng.binomial(ROWS, SHARE, 4)
    return significant(compare_counts(np.stack([counts, ROWS - counts], axis=1)).p_value)


def of_four_arms_means(rng: Rng) -> bool:
    return significant(compare_several_means([arm(rng, spread=spread) for spread in (1, 2, 3, 1)]).p_value)


def of_dunnett(rng: Rng) -> bool:
    found = compare_with_control(arm(rng), [arm(rng) for _ in range(3)])
    return min(found.p_values) < LEVEL


def of_holm(rng: Rng) -> bool:
    p_values = [compare_proportions(control=hits(rng), treatment=hits(rng)).p_value for _ in range(5)]
    return min(holm(p_values)) < LEVEL


def two_models(rng: Rng, gain: float = 0.0, disagree: float = 0.06, accuracy: float = 0.85) -> tuple[int, ...]:
    """Return the four counts of two models' right and wrong answers on the same rows."""
    only_first, only_second = (disagree - gain) / 2, (disagree + gain) / 2
    cells = rng.multinomial(ROWS, [accuracy - only_first, only_first, only_second, 1 - accuracy - only_second])
    return tuple(int(cell) for cell in cells)


def of_models(rng: Rng, gain: float = 0.0) -> bool:
    both, first, second, neither = two_models(rng, gain)
    return significant(mcnemar_test(both, first, second, neither).p_value)


def of_exact_models(rng: Rng) -> bool:
    both, first, second, neither = two_models(rng)
    return mcnemar_test(both, first, second, neither).exact_p_value < LEVEL


def of_several_models(rng: Rng) -> bool:
    shared = rng.normal(0, 1, (ROWS, 1))
    return significant(cochran_test(shared + rng.normal(0, 1, (ROWS, 4)) < 1).p_value)


def of_areas(rng: Rng) -> bool:
    labels = rng.random(ROWS) < 0.3
    shared = rng.normal(labels, 1)
    return significant(compare_areas(labels, *(shared + rng.normal(0, 1, (2, ROWS)))).p_value)


def of_losses(rng: Rng) -> bool:
    return significant(compare_means(*rng.exponential(1, (2, ROWS))).p_value)


def of_fisher(rng: Rng) -> bool:
    return fisher_p_value(hits(rng, 60), hits(rng, 90)) < LEVEL


def of_sample_ratio(rng: Rng) -> bool:
    counts = rng.multinomial(20_000, [0.5, 0.3, 0.2])
    return check_sample_ratio([int(count) for count in counts], [5, 3, 2]).invalid


def motion(rng: Rng, drift: float = 0.0, looks: list[float] = LOOKS) -> Numbers:
    """Return z at each look of an experiment whose z at full information has the mean given."""
    steps = np.diff(looks, prepend=0.0)
    path: Numbers = np.cumsum(rng.normal(drift * steps, np.sqrt(steps))) / np.sqrt(looks)
    return path


def crosses(rng: Rng, bounds: Bounds, drift: float = 0.0) -> bool:
    return bool(np.any(np.abs(motion(rng, drift, list(bounds.information))) >= bounds.crossable))


def of_watched_shares(rng: Rng, bounds: Bounds) -> bool:
    """Return whether the pooled z-test of an experiment of 40,000 units ever passes its bound at twenty looks."""
    return bool(np.any(np.abs(watched_z(rng)) >= bounds.crossable))


def watched_z(rng: Rng) -> Numbers:
    counts = np.cumsum(rng.binomial(1000, SHARE, (2, 20)), axis=1)
    rows = 1000.0 * np.arange(1, 21)
    pooled = counts.sum(axis=0) / (2 * rows)
    z: Numbers = (counts[1] - counts[0]) / rows / np.sqrt(pooled * (1 - pooled) * 2 / rows)
    return z


def of_peeking(rng: Rng) -> bool:
    return bool(np.any(np.abs(watched_z(rng)) >= Z))


def of_belief(rng: Rng) -> bool:
    """Return whether the chance to be best, with a flat prior and so many units, ever passes 0.95 for either arm."""
    return bool(np.any(np.abs(watched_z(rng)) >= 1.6448536269514722))


def of_sequence(rng: Rng) -> bool:
    """Return whether the asymptotic confidence sequence of two skewed arms leaves 0 out at any of forty looks."""
    arms = rng.exponential(1, (2, 40, 100))
    for look in range(5, 41):
        control, treatment = (summarise(part[:look].ravel()) for part in arms)
        error = math.sqrt(((control.variance or 0) + (treatment.variance or 0)) / control.count)
        found = anytime_comparison(treatment.mean - control.mean, error, 2 * control.count, tuned_to=4000)
        if found.p_value < LEVEL:
            return True
    return False


def outside(interval: tuple[float | None, float | None], truth: float) -> bool:
    low, high = interval
    return (low is not None and truth < low) or (high is not None and truth > high)


def of_newcombe(rng: Rng) -> bool:
    return outside(newcombe_interval(hits(rng), hits(rng, share=0.13)), 0.03)


def of_angles(rng: Rng) -> bool:
    low, _, high = cohen_h_interval(hits(rng), hits(rng, share=0.13))
    return outside((low, high), 2 * (math.asin(math.sqrt(0.13)) - math.asin(math.sqrt(SHARE))))


def of_share_lift(rng: Rng) -> bool:
    found = lift_of_proportions(control=hits(rng), treatment=hits(rng, share=0.13))
    return outside((found.low, found.high), 0.3)


def of_standardised(rng: Rng) -> bool:
    found = standardised_difference(summarise(rng.normal(0, 1, 40)), summarise(rng.normal(0.5, 1, 60)))
    assert found is not None
    return outside((found.low, found.high), 0.5)


def of_covariate_interval(rng: Rng) -> bool:
    outcome, known, arms = before_and_after(rng)
    control, treatment = take_moments_by_arm(arms, [outcome + 0.1 * arms, known], count=2)
    found = compare_adjusted(control, treatment, outcome=0, covariates=[1])
    return outside((found.low, found.high), 0.1)


def of_stop(rng: Rng, bounds: Bounds) -> bool:
    drift = 2.0
    z = motion(rng, drift, list(bounds.information))
    crossed = np.abs(z) >= bounds.crossable
    look = int(crossed.argmax()) if crossed.any() else len(z) - 1
    found = analyse_stop(bounds, look=look + 1, z=float(z[look]))
    return outside((found.low, found.high), drift)


def of_planned(rng: Rng, formula: Formula, inflated: float = 1.0) -> bool:
    rows = math.ceil(inflated * proportion_units(0.1, 0.12, formula=formula))
    return significant(compare_proportions(control=hits(rng, rows, 0.1), treatment=hits(rng, rows, 0.12)).p_value)


def on_the_level() -> Iterator[Case]:
    """Yield the tests that call a difference five times in a hundred where there is none."""
    on = partial(Case, low=0.0454, high=0.0546)
    bounds, pocock = spending_bounds(LOOKS), spending_bounds(LOOKS, spending=pocock_spending)
    yield on("two shares, pooled z", partial(of_shares, compare=compare_proportions))
    yield on("two shares, 9 to 1", partial(of_shares, compare=compare_proportions, rows=(18_000, 2000)))
    yield on("two shares, Wald", partial(of_shares, compare=compare_by_normal_limit))
    yield on("two means, Welch, spreads 1 and 3, rows 1 to 3", of_means)
    yield on("lift, delta method", of_lift)
    yield on("ratio of sums, delta method", of_ratio)
    yield on("CUPED", of_covariate)
    yield on("lift after CUPED", partial(of_covariate, compare=lift_after_adjustment, offset=10.0))
    yield on("post-stratification", of_strata)
    yield on("Cochran–Mantel–Haenszel", of_tables)
    yield on("chi-square, four arms", of_four_arms_counts)
    yield on("Welch's F, four arms", of_four_arms_means)
    yield on("Dunnett, any of three", of_dunnett)
    yield on("McNemar, mid-p", of_models)
    yield on("Cochran's Q, four models", of_several_models)
    yield on("DeLong, paired", of_areas)
    yield on("paired t of row losses", of_losses)
    yield on("20 looks, O'Brien–Fleming spending", partial(crosses, bounds=bounds))
    yield on("20 looks, Pocock spending", partial(crosses, bounds=pocock))
    yield on("20 looks at shares, O'Brien–Fleming spending", partial(of_watched_shares, bounds=bounds))


def at_most_the_level() -> Iterator[Case]:
    """Yield the tests that promise no more than that, and those that promise something else."""
    exact = partial(Case, low=0.0, high=LEVEL + 3 * math.sqrt(LEVEL * (1 - LEVEL) / RUNS))
    yield exact("Holm, any of five shares", of_holm)
    yield exact("McNemar, exact", of_exact_models)
    yield exact("Fisher, 60 and 90 units", of_fisher)
    yield exact("asymptotic confidence sequence, 36 looks", of_sequence)
    yield Case("sample ratio mismatch, three arms", of_sample_ratio, 0.0007, 0.0013, times=10)
    yield Case("20 looks at 1.96: do not", of_peeking, 0.23, 0.27)
    yield Case("20 looks at P(best) > .95: do not", of_belief, 0.39, 0.45)


def intervals_and_power() -> Iterator[Case]:
    """Yield how often intervals miss the truth, and how often a difference that was planned for is called."""
    bounds = spending_bounds(LOOKS)
    missed = partial(Case, low=0.043, high=0.057)
    yield missed("outside Newcombe's interval", of_newcombe)
    yield missed("outside the interval of h", of_angles)
    yield missed("outside the interval of a lift of shares", of_share_lift)
    yield missed("outside the interval of d, 40 and 60 units", of_standardised)
    yield missed("outside CUPED's interval", of_covariate_interval)
    yield missed("outside the interval after a stop, 5 looks", partial(of_stop, bounds=spending_bounds(LOOKS[3::4])))
    for formula in ("pooled_null", "unpooled", "pooled", "arcsine"):
        yield Case(f"power as planned, {formula}", partial(of_planned, formula=formula), 0.79, 0.81)
    drift = Z + 0.8416212335729143
    yield Case("power, 20 looks at the fixed size", partial(crosses, bounds=bounds, drift=drift), 0.775, 1.0)
    more = drift * math.sqrt(inflation(bounds))
    yield Case("power, 20 looks at the inflated size", partial(crosses, bounds=bounds, drift=more), 0.79, 0.81)
    yield Case("power of McNemar, mid-p, 1.5 points", partial(of_models, gain=0.015), 0.78, 1.0)


def cases() -> list[Case]:
    """Return every line of the table."""
    return [*on_the_level(), *at_most_the_level(), *intervals_and_power()]


def rate(case: Case, *, runs: int, seed: int = 2024) -> float:
    """Return how often the event of a case was seen."""
    rng = np.random.default_rng([seed, *case.name.encode()])
    return sum(case.draw(rng) for _ in range(runs)) / runs


def variance_left(*, runs: int, seed: int = 2024) -> float:
    """Return the mean share of the variance that CUPED leaves at a correlation of 0.7; 0.51 is expected."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(runs):
        outcome, known, arms = before_and_after(rng)
        moments = take_moments_by_arm(arms, [outcome, known], count=2)
        found.append(adjust_for_covariates(moments, outcome=0, covariates=[1]).variance_ratio)
    return float(np.mean(found))


def main() -> int:
    """Print the table; return how many lines missed what was asked for."""
    runs, missed = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS, 0
    print("| what | asked for | seen | runs | |")
    print("|---|---:|---:|---:|---|")
    for case in cases():
        seen = rate(case, runs=runs * case.times)
        band = f"{case.low:.4g} to {case.high:.4g}" if case.low else f"at most {case.high:.4g}"
        said = "" if case.low <= seen <= case.high else "**missed**"
        missed += bool(said)
        print(f"| {case.name} | {band} | {seen:.4f} | {runs * case.times:,} | {said} |", flush=True)
    left = variance_left(runs=min(runs, 500))
    print(f"| variance left by CUPED, correlation .7 | 0.49 to 0.53 | {left:.4f} | {min(runs, 500)} | |")
    return missed


if __name__ == "__main__":
    sys.exit(main() > 0)
