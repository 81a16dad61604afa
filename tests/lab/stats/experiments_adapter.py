"""Map the cases about experiments to the library, by their method."""

import re
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from lab.stats.core.arm_means import Summary, compare_arm_means
from lab.stats.core.assignment import hash_to_unit_interval
from lab.stats.core.comparison import Comparison, p_value_of
from lab.stats.core.proportions import wilson_interval
from lab.stats.experiments import lifts, power_of_means, power_of_proportions, two_proportions
from lab.stats.experiments.confidence_sequences import anytime_comparison
from lab.stats.experiments.covariates import adjust_for_covariates, lift_after_adjustment
from lab.stats.experiments.crossing import crossing_probabilities
from lab.stats.experiments.effect_sizes import cohen_h, pooled_spread, small_sample_factor
from lab.stats.experiments.exact_tables import fisher_p_value
from lab.stats.experiments.group_sequential import Bounds, sequential_power, spending_bounds
from lab.stats.experiments.moments import Moments
from lab.stats.experiments.posteriors import (
    Posterior,
    compare_posteriors,
    normal_posterior,
    posterior_of,
)
from lab.stats.experiments.ratios import ratio_of
from lab.stats.experiments.sample_ratio import check_sample_ratio
from lab.stats.experiments.several_arms import compare_several_means, compare_with_control
from lab.stats.experiments.spending import spending_named
from lab.stats.experiments.strata import post_stratify, stratified_test
from tests.lab.stats import slips
from tests.lab.stats.answers import Answer, Inputs, answered, ends
from tests.lab.stats.samples import summarise, take_moments, take_moments_by_arm

SPENDINGS = {"ldof": "obrien_fleming", "ldpo": "pocock", "of": "obrien_fleming", "po": "pocock"}


def two_proportions_(inputs: Inputs) -> Answer:
    control, treatment = (inputs["x1"], inputs["n1"]), (inputs["x2"], inputs["n2"])
    arms: dict[str, Any] = {"control": control, "treatment": treatment}
    level = 1 - inputs.get("alpha", 0.05)
    test = two_proportions.compare_proportions(**arms, level=level)
    wald = two_proportions.compare_by_normal_limit(**arms, level=level)
    log_ratio = lifts.lift_of_proportions(**arms, level=level)
    values: dict[str, Callable[[], Any]] = {
        "p1": lambda: test.control,
        "p2": lambda: test.treatment,
        "diff_2_minus_1": lambda: test.difference,
        "z_pooled": lambda: test.z,
        "p_pooled": lambda: test.p_value,
        "required_p_pooled": lambda: test.p_value,
        "log10_p_pooled": lambda: test.log10_p,
        "p_larger": lambda: two_proportions.compare_proportions(**arms, side="greater").p_value,
        "p_smaller": lambda: two_proportions.compare_proportions(**arms, side="less").p_value,
        "z_wald": lambda: wald.statistic,
        "p_wald": lambda: wald.p_value,
        "ci95_diff_newcomb": lambda: [test.low, test.high],
        "ci95_ratio_log": lambda: (
            [1 + (log_ratio.low or 0), 1 + (log_ratio.high or 0)] if not log_ratio.reason else None
        ),
        "fisher_p": lambda: fisher_p_value(control, treatment),
        "cohen_h_2_vs_1": lambda: test.effect,
        "norm_correction=False_pooled=False": lambda: _named(wald, log_ratio, statistic=False),
        "mean_welch": lambda: _of_means(*(_sample_of(*trials) for trials in (control, treatment))),
    }
    return answered(values, inputs, reason=test.reason)


def two_proportions_welch_unpooled(inputs: Inputs) -> Answer:
    control, treatment = _summaries(inputs)
    absolute, relative = compare_arm_means(control, treatment), lifts.relative_lift(control, treatment)
    return Answer({"absolute": _effect(absolute), "relative": _effect(relative)}, absolute.reason)


two_means_relative_lift = two_proportions_welch_unpooled


def proportion_ci(inputs: Inputs) -> Answer:
    return Answer({"wilson": wilson_interval((inputs["x"], inputs["n"]), level=1 - inputs["alpha"])})


def guardrail_noninferiority(inputs: Inputs) -> Answer:
    arms: dict[str, Any] = {
        "control": (inputs["x_control"], inputs["n_control"]),
        "treatment": (inputs["x_treat"], inputs["n_treat"]),
    }
    test = two_proportions.compare_by_normal_limit(**arms)
    if test.standard_error is None:
        return Answer({}, test.reason)
    z = (test.difference + inputs["margin_abs"]) / test.standard_error
    p_value = p_value_of(z, side="greater")
    return Answer({"z_wald": z, "p_wald": p_value, "tost_wald_p": p_value})


def guardrail_equivalence(inputs: Inputs) -> Answer:
    arms = _summaries(inputs)
    above = compare_arm_means(*arms, null=inputs["low"], side="greater")
    below = compare_arm_means(*arms, null=inputs["upp"], side="less")
    if above.p_value is None or below.p_value is None:
        return Answer({}, above.reason)
    p_value = max(above.p_value, below.p_value)
    return Answer({"p": p_value, "p_lower": above.p_value, "p_upper": below.p_value}, above.reason)


def two_means(inputs: Inputs) -> Answer:
    control, treatment = _summaries(inputs)
    welch = compare_arm_means(control, treatment)
    spread, degrees = pooled_spread(control, treatment), control.count + treatment.count - 2
    d = welch.difference / spread if spread else None
    values: dict[str, Callable[[], Any]] = {
        "required_diff": lambda: welch.difference,
        "required_p": lambda: welch.p_value,
        "mean_a": lambda: control.mean,
        "mean_b": lambda: treatment.mean,
        "var_a": lambda: control.variance,
        "var_b": lambda: treatment.variance,
        "welch_t": lambda: welch.statistic,
        "welch_df": lambda: welch.degrees,
        "welch_p": lambda: welch.p_value,
        "welch_ci95": lambda: [welch.low, welch.high],
        "cohen_d": lambda: d,
        "hedges_g_exact": lambda: d and d * small_sample_factor(degrees),
        "welch": lambda: _of_means(control, treatment),
        "z": lambda: _of_means(control, treatment, reference="normal"),
        "greater": lambda: _of_means(control, treatment, side="greater"),
        "less": lambda: _of_means(control, treatment, side="less"),
    }
    return answered(values, inputs, reason=welch.reason)


def two_means_summary(inputs: Inputs) -> Answer:
    control, treatment = (
        Summary(inputs[f"n_{arm}"], inputs[f"mean_{arm}"], inputs[f"sd_{arm}"] ** 2) for arm in ("a", "b")
    )
    test = compare_arm_means(control, treatment)
    return Answer(
        {
            "welch_t": test.statistic,
            "welch_df": test.degrees,
            "welch_p": test.p_value,
            "welch_ci95": [test.low, test.high],
            "se": test.standard_error,
        },
        test.reason,
    )


def sample_size_proportions(inputs: Inputs) -> Answer:
    control = inputs["p1"] if "p1" in inputs else inputs["p_control"]
    treatment = inputs["p2"] if "p2" in inputs else inputs["p_treat"]
    ratio = inputs.get("ratio", inputs.get("ratio_n_control_over_n_treat", 1))

    def units(formula: power_of_proportions.Formula) -> Callable[[], float]:
        return lambda: power_of_proportions.proportion_units(
            control,
            treatment,
            level=inputs["alpha"],
            power=inputs["power"],
            control_per_treatment=ratio,
            formula=formula,
        )

    values: dict[str, Callable[[], Any]] = {"cohen_h": lambda: cohen_h(control, treatment)}
    formulas: dict[str, power_of_proportions.Formula] = {
        "arcsine": "arcsine",
        "dupont_plummer_pooled_null": "pooled_null",
        "pooled_null": "pooled_null",
        "unpooled": "unpooled",
        "pooled_both": "pooled",
    }
    for name, formula in formulas.items():
        values[f"n_per_arm_{name}"] = values[f"n_treat_{name}"] = units(formula)
    return answered(values, inputs)


def power_proportions(inputs: Inputs) -> Answer:
    # The file's ratio is that of the first arm's reference, as statsmodels has it: units in control per treated unit.
    power = power_of_proportions.proportion_power(
        inputs["p1"],
        inputs["p2"],
        inputs["n_per_arm"],
        level=inputs["alpha"],
        control_per_treatment=inputs.get("ratio", 1),
    )
    return Answer({"power": power})


def sample_size_means(inputs: Inputs) -> Answer:
    effect, level, power = inputs["cohen_d"], inputs["alpha"], inputs["power"]
    ratio = inputs.get("ratio", 1)

    def units(of: float = ratio, **options: Any) -> float:
        return power_of_means.mean_units(effect, level=level, power=power, control_per_treatment=of, **options)

    values: dict[str, Callable[[], Any]] = {
        "n_per_arm_t": units,
        "n_per_arm_z": lambda: units(reference="normal"),
    }
    for name in inputs.get("asked", ["power_at_n100", "mde_d_at_n500", "n1_ratio3"]):
        number = float((re.findall(r"[\d.]+$", name) or ["0"])[0])
        if name.startswith("power_at_n"):
            values[name] = partial(
                power_of_means.mean_power, effect, treated=number, control=number * ratio, level=level
            )
        if name.startswith("mde_d_at_n"):
            values[name] = partial(slips.smallest_effect, units=number, level=level, power=power, ratio=ratio)
        if name.startswith("n1_ratio"):
            values[name] = partial(units, number)
    return answered(values, inputs)


def power_means(inputs: Inputs) -> Answer:
    values = summarise(inputs["y"])
    assert values.variance is not None
    spread: float = values.variance**0.5
    effect = inputs["rel_effect_size"] * values.mean / spread if "rel_effect_size" in inputs else 0.0
    level, power = inputs.get("alpha", 0.05), inputs.get("power", 0.8)

    def total(ratio: float) -> int:  # treated units per control unit
        treated = power_of_means.mean_units(
            effect, level=level, power=power, control_per_treatment=1 / ratio, spread="welch"
        )
        return int(np.ceil(treated * (1 + 1 / ratio)))

    def smallest(units: float) -> float:
        half = units / 2
        return spread * power_of_means.smallest_mean_effect(
            treated=half, control=half, level=level, power=power, spread="welch"
        )

    def chance(units: float, difference: float) -> float:
        half = units / 2
        return power_of_means.mean_power(difference / spread, treated=half, control=half, level=level, spread="welch")

    found: dict[str, Callable[[], Any]] = {}
    for name in inputs.get(
        "asked", ["n_total_ratio_1", "n_total_ratio_1.5", "n_total_ratio_1.9", "mde_abs_n400", "power_n300_d0.2"]
    ):
        numbers = [float(number) for number in re.findall(r"\d+\.?\d*", name)]
        if name.startswith("n_total_ratio"):
            found[name] = partial(total, numbers[0])
        if name.startswith("mde_abs_n"):
            found[name] = partial(smallest, numbers[0])
        if name.startswith("power_n"):
            found[name] = partial(chance, *numbers)
    return answered(found, inputs)


def multi_variant_means(inputs: Inputs) -> Answer:
    if "control" in inputs:
        found = compare_with_control(summarise(inputs["control"]), [summarise(arm) for arm in inputs["treatments"]])
        return Answer({"statistic": found.statistics, "p": found.p_values}, found.reason)
    arms = [summarise(arm) for arm in inputs["groups"]]
    welch = compare_several_means(arms)
    values = {
        "welch_f": welch.statistic,
        "welch_p": welch.p_value,
        "welch_df": welch.degrees,
    }
    return Answer(values, welch.reason)


def srm(inputs: Inputs) -> Answer:
    if "observed" not in inputs:
        return Answer({})
    counts, weights = inputs["observed"], inputs["weights"]
    check = check_sample_ratio(counts, weights)
    values = {
        "chi2": lambda: check.statistic,
        "df": lambda: check.degrees,
        "p": lambda: check.p_value,
        "log10_p": lambda: check.log10_p,
        "required_invalid": lambda: check.invalid,
    }
    return answered(values, inputs, reason=check.reason)


def stratified_binary(inputs: Inputs) -> Answer:
    # The file's odds ratios and differences are of the first arm over the second, the library's the other way round.
    tables = np.array(next(value for name, value in inputs.items() if name.startswith("strata")), dtype=float)
    test = stratified_test(tables)
    crude = tables.sum(axis=0)
    shares = crude[:, 0] / crude.sum(axis=1)
    ratio = 1 / test.odds_ratio if test.odds_ratio else None
    logs = [-np.log(end) for end in (test.high, test.low) if end]
    values = {
        "cmh": test.statistic,
        "cmh_p": test.p_value,
        "oddsratio_mh_control_over_treat": ratio,
        "mh_oddsratio_A_over_B": ratio,
        "logodds_ci95": logs,
        "crude_diff_A_minus_B": shares[0] - shares[1],
    }
    return Answer({name: value for name, value in values.items() if value is not None}, test.reason)


def cuped(inputs: Inputs) -> Answer:
    control, treatment = take_moments_by_arm(inputs["group"], [inputs["post"], inputs["pre"]], count=2)
    adjusted = adjust_for_covariates([control, treatment], outcome=0, covariates=[1])
    test = compare_arm_means(*adjusted.arms)
    plain = compare_arm_means(control.summary(0), treatment.summary(0))
    both = take_moments([inputs["post"], inputs["pre"]])
    values: dict[str, Callable[[], Any]] = {
        "theta": lambda: adjusted.theta[0],
        "theta_pooled": lambda: adjusted.theta[0],
        "adj_mean_a": lambda: adjusted.arms[0].mean,
        "adj_mean_b": lambda: adjusted.arms[1].mean,
        "diff": lambda: test.difference,
        "welch_t": lambda: test.statistic,
        "welch_df": lambda: test.degrees,
        "welch_p": lambda: test.p_value,
        "unadjusted_diff": lambda: plain.difference,
        "var_ratio_adj_over_raw": lambda: adjusted.variance_ratio,
        "one_minus_rho2": lambda: 1 - _squared_correlation(both),
        "absolute": lambda: _effect(test),
        "relative": lambda: _effect(lift_after_adjustment(control, treatment, outcome=0, covariates=[1])),
        "cuped": lambda: _of_means(*adjusted.arms),
        "raw": lambda: _of_means(control.summary(0), treatment.summary(0)),
    }
    return answered(values, inputs, reason=adjusted.reason)


def _squared_correlation(both: Moments) -> float:
    spreads = float(both.products[0, 0] * both.products[1, 1])
    return float(both.products[0, 1] ** 2) / spreads if spreads else 0.0


def ratio_metric_delta_method(inputs: Inputs) -> Answer:
    moments = take_moments_by_arm(inputs["group"], [inputs["numerator"], inputs["denominator"]], count=2)
    arms = [ratio_of(arm, numerator=0, denominator=1) for arm in moments]
    control, treatment = (arm.summary for arm in arms)
    if control is None or treatment is None:
        return Answer({}, arms[0].reason or arms[1].reason)
    absolute, relative = compare_arm_means(control, treatment), lifts.relative_lift(control, treatment)
    values = {"absolute": _effect(absolute), "relative": _effect(relative), **_of_means(control, treatment)}
    return Answer(values, absolute.reason)


def post_stratification(inputs: Inputs) -> Answer:
    strata = next(value for name, value in inputs.items() if name.startswith("strata"))
    found = post_stratify([(_binary(*control), _binary(*treatment)) for control, treatment in strata])
    effects = {
        name: _effect(of) | {"applied": True}
        for name, of in (("absolute", found.absolute), ("relative", found.relative))
    }
    return Answer(dict(effects), found.absolute.reason)


def bayes_beta_binomial(inputs: Inputs) -> Answer:
    prior = tuple(inputs["prior"])
    control, treatment = (
        posterior_of((inputs[f"x_{arm}"], inputs[f"n_{arm}"]), prior=prior) for arm in ("control", "treat")
    )
    posteriors = compare_posteriors([control, treatment])
    return Answer(
        {
            "posterior_control": [control.alpha, control.beta],
            "posterior_treat": [treatment.alpha, treatment.beta],
            "mean_control": control.mean,
            "mean_treat": treatment.mean,
            "ci95_control_equal_tailed": [control.low, control.high],
            "ci95_treat_equal_tailed": [treatment.low, treatment.high],
            "prob_treat_better": posteriors.best[1],
            "prob_treat_better_normal_approx": posteriors.best[1],
            "prob_control_better": posteriors.best[0],
            "expected_loss_choose_control": posteriors.losses[0],
            "expected_loss_choose_treat": posteriors.losses[1],
            "expected_uplift_abs": treatment.mean - control.mean,
        }
    )


bayes_beta_binomial_large = bayes_beta_binomial


def bayes_multi_variant(inputs: Inputs) -> Answer:
    arms = [Posterior(alpha, beta, alpha / (alpha + beta), 0.0, 1.0) for alpha, beta in inputs["posteriors"]]
    posteriors = compare_posteriors(arms)
    return Answer({"prob_best": posteriors.best, "expected_loss": posteriors.losses})


def bayes_gaussian_effect(inputs: Inputs) -> Answer:
    control, treatment = _summaries(inputs)
    relative = inputs.get("difference", "relative") == "relative"
    effect = (lifts.relative_lift if relative else compare_arm_means)(control, treatment)
    if effect.standard_error is None:
        return Answer({}, effect.reason)
    belief = normal_posterior(
        effect.difference, effect.standard_error, prior_mean=inputs["prior_mean"], prior_spread=inputs["prior_sd"]
    )
    return Answer(
        {
            "chance_to_win": belief.above_zero,
            "expected": belief.mean,
            "ci95": [belief.low, belief.high],
            "risk_choose_control": belief.loss_of_control,
            "risk_choose_treat": belief.loss_of_treatment,
            "sd": belief.spread,
        }
    )


def always_valid_asymp_cs(inputs: Inputs) -> Answer:
    control, treatment = _summaries(inputs)
    plain = compare_arm_means(control, treatment)
    if plain.standard_error is None:
        return Answer({}, plain.reason)
    arguments = plain.difference, plain.standard_error, control.count + treatment.count
    level, tuned_to = 1 - inputs.get("alpha", 0.05), inputs["tuning_parameter"]
    both = anytime_comparison(*arguments, tuned_to=tuned_to, level=level)
    return Answer(
        {
            "expected": both.difference,
            "ci95": [both.low, both.high],
            "p": both.p_value,
            "se": both.standard_error,
            "error": None,
            "rho": both.rho,
        }
    )


def group_sequential_alpha_spending(inputs: Inputs) -> Answer:
    bounds = _spent(inputs, inputs["information_fractions"])
    total = sum(crossing_probabilities(bounds.crossable, bounds.information))
    return Answer(_bounds(bounds) | {"total_exit_prob_under_null": total})


def group_sequential_power(inputs: Inputs) -> Answer:
    shares = inputs.get("information_fractions", [look / inputs["K"] for look in range(1, inputs["K"] + 1)])
    bounds, drift = _spent(inputs, shares), inputs["drift_value"]
    return Answer(
        {
            "exit_prob_by_look": crossing_probabilities(bounds.crossable, bounds.information, drift=drift),
            "power": sequential_power(bounds, drift=drift),
        }
    )


def trap_naive_peeking(inputs: Inputs) -> Answer:
    looks = inputs["K"]
    shares = [look / looks for look in range(1, looks + 1)]
    if "z_bound" in inputs:
        bounds = [inputs["z_bound"]] * looks
    else:  # such as "1.959964/sqrt(k/20)"
        bounds = [float(inputs["z_bound_k"].split("/")[0]) / share**0.5 for share in shares]
    return Answer({"true_two_sided_type1": sum(crossing_probabilities(bounds, shares))})


trap_cumulative_alpha_as_nominal = trap_naive_peeking


def assignment_hash(inputs: Inputs) -> Answer:
    pairs = inputs.get("salt_id", [])
    return Answer({"u": [hash_to_unit_interval(identifier, salt=salt) for salt, identifier in pairs]})


def assignment_counts(inputs: Inputs) -> Answer:
    edges = np.concatenate([[0.0], np.cumsum(inputs["weights"])])
    return Answer({"ranges": [[round(float(low), 12), round(float(high), 12)] for low, high in pairwise(edges)]})


def _summaries(inputs: Inputs) -> tuple[Summary, Summary]:
    if "x1" in inputs:
        return _binary(inputs["x1"], inputs["n1"]), _binary(inputs["x2"], inputs["n2"])
    return summarise(inputs["a"]), summarise(inputs["b"])


def _binary(hits: int, rows: int) -> Summary:
    """Return an arm whose variance is p(1 − p), with n below the line."""
    share = hits / rows
    return Summary(rows, share, share * (1 - share))


def _sample_of(hits: int, rows: int) -> Summary:
    share = hits / rows
    return Summary(rows, share, share * (1 - share) * rows / (rows - 1) if rows > 1 else None)


def _effect(found: Comparison) -> dict[str, Any]:
    return {
        "expected": found.difference,
        "ci95": ends(found.low, found.high),
        "p": found.p_value,
        "se": found.standard_error,
        "error": found.reason or None,
    }


def _of_means(control: Summary, treatment: Summary, **options: Any) -> dict[str, Any]:
    return _named(compare_arm_means(control, treatment, **options))


def _named(absolute: Comparison, relative: Comparison | None = None, *, statistic: bool = True) -> dict[str, Any]:
    low, high = ends(absolute.low, absolute.high)
    named = {
        "control": absolute.control,
        "treatment": absolute.treatment,
        "effect_size": absolute.difference,
        "effect_size_ci_lower": low,
        "effect_size_ci_upper": high,
        "pvalue": absolute.p_value,
    }
    if relative is not None:
        relative_low, relative_high = ends(relative.low, relative.high)
        named["rel_effect_size"] = relative.difference
        named |= {"rel_effect_size_ci_lower": relative_low, "rel_effect_size_ci_upper": relative_high}
    return named | ({"statistic": absolute.statistic} if statistic else {})


def _spent(inputs: Inputs, shares: list[float]) -> Bounds:
    name: str = inputs.get("spending", "ldof")
    level = inputs.get("alpha_two_sided", 0.05)
    return spending_bounds(shares, level=level, spending=spending_named(SPENDINGS.get(name, name)))


def _bounds(bounds: Bounds) -> dict[str, Any]:
    return {
        "z_bounds": bounds.z,
        "nominal_two_sided_p": bounds.p_values,
        "cumulative_alpha_spent": bounds.spent,
    }


BY_OTHER_NAMES: dict[str, Callable[[Inputs], Answer]] = {
    "two_proportions": two_proportions_,
    "two_proportions_welch_unpooled": two_proportions_welch_unpooled,
    "two_means_relative_lift": two_means_relative_lift,
    "bayes_beta_binomial_large": bayes_beta_binomial_large,
    "trap_cumulative_alpha_as_nominal": trap_cumulative_alpha_as_nominal,
}
BY_THEIR_OWN: dict[str, Callable[[Inputs], Answer]] = {
    function.__name__: function
    for function in (
        always_valid_asymp_cs,
        assignment_counts,
        assignment_hash,
        bayes_beta_binomial,
        bayes_gaussian_effect,
        bayes_multi_variant,
        cuped,
        group_sequential_alpha_spending,
        group_sequential_power,
        guardrail_equivalence,
        guardrail_noninferiority,
        multi_variant_means,
        post_stratification,
        power_means,
        power_proportions,
        proportion_ci,
        ratio_metric_delta_method,
        sample_size_means,
        sample_size_proportions,
        srm,
        stratified_binary,
        trap_naive_peeking,
        two_means,
        two_means_summary,
    )
}
EXPERIMENTS = BY_OTHER_NAMES | BY_THEIR_OWN
