"""Map each method of the reference file to the library and to the file's names."""

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from lab.stats.core.areas import area_under_curve, compare_areas
from lab.stats.core.contingency import compare_counts
from lab.stats.core.corrections import benjamini_hochberg, holm
from lab.stats.core.paired import compare_means, log_losses, squared_errors
from lab.stats.models.cochran import cochran_test
from lab.stats.models.mcnemar import mcnemar_test
from lab.stats.models.signed_ranks import signed_rank_test
from tests.lab.stats.answers import Answer, Inputs, refusal
from tests.lab.stats.experiments_adapter import EXPERIMENTS


def mcnemar(inputs: Inputs) -> Answer:
    # The file takes the first less the second, the library the second less the first.
    (both, only_first), (only_second, neither) = inputs["table_[[both_right,only_A_right],[only_B_right,both_wrong]]"]
    test = mcnemar_test(both, only_first, only_second, neither)
    return Answer(
        {
            "exact_p": test.exact_p_value,
            "exact_log10_p": test.exact_log10_p,
            "mid_p": test.p_value,
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
    return Answer({"holm": holm(inputs["p"]), "fdr_bh": benjamini_hochberg(inputs["p"])})


def wilcoxon_signed_rank(inputs: Inputs) -> Answer:
    test = signed_rank_test(inputs["diff_b_minus_a"])
    values: dict[str, Any] = {
        "w_plus": test.positive_sum,
        "w_minus": test.negative_sum,
        "stat_min": min(test.positive_sum, test.negative_sum),
        "exact_p": test.p_value,
        "required_p": test.p_value,
        "rank_biserial": test.effect,
    }
    return Answer(values, test.reason)


# What the library does not offer, by method: patterns of fields, or none at all.
UNKNOWN: dict[str, tuple[str, ...]] = {
    "always_valid_asymp_cs": ("one_sided_*",),
    "always_valid_proportion_cs": (),
    "assignment_counts": ("counts", "srm_p"),
    "assignment_hash": ("bucket_0_1",),
    "bayes_beta_binomial": ("ci95_diff_equal_tailed",),
    "bayes_beta_binomial_large": ("ci95_diff_equal_tailed",),
    "cuped": ("ancova_*", "lin_interacted_diff", "*.rel_*"),
    "group_sequential_classical": (),
    "group_sequential_power": ("expected_information_fraction",),
    "guardrail_noninferiority": ("z_score_fm", "p_score_fm"),
    "mcnemar": ("chi2*",),
    "msprt_normal_mixture": (),
    "multi_variant_means": ("f", "f_p", "kruskal_h", "kruskal_p"),
    "multiple_comparisons": ("bonferroni", "hommel", "simes-hochberg", "fdr_by", "sidak", "holm-sidak"),
    "paired_bootstrap": (),
    "pairing": (),
    "proportion_ci": ("normal", "agresti_coull", "beta", "jeffreys"),
    "ratio_metric_delta_method": ("rel_*",),
    "sample_size_means": ("n_per_arm_z_formula",),
    "sign_test": (),
    "srm": ("binom_*", "norm_*"),
    "stratified_binary": ("cmh_cc*", "breslow_day*"),
    "two_means": (
        "student_*",
        "hedges_g_approx",
        "glass_delta",
        "mannwhitney_*",
        "prob_superiority_b",
        "pooled.*",
        "*.rel_*",
    ),
    "two_means_summary": ("student_*",),
    "two_proportions": (
        "*_score",
        "*_agresti-caffo",
        "ci95_diff_wald",
        "barnard_p",
        "boschloo_p",
        "chi2*",
        "g",
        "g_p",
        "mean_welch.rel_*",
        "norm_correction=True_*",
        "norm_correction=*_pooled=True*",
    ),
    "wilcoxon_signed_rank": ("approx_p_*",),
}


def is_unknown(method: str, path: str) -> bool:
    """Say whether the library does not offer a field of a method, such as `pooled.pvalue` or `ci95[0]`."""
    return any(fnmatchcase(path.partition("[")[0], pattern) for pattern in UNKNOWN.get(method, ()))


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
