"""Turn the status of a GitHub response into an error message with a cure."""

import email.utils
import json
import time
from typing import Any

from ops.github.errors import RefusedError, UnansweredError
from ops.github.http import HttpClient, Reply

SECONDARY_WAIT = 60.0  # GitHub's advice for a rate limit without a header
SETTING = (
    "Settings → Actions → General → Workflow permissions, and turn on "
    "“Allow GitHub Actions to create and approve pull requests”"
)
FORBIDDEN = "not permitted to create or approve pull requests"  # in GitHub's answer to a workflow's token
CURES = {
    401: "expected a token that is valid. Cure: set GITHUB_TOKEN (in a workflow: env: GITHUB_TOKEN: "
    "${{ github.token }}) or renew REPO_TOKEN.",
    403: "expected the permission to write. Cure: give the job `permissions: pull-requests: write`; the token of a "
    "fork's pull request may only read: post from workflow_run (--untrusted).",
    404: "expected it to exist and the token to have access. Cure: check --pr and GITHUB_REPOSITORY, and whether the "
    "token is for this repository.",
    410: "expected it to exist.",
    422: "expected a valid request. Cure: see the message in brackets.",
}


def checked(reply: Reply, *, http: HttpClient, where: str) -> Reply:
    """Return a successful response; raise an error for another."""
    if 200 <= reply.status < 300:
        return reply
    said = http.hidden(message_of(reply))
    found = f"{reply.status} ({said})" if said else str(reply.status)
    if reply.status >= 500 or reply.status == 408:
        raise UnansweredError(found)
    wait = wait_of(reply, said)
    if wait is not None:
        raise UnansweredError(found, accepted=False, wait=wait)
    if FORBIDDEN in said:
        raise RefusedError(
            f"GitHub refused: found {found} at {where}. Cure: go to {SETTING}.", status=reply.status, said=said
        )
    cure = CURES.get(reply.status, "expected a response of GitHub's REST API. Cure: check GITHUB_API_URL.")
    raise RefusedError(f"GitHub refused: found {found} at {where}, {cure}", status=reply.status, said=said)


def wait_of(reply: Reply, said: str) -> float | None:
    """Return for how many seconds a rate limit holds; None for another response."""
    if reply.status not in {403, 429}:
        return None
    if (after := reply.headers["Retry-After"]) is not None:
        return _seconds(after)
    if reply.headers["X-RateLimit-Remaining"] == "0":
        return _until(reply.headers["X-RateLimit-Reset"])
    return SECONDARY_WAIT if reply.status == 429 or "rate limit" in said.lower() else None


def message_of(reply: Reply) -> str:
    """Return GitHub's message with its errors, or an empty text."""
    try:
        content = json.loads(reply.body)
    except ValueError:
        return ""
    if not isinstance(content, dict):
        return ""
    errors = content.get("errors")
    details = [_detail(error) for error in errors] if isinstance(errors, list) else []
    return "; ".join(filter(None, [str(content.get("message", "")), *details]))


def _detail(error: Any) -> str:
    return str(error.get("message") or error.get("code") or "") if isinstance(error, dict) else str(error)


def _seconds(after: str) -> float:
    try:
        return max(0.0, float(after))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(after).timestamp() - time.time())
    except ValueError:
        return SECONDARY_WAIT


def _until(reset: str | None) -> float:
    try:
        return max(0.0, float(reset or "") - time.time())
    except ValueError:
        return SECONDARY_WAIT
