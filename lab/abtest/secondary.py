"""Secondary analyses of the primary outcome: effect sizes, all arms, strata."""

from collections.abc import Iterator
from typing import Any

from lab.abtest.assess import Analysis
from lab.abtest.effects import trials_of
from lab.stats.core.contingency import compare_counts
from lab.stats.experiments.effect_sizes import cohen_h_interval, standardised_difference
from lab.stats.experiments.exact_tables import fisher_p_value
from lab.stats.experiments.moments import Moments
from lab.stats.experiments.several_arms import compare_several_means, compare_with_control
from lab.stats.experiments.strata import stratified_test

MOST_FOR_FISHER = 1_000_000  # units; its cost grows with the number of tables


def secondary_analyses(analysis: Analysis) -> list[dict[str, Any]]:
    """Return one record per analysis, none for a ratio of sums.

    The tests run only at the last look, because their p-values are not valid at interim looks.
    """
    design, arms = analysis.design, analysis.all_arms
    if design.outcomes[design.primary].kind == "ratio" or min(arm.count for arm in arms) < 2:
        return []
    found = [*_sizes(analysis)]
    if analysis.look.progress.final:
        found += [*_exact(analysis), *_over_all_arms(analysis), *_within_strata(analysis)]
    return found


def _sizes(analysis: Analysis) -> Iterator[dict[str, Any]]:
    place = analysis.log.column(analysis.design.primary)
    for treatment, pair in _pairs(analysis):
        if _is_share(analysis):
            low, value, high = cohen_h_interval(trials_of(pair[0], place), trials_of(pair[1], place))
            yield _record("Cohen's h", treatment, value=value, low=low, high=high)
        elif size := standardised_difference(pair[0].summary(place), pair[1].summary(place)):
            yield _record("Cohen's d", treatment, value=size.d, low=size.low, high=size.high)
            yield _record("Hedges' g", treatment, value=size.g, low=size.g_low, high=size.g_high)


def _exact(analysis: Analysis) -> Iterator[dict[str, Any]]:
    place = analysis.log.column(analysis.design.primary)
    for treatment, pair in _pairs(analysis):
        if _is_share(analysis) and sum(arm.count for arm in pair) <= MOST_FOR_FISHER:
            p_value = fisher_p_value(trials_of(pair[0], place), trials_of(pair[1], place))
            yield _record("Fisher's exact test", treatment, p_value=p_value)


def _over_all_arms(analysis: Analysis) -> Iterator[dict[str, Any]]:
    """Yield the tests of three arms or more: a global test, and Dunnett's comparisons with the control."""
    design, place = analysis.design, analysis.log.column(analysis.design.primary)
    if len(design.treatments) < 2:
        return
    summaries = [arm.summary(place) for arm in analysis.all_arms]
    if _is_share(analysis):
        counts = [(hits, rows - hits) for hits, rows in (trials_of(arm, place) for arm in analysis.all_arms)]
        yield _record("chi-square of all arms", None, p_value=compare_counts(counts).p_value)
    else:
        yield _record("Welch's F of all arms", None, p_value=compare_several_means(summaries).p_value)
    many = compare_with_control(summaries[0], summaries[1:])
    for treatment, p_value, low, high in zip(design.treatments, many.p_values, many.lows, many.highs, strict=False):
        yield _record("Dunnett's test", treatment, p_value=p_value, low=low, high=high)


def _within_strata(analysis: Analysis) -> Iterator[dict[str, Any]]:
    """Yield the Cochran–Mantel–Haenszel test of a share, with the common odds ratio."""
    design, place = analysis.design, analysis.log.column(analysis.design.primary)
    levels = analysis.log.groups.get(design.stratum or "", {})
    if not levels or not _is_share(analysis):
        return
    for treatment in design.treatments:
        other = design.arms.index(treatment)
        tables = [[_cells(arms[0], place), _cells(arms[other], place)] for arms in levels.values()]
        test = stratified_test(tables)
        numbers = {"value": test.odds_ratio, "low": test.low, "high": test.high, "p_value": test.p_value}
        yield _record("Cochran–Mantel–Haenszel", treatment, **numbers)


def _cells(arm: Moments, place: int) -> tuple[int, int]:
    hits, rows = trials_of(arm, place) if arm.count else (0, 0)
    return hits, rows - hits


def _pairs(analysis: Analysis) -> list[tuple[str, tuple[Moments, Moments]]]:
    named = zip(analysis.design.treatments, analysis.all_arms[1:], strict=True)
    return [(treatment, (analysis.all_arms[0], arm)) for treatment, arm in named]


def _is_share(analysis: Analysis) -> bool:
    return analysis.design.outcomes[analysis.design.primary].kind == "share"


def _record(
    what: str,
    treatment: str | None,
    *,
    value: float | None = None,
    low: float | None = None,
    high: float | None = None,
    p_value: float | None = None,
) -> dict[str, Any]:
    return {"what": what, "treatment": treatment, "value": value, "low": low, "high": high, "p_value": p_value}
