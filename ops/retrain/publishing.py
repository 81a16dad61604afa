"""Publish a proposal: its objects, then its branch, then its pull request; what is there already is left alone."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from ops.github.retry import Patience
from ops.github.target import TOKENS, hub_of
from ops.retrain.options import Wishes
from ops.retrain.proposal import branch_ref, first_commit
from ops.retrain.request import Request
from ops.retrain.shared import Shared
from ops.retrain.staging import asked
from ops.retrain.workplace import Workplace
from ops.revisions.git import text_of

LONGEST_BODY = 60_000
LATER = "the same command with --push pushes objects and branch, and opens the pull request where a token allows it"


@dataclass(frozen=True)
class Published:
    """Where the pull request is, if there is one, and what is left to a person."""

    url: str | None
    next: tuple[str, ...]


def publish(request: Request, wishes: Wishes, work: Workplace, commit: str, *, say: Callable[[str], None]) -> Published:
    """Return where the proposal is once it is published as far as is wished; the branch comes after its objects."""
    if not wishes.push:
        return Published(None, (LATER, f"or look at it first: git diff {request.base[:12]} {request.branch}"))
    shared, ref = Shared(request.root, wishes.remote), branch_ref(request)
    if shared.commit_at(ref) is None:
        say(f"pushes {request.branch} to {wishes.remote}")
        work.make(commit)
        asked(work, "dvc", "push", "--quiet")
        shared.push_new(commit, ref)
    if not (os.environ.get("GITHUB_REPOSITORY") and any(map(os.environ.get, TOKENS))):
        return Published(None, (f"gh pr create --base {wishes.into} --head {request.branch} --fill-first",))
    return Published(_pull_request(request, wishes, commit, say=say), ())


def _pull_request(request: Request, wishes: Wishes, commit: str, *, say: Callable[[str], None]) -> str:
    """Return the address of the one pull request; one that a person has closed stays closed."""
    hub = hub_of(os.environ, patience=Patience(say=say))
    owner = hub.repository.partition("/")[0]
    found = next(iter(hub.pull_requests_of(f"{owner}:{request.branch}", state="closed")), None)
    if found is None:
        message = text_of("log", "-1", "--format=%B", first_commit(request, commit), root=request.root)
        title, _, body = message.partition("\n")
        found = hub.open_pull_request(request.branch, wishes.into, title, body.strip()[:LONGEST_BODY])
    say(f"pull request {found.number}{'' if found.open else ', which is closed'}: {found.url}")
    return found.url
