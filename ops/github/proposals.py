"""Check the setting that lets GitHub Actions open pull requests."""

from ops.github.client import GitHub
from ops.github.errors import RefusedError
from ops.github.refusals import SETTING

FORBIDDEN = f"GitHub Actions may not open pull requests. Cure: go to {SETTING}."
UNKNOWN = f"The token may not read whether GitHub Actions can propose; retrain needs: {SETTING}."


def may_propose(github: GitHub) -> bool | None:
    """Return whether the repository lets Actions open pull requests; None where the token may not read that."""
    try:
        return github.actions_open_pull_requests()
    except RefusedError as error:
        if error.status not in {401, 403, 404}:
            raise
        return None


def check_may_propose(github: GitHub) -> None:
    """Refuse if a workflow's token may not open a pull request; the setting does not limit a person's token."""
    if github.login() is not None:
        return
    allowed = may_propose(github)
    if allowed is None:
        github.policy.log(UNKNOWN)
    elif not allowed:
        raise RefusedError(f"found in {github.repository}: {FORBIDDEN}")
