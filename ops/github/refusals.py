"""Turn the status of GitHub's answer into one message: found, expected, where, cure."""

import email.utils
import json
import time
from typing import Any

from ops.github.errors import RefusedError, UnansweredError
from ops.github.http import Reply, Wire

SECONDARY_WAIT = 60.0  # what GitHub asks for where it limits without a header that says so
CURES = {
    401: "expected a token that is valid. Cure: set GITHUB_TOKEN (in a workflow: env: GITHUB_TOKEN: "
    "${{ github.token }}) or renew REPO_TOKEN.",
    403: "expected the permission to write. Cure: give the job `permissions: pull-requests: write`; the token of a "
    "fork's pull request may only read: post from workflow_run (--untrusted).",
    404: "expected it to exist and the token to see it. Cure: look at --pr and GITHUB_REPOSITORY, and whether the "
    "token is for this repository.",
    410: "expected it to be there still.",
    422: "expected something that can be accepted. Cure: read the words in brackets.",
}


def checked(reply: Reply, *, wire: Wire, where: str) -> Reply:
    """Return an answer that is good; raise what says how it is not."""
    if 200 <= reply.status < 300:
        return reply
    said = wire.hidden(words_of(reply))
    found = f"{reply.status} ({said})" if said else str(reply.status)
    if reply.status >= 500 or reply.status == 408:
        raise UnansweredError(found)
    wait = wait_of(reply, said)
    if wait is not None:
        raise UnansweredError(found, accepted=False, wait=wait)
    cure = CURES.get(reply.status, "expected an answer of GitHub's REST API. Cure: look at GITHUB_API_URL.")
    raise RefusedError(f"GitHub refused: found {found} at {where}, {cure}", status=reply.status, said=said)


def wait_of(reply: Reply, said: str) -> float | None:
    """Return how many seconds a limited caller has to wait; None for an answer that is about something else."""
    if reply.status not in {403, 429}:
        return None
    if (after := reply.headers["Retry-After"]) is not None:
        return _seconds(after)
    if reply.headers["X-RateLimit-Remaining"] == "0":
        return _until(reply.headers["X-RateLimit-Reset"])
    return SECONDARY_WAIT if reply.status == 429 or "rate limit" in said.lower() else None


def words_of(reply: Reply) -> str:
    """Return what an answer says in words: GitHub's message with its errors, else nothing."""
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
