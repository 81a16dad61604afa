"""`python -m ops ruleset`: install the branch rules of this repository at GitHub."""

import json
import os
from pathlib import Path
from typing import Any

import click

from ops.github.client import GitHub
from ops.github.errors import RefusedError
from ops.github.proposals import FORBIDDEN, UNKNOWN, may_propose
from ops.github.retry import RetryPolicy
from ops.github.target import github_from

FILE = Path(".github/rulesets/main.json")


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=FILE)
def ruleset(*, file: Path) -> None:
    r"""Create or update at GitHub the ruleset in FILE: which checks main requires, and that its history stays.

    \b
    Once, by a person with administration rights (a fine-grained token: Administration, read and write):
      GITHUB_TOKEN=… GITHUB_REPOSITORY=OWNER/NAME python -m ops ruleset

    It also says whether GitHub Actions may open pull requests, which `retrain` needs. Exit 0 when installed, else 2.
    """
    github = github_from(os.environ, policy=RetryPolicy(log=lambda line: click.echo(line, err=True)))
    click.echo(f"{file}: {installed(github, _read(file))} at {github.repository}")
    click.echo({True: "GitHub Actions may open pull requests", False: FORBIDDEN, None: UNKNOWN}[may_propose(github)])


def installed(github: GitHub, rules: dict[str, Any]) -> str:
    """Return what was done with the ruleset of this name: created or updated."""
    try:
        return github.put_ruleset(rules)
    except RefusedError as error:
        if error.status not in {403, 404}:
            raise
        raise RefusedError(
            f"found {error.status} ({error.said}) at the rulesets of {github.repository}, expected the right to write "
            "them. Nothing was changed. Cure: set GITHUB_TOKEN to a token with administration rights.",
            status=error.status,
        ) from None


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or not {"name", "target", "enforcement", "rules"} <= found.keys():
        raise RefusedError(
            f"{file} is no ruleset: expected JSON with name, target, enforcement and rules, as GitHub exports it. "
            f"Cure: git checkout {file}"
        )
    return found
