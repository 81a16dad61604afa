"""Whether a retraining is due: by drift, by age, or because a person wants it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.core.command import MISTAKE
from lab.core.errors import SourceError
from ops.retrain.decision import Decision, EndedError
from ops.retrain.options import Wishes
from ops.retrain.staging import crash
from ops.retrain.workplace import Workplace

DRIFT = "drift"
JUDGEMENT = "ops/retrain/judgement.py"


@dataclass(frozen=True)
class Need:
    """The answer, every reason for it in words, and the judgement of the newest rows."""

    due: bool
    reasons: tuple[str, ...]
    drift: Mapping[str, Any]


def judge_need(wishes: Wishes, work: Workplace) -> Need:
    """Return whether to train, by the newest rows scored by the base's champion; nothing is trained for it.

    The answer is noted: after the training, the reference in the clone is another one.
    """
    drift = work.noted(DRIFT)
    if drift is None:
        path = work.folder / "judgement.json"
        outcome = work.run("python", "-m", "ops.retrain.judgement", str(path))
        if outcome.code == MISTAKE:
            raise EndedError(Decision("refused", ("the newest rows cannot be judged:", "\n".join(outcome.lines))))
        if outcome.code:
            raise crash(f"the judgement of the newest rows left with {outcome.code}", outcome)
        drift = work.noted("judgement")
        work.note(DRIFT, drift)
    return need_of(drift, wishes)


def need_of(drift: Mapping[str, Any], wishes: Wishes) -> Need:
    """Return whether a judgement and a person's wishes make a retraining due."""
    reasons = [f"drift suggests it: {reason}" for reason in drift["retrain"]["reasons"]]
    due = bool(drift["retrain"]["suggested"])
    if not due:
        reasons = ["no rule that counts saw drift"]
    if wishes.every_days is not None:
        old = _is_old(drift["age_days"], wishes.every_days)
        reasons.append(_age(drift["age_days"], wishes.every_days))
        due = due or old
    if wishes.even_so and not due:
        reasons.append("wanted even so")
    return Need(due or wishes.even_so, tuple(reasons), drift)


def _is_old(age: float | None, every: int) -> bool:
    if age is None:
        raise SourceError(
            "--every asks how old the newest reference row is, but the task's rows have no moment. Cure: leave it out, "
            "or use --even-so."
        )
    return age >= every


def _age(age: float | None, every: int) -> str:
    word = "due" if _is_old(age, every) else "not due"
    return f"the newest row is {age:.0f} days after the reference's; {every} are asked for: {word}"
