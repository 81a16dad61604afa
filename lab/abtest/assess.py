"""Analyse an experiment from its log: health checks, effects, decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lab.abtest.effects import Effect, after_stop, arms_of, effect_of, measure
from lab.abtest.health import Health, check_health
from lab.abtest.interim import Look, current_look
from lab.abtest.moments import LogMoments, log_moments
from lab.abtest.units import find_repeats, without_rows
from lab.experiment.design import Design
from lab.experiment.log import read_log
from lab.stats.core.corrections import holm, holm_divisors
from lab.stats.experiments.moments import Moments
from lab.stats.experiments.verdicts import Verdict, decide

FIRST = ("INVALID", "SHIP", "EXTEND", "INCONCLUSIVE", "ROLLBACK")


@dataclass(frozen=True)
class Step:
    """One look at the primary outcome of a treatment: z and bound, None when stopping is not possible."""

    treatment: str
    look: int
    information: float
    units: int
    z: float | None
    bound: float | None

    @property
    def crossed(self) -> bool:
        """Return whether z is beyond the bound."""
        return self.z is not None and self.bound is not None and abs(self.z) > self.bound


@dataclass(frozen=True)
class Analysis:
    """The results of an experiment; effects by treatment, the primary outcome first."""

    design: Design
    log: LogMoments
    look: Look
    all_arms: tuple[Moments, ...]
    health: Health
    path: tuple[Step, ...]
    effects: Mapping[str, tuple[Effect, ...]]
    verdicts: Mapping[str, Verdict]

    @property
    def chosen(self) -> str:
        """Return the treatment whose decision is reported: the best one to ship, or the one closest to it."""

        def rank(name: str) -> tuple[int, float, str]:
            return FIRST.index(self.verdicts[name].action), -self.effects[name][0].finding.difference, name

        return min(self.verdicts, key=rank)

    @property
    def all_effects(self) -> list[Effect]:
        return [effect for found in self.effects.values() for effect in found]


def assess(path: Path, design: Design) -> Analysis:
    """Return the analysis of an experiment's log."""
    log = log_moments(read_log(path, design), design)
    repeats = find_repeats(lambda: read_log(path, design)) if log.repeated else None
    if repeats is not None and design.repeated_units != "invalid":
        dropped = repeats.dropped(keep_first=design.repeated_units == "keep_first")
        log = log_moments(without_rows(read_log(path, design), dropped), design)
    look, all_arms = current_look(log, design), log.at_look(len(log.periods))
    health = check_health(log, all_arms, design, repeats)
    steps = tuple(_path(log, look, all_arms, design))
    found = {name: _effects(name, all_arms, look, steps, log, design) for name in design.treatments}
    effects = _corrected(found, all_arms, log, design)
    verdicts = {name: _verdict(each, health, look) for name, each in effects.items()}
    return Analysis(design, log, look, all_arms, health, steps, effects, verdicts)


def _effects(
    treatment: str, all_arms: tuple[Moments, ...], look: Look, steps: Sequence[Step], log: LogMoments, design: Design
) -> tuple[Effect, ...]:
    arms = arms_of(treatment, all_arms, log, design)
    primary, *others = (effect_of(name, arms, look, log, design) for name in design.ordered_outcomes)
    crossed_before = any(step.crossed for step in steps if step.treatment == treatment and step.look < look.number)
    return primary if crossed_before else after_stop(primary, look), *others


def _verdict(effects: Sequence[Effect], health: Health, look: Look) -> Verdict:
    guardrails = tuple(effect.finding for effect in effects if effect.role == "guardrail")
    return decide(effects[0].finding, guardrails=guardrails, faults=health.faults, progress=look.progress)


def _corrected(
    effects: Mapping[str, tuple[Effect, ...]], all_arms: tuple[Moments, ...], log: LogMoments, design: Design
) -> dict[str, tuple[Effect, ...]]:
    """Return the effects with Holm's p-values over the secondary outcomes of all treatments, and intervals to match."""
    tested = [each for found in effects.values() for each in found if each.role == "secondary"]
    p_values = {(each.treatment, each.outcome): each.p_value for each in tested if each.p_value is not None}
    adjusted = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    divisors = dict(zip(p_values, holm_divisors(list(p_values.values()), level=design.level), strict=True))
    looks = {divisor: current_look(log, design, level=design.level / divisor) for divisor in set(divisors.values())}

    def corrected(effect: Effect) -> Effect:
        key = effect.treatment, effect.outcome
        if key not in p_values or effect.role != "secondary":
            return effect
        arms = arms_of(effect.treatment, all_arms, log, design)
        again = effect_of(effect.outcome, arms, looks[divisors[key]], log, design)
        return _with_adjusted_p(again, adjusted[key], design.level)

    return {name: tuple(corrected(each) for each in found) for name, found in effects.items()}


def _with_adjusted_p(effect: Effect, p_adjusted: float, level: float) -> Effect:
    """Return the effect with Holm's p-value, which prevails where an interval is of another kind than its test."""
    word = "not distinguishable" if p_adjusted >= level and effect.word in {"better", "worse"} else effect.word
    return replace(effect, p_adjusted=p_adjusted, word=word)


def _path(log: LogMoments, look: Look, all_arms: tuple[Moments, ...], design: Design) -> list[Step]:
    """Return every look so far if looks have dates, else only the current one; without strata."""
    last = len(look.so_far.z)
    dated = bool(design.looks.dates) and last <= len(log.periods)
    found = []
    for treatment in design.treatments:
        for step in range(1, last + 1) if dated else [last]:
            then = log.at_look(step) if step < last else all_arms
            arms = replace(arms_of(treatment, then, log, design), strata=())
            found.append(
                Step(
                    treatment=treatment,
                    look=step,
                    information=look.so_far.information[step - 1],
                    units=sum(arm.count for arm in then),
                    z=measure(design.primary, arms, log, design, level=0.95).comparison.statistic,
                    bound=look.so_far.z[step - 1],
                )
            )
    return found
