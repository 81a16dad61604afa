"""Run steps and commands of a demo in a private folder, and print them."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from lab.core.errors import LabError
from ops.kill_with_parent import running

SHOWN = 12  # lines of a command's output
# These would redirect a command: git's variables for hooks, tokens, and settings of another server.
REDIRECTING = ("GIT_", "GITHUB_", "REPO_TOKEN", "LAB_")
AUTHOR = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "demo"), ("EMAIL", "demo@example.invalid"))
}
State = TypeVar("State")


class DemoError(LabError):
    """A demo cannot start, or a command has another result than expected."""


@dataclass(frozen=True)
class Sandbox:
    """A clone to work in, and the environment of its commands; `log` prints a line."""

    work: Path
    log: Callable[[str], None]
    environment: Mapping[str, str]

    def run(
        self, *command: str, expect: Sequence[int] = (0,), cwd: Path | None = None, most: int = 0, quiet: bool = False
    ) -> tuple[int, str]:
        """Run a command; return its exit code and its output. Another code than expected ends the demo.

        The first `most` lines of its output are printed; its progress (standard error) too, unless `most` is 0.
        """
        if not quiet:
            self.log(f"$ {' '.join(command)}")
        full = [sys.executable, *command[1:]] if command[0] == "python" else list(command)
        with (
            tempfile.TemporaryFile("w+", errors="replace") as errors,
            running(
                full, cwd=cwd or self.work, env=self.environment, stdout=subprocess.PIPE,
                stderr=None if most else errors, text=True, errors="replace",
            ) as process,
        ):  # fmt: skip
            output = process.stdout.read() if process.stdout else ""
            code = process.wait()
            if code not in expect:
                errors.seek(0)
                raise DemoError(
                    f"`{' '.join(command)}` in {cwd or self.work} exited with {code}, expected one of {list(expect)}.\n"
                    f"{output}{errors.read()}"
                )
        if most:
            self.show(output, most=most)
        return code, output

    def show(self, text: str, *, most: int = SHOWN) -> None:
        """Print the first lines of a text."""
        for line in first_lines(text, most=most):
            self.log(line)


def environment_of(**extra: str) -> dict[str, str]:
    """Return this process's environment without what would redirect a command, and with an author for git."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(REDIRECTING)}
    return {**own, **AUTHOR, "DVC_NO_ANALYTICS": "true", "PYTHONUNBUFFERED": "1", **extra}


def check_new(folder: Path) -> None:
    """Refuse a folder that holds anything."""
    if folder.exists() and any(folder.iterdir()):
        raise DemoError(f"{folder} is not empty, expected a new folder. Cure: remove it, or name another.")


def run_steps(steps: Mapping[str, Callable[[State], None]], state: State, *, start: int = 1) -> None:
    """Run steps by their titles, each with a heading from the first line of its docstring."""
    for number, (title, step) in enumerate(steps.items(), start=start):
        print_heading(number, title, (step.__doc__ or "").splitlines()[0])
        step(state)


def print_heading(number: int, title: str, summary: str) -> None:
    click.secho(f"\n{number}. {title}. {summary}", bold=True)


def print_end(work: Path) -> None:
    click.secho(f"\nThe end. Look around: cd {work}", bold=True)


def first_lines(text: str, *, most: int) -> Iterator[str]:
    r"""Yield the first lines of a text that are not blank, indented; an ellipsis follows if there are more.

    >>> list(first_lines("one\n\ntwo\nthree", most=2))
    ['    one', '    two', '    …']
    """
    lines = [line for line in text.splitlines() if line.strip()]
    for line in [*lines[:most], *(["…"] if len(lines) > most else [])]:
        yield f"    {line}"
