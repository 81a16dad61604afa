"""The invariances of every public function of lab.stats, or why there are none."""

from functools import partial
from typing import Any

import numpy as np

from lab.stats.core import (
    areas,
    arm_means,
    assignment,
    classification,
    clusters,
    comparison,
    contingency,
    corrections,
    log_odds,
    paired,
    probabilities,
    proportions,
    resampled_folds,
)
from lab.stats.core.arm_means import Summary
from lab.stats.experiments import (
    confidence_sequences,
    covariates,
    crossing,
    effect_sizes,
    exact_tables,
    group_sequential,
    lifts,
    moments,
    plans,
    posteriors,
    power_of_means,
    power_of_proportions,
    quadrature,
    quantiles,
    ratios,
    roots,
    sample_ratio,
    several_arms,
    spending,
    strata,
    two_proportions,
    verdicts,
)
from lab.stats.experiments.verdicts import Finding, Progress
from lab.stats.models import (
    average_precisions,
    bootstrap,
    cochran,
    curves,
    decisions,
    gaps,
    mcnemar,
    paired_shares,
    shuffled_areas,
    signed_ranks,
)
from lab.stats.shift import (
    calibration_tests,
    dependence,
    distributions,
    divergences,
    estimated_performance,
    exceedances,
    isotonic,
    ranks,
    shifts,
)
from tests.lab.stats.laws import (
    Call,
    Check,
    at_least,
    between,
    freed,
    gives,
    mirrored,
    reordered,
    same,
    swapped,
    symmetric,
    twice,
    unchanged,
)
from tests.lab.stats.samples import summarise, take_moments, take_moments_by_arm

RNG = np.random.default_rng(31)
X, Y = RNG.normal(3, 1, 60), RNG.normal(3.4, 2, 60)
LABELS = RNG.random(80) < 0.4
SCORES = np.round(RNG.random(80) * 0.5 + 0.3 * LABELS, 2)
OTHERS = np.round(RNG.random(80) * 0.6 + 0.2 * LABELS, 2)
CHANCES = np.round(RNG.uniform(0.05, 0.95, 80), 3)
RIGHT, ALSO = RNG.random(80) < 0.7, RNG.random(80) < 0.8
ARMS = RNG.integers(0, 2, 60)
CONTROL, TREATMENT = (120, 1000), (155, 1100)
TRIALS = [(0, 9), (9, 9), (3, 40), (500, 1000)]
FIRST, SECOND = summarise(X), summarise(Y)
STRATA = [(Summary(50, 1.0, 0.4), Summary(60, 1.2, 0.5)), (Summary(30, 3.0, 0.6), Summary(20, 3.3, 0.2))]
TABLES = [[[30, 470], [45, 455]], [[12, 188], [20, 180]], [[60, 240], [70, 230]]]
P_VALUES = [0.01, 0.2, 0.03, 0.5, 0.04]
LOOKS = [0.2, 0.4, 0.6, 0.8, 1.0]
BOUNDS = group_sequential.spending_bounds(LOOKS)
PAIR = posteriors.posterior_of(CONTROL), posteriors.posterior_of(TREATMENT)
UNITS = [f"unit-{number}" for number in range(60)]
LEVELS = RNG.integers(0, 3, 60)
OWNERS = np.arange(80) // 4
FOLDS: dict[str, Any] = {"train_rows": [80] * 5, "validation_rows": [20] * 5}
CURVES: dict[str, Call] = {
    "roc_curve": curves.roc_curve,
    "precision_recall_curve": curves.precision_recall_curve,
    "gain_curve": curves.gain_curve,
    "lift_curve": curves.lift_curve,
    "lift_at": partial(curves.lift_at, share=0.2),
    "calibration_curve": curves.calibration_curve,
    "score_bins": curves.score_bins,
}
SPENDINGS: dict[str, Call] = {
    "obrien_fleming_spending": spending.obrien_fleming_spending,
    "pocock_spending": spending.pocock_spending,
    "power_spending": partial(spending.power_spending, exponent=3),
    "exponential_spending": partial(spending.exponential_spending, gamma=-4),
}
FOLD_SCORES = [0.8, 0.82, 0.79, 0.83, 0.81]
SHARES, OTHER_SHARES = np.array([0.2, 0.3, 0.5]), np.array([0.3, 0.3, 0.4])


def seeded(call: Call, *arguments: Any, **options: Any) -> Call:
    """Return a function of nothing that draws from the same seed each time."""
    return lambda: call(*arguments, rng=np.random.default_rng(5), **options)


def repeated(call: Call) -> Check:
    return unchanged(call, (), ())


def arms_of(function: Call, **options: Any) -> Call:
    return lambda control, treatment: function(control=control, treatment=treatment, **options)


def counted(function: Call) -> Call:
    return lambda labels, scores: function(classification.scored_sample(labels, scores))


def of_rows(function: Call, *columns: Any, repeat: bool = True) -> dict[str, Check]:
    laws = {"the order of rows": reordered(function, *columns)}
    return laws | ({"rows counted twice": twice(function, *columns)} if repeat else {})


def moments_of(*columns: Any) -> moments.Moments:
    return take_moments(columns)


def by_arm(arms: Any, *columns: Any) -> list[moments.Moments]:
    return take_moments_by_arm(arms, columns, count=2)


def adjusted(function: Call) -> Call:
    return lambda arms, outcome, known: function(*by_arm(arms, outcome, known), outcome=0, covariates=[1])


def doubled(trials: tuple[int, int]) -> tuple[int, int]:
    return 2 * trials[0], 2 * trials[1]


def opposite(trials: tuple[int, int]) -> tuple[int, int]:
    return trials[1] - trials[0], trials[1]


def mirror_of_share(function: Call) -> Check:
    """Return the check that counting failures instead of successes mirrors an interval of a share at one half."""

    def check() -> None:
        for trials in TRIALS:
            low, high = function(trials)
            same([low, high], [1 - end for end in function(opposite(trials))[::-1]])

    return check


def two_arms(function: Call) -> dict[str, Check]:
    call = arms_of(function)
    return {
        "the arms swapped": swapped(call, CONTROL, TREATMENT),
        "failures counted instead": swapped(
            lambda one, two: call(one, two) if one == CONTROL else call(opposite(CONTROL), opposite(TREATMENT)),
            CONTROL,
            TREATMENT,
        ),
    }


def shifted_levels(values: Any) -> Any:
    return (np.asarray(values) + 1) % 3


def sorted_by(function: Call, p_values: Any) -> list[float]:
    return sorted(function(p_values))


def gaps_of(function: Call, pairs: Any) -> list[Any]:
    return sorted((gap.smaller, gap.larger, gap.low, gap.high) for gap in function(dict(pairs)))


def ends_of(function: Call) -> list[Any]:
    return [function(1e-9, 0.025) < 1e-8, function(1.0, 0.025)]


def sums_to_one(function: Call, *arguments: Any) -> Check:
    return lambda: same(float(sum(function(*arguments))), 1.0)


LAWS: dict[str, dict[str, Check]] = {
    "areas.area_under_curve": of_rows(lambda y, s: areas.area_under_curve(y, s).value, LABELS, SCORES)
    | {
        "any rising scale": unchanged(
            lambda y, s: areas.area_under_curve(y, s).value, (LABELS, SCORES), (LABELS, np.exp(3 * SCORES))
        )
    },
    "areas.compare_areas": {
        "the order of rows": reordered(areas.compare_areas, LABELS, SCORES, OTHERS),
        "the models swapped": swapped(partial(areas.compare_areas, LABELS), SCORES, OTHERS),
        "the order of rows of units": reordered(
            lambda y, a, b, u: areas.compare_areas(y, a, b, units=u), LABELS, SCORES, OTHERS, OWNERS
        ),
        "the models swapped, by unit": swapped(partial(areas.compare_areas, LABELS, units=OWNERS), SCORES, OTHERS),
    },
    "areas.area_influences": {
        "they sum to 0": gives(
            lambda: float(areas.area_influences(areas.area_under_curve(LABELS, SCORES), LABELS).sum()), (), 0.0
        )
    },
    "areas.area_variance": {
        "the order of rows": reordered(lambda y, s: areas.area_variance(areas.area_under_curve(y, s)), LABELS, SCORES)
    },
    "areas.area_variance_by_unit": {
        "the order of rows": reordered(
            lambda y, s, u: areas.area_variance_by_unit(areas.area_under_curve(y, s), y, u),
            LABELS,
            SCORES,
            np.arange(80) // 2,
        )
    },
    "areas.compare_independent_areas": {
        "the samples swapped": swapped(areas.compare_independent_areas, (0.7, 0.01), (0.8, 0.02))
    },
    "arm_means.compare_arm_means": {
        "the arms swapped": swapped(arm_means.compare_arm_means, FIRST, SECOND),
        "units and origin": freed(lambda x, y: arm_means.compare_arm_means(summarise(x), summarise(y)), X, Y),
    },
    "arm_means.variance_of": {
        "an offset that leaves digits": unchanged(
            lambda mean: arm_means.variance_of(Summary(9, mean, 4.0)), (0.0,), (1e9,)
        )
    },
    "arm_means.welch_degrees": {
        "the arms swapped": symmetric(
            lambda one, two: arm_means.welch_degrees((one[0], two[0]), (one[1], two[1])), (0.1, 9), (0.7, 30)
        ),
        "units": unchanged(arm_means.welch_degrees, ((0.1, 0.7), (9, 30)), ((1e-200, 7e-200), (9, 30))),
    },
    "assignment.hash_to_unit_interval": {
        "nothing but salt and name": repeated(lambda: assignment.hash_to_unit_interval("a", salt="s")),
        "within the line": between(
            lambda unit: assignment.hash_to_unit_interval(unit, salt="s"), *((unit,) for unit in UNITS)
        ),
    },
    "assignment.assign": {
        "the scale of weights": unchanged(
            lambda weights: [assignment.assign(unit, salt="s", weights=weights) for unit in UNITS], ([1, 3],), ([2, 6],)
        )
    },
    "assignment.arm_at": {
        "the scale of weights": unchanged(assignment.arm_at, (0.6, [1, 1, 2]), (0.6, [10, 10, 20])),
        "an arm of weight 0 at the end": unchanged(assignment.arm_at, (0.6, [1, 1]), (0.6, [1, 1, 0])),
    },
    "average_precisions.average_precision_of": of_rows(
        lambda y, s: average_precisions.average_precision_of(y, s).value, LABELS, SCORES
    ),
    "average_precisions.average_precision_interval": {
        "the order of rows": reordered(
            lambda y, s: average_precisions.average_precision_interval(average_precisions.average_precision_of(y, s)),
            LABELS,
            SCORES,
        )
    },
    "average_precisions.clipped": {"ends within [0, 1]": gives(average_precisions.clipped, (-0.1, 1.2), (0.0, 1.0))},
    "average_precisions.compare_average_precisions": {
        "the models swapped": swapped(partial(average_precisions.compare_average_precisions, LABELS), SCORES, OTHERS)
    },
    "bootstrap.resample": {
        "the same seed": repeated(seeded(bootstrap.resample, LABELS, [SCORES], [classification.losses], resamples=20))
    },
    "bootstrap.draw_rows": {"the same seed": repeated(lambda: list(seeded(bootstrap.draw_rows, 9, 12, resamples=6)()))},
    "bootstrap.draw_weights": {"the same seed": repeated(seeded(bootstrap.draw_weights, 9, 12, resamples=6))},
    "bootstrap.draw_units": {
        "the same seed": repeated(lambda: list(seeded(bootstrap.draw_units, OWNERS, LABELS, resamples=6)()))
    },
    "bootstrap.smaller_class": {"the order of rows": reordered(bootstrap.smaller_class, LABELS, OWNERS)},
    "bootstrap.estimate": {
        "the order of resamples": reordered(lambda draws: bootstrap.estimate(3.0, np.asarray(draws)), X)
    },
    "bootstrap.estimate_distance": {
        "the order of resamples": reordered(
            lambda draws, noise: bootstrap.estimate_distance(3.0, np.asarray(draws), np.asarray(noise)), X, Y
        )
    },
    "calibration_tests.spiegelhalter_test": {
        "the order of rows": reordered(calibration_tests.spiegelhalter_test, LABELS, CHANCES),
        "the other class": unchanged(
            lambda y, p: calibration_tests.spiegelhalter_test(y, p).p_value, (LABELS, CHANCES), (~LABELS, 1 - CHANCES)
        ),
    },
    "calibration_tests.calibration_in_the_large": {
        "the order of rows": reordered(calibration_tests.calibration_in_the_large, LABELS, CHANCES)
    },
    "calibration_tests.expected_calibration_error": of_rows(
        calibration_tests.expected_calibration_error, LABELS, CHANCES
    ),
    "classification.scored_sample": {
        "the order of rows": reordered(
            lambda y, s: classification.losses(classification.scored_sample(y, s)), LABELS, SCORES
        )
    },
    "classification.measure": of_rows(counted(partial(classification.measure, threshold=0.5)), LABELS, SCORES),
    "classification.undefined_metrics": of_rows(
        lambda y, s: sorted(classification.undefined_metrics(classification.scored_sample(y, s))) or "all defined",
        LABELS,
        SCORES,
    ),
    "classification.decide": of_rows(
        counted(partial(classification.decide, threshold=0.5)), LABELS, SCORES, repeat=False
    ),
    "classification.decisions_by_threshold": of_rows(
        counted(classification.decisions_by_threshold), LABELS, SCORES, repeat=False
    ),
    "classification.areas": of_rows(counted(classification.areas), LABELS, SCORES),
    "classification.area_under_curve": of_rows(counted(classification.area_under_curve), LABELS, SCORES),
    "classification.average_precision": of_rows(counted(classification.average_precision), LABELS, SCORES),
    "classification.losses": of_rows(counted(classification.losses), LABELS, SCORES),
    "classification.calibration_error": of_rows(counted(classification.calibration_error), LABELS, SCORES),
    "clusters.repeated_units": {"other names": unchanged(clusters.repeated_units, (OWNERS,), (3 * OWNERS + 7,))},
    "clusters.count_units": {
        "the order of rows": reordered(lambda units: clusters.count_units(units, rows=80), OWNERS)
    },
    "clusters.variance_by_unit": {
        "the order of rows": reordered(
            lambda values, units: clusters.variance_by_unit(values, np.asarray(units)), X - X.mean(), OWNERS[:60]
        )
    },
    "clusters.clustered_test": {
        "the order of rows": reordered(
            lambda values, units: clusters.clustered_test(0.2, values, np.asarray(units)), X - X.mean(), OWNERS[:60]
        ),
        "the sign": unchanged(
            lambda estimate, sign: clusters.clustered_test(estimate, sign * (X - X.mean()), OWNERS[:60]).p_value,
            (0.2, 1),
            (-0.2, -1),
        ),
    },
    "clusters.correlations_by_unit": {
        "the scale": lambda: same(
            *(
                clusters.correlations_by_unit({"a": (scale * X, OWNERS[:60]), "b": (X + Y, OWNERS[:60])})[
                    frozenset("ab")
                ]
                for scale in (1, 4)
            )
        )
    },
    "clusters.effective_trials": {"the order of rows": reordered(clusters.effective_trials, LABELS, OWNERS)},
    "cochran.cochran_test": {
        "the order of models, by unit": unchanged(
            partial(cochran.cochran_test, units=OWNERS),
            (np.column_stack([RIGHT, ALSO, LABELS]),),
            (np.column_stack([LABELS, RIGHT, ALSO]),),
        ),
        "the order of rows": reordered(cochran.cochran_test, np.column_stack([RIGHT, ALSO, LABELS])),
        "the order of models": unchanged(
            cochran.cochran_test,
            (np.column_stack([RIGHT, ALSO, LABELS]),),
            (np.column_stack([LABELS, RIGHT, ALSO]),),
        ),
    },
    "comparison.compare_estimates": {
        "the arms swapped": swapped(
            lambda one, two: comparison.compare_estimates(one, two, standard_error=0.3, degrees=12), 1.0, 1.7
        ),
        "units": unchanged(
            lambda one, two, error: comparison.compare_estimates(one, two, standard_error=error).p_value,
            (1.0, 1.7, 0.3),
            (10.0, 17.0, 3.0),
        ),
    },
    "comparison.undefined": {
        "the arms swapped": swapped(lambda one, two: comparison.undefined(one, two, "no spread"), 1.0, 1.7)
    },
    "comparison.interval": {
        "the sign": lambda: same(
            list(comparison.interval(2.0, 0.5)), [-(end or 0) for end in comparison.interval(-2.0, 0.5)[::-1]]
        )
    },
    "comparison.critical_value": {
        "the side": lambda: same(comparison.critical_value(0.9, 7), -comparison.critical_value(0.1, 7)),
        "a level": at_least(comparison.critical_value, (0.6,), (0.9,), (0.99,)),
    },
    "comparison.p_value_of": {
        "the sign": unchanged(comparison.p_value_of, (1.3,), (-1.3,)),
        "both sides add up": lambda: same(
            comparison.p_value_of(1.3, side="greater") + comparison.p_value_of(1.3, side="less"), 1.0
        ),
    },
    "comparison.log10_p_of": {
        "the sign": unchanged(lambda z: comparison.log10_p_of(z, degrees=9), (1.3,), (-1.3,)),
        "the tail": unchanged(
            lambda value: value,
            (comparison.log10_p_of(2.0, degrees=9, side="greater"),),
            (float(np.log10(comparison.p_value_of(2.0, degrees=9, side="greater"))),),
        ),
    },
    "confidence_sequences.anytime_comparison": {
        "the arms swapped": swapped(
            lambda one, two: confidence_sequences.anytime_comparison(two - one, 0.1, 500, tuned_to=400), 1.0, 1.3
        )
    },
    "confidence_sequences.anytime_bounds": {
        "the unit of information": unchanged(
            lambda looks, tuned_to: confidence_sequences.anytime_bounds(looks, tuned_to=tuned_to).z,
            (LOOKS, 0.8),
            ([look / 4 for look in LOOKS], 0.2),
        )
    },
    "contingency.compare_counts": {
        "the order of categories": reordered(
            lambda one, two: contingency.compare_counts([one, two]), [120, 135, 160, 118], [300, 410, 350, 390]
        ),
        "the samples swapped": unchanged(
            contingency.compare_counts, ([[120, 135], [300, 410]],), ([[300, 410], [120, 135]],)
        ),
    },
    "contingency.pool_rare": {
        "a common table": gives(lambda table: contingency.pool_rare(table)[1], (np.array([[50, 60], [70, 40]]),), 0)
    },
    "contingency.compare_shares": {
        "the samples swapped": swapped(
            lambda one, two: contingency.compare_shares(reference=one, current=two), CONTROL, TREATMENT
        )
    },
    **{
        f"corrections.{name}": {
            "the order of tests": unchanged(
                partial(sorted_by, getattr(corrections, name)), (P_VALUES,), (P_VALUES[::-1],)
            ),
            "one test alone": gives(getattr(corrections, name), ([0.03],), [0.03]),
        }
        for name in ("holm", "benjamini_hochberg")
    },
    "corrections.holm_divisors": {
        "the order of the tests": unchanged(
            lambda order: sorted(corrections.holm_divisors(order, level=0.05)),
            ([0.01, 0.04, 0.03],),
            ([0.04, 0.03, 0.01],),
        ),
    },
    "covariates.adjust_for_covariates": {
        "the order of units": reordered(
            adjusted(lambda *arms, **of: covariates.adjust_for_covariates(arms, **of)), ARMS, Y, X
        ),
        "unit and origin of the covariate": unchanged(
            adjusted(lambda *arms, **of: covariates.adjust_for_covariates(arms, **of).arms),
            (ARMS, Y, X),
            (ARMS, Y, 5 * X - 3),
        ),
    },
    "covariates.lift_after_adjustment": {
        "unit and origin of the covariate": unchanged(
            adjusted(covariates.lift_after_adjustment), (ARMS, Y, X), (ARMS, Y, 5 * X - 3)
        ),
        "the unit of the outcome": unchanged(
            adjusted(covariates.lift_after_adjustment), (ARMS, Y, X), (ARMS, 5 * Y, X)
        ),
    },
    "covariates.residual_moments": {
        "unit and origin of the covariate": unchanged(
            lambda known: covariates.residual_moments(by_arm(ARMS, Y, known), outcomes=[0], covariates=[1]),
            (X,),
            (5 * X - 3,),
        ),
    },
    "crossing.crossing_probabilities": {
        "the sign of the drift": unchanged(
            lambda drift: crossing.crossing_probabilities([2.5, 2.0], [0.5, 1.0], drift=drift), (1.4,), (-1.4,)
        ),
        "bounds that are never reached": gives(
            lambda: sum(crossing.crossing_probabilities([39.0, 39.0], [0.5, 1.0])), (), 0.0
        ),
    },
    "crossing.densities": {
        "what stays and what crosses": lambda: same(
            float(crossing.densities([2.0, 2.0], [0.5, 1.0])[1].weights.sum()),
            1 - crossing.crossing_probabilities([2.0], [0.5])[0],
        )
    },
    "crossing.initial_density": {"all paths": gives(lambda: float(crossing.initial_density().weights.sum()), (), 1.0)},
    "crossing.probability_above": {
        "what lies below": unchanged(
            lambda value: value,
            (crossing.probability_above(crossing.initial_density(), 1.2, 0.5, drift=0.7),),
            (1 - crossing.probability_below(crossing.initial_density(), 1.2, 0.5, drift=0.7),),
        )
    },
    "crossing.probability_below": {
        "the mirror image": unchanged(
            lambda value: value,
            (crossing.probability_above(crossing.initial_density(), 1.2, 0.5, drift=0.7),),
            (crossing.probability_below(crossing.initial_density(), -1.2, 0.5, drift=-0.7),),
        )
    },
    "crossing.propagate": {
        "all paths": gives(
            lambda: float(crossing.propagate(crossing.initial_density(), -39, 39, 0.5).weights.sum()), (), 1.0
        )
    },
    "crossing.check_information": {"shares that rise": gives(crossing.check_information, ([0.5, 1],), [0.5, 1.0])},
    **{
        f"curves.{name}": {"the order of rows": reordered(counted(call), LABELS, SCORES)}
        for name, call in CURVES.items()
    },
    "decisions.count_decisions": {"the order of rows": reordered(decisions.count_decisions, LABELS, RIGHT, ALSO)},
    "decisions.compare_decisions": {
        "the same seed": repeated(
            seeded(decisions.compare_decisions, decisions.count_decisions(LABELS, RIGHT, ALSO), resamples=50)
        )
    },
    "decisions.compare_decisions_by_unit": {
        "the order of rows": reordered(
            lambda y, a, b, u: decisions.compare_decisions_by_unit(y, a, b, np.asarray(u)), LABELS, RIGHT, ALSO, OWNERS
        )
    },
    "dependence.joint_inflation": {
        "the samples swapped": unchanged(dependence.joint_inflation, ([10, 30], (1.5, 2.0)), ([30, 10], (2.0, 1.5)))
    },
    "dependence.reduced_for_shared_units": {
        "nothing shared": gives(
            lambda: dependence.reduced_for_shared_units([10, 30], (1.5, 2.0), correlation=0.0, pairs=0), (), (1.5, 2.0)
        )
    },
    "dependence.correlation_of_pairs": {
        "the sides swapped": symmetric(dependence.correlation_of_pairs, X, Y),
        "any rising scale": unchanged(dependence.correlation_of_pairs, (X, Y), (np.exp(X), Y)),
    },
    "dependence.correlation_of_levels": {
        "the sides swapped": symmetric(dependence.correlation_of_levels, LEVELS, ARMS),
        "the names of levels": unchanged(
            dependence.correlation_of_levels, (LEVELS, ARMS), (shifted_levels(LEVELS), shifted_levels(ARMS))
        ),
    },
    "dependence.midranks": {
        "any rising scale": unchanged(dependence.midranks, (X,), (np.exp(X),)),
    },
    "dependence.inflation_by_unit": {
        "the order of rows": reordered(
            lambda ranked, units: dependence.inflation_by_unit(np.asarray(ranked), np.asarray(units)),
            dependence.midranks(X),
            np.arange(60) // 3,
        )
    },
    "dependence.inflation_by_unit_of_levels": {
        "the order of rows": reordered(
            lambda levels, units: dependence.inflation_by_unit_of_levels(np.asarray(levels), np.asarray(units)),
            LEVELS,
            np.arange(60) // 3,
        )
    },
    "dependence.inflation_in_time": {
        "the direction of time": unchanged(
            dependence.inflation_in_time, (dependence.midranks(X),), (dependence.midranks(X)[::-1],)
        )
    },
    "dependence.inflation_in_time_of_levels": {
        "the names of levels": unchanged(dependence.inflation_in_time_of_levels, (LEVELS,), (shifted_levels(LEVELS),))
    },
    "distributions.distribution_of": {"the order of rows": reordered(distributions.distribution_of, X)},
    "distributions.spread_of": {"an offset": unchanged(distributions.spread_of, (np.sort(X),), (np.sort(X) + 7,))},
    "distributions.thinned": {
        "what is small already": gives(
            lambda: distributions.thinned(distributions.distribution_of(X), points=1000),
            (),
            distributions.distribution_of(X),
        )
    },
    "distributions.rounded_up": {
        "its own values": gives(
            lambda: distributions.rounded_up(distributions.distribution_of(X), np.sort(X)).below,
            (),
            distributions.distribution_of(X).below,
        )
    },
    "divergences.diverge": {
        "the order of bins": reordered(
            lambda p, q: divergences.diverge(np.asarray(p), np.asarray(q)), [20, 30, 50], [30, 30, 40]
        )
    },
    "divergences.population_stability": {
        "the samples swapped": symmetric(divergences.population_stability, SHARES, OTHER_SHARES)
    },
    "divergences.jensen_shannon_distance": {
        "the samples swapped": symmetric(divergences.jensen_shannon_distance, SHARES, OTHER_SHARES)
    },
    "divergences.hellinger_distance": {
        "the samples swapped": symmetric(divergences.hellinger_distance, SHARES, OTHER_SHARES)
    },
    "effect_sizes.cohen_h": {
        "the arms swapped": mirrored(effect_sizes.cohen_h, 0.1, 0.3),
        "failures counted instead": unchanged(
            lambda one, two: abs(effect_sizes.cohen_h(one, two)), (0.1, 0.3), (0.9, 0.7)
        ),
    },
    "effect_sizes.cohen_h_interval": {"the arms swapped": mirrored(effect_sizes.cohen_h_interval, CONTROL, TREATMENT)},
    "effect_sizes.standardised_difference": {
        "the arms swapped": swapped(effect_sizes.standardised_difference, FIRST, SECOND),
        "units and origin": unchanged(
            lambda x, y: effect_sizes.standardised_difference(summarise(x), summarise(y)),
            (X, Y),
            (3 * X + 7, 3 * Y + 7),
        ),
    },
    "effect_sizes.small_sample_factor": {
        "below 1, and nearing it": at_least(effect_sizes.small_sample_factor, (3,), (10,), (1000,))
    },
    "effect_sizes.pooled_spread": {"the arms swapped": symmetric(effect_sizes.pooled_spread, FIRST, SECOND)},
    "effect_sizes.noncentrality_interval": {
        "the sign": lambda: same(
            list(effect_sizes.noncentrality_interval(2.0, 9)),
            [-end for end in effect_sizes.noncentrality_interval(-2.0, 9)[::-1]],
        )
    },
    "estimated_performance.estimate_performance": {
        "the order of rows": reordered(estimated_performance.estimate_performance, SCORES, RIGHT, CHANCES)
    },
    "estimated_performance.estimate_area": {
        "any rising scale": unchanged(estimated_performance.estimate_area, (SCORES, CHANCES), (np.exp(SCORES), CHANCES))
    },
    "exact_tables.fisher_p_value": {
        "the arms swapped": symmetric(exact_tables.fisher_p_value, (3, 17), (9, 20)),
        "failures counted instead": unchanged(exact_tables.fisher_p_value, ((3, 17), (9, 20)), ((14, 17), (11, 20))),
    },
    "exceedances.calibrate_threshold": {
        "the order of rows": reordered(lambda s: exceedances.calibrate_threshold(s, rate=0.1), SCORES)
    },
    "exceedances.exceedance_p_value": {
        "more rows beyond": at_least(
            lambda passed: -exceedances.exceedance_p_value(passed, 50, exceedances.Threshold(0.9, 4, 99)),
            (0,),
            (3,),
            (9,),
        )
    },
    **{
        f"gaps.{name}": {
            "the order of groups": unchanged(partial(gaps_of, getattr(gaps, name)), (groups,), (groups[::-1],))
        }
        for name, groups in (
            ("share_gaps", [("a", (9, 50)), ("b", (20, 60)), ("c", (30, 70))]),
            ("share_ratios", [("a", (9, 50)), ("b", (20, 60)), ("c", (30, 70))]),
            ("mean_gaps", [("a", X), ("b", Y), ("c", X + Y)]),
        )
    },
    "gaps.ratio_interval": {
        "the arms swapped": lambda: same(
            list(gaps.ratio_interval((30, 50), (20, 60))),
            [1 / end for end in gaps.ratio_interval((20, 60), (30, 50))[::-1]],
        )
    },
    "group_sequential.spending_bounds": {
        "later looks": unchanged(
            lambda looks: group_sequential.spending_bounds(looks).z[:2], ([0.2, 0.5, 1.0],), ([0.2, 0.5, 0.6, 0.9],)
        )
    },
    "group_sequential.sequential_power": {
        "the sign of the drift": unchanged(
            lambda drift: group_sequential.sequential_power(BOUNDS, drift=drift), (2.0,), (-2.0,)
        ),
        "a larger drift": at_least(
            lambda drift: group_sequential.sequential_power(BOUNDS, drift=drift), (0.0,), (1.0,), (4.0,)
        ),
    },
    "group_sequential.inflation": {
        "one look": gives(
            lambda: group_sequential.inflation(group_sequential.spending_bounds([1.0])) > 0.9999, (), True
        )
    },
    "group_sequential.analyse_stop": {
        "the sign": lambda: same(
            group_sequential.analyse_stop(BOUNDS, look=3, z=3.0).estimate,
            -group_sequential.analyse_stop(BOUNDS, look=3, z=-3.0).estimate,
        )
    },
    "isotonic.fit_isotonic": {"the order of rows": reordered(isotonic.fit_isotonic, X, Y)},
    "lifts.relative_lift": {
        "units": unchanged(lambda x, y: lifts.relative_lift(summarise(x), summarise(y)), (X, Y), (8 * X, 8 * Y))
    },
    "lifts.lift_of_proportions": {
        "the arms swapped": lambda: same(
            1 + (lifts.lift_of_proportions(control=CONTROL, treatment=TREATMENT).low or 0),
            1 / (1 + (lifts.lift_of_proportions(control=TREATMENT, treatment=CONTROL).high or 0)),
        )
    },
    "mcnemar.compare_correctness": {
        "the order of rows": reordered(mcnemar.compare_correctness, RIGHT, ALSO),
        "the models swapped": swapped(mcnemar.compare_correctness, RIGHT, ALSO),
    },
    "mcnemar.mcnemar_test": {
        "the models swapped": unchanged(
            lambda one, two: mcnemar.mcnemar_test(30, one, two, 9).p_value, (4, 11), (11, 4)
        )
    },
    "log_odds.log_odds": {
        "failures counted instead": unchanged(
            lambda shares: np.abs(log_odds.log_odds(shares)).tolist(), ([0.1, 0.4],), ([0.9, 0.6],)
        )
    },
    "confidence_sequences.mixing_variance": {
        "the unit of variance": unchanged(
            lambda v: confidence_sequences.mixing_variance(v, 0.05) / v, (10.0,), (1000.0,)
        )
    },
    "moments.no_rows": {
        "what it is added to": lambda: same(moments.merge_moments([moments.no_rows(1), moments_of(X)]), moments_of(X))
    },
    "moments.merge_moments": {
        "any batches": lambda: same(
            moments.merge_moments([moments_of(X[:7]), moments_of(X[7:8]), moments_of(X[8:])]), moments_of(X)
        ),
        "the order of batches": lambda: same(
            moments.merge_moments([moments_of(X[:20]), moments_of(X[20:])]),
            moments.merge_moments([moments_of(X[20:]), moments_of(X[:20])]),
        ),
    },
    "paired.compare_means": {
        "the order of rows": reordered(paired.compare_means, X, Y),
        "the columns swapped": swapped(paired.compare_means, X, Y),
        "units and origin": freed(paired.compare_means, X, Y),
    },
    "paired.log_losses": {"the other class": unchanged(paired.log_losses, (LABELS, CHANCES), (~LABELS, 1 - CHANCES))},
    "paired.squared_errors": {
        "the other class": unchanged(paired.squared_errors, (LABELS, CHANCES), (~LABELS, 1 - CHANCES))
    },
    "paired_shares.net_share": {"the order of rows": reordered(paired_shares.net_share, [1] * 9 + [-1] * 4 + [0] * 20)},
    "plans.plan_proportions": {
        "the arms swapped": unchanged(lambda one, two: plans.plan_proportions(one, two).total, (0.1, 0.15), (0.15, 0.1))
    },
    "plans.plan_means": {"units and direction": unchanged(plans.plan_means, (0.2, 1.0), (2.0, 10.0), (-0.2, 1.0))},
    "plans.plan_ratios": {"units and direction": unchanged(plans.plan_ratios, (0.2, 1.0), (2.0, 100.0), (-0.2, 1.0))},
    "posteriors.posterior_of": {
        "failures counted instead": mirror_of_share(
            lambda trials: (posteriors.posterior_of(trials).low, posteriors.posterior_of(trials).high)
        )
    },
    "posteriors.compare_posteriors": {
        "the order of arms": lambda: same(
            posteriors.compare_posteriors(PAIR).best, posteriors.compare_posteriors(PAIR[::-1]).best[::-1]
        ),
        "chances that add up": sums_to_one(lambda: posteriors.compare_posteriors([*PAIR, PAIR[0]]).best),
    },
    "posteriors.normal_posterior": {
        "the sign": lambda: same(
            posteriors.normal_posterior(0.2, 0.1).loss_of_control,
            posteriors.normal_posterior(-0.2, 0.1).loss_of_treatment,
        ),
        "the unit": unchanged(
            lambda unit: posteriors.normal_posterior(0.2 * unit, 0.1 * unit, prior_spread=unit).above_zero,
            (1.0,),
            (50.0,),
        ),
    },
    "power_of_means.mean_power": {
        "the arms swapped": unchanged(
            lambda one, two: power_of_means.mean_power(0.3, treated=one, control=two), (40, 90), (90, 40)
        ),
        "the sign": unchanged(lambda d: power_of_means.mean_power(d, treated=40, control=40), (0.3,), (-0.3,)),
    },
    "power_of_means.mean_units": {"the sign": unchanged(power_of_means.mean_units, (0.3,), (-0.3,))},
    "power_of_means.smallest_mean_effect": {
        "the arms swapped": unchanged(
            lambda one, two: power_of_means.smallest_mean_effect(treated=one, control=two), (40, 90), (90, 40)
        )
    },
    "power_of_proportions.proportion_units": {
        "failures counted instead": unchanged(
            power_of_proportions.proportion_units, (0.1, 0.15), (0.9, 0.85), (0.15, 0.1)
        )
    },
    "power_of_proportions.proportion_power": {
        "failures counted instead": unchanged(
            power_of_proportions.proportion_power, (0.1, 0.15, 300), (0.9, 0.85, 300)
        ),
        "more units": at_least(
            power_of_proportions.proportion_power, (0.1, 0.15, 10), (0.1, 0.15, 100), (0.1, 0.15, 1000)
        ),
    },
    "power_of_proportions.smallest_proportion": {
        "failures counted instead": unchanged(
            lambda control, upwards: abs(
                (power_of_proportions.smallest_proportion(control, 500, upwards=upwards) or 0) - control
            ),
            (0.3, True),
            (0.7, False),
        )
    },
    "probabilities.log_choose": {
        "the others chosen": lambda: same(float(probabilities.log_choose(9, 2)), float(probabilities.log_choose(9, 7)))
    },
    "probabilities.normal_quantile": {
        "the side": lambda: same(probabilities.normal_quantile(0.9), -probabilities.normal_quantile(0.1))
    },
    "probabilities.normal_p_value": {"the sign": unchanged(probabilities.normal_p_value, (1.7,), (-1.7,))},
    "probabilities.normal_log10_p": {"the sign": unchanged(probabilities.normal_log10_p, (50.0,), (-50.0,))},
    "probabilities.student_p_value": {
        "the sign": unchanged(probabilities.student_p_value, (1.7, 5), (-1.7, 5)),
    },
    "probabilities.student_log10_p": {
        "the sign": unchanged(probabilities.student_log10_p, (1e99, 5), (-1e99, 5)),
    },
    "probabilities.student_quantile": {
        "the side": lambda: same(probabilities.student_quantile(0.9, 5), -probabilities.student_quantile(0.1, 5))
    },
    "probabilities.chi_square_p_value": {
        "one degree is a square": lambda: same(
            probabilities.chi_square_p_value(1.7**2, 1), probabilities.normal_p_value(1.7)
        )
    },
    "probabilities.chi_square_log10_p": {
        "one degree is a square": lambda: same(
            probabilities.chi_square_log10_p(50.0**2, 1), probabilities.normal_log10_p(50.0)
        )
    },
    "probabilities.f_p_value": {
        "one degree is a square": lambda: same(
            probabilities.f_p_value(1.7**2, (1, 9)), probabilities.student_p_value(1.7, 9)
        )
    },
    "probabilities.binomial_half_cdf": {
        "heads and tails": lambda: same(
            probabilities.binomial_half_cdf(3, 10), 1 - probabilities.binomial_half_cdf(6, 10)
        )
    },
    "probabilities.binomial_half_p_value": {
        "heads and tails": unchanged(probabilities.binomial_half_p_value, (3, 10), (7, 10))
    },
    "probabilities.binomial_half_log10_p": {
        "heads and tails": unchanged(probabilities.binomial_half_log10_p, (3, 5000), (4997, 5000))
    },
    "proportions.wilson_interval": {"failures counted instead": mirror_of_share(proportions.wilson_interval)},
    "proportions.newcombe_interval": {"the arms swapped": mirrored(proportions.newcombe_interval, CONTROL, TREATMENT)},
    "quadrature.panels": {
        "the number of panels": unchanged(
            lambda count: float(
                np.sum(quadrature.panels(0.0, 1.0, count)[1] * quadrature.panels(0.0, 1.0, count)[0] ** 5)
            ),
            (1,),
            (7,),
        )
    },
    "quadrature.between": {
        "where it is cut": unchanged(
            lambda edges: float(np.sum(quadrature.between(np.array(edges))[1])), ([0.0, 1.0],), ([0.0, 0.1, 0.7, 1.0],)
        )
    },
    "quadrature.panels_for": {"the unit": unchanged(quadrature.panels_for, (10.0, 0.3), (100.0, 3.0))},
    "quantiles.quantile": {"the order of rows": reordered(lambda x: quantiles.quantile(x, 0.3), X)},
    "ranks.merge": {"the order of rows": reordered(ranks.merge, X, Y)},
    "ranks.merge_distributions": {
        "the samples themselves": lambda: same(
            ranks.kolmogorov_smirnov(
                ranks.merge_distributions(distributions.distribution_of(X), distributions.distribution_of(Y))
            ),
            ranks.kolmogorov_smirnov(ranks.merge(X, Y)),
        )
    },
    "ranks.kolmogorov_smirnov": {
        "the samples swapped": symmetric(lambda x, y: ranks.kolmogorov_smirnov(ranks.merge(x, y)), X, Y),
        "any rising scale": unchanged(
            lambda x, y: ranks.kolmogorov_smirnov(ranks.merge(x, y)), (X, Y), (np.exp(X), np.exp(Y))
        ),
    },
    "ranks.wasserstein_distance": {
        "the samples swapped": symmetric(lambda x, y: ranks.wasserstein_distance(ranks.merge(x, y)), X, Y),
        "an offset": unchanged(lambda x, y: ranks.wasserstein_distance(ranks.merge(x, y)), (X, Y), (X + 7, Y + 7)),
    },
    "ranks.robust_spread": {
        "an offset": unchanged(lambda x, y: ranks.robust_spread(ranks.merge(x, y)), (X, Y), (X + 7, Y + 7))
    },
    "ranks.tails_test": {
        "any rising scale": unchanged(lambda x, y: ranks.tails_test(ranks.merge(x, y)), (X, Y), (np.exp(X), np.exp(Y)))
    },
    "ranks.largest_single_change": {
        "the samples swapped": symmetric(lambda x, y: ranks.largest_single_change(ranks.merge(x, y)), LEVELS, ARMS)
    },
    "ranks.quantile_edges": {
        "the unit": unchanged(lambda unit: ranks.quantile_edges(ranks.merge(unit * X, unit * Y)) / unit, (1.0,), (8.0,))
    },
    "ranks.count_in_bins": {
        "every row once": lambda: same(
            sum(int(part.sum()) for part in ranks.count_in_bins(ranks.merge(X, Y), np.array([2.0, 4.0]))), 120
        )
    },
    "ranks.count_per_value": {
        "every row once": lambda: same(
            sum(int(part.sum()) for part in ranks.count_per_value(ranks.merge(LEVELS, ARMS))), 120
        )
    },
    "ratios.ratio_of": {
        "the order of units": reordered(
            lambda x, y: ratios.ratio_of(moments_of(x, y), numerator=0, denominator=1), X, Y
        ),
        "the unit of both": unchanged(
            lambda unit: ratios.ratio_of(moments_of(unit * X, unit * Y), numerator=0, denominator=1), (1.0,), (8.0,)
        ),
    },
    "resampled_folds.corrected_mean": {
        "the order of folds": reordered(lambda s: resampled_folds.corrected_mean(s, **FOLDS), FOLD_SCORES)
    },
    "resampled_folds.corrected_difference": {
        "the order of folds": reordered(lambda s: resampled_folds.corrected_difference(s, **FOLDS), FOLD_SCORES),
        "the sign": unchanged(
            lambda sign: resampled_folds.corrected_difference([sign * s for s in FOLD_SCORES], **FOLDS).p_value,
            (1,),
            (-1,),
        ),
    },
    "roots.find_root": {
        "the ends swapped": unchanged(lambda low, high: roots.find_root(lambda x: x**3 - 2, low, high), (0, 9), (9, 0))
    },
    "roots.widen": {"an end that is far enough": gives(roots.widen, (lambda x: x - 2, 0.0, 3.0), 3.0)},
    "sample_ratio.check_sample_ratio": {
        "the scale of weights": unchanged(
            sample_ratio.check_sample_ratio, ([500, 530], [1, 1]), ([500, 530], [0.5, 0.5])
        ),
        "the order of arms": unchanged(
            lambda counts, weights: sample_ratio.check_sample_ratio(counts, weights).p_value,
            ([500, 1060], [1, 2]),
            ([1060, 500], [2, 1]),
        ),
        "an arm of weight 0": unchanged(
            lambda counts, weights: sample_ratio.check_sample_ratio(counts, weights).p_value,
            ([500, 530], [1, 1]),
            ([500, 0, 530], [1, 0, 1]),
        ),
    },
    "several_arms.compare_several_means": {
        "the order of arms": unchanged(
            several_arms.compare_several_means,
            ([FIRST, SECOND, Summary(30, 3.2, 1.5)],),
            ([Summary(30, 3.2, 1.5), SECOND, FIRST],),
        )
    },
    "several_arms.compare_with_control": {
        "the order of treatments": lambda: same(
            several_arms.compare_with_control(FIRST, [SECOND, Summary(30, 3.2, 1.5)]).p_values,
            several_arms.compare_with_control(FIRST, [Summary(30, 3.2, 1.5), SECOND]).p_values[::-1],
        )
    },
    "several_arms.any_beyond": {
        "one more comparison": at_least(
            lambda count: several_arms.any_beyond(2.2, np.sqrt([0.5] * count), 40), (1,), (2,), (6,)
        )
    },
    "shifts.measure_numbers": {
        "the order of rows": reordered(lambda x, y: shifts.measure_numbers(np.asarray(x), np.asarray(y)), X, Y)
    },
    "shifts.measure_against": {
        "the reference itself": lambda: same(
            shifts.measure_against(distributions.distribution_of(X), 0, Y).p_value, shifts.measure_numbers(X, Y).p_value
        )
    },
    "shifts.measure_levels": {
        "the samples swapped": unchanged(
            lambda one, two: shifts.measure_levels(np.array(one), np.array(two), names=["a", "b", "c"]).p_value,
            ([120, 135, 160], [300, 410, 350]),
            ([300, 410, 350], [120, 135, 160]),
        )
    },
    "shuffled_areas.area_lost": {
        "the order of rows": reordered(
            lambda y, s, one, two: shuffled_areas.area_lost(y, s, [one, two]), LABELS, SCORES, OTHERS, CHANCES
        )
    },
    "signed_ranks.signed_rank_test": {
        "the order of rows": reordered(signed_ranks.signed_rank_test, X - 3),
        "the unit": unchanged(signed_ranks.signed_rank_test, (X - 3,), (8 * (X - 3),)),
        "the sign": unchanged(lambda x: signed_ranks.signed_rank_test(x).p_value, (X - 3,), (3 - X,)),
    },
    **{
        f"spending.{name}": {
            "nothing at first, all at the end": gives(partial(ends_of, call), (), [True, 0.025]),
            "never less": at_least(call, (0.1, 0.025), (0.5, 0.025), (0.9, 0.025)),
        }
        for name, call in SPENDINGS.items()
    },
    "spending.spending_named": {
        "the function itself": lambda: same(
            spending.spending_named("pocock")(0.3, 0.025), spending.pocock_spending(0.3, 0.025)
        )
    },
    "strata.post_stratify": {
        "the order of strata": unchanged(strata.post_stratify, (STRATA,), (STRATA[::-1],)),
        "the arms swapped": lambda: same(
            strata.post_stratify(STRATA).absolute.difference,
            -strata.post_stratify([pair[::-1] for pair in STRATA]).absolute.difference,
        ),
    },
    "strata.stratified_test": {
        "the order of strata": unchanged(strata.stratified_test, (TABLES,), (TABLES[::-1],)),
        "the arms swapped": lambda: same(
            strata.stratified_test(TABLES).odds_ratio or 0,
            1 / (strata.stratified_test([table[::-1] for table in TABLES]).odds_ratio or 1),
        ),
    },
    "two_proportions.compare_proportions": two_arms(two_proportions.compare_proportions),
    "two_proportions.compare_by_normal_limit": two_arms(two_proportions.compare_by_normal_limit)
    | {
        "every unit counted twice": lambda: same(
            (two_proportions.compare_by_normal_limit(control=CONTROL, treatment=TREATMENT).statistic or 0) * np.sqrt(2),
            two_proportions.compare_by_normal_limit(control=doubled(CONTROL), treatment=doubled(TREATMENT)).statistic,
        )
    },
    "two_proportions.share_of": {
        "every unit counted twice": unchanged(two_proportions.share_of, (CONTROL, "a"), (doubled(CONTROL), "a"))
    },
    "verdicts.decide": {
        "the order of guardrails": unchanged(
            lambda rails: (
                verdicts.decide(
                    Finding("kept", 0.02, 0.004, 0.036), guardrails=rails, progress=Progress(5, 5, looks_allowed=True)
                ).action
            ),
            ((Finding("a", 0.0, -0.1, 0.1, 0.2), Finding("b", 0.0, -0.3, 0.1, 0.2)),),
            ((Finding("b", 0.0, -0.3, 0.1, 0.2), Finding("a", 0.0, -0.1, 0.1, 0.2)),),
        )
    },
}

WITHOUT_A_LAW = {
    "group_sequential.refuse_fixed_p_value": "it returns nothing: it refuses or it does not",
    "streams.page_hinkley_rule": "a rule's limit; its promise is about run lengths, which test_streams simulates",
    "streams.page_hinkley": "the order of a stream is what it is about",
    "streams.adwin": "the order of a stream is what it is about",
}
