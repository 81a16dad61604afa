"""Estimate the effect of a treatment on an outcome with the most precise valid estimator."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from lab.abtest.interim import Look, repeated_p_value
from lab.abtest.moments import LogMoments
from lab.experiment.design import Design
from lab.stats.core.arm_means import compare_arm_means
from lab.stats.core.comparison import Comparison, undefined
from lab.stats.core.proportions import Trials
from lab.stats.experiments.confidence_sequences import anytime_comparison
from lab.stats.experiments.covariates import adjust_for_covariates, lift_after_adjustment, residual_moments
from lab.stats.experiments.exact_tables import fisher_p_value
from lab.stats.experiments.group_sequential import analyse_stop
from lab.stats.experiments.lifts import lift_of_proportions, relative_lift
from lab.stats.experiments.moments import Moments
from lab.stats.experiments.ratios import ratio_of
from lab.stats.experiments.strata import post_stratify
from lab.stats.experiments.two_proportions import compare_by_normal_limit, compare_proportions
from lab.stats.experiments.verdicts import Finding

Word = Literal["better", "worse", "holds", "not distinguishable", "undefined"]
Role = Literal["primary", "guardrail", "secondary"]
TOO_FEW = "an arm has fewer than two units"
TOO_EARLY = "too early: stopping is not possible at this look"
UNITS_PER_COVARIATE = 20  # in each arm, for two columns or more; with fewer, the variance is too small
SMALL_CELL = 5  # expected units in a cell; below, the normal approximation is unreliable


@dataclass(frozen=True)
class Effect:
    """The effect on one outcome, with an interval that is valid over all looks.

    The difference is treatment minus control. `p_value` accounts for the looks; `p_adjusted` is Holm's over secondary
    outcomes, whose intervals have the level of their step in Holm's test. `naive` is the difference without covariate
    or strata, `variance_ratio` the variance after over before adjustment, `estimate` the difference corrected for an
    early stop.
    """

    treatment: str
    outcome: str
    role: Role
    kind: str
    estimator: str
    higher_is_better: bool
    measured_in: str | None
    margin: float | None
    control: float | None
    value: float | None
    difference: float | None
    low: float | None
    high: float | None
    standard_error: float | None
    lift: float | None
    lift_low: float | None
    lift_high: float | None
    z: float | None
    bound: float | None
    p_value: float | None
    log10_p: float | None
    p_adjusted: float | None
    estimate: float | None
    naive: float | None
    variance_ratio: float | None
    word: Word
    reason: str

    @property
    def label(self) -> str:
        """Return the outcome with its unit of measurement."""
        return self.outcome if self.measured_in is None else f"{self.outcome} [{self.measured_in}]"

    @property
    def finding(self) -> Finding:
        """Return the effect signed so that higher is better."""
        low, high, difference = self.low, self.high, self.difference or 0.0
        if not self.higher_is_better:
            low, high = (None if end is None else -end for end in (high, low))
            difference = -difference
        return Finding(self.label, difference, low, high, self.margin or 0.0)


@dataclass(frozen=True)
class Arms:
    """The data of one comparison: control and treatment, all arms, and the strata if any."""

    treatment: str
    pair: tuple[Moments, Moments]
    all_arms: tuple[Moments, ...]
    strata: tuple[tuple[Moments, Moments], ...] = ()


@dataclass(frozen=True)
class Measured:
    """One comparison with its estimator; `naive` is the difference without covariate or strata."""

    estimator: str
    comparison: Comparison
    lift: Comparison
    naive: float
    variance_ratio: float | None = None
    note: str = ""


def arms_of(treatment: str, all_arms: tuple[Moments, ...], log: LogMoments, design: Design) -> Arms:
    place = design.arms.index(treatment)
    levels = log.groups.get(design.stratum or "", {})
    strata = tuple((level[0], level[place]) for level in levels.values())
    return Arms(treatment, (all_arms[0], all_arms[place]), all_arms, strata)


def effect_of(name: str, arms: Arms, look: Look, log: LogMoments, design: Design) -> Effect:
    """Return the effect of a treatment on one outcome, with its interval at this look."""
    outcome = design.outcomes[name]
    measured = measure(name, arms, log, design, level=look.confidence or 1 - look.level)
    found, shown = measured.comparison, look.confidence is not None
    known = found.standard_error is not None
    has_units = bool(min(arm.count for arm in arms.pair))
    low, high = (found.low, found.high) if shown else (None, None)
    effect = Effect(
        treatment=arms.treatment,
        outcome=name,
        role="primary" if name == design.primary else "guardrail" if outcome.margin else "secondary",
        kind=outcome.kind,
        estimator=measured.estimator,
        higher_is_better=outcome.higher_is_better,
        measured_in=outcome.measured_in,
        margin=outcome.margin,
        control=found.control if has_units else None,
        value=found.treatment if has_units else None,
        difference=found.difference if has_units else None,
        low=low,
        high=high,
        standard_error=found.standard_error,
        lift=measured.lift.difference if measured.lift.standard_error else None,
        lift_low=measured.lift.low if shown else None,
        lift_high=measured.lift.high if shown else None,
        z=found.statistic,
        bound=look.z,
        p_value=None,
        log10_p=None,
        p_adjusted=None,
        estimate=None,
        naive=measured.naive if has_units and known else None,
        variance_ratio=measured.variance_ratio,
        word="undefined",
        reason=found.reason or look.refused or ("" if shown else TOO_EARLY) or measured.note,
    )
    tested = _with_p_value(effect, found, look)
    return replace(tested, word=_word(tested))


def measure(name: str, arms: Arms, log: LogMoments, design: Design, *, level: float) -> Measured:
    """Return the comparison of two arms in one outcome: covariate-adjusted, post-stratified or unadjusted."""
    outcome, place = design.outcomes[name], log.column(name)
    if min(arm.count for arm in arms.pair) < 2:
        nothing = undefined(0.0, 0.0, TOO_FEW)
        return Measured("none", nothing, nothing, 0.0)
    covariates, note = _regressors(outcome.covariates, arms, log)
    if outcome.per is not None:
        found = _of_ratio(arms, place, log.column(outcome.per), covariates, level)
        return replace(found, note="; ".join(filter(None, [note, "not stratified: a ratio" if arms.strata else ""])))
    if covariates:
        plain = _adjusted(arms, place, covariates, level)
    else:
        plain = _of_shares(arms, place, level) if outcome.kind == "share" else _of_means(arms, place, level)
    if not arms.strata:
        return replace(plain, note=note or plain.note)
    found = _stratified(plain, arms, place, covariates, level)
    return replace(found, note="; ".join(filter(None, [note, found.note])))


def _regressors(names: Sequence[str], arms: Arms, log: LogMoments) -> tuple[list[int], str]:
    """Return the columns to adjust for, and what a reader must know: imputed values, or why there are none."""
    covariates, least = log.regressors(names), min(arm.count for arm in arms.pair)
    if len(covariates) > 1 and least < UNITS_PER_COVARIATE * len(covariates):
        found = f"{least:,} units in an arm are too few for {len(covariates)} columns"
        return [], f"not adjusted: {found} ({', '.join(names)}, indicators of missing values)"
    missing = [
        f"{name} is missing in {log.missing[name]:,} of {log.rows:,} rows" for name in names if name in log.missing
    ]
    return covariates, "; ".join(f"{each}: imputed with its mean and an indicator" for each in missing)


def _stratified(plain: Measured, arms: Arms, place: int, covariates: list[int], level: float) -> Measured:
    """Return the post-stratified comparison, of adjusted outcomes if there are covariates, or the plain one."""
    pairs = [pair for pair in arms.strata if pair[0].count and pair[1].count]
    if covariates:
        cells = residual_moments(
            [arm for pair in pairs for arm in pair], outcomes=[place], covariates=covariates, within_parts=True
        )
        pairs, place = list(zip(cells[::2], cells[1::2], strict=True)), 0
    found = post_stratify([(one.summary(place), two.summary(place)) for one, two in pairs], level=level)
    if found.absolute.standard_error is None:
        return replace(plain, note=f"not stratified: {found.absolute.reason}")
    return Measured(
        estimator="adjusted for a covariate, post-stratified" if covariates else "post-stratified",
        comparison=found.absolute,
        lift=found.relative,
        naive=plain.naive,
    )


def trials_of(moments: Moments, place: int) -> Trials:
    """Return the successes and units of an arm, recovered exactly from the mean of zeros and ones."""
    return round(float(moments.means[place]) * moments.count), moments.count


def _of_shares(arms: Arms, place: int, level: float) -> Measured:
    control, treatment = (trials_of(arm, place) for arm in arms.pair)
    test = compare_proportions(control=control, treatment=treatment, level=level)
    limit = compare_by_normal_limit(control=control, treatment=treatment, level=level)
    # Newcombe's interval never has width 0, unlike Wald's for an arm without a success.
    found = replace(
        limit,
        statistic=test.z,
        p_value=test.p_value,
        log10_p=test.log10_p,
        low=test.low,
        high=test.high,
        reason=test.reason,
    )
    rows = control[1] + treatment[1]
    hits = control[0] + treatment[0]
    smallest = min(hits, rows - hits) * min(control[1], treatment[1]) / rows
    note = f"few events: Fisher's exact p is {fisher_p_value(control, treatment):.3g}" if smallest < SMALL_CELL else ""
    lift = lift_of_proportions(control=control, treatment=treatment, level=level)
    return Measured("two proportions", found, lift, found.difference, note=note)


def _of_means(arms: Arms, place: int, level: float) -> Measured:
    control, treatment = (arm.summary(place) for arm in arms.pair)
    found = compare_arm_means(control, treatment, level=level)
    return Measured("Welch", found, relative_lift(control, treatment, level=level), found.difference)


def _of_ratio(arms: Arms, above: int, below: int, covariates: list[int], level: float) -> Measured:
    """Return the comparison of ratios of sums; both sums are adjusted if there are covariates."""
    columns, pair = (above, below), arms.pair
    if covariates:
        present = [arm for arm in arms.all_arms if arm.count]
        left = residual_moments(present, outcomes=columns, covariates=covariates)
        one, two = _places(arms.pair, present)
        pair, columns = (left[one], left[two]), (0, 1)
    control, treatment = (ratio_of(arm, numerator=columns[0], denominator=columns[1]) for arm in pair)
    plain = [ratio_of(arm, numerator=above, denominator=below).summary for arm in arms.pair]
    if control.summary is None or treatment.summary is None or plain[0] is None or plain[1] is None:
        nothing = undefined(0.0, 0.0, control.reason or treatment.reason)
        return Measured("ratio of sums", nothing, nothing, 0.0)
    found = compare_arm_means(control.summary, treatment.summary, reference="normal", level=level)
    before = compare_arm_means(plain[0], plain[1], reference="normal", level=level)
    lift = relative_lift(control.summary, treatment.summary, level=level)
    if not covariates or not found.standard_error or not before.standard_error:
        return Measured("ratio of sums", found, lift, before.difference)
    reduced = (found.standard_error / before.standard_error) ** 2
    return Measured("ratio of sums, adjusted for a covariate", found, lift, before.difference, reduced)


def _adjusted(arms: Arms, place: int, covariates: list[int], level: float) -> Measured:
    present = [arm for arm in arms.all_arms if arm.count]
    found = adjust_for_covariates(present, outcome=place, covariates=covariates)
    one, two = _places(arms.pair, present)
    return Measured(
        estimator="adjusted for a covariate",
        comparison=compare_arm_means(found.arms[one], found.arms[two], level=level),
        lift=lift_after_adjustment(arms.pair[0], arms.pair[1], outcome=place, covariates=covariates, level=level),
        naive=arms.pair[1].summary(place).mean - arms.pair[0].summary(place).mean,
        variance_ratio=found.variance_ratio,
        note=found.reason,
    )


def _places(pair: Sequence[Moments], present: Sequence[Moments]) -> tuple[int, int]:
    one, two = (next(place for place, each in enumerate(present) if each is arm) for arm in pair)
    return one, two


def _with_p_value(effect: Effect, found: Comparison, look: Look) -> Effect:
    """Return the effect with a p-value that accounts for the looks; None before the last look of a fixed design."""
    if look.refused or found.p_value is None:
        return effect
    if effect.z is None or effect.standard_error is None or (look.planned == 1 and look.rule != "anytime"):
        return replace(effect, p_value=found.p_value, log10_p=found.log10_p)
    if look.rule == "anytime":
        tuned_to = look.units / look.information
        any_time = anytime_comparison(found.difference, effect.standard_error, look.units, tuned_to=tuned_to)
        return replace(effect, p_value=any_time.p_value)
    if look.rule == "fixed":
        return replace(effect, p_value=found.p_value, log10_p=found.log10_p)
    return replace(effect, p_value=repeated_p_value(effect.z, look))


def after_stop(effect: Effect, look: Look) -> Effect:
    """Return the primary effect with the estimate corrected for a stop at this look; the naive one is biased from 0.

    Valid only when no earlier look has crossed its bound.
    """
    ended = look.progress.final or (effect.z is not None and look.z is not None and abs(effect.z) > look.z)
    sequential = look.rule == "group_sequential" and look.planned > 1
    if not (ended and sequential) or effect.z is None or effect.standard_error is None:
        return effect
    after = analyse_stop(look.so_far, look=len(look.so_far.z), z=effect.z)
    full = effect.standard_error * math.sqrt(look.information)  # the standard error at full information
    return replace(effect, p_value=after.p_value, estimate=after.estimate * full)


def _word(effect: Effect) -> Word:
    found = effect.finding
    if effect.difference is None or found.low is None or found.high is None:
        return "undefined"
    if effect.margin is not None and found.safe:
        return "holds"
    if found.better:
        return "better"
    return "worse" if found.worse else "not distinguishable"
