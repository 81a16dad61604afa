"""Map each method of the reference file to the library and to the file's names."""

from collections.abc import Callable
from typing import Any

from lab.stats.core import corrections
from lab.stats.core.areas import area_under_curve, compare_areas
from lab.stats.core.contingency import compare_counts
from lab.stats.core.paired import compare_means, log_losses, squared_errors
from lab.stats.models.cochran import cochran_test
from lab.stats.models.mcnemar import mcnemar_chi_square, mcnemar_test
from lab.stats.models.signed_ranks import normal_signed_rank_p, signed_rank_test
from tests.lab.stats.answers import Answer, Inputs, refusal
from tests.lab.stats.experiments_adapter import EXPERIMENTS


def mcnemar(inputs: Inputs) -> Answer:
    # The file takes the first less the second, the library the second less the first.
    (both, only_first), (only_second, neither) = inputs["table_[[both_right,only_A_right],[only_B_right,both_wrong]]"]
    test = mcnemar_test(both, only_first, only_second, neither)
    chi_square, chi_square_p = mcnemar_chi_square(only_first, only_second)
    corrected, corrected_p = mcnemar_chi_square(only_first, only_second, corrected=True)
    return Answer(
        {
            "exact_p": test.exact_p_value,
            "exact_log10_p": test.exact_log10_p,
            "mid_p": test.p_value,
            "chi2": chi_square,
            "chi2_p": chi_square_p,
            "chi2_cc": corrected,
            "chi2_cc_p": corrected_p,
            "diff_acc": -test.difference,
            "wald_se": test.standard_error,
            "wald_ci95": [-test.high, -test.low],
        }
    )


def cochran_q(inputs: Inputs) -> Answer:
    test = cochran_test(inputs["correct_rows_models"])
    return Answer({"q": test.q, "df": test.degrees, "p": test.p_value}, test.reason)


def paired_t(inputs: Inputs) -> Answer:
    means = compare_means(inputs["a"], inputs["b"])
    return Answer(
        {
            "mean_diff": means.difference,
            "mean_diff_b_minus_a": means.difference,
            "t": means.t,
            "df": means.degrees,
            "p": means.p_value,
            "ci95": [means.low, means.high],
            "cohen_dz": means.effect,
        },
        means.reason,
    )


def paired_t_on_row_loss(inputs: Inputs) -> Answer:
    loss, error = (
        compare_means(of(inputs["y"], inputs["p_a"]), of(inputs["y"], inputs["p_b"]))
        for of in (log_losses, squared_errors)
    )
    return Answer(
        {
            "logloss_a": loss.first,
            "logloss_b": loss.second,
            "t_logloss": loss.t,
            "p_logloss": loss.p_value,
            "ci95_logloss_b_minus_a": [loss.low, loss.high],
            "brier_a": error.first,
            "brier_b": error.second,
            "t_brier": error.t,
            "p_brier": error.p_value,
        }
    )


def delong(inputs: Inputs) -> Answer:
    if len(set(inputs["y"])) == 1:
        return refusal(lambda: area_under_curve(inputs["y"], inputs["score_a"]))
    areas = compare_areas(inputs["y"], inputs["score_a"], inputs["score_b"])
    values = {
        "auc_a": areas.first,
        "auc_b": areas.second,
        "diff_b_minus_a": areas.difference,
        "cov": areas.covariance,
        "var_diff": None if areas.standard_error is None else areas.standard_error**2,
        "se": areas.standard_error,
        "z": areas.z,
        "p": areas.p_value,
        "required_p": areas.p_value,
        "log10_p": areas.log10_p,
        "ci95": [areas.low, areas.high],
    }
    return Answer(values, areas.reason)


def chi_square_k(inputs: Inputs) -> Answer:
    test = compare_counts(inputs["table_converted_not"])
    return Answer({"chi2": test.statistic, "df": test.degrees, "p": test.p_value, "cramers_v": test.cramers_v})


def multiple_comparisons(inputs: Inputs) -> Answer:
    functions = {
        "bonferroni": corrections.bonferroni,
        "holm": corrections.holm,
        "hommel": corrections.hommel,
        "simes-hochberg": corrections.hochberg,
        "fdr_bh": corrections.benjamini_hochberg,
        "fdr_by": corrections.benjamini_yekutieli,
        "sidak": corrections.sidak,
        "holm-sidak": corrections.holm_sidak,
    }
    return Answer({name: function(inputs["p"]) for name, function in functions.items()})


def wilcoxon_signed_rank(inputs: Inputs) -> Answer:
    differences = inputs["diff_b_minus_a"]
    test = signed_rank_test(differences)
    values: dict[str, Any] = {
        "w_plus": test.positive_sum,
        "w_minus": test.negative_sum,
        "stat_min": min(test.positive_sum, test.negative_sum),
        "exact_p": test.p_value,
        "required_p": test.p_value,
        "rank_biserial": test.effect,
    }
    if test.count:
        values["approx_p_nocorr"] = normal_signed_rank_p(differences)
        values["approx_p_corr"] = normal_signed_rank_p(differences, corrected=True)
    return Answer(values, test.reason)


UNKNOWN: dict[str, tuple[str, ...]] = {  # what the library does not offer, by method: these fields, or none at all
    "guardrail_noninferiority": ("z_score_fm", "p_score_fm"),
    "multi_variant_means": ("kruskal_h", "kruskal_p"),
    "paired_bootstrap": (),
    "pairing": (),
    "proportion_ci": ("normal", "agresti_coull", "beta", "jeffreys"),
    "sign_test": (),
    "two_means": ("mannwhitney_u_b", "mannwhitney_p_asymp_cc", "prob_superiority_b"),
    "two_proportions": ("z_score", "p_score", "ci95_diff_score", "ci95_ratio_score", "barnard_p", "boschloo_p"),
}
METHODS: dict[str, Callable[[Inputs], Answer]] = EXPERIMENTS | {
    function.__name__: function
    for function in (
        mcnemar,
        cochran_q,
        paired_t,
        paired_t_on_row_loss,
        delong,
        chi_square_k,
        multiple_comparisons,
        wilcoxon_signed_rank,
    )
}
