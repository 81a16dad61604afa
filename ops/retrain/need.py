"""Decide whether a retraining is due: by drift, by age, or on request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.core.command import MISTAKE
from lab.core.errors import SourceError
from lab.drift.verdict import not_judged
from ops.retrain.decision import Decision, EndedError
from ops.retrain.request import Options
from ops.retrain.staging import crash
from ops.retrain.workplace import Workplace

DRIFT = "drift"
JUDGEMENT = "ops/retrain/judgement.py"


@dataclass(frozen=True)
class Need:
    """Whether training is due, the reasons, and the drift of the newest rows."""

    due: bool
    reasons: tuple[str, ...]
    drift: Mapping[str, Any]


def judge_need(options: Options, work: Workplace) -> Need:
    """Return whether to train, by the drift of the newest rows as the base's champion scores them.

    The drift is noted, because training replaces the reference in the clone.
    """
    drift = work.noted(DRIFT)
    if drift is None:
        path = work.folder / "judgement.json"
        outcome = work.run("python", "-m", "ops.retrain.judgement", str(path))
        if outcome.code == MISTAKE:
            raise EndedError(Decision("refused", ("the newest rows cannot be judged:", "\n".join(outcome.lines))))
        if outcome.code:
            raise crash(f"the drift check of the newest rows exited with {outcome.code}", outcome)
        drift = work.noted("judgement")
        work.note(DRIFT, drift)
    return need_of(drift, options)


def need_of(drift: Mapping[str, Any], options: Options) -> Need:
    """Return whether drift and options make a retraining due; a data fault ends it, unless an option accepts it."""
    faults, verdict = drift.get("faults", []), drift.get("verdict", {})
    if faults and not options.despite_faults:
        cure = "Cure: mend the data upstream, then run again; or train on the damage: --despite-faults"
        raise EndedError(Decision("refused", (verdict["text"], cure), drift=drift))
    reasons = [f"drift suggests it: {reason}" for reason in drift["retrain"]["reasons"]]
    due = bool(reasons)
    if not due:
        reasons = [*not_judged(drift.get("policies", [])), "no rule that counts found drift"]
    if faults:
        reasons.append(f"--despite-faults was given; {verdict['text']}")
    if options.every_days is not None:
        old = _is_old(drift["age_days"], options.every_days)
        reasons.append(_age(drift["age_days"], options.every_days))
        due = due or old
    if options.even_so and not due:
        reasons.append("--even-so was given")
    if verdict.get("word") == "not judged" and not (due or options.even_so):
        raise EndedError(Decision("refused", (verdict["text"], "Cure: --even-so trains all the same"), drift=drift))
    return Need(due or options.even_so, tuple(reasons), drift)


def _is_old(age: float | None, every: int) -> bool:
    if age is None:
        raise SourceError(
            "--every needs the age of the newest reference row, but the task's rows have no time column. "
            "Cure: leave it out, or use --even-so."
        )
    return age >= every


def _age(age: float | None, every: int) -> str:
    word = "due" if _is_old(age, every) else "not due"
    return f"the newest row is {age:.0f} days newer than the reference; --every is {every}: {word}"
