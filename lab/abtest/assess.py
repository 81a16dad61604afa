"""Analyse an experiment from its log: health first, then effects at this look, then one decision with its reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lab.abtest.effects import Effect, after_stop, arms_of, effect_of, measure
from lab.abtest.health import Health, check_health
from lab.abtest.interim import Look, look_at
from lab.abtest.moments import Tally, tally_log
from lab.experiment.design import Design
from lab.experiment.log import read_log
from lab.stats.core.corrections import holm
from lab.stats.experiments.moments import Moments
from lab.stats.experiments.verdicts import Verdict, decide

FIRST = ("INVALID", "SHIP", "EXTEND", "INCONCLUSIVE", "ROLLBACK")


@dataclass(frozen=True)
class Step:
    """One look at the primary outcome of a treatment: its z and the bound, None where nothing may stop there."""

    treatment: str
    look: int
    information: float
    units: int
    z: float | None
    bound: float | None

    @property
    def crossed(self) -> bool:
        """Say whether the experiment was to stop here."""
        return self.z is not None and self.bound is not None and abs(self.z) > self.bound


@dataclass(frozen=True)
class Analysis:
    """All that a log says under a design; effects by treatment, the primary outcome's first."""

    design: Design
    tally: Tally
    look: Look
    everyone: tuple[Moments, ...]
    health: Health
    path: tuple[Step, ...]
    effects: Mapping[str, tuple[Effect, ...]]
    verdicts: Mapping[str, Verdict]

    @property
    def chosen(self) -> str:
        """Return the treatment whose decision is the experiment's: the one to ship, else the one that is furthest."""

        def rank(name: str) -> tuple[int, float, str]:
            return FIRST.index(self.verdicts[name].action), -self.effects[name][0].finding.difference, name

        return min(self.verdicts, key=rank)

    @property
    def all_effects(self) -> list[Effect]:
        """Return the effects of all treatments."""
        return [effect for found in self.effects.values() for effect in found]


def assess(path: Path, design: Design) -> Analysis:
    """Return what the log of an experiment says; the same rows and design give the same answer."""
    tally = tally_log(read_log(path, design), design)
    look, everyone = look_at(tally, design), tally.at_look(len(tally.periods))
    health = check_health(tally, everyone, design, lambda: read_log(path, design))
    steps = tuple(_path(tally, look, everyone, design))
    found = {name: _effects(name, everyone, look, steps, tally, design) for name in design.treatments}
    effects = _corrected(found, level=design.level)
    verdicts = {name: _verdict(each, health, look) for name, each in effects.items()}
    return Analysis(design, tally, look, everyone, health, steps, effects, verdicts)


def _effects(
    treatment: str, everyone: tuple[Moments, ...], look: Look, steps: Sequence[Step], tally: Tally, design: Design
) -> tuple[Effect, ...]:
    arms = arms_of(treatment, everyone, tally, design)
    primary, *others = (effect_of(name, arms, look, tally, design) for name in design.ordered_outcomes)
    crossed_before = any(step.crossed for step in steps if step.treatment == treatment and step.look < look.number)
    return primary if crossed_before else after_stop(primary, look), *others


def _verdict(effects: Sequence[Effect], health: Health, look: Look) -> Verdict:
    guardrails = tuple(effect.finding for effect in effects if effect.role == "guardrail")
    return decide(effects[0].finding, guardrails=guardrails, faults=health.faults, progress=look.progress)


def _corrected(effects: Mapping[str, tuple[Effect, ...]], *, level: float) -> dict[str, tuple[Effect, ...]]:
    """Return the effects with Holm's p-values over all outcomes that do not decide, of all treatments."""
    tested = [
        effect
        for found in effects.values()
        for effect in found
        if effect.role == "secondary" and effect.p_value is not None
    ]
    p_values = dict(
        zip(
            [(effect.treatment, effect.outcome) for effect in tested],
            holm([effect.p_value for effect in tested if effect.p_value is not None]),
            strict=True,
        )
    )
    return {
        name: tuple(_held(each, p_values.get((each.treatment, each.outcome)), level) for each in found)
        for name, found in effects.items()
    }


def _held(effect: Effect, p_adjusted: float | None, level: float) -> Effect:
    """Return the effect with a word that also holds after the correction for many outcomes."""
    if p_adjusted is not None and p_adjusted >= level and effect.word in {"better", "worse"}:
        return replace(effect, p_adjusted=p_adjusted, word="not distinguishable")
    return replace(effect, p_adjusted=p_adjusted)


def _path(tally: Tally, look: Look, everyone: tuple[Moments, ...], design: Design) -> list[Step]:
    """Return every look so far where the log tells them apart by date, else the current one; without strata."""
    last = len(look.so_far.z)
    told_apart = bool(design.looks.dates) and last <= len(tally.periods)
    found = []
    for treatment in design.treatments:
        for step in range(1, last + 1) if told_apart else [last]:
            then = tally.at_look(step) if step < last else everyone
            arms = replace(arms_of(treatment, then, tally, design), strata=())
            found.append(
                Step(
                    treatment=treatment,
                    look=step,
                    information=look.so_far.information[step - 1],
                    units=sum(arm.count for arm in then),
                    z=measure(design.primary, arms, tally, design, level=0.95).comparison.statistic,
                    bound=look.so_far.z[step - 1],
                )
            )
    return found
