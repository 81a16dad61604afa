"""Run stages in the clone, and tell apart why one ended: data that is refused, a mistake, or a crash."""

import re
from dataclasses import dataclass

from lab.core.command import INTERRUPTED, MISTAKE
from lab.core.errors import LabError
from ops.retrain.decision import Decision, EndedError
from ops.retrain.workplace import FOLDER, Outcome, Workplace, last_words

FAILED = re.compile(r"ERROR: failed to reproduce '(?P<stage>.+)': failed to run: .*, exited with (?P<code>-?\d+)$")
BEGUN = re.compile(r"^\s*> ")
# What a person wrote, not what the data holds: its messages begin with the file's name.
SETTINGS = ("params.yaml", "tasks/", "champion.yaml")


@dataclass(frozen=True)
class Failure:
    """The stage that ended a run, its exit code, and what it said."""

    stage: str
    code: int
    message: str


def reproduce(work: Workplace, *targets: str, force: bool = False) -> None:
    """Run `dvc repro` in the clone; a stage that refuses its data ends the retraining, and so does a crash.

    What did not change is brought from cache or remote, and only what neither has is derived again.
    """
    options = ["--force", "--single-item"] if force else ["--pull"]
    outcome = work.run("dvc", "repro", *options, *targets)
    if outcome.code:
        raise ended_by(outcome, doing=f"`dvc repro {' '.join(targets)}`".replace(" `", "`"))


def ended_by(outcome: Outcome, *, doing: str) -> Exception:
    """Return what a command's failure means: a decision, a mistake of the user's, or Ctrl-C."""
    failure = failure_in(outcome)
    if failure is None:
        return crash(f"{doing} left with {outcome.code}", outcome)
    if failure.code == INTERRUPTED:
        return KeyboardInterrupt()  # type: ignore[return-value]
    if failure.code != MISTAKE:
        return crash(f"the stage {failure.stage} left with {failure.code}", outcome)
    if failure.message.startswith(SETTINGS):
        return LabError(failure.message)
    return EndedError(Decision("refused", (f"the stage {failure.stage} refused the data:", failure.message)))


def asked(work: Workplace, *command: str) -> None:
    """Run a command in the clone that has no reason to fail."""
    outcome = work.run(*command)
    if outcome.code:
        raise crash(f"`{' '.join(command[:3])}` left with {outcome.code}", outcome)


def failure_in(outcome: Outcome) -> Failure | None:
    """Return which stage failed and what it said, from what `dvc repro` wrote; None where no stage did."""
    place = next((place for place, line in enumerate(outcome.lines) if FAILED.match(line)), None)
    if place is None:
        return None
    found = FAILED.match(outcome.lines[place])
    assert found is not None
    begun = max((n + 1 for n, line in enumerate(outcome.lines[:place]) if BEGUN.match(line)), default=0)
    return Failure(found["stage"], int(found["code"]), "\n".join(outcome.lines[begun:place]).strip())


def crash(what: str, outcome: Outcome) -> EndedError:
    """Return the end of a retraining that broke off."""
    where = f"its last lines (its files are in {FOLDER}):"
    return EndedError(Decision("crashed", (f"{what}; {where}", last_words(outcome))))
