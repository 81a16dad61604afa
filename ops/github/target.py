"""Read from the environment where to post: service, repository, token, pull request."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops.github.client import GitHub, PullRequest
from ops.github.errors import RefusedError
from ops.github.retry import RetryPolicy
from ops.revisions.git import commit_of

ADDRESS = "https://api.github.com"
# The same order as CML's, so that both post as the same author.
TOKENS = ("REPO_TOKEN", "GITHUB_TOKEN")
REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")
COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
LARGEST_NUMBER = 2**31 - 1
Environment = Mapping[str, str]


def github_from(environment: Environment, *, policy: RetryPolicy) -> GitHub:
    """Return the client for GITHUB_API_URL, GITHUB_REPOSITORY and REPO_TOKEN or GITHUB_TOKEN."""
    token = next((environment[name].strip() for name in TOKENS if environment.get(name, "").strip()), "")
    if not token:
        raise RefusedError(
            "found no token in the environment, expected one in GITHUB_TOKEN or REPO_TOKEN. Cure: in a workflow, "
            "`env: GITHUB_TOKEN: ${{ github.token }}` and `permissions: pull-requests: write`; it is never an argument."
        )
    repository = environment.get("GITHUB_REPOSITORY", "")
    if not REPOSITORY.fullmatch(repository) or repository.endswith(("/.", "/..")):
        raise RefusedError(
            f"found {repository!r} in GITHUB_REPOSITORY, expected OWNER/NAME. "
            "Cure: export GITHUB_REPOSITORY=OWNER/NAME."
        )
    return GitHub(environment.get("GITHUB_API_URL") or ADDRESS, repository, token, policy)


def number_of(given: int | None, environment: Environment, *, github: GitHub) -> int:
    """Return the pull request's number: as given, else of the event, else of the commit."""
    number = given if given is not None else event_number(environment)
    if number is not None:
        return checked_number(number)
    commit = event_commit(environment) or environment.get("GITHUB_SHA") or commit_of("HEAD")
    open_ones = github.pull_requests_at(commit)
    if len(open_ones) == 1:
        return open_ones[0].number
    raise RefusedError(
        f"found {_several(open_ones)} at commit {commit[:12]} and no event of a pull request, expected one. "
        "Cure: --pr NUMBER."
    )


def event_number(environment: Environment) -> int | None:
    """Return the pull request's number in the workflow's event, or None."""
    event = event_of(environment)
    request = event.get("pull_request")
    if request is None:
        runs = _inner(event.get("workflow_run"), "pull_requests")
        request = runs[0] if isinstance(runs, list) and len(runs) == 1 else None
    number = _inner(request, "number")
    return number if is_number(number) else None


def event_commit(environment: Environment) -> str | None:
    """Return the commit of a workflow_run event; None for another event."""
    commit = _inner(event_of(environment).get("workflow_run"), "head_sha")
    return commit if isinstance(commit, str) and COMMIT.fullmatch(commit) else None


def event_run(environment: Environment) -> str | None:
    """Return the address of the run of a workflow_run event; None for another event."""
    address = _inner(event_of(environment).get("workflow_run"), "html_url")
    return address if isinstance(address, str) and address else None


def event_head(environment: Environment) -> str | None:
    """Return OWNER:BRANCH of a workflow_run event; None for another event."""
    run = event_of(environment).get("workflow_run")
    owner, branch = _inner(_inner(_inner(run, "head_repository"), "owner"), "login"), _inner(run, "head_branch")
    return f"{owner}:{branch}" if isinstance(owner, str) and isinstance(branch, str) and owner and branch else None


def event_of(environment: Environment) -> dict[str, Any]:
    """Return the event's document; empty if there is none or it is invalid."""
    path = environment.get("GITHUB_EVENT_PATH")
    if not path:
        return {}
    try:
        found = json.loads(Path(path).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_number(value: object) -> bool:
    """Return whether a value can be a pull request's number (True cannot)."""
    return type(value) is int and 0 < value <= LARGEST_NUMBER


def checked_number(value: int) -> int:
    """Return a pull request's number."""
    if not is_number(value):
        raise RefusedError(f"found {value} as a pull request's number, expected 1 or more. Cure: --pr NUMBER.")
    return value


def _inner(value: object, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _several(there: list[PullRequest]) -> str:
    if not there:
        return "no open pull request"
    return f"the open pull requests {', '.join(str(one.number) for one in there)}"
