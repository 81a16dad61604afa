"""The answer to one question about a commit."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """What was looked at, what is wrong with it, and what puts it right; nothing wrong means that it passed."""

    name: str
    summary: str
    found: tuple[str, ...] = ()
    cure: str = ""

    @property
    def passed(self) -> bool:
        return not self.found


def told(checks: Sequence[Check]) -> str:
    """Return the checks as a person reads them, and what follows."""
    width = max(len(check.name) for check in checks)
    lines = [line for check in checks for line in _lines(check, width)]
    failed = [check.name for check in checks if not check.passed]
    last = f"NOT WHOLE: {', '.join(failed)}" if failed else "WHOLE: who clones this commit has everything that it names"
    return "\n".join([*lines, "", last])


def _lines(check: Check, width: int) -> list[str]:
    head = f"{'ok  ' if check.passed else 'FAIL'}  {check.name.ljust(width)}  {check.summary}"
    inset = " " * (width + 8)
    return [head, *(f"{inset}{line}" for line in check.found), *([f"{inset}Cure: {check.cure}"] if check.found else [])]
