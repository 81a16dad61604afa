"""The result of one check of a commit."""

from collections.abc import Sequence
from dataclasses import dataclass

REMOTE = "remote"


@dataclass(frozen=True)
class Check:
    """What was checked, what is wrong, and the cure; it passed when nothing is wrong."""

    name: str
    summary: str
    found: tuple[str, ...] = ()
    cure: str = ""

    @property
    def passed(self) -> bool:
        return not self.found


def to_text(checks: Sequence[Check]) -> str:
    """Return the checks as text, with the verdict."""
    width = max(len(check.name) for check in checks)
    lines = [line for check in checks for line in _lines(check, width)]
    failed = [check.name for check in checks if not check.passed]
    return "\n".join([*lines, "", f"INCOMPLETE: {', '.join(failed)}" if failed else _verdict(checks)])


def contacted_remote(checks: Sequence[Check]) -> bool:
    """Say whether the remote was one of the checks."""
    return any(check.name == REMOTE for check in checks)


def _verdict(checks: Sequence[Check]) -> str:
    if len(checks) == 1:
        return f"PASSED: {checks[0].name}; nothing else was checked"
    if contacted_remote(checks):
        return "COMPLETE: a clone of this commit has everything that it names"
    return "COMPLETE IN GIT: a clone has what git keeps; the remote was not contacted, so nothing is known of the data"


def _lines(check: Check, width: int) -> list[str]:
    head = f"{'ok  ' if check.passed else 'FAIL'}  {check.name.ljust(width)}  {check.summary}"
    inset = " " * (width + 8)
    return [head, *(f"{inset}{line}" for line in check.found), *([f"{inset}Cure: {check.cure}"] if check.found else [])]
