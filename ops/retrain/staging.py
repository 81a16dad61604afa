"""Run stages in the clone; distinguish refused data, a user's mistake and a crash."""

import re
from dataclasses import dataclass

from lab.core.command import INTERRUPTED, MISTAKE
from lab.core.errors import LabError
from ops.retrain.decision import Decision, EndedError
from ops.retrain.workplace import FOLDER, Outcome, Workplace, last_lines

FAILED = re.compile(r"ERROR: failed to reproduce '(?P<stage>.+)': failed to run: .*, exited with (?P<code>-?\d+)$")
STARTED = re.compile(r"^\s*> ")
# Written by the user; messages about these files begin with the file's name.
SETTINGS = ("params.yaml", "tasks/", "champion.yaml")


@dataclass(frozen=True)
class Failure:
    """A failed stage, its exit code and its message."""

    stage: str
    code: int
    message: str


def reproduce(work: Workplace, *targets: str, force: bool = False) -> None:
    """Run `dvc repro` in the clone; refused data or a crash ends the retraining.

    Unchanged outputs come from the cache or the remote.
    """
    options = ["--force", "--single-item"] if force else ["--pull"]
    outcome = work.run("dvc", "repro", *options, *targets)
    if outcome.code:
        raise reason_of(outcome, doing=f"`dvc repro {' '.join(targets)}`".replace(" `", "`"))


def reason_of(outcome: Outcome, *, doing: str) -> Exception:
    """Return the exception of a failed command: a decision, a user's mistake, or Ctrl-C."""
    failure = failure_in(outcome)
    if failure is None:
        return crash(f"{doing} exited with {outcome.code}", outcome)
    if failure.code == INTERRUPTED:
        return KeyboardInterrupt()  # type: ignore[return-value]
    if failure.code != MISTAKE:
        return crash(f"the stage {failure.stage} exited with {failure.code}", outcome)
    if failure.message.startswith(SETTINGS):
        return LabError(failure.message)
    return EndedError(Decision("refused", (f"the stage {failure.stage} refused the data:", failure.message)))


def run_checked(work: Workplace, *command: str) -> None:
    """Run a command in the clone; a failure ends the retraining as crashed."""
    outcome = work.run(*command)
    if outcome.code:
        raise crash(f"`{' '.join(command[:3])}` exited with {outcome.code}", outcome)


def failure_in(outcome: Outcome) -> Failure | None:
    """Return the failed stage and its message from the output of `dvc repro`, or None."""
    place = next((place for place, line in enumerate(outcome.lines) if FAILED.match(line)), None)
    if place is None:
        return None
    found = FAILED.match(outcome.lines[place])
    assert found is not None
    start = max((n + 1 for n, line in enumerate(outcome.lines[:place]) if STARTED.match(line)), default=0)
    return Failure(found["stage"], int(found["code"]), "\n".join(outcome.lines[start:place]).strip())


def crash(what: str, outcome: Outcome) -> EndedError:
    """Return the end of a crashed retraining."""
    where = f"its last lines (its files are in {FOLDER}):"
    return EndedError(Decision("crashed", (f"{what}; {where}", last_lines(outcome))))
