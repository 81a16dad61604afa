"""`python -m ops approval`: check that an environment waits for required reviewers."""

import os

import click

from ops.github.client import GitHub
from ops.github.errors import RefusedError
from ops.github.retry import RetryPolicy
from ops.github.target import github_from


@click.command()
@click.argument("environment", default="production")
def approval(*, environment: str) -> None:
    r"""Check that GitHub's ENVIRONMENT has required reviewers, so that a job in it has waited for one.

    \b
    In a workflow, as a step before the deployment:
      GITHUB_TOKEN=… python -m ops approval production

    GITHUB_REPOSITORY and GITHUB_API_URL say where, as for `post`. Exit 0 if there are reviewers, else 2.
    """
    policy = RetryPolicy(log=lambda line: click.echo(line, err=True))
    click.echo(f"{environment}: {checked_reviewers(github_from(os.environ, policy=policy), environment)}")


def checked_reviewers(github: GitHub, environment: str) -> str:
    """Return how many reviewers an environment requires one of; refuse an environment without."""
    where = f"environment {environment!r} of {github.repository}"
    try:
        reviewers = github.reviewers(environment)
    except RefusedError as error:
        if error.status not in {401, 403, 404}:
            raise
        raise RefusedError(
            f"found {error.status} ({error.said}) at {where}, expected to read its reviewers. Nothing is deployed. "
            "Cure: create the environment, and give the job `permissions: actions: read`.",
            status=error.status,
        ) from None
    if not reviewers:
        raise RefusedError(
            f"found no required reviewers in {where}, expected one or more. Nothing is deployed. "
            f"Cure: in Settings → Environments → {environment}, add required reviewers."
        )
    return f"1 of {reviewers} required reviewers has to approve"
