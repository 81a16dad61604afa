"""Publish a proposal: objects, then branch, then pull request; existing ones stay."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from ops.github.proposals import check_may_propose
from ops.github.retry import RetryPolicy
from ops.github.target import TOKENS, github_from
from ops.retrain.proposal import branch_ref, first_commit
from ops.retrain.request import Options, Request
from ops.retrain.staging import run_checked
from ops.retrain.workplace import Workplace
from ops.revisions.git import text_of
from ops.revisions.remote import Remote

LONGEST_BODY = 60_000
LATER = "the same command with --push pushes objects and branch, and opens the pull request if a token allows it"


@dataclass(frozen=True)
class Published:
    """The pull request's address, if there is one, and the next steps for a person."""

    url: str | None
    next: tuple[str, ...]


def check_can_publish(*, log: Callable[[str], None]) -> None:
    """Refuse before the work if the repository would refuse the pull request after it."""
    if _has_token():
        check_may_propose(github_from(os.environ, policy=RetryPolicy(log=log)))


def publish(
    request: Request, options: Options, work: Workplace, commit: str, *, log: Callable[[str], None]
) -> Published:
    """Publish as far as the options say, objects before the branch; return the address and the next steps."""
    if not options.push:
        return Published(None, (LATER, f"or review it first: git diff {request.base[:12]} {request.branch}"))
    shared, ref = Remote(request.root, options.remote), branch_ref(request)
    if shared.commit_at(ref) is None:
        log(f"pushes {request.branch} to {options.remote}")
        work.make(commit)
        run_checked(work, "dvc", "push", "--quiet")
        shared.push_new(commit, ref)
    if not _has_token():
        return Published(None, (f"gh pr create --base {options.into} --head {request.branch} --fill-first",))
    return Published(_pull_request(request, options, commit, log=log), ())


def _has_token() -> bool:
    return bool(os.environ.get("GITHUB_REPOSITORY") and any(map(os.environ.get, TOKENS)))


def _pull_request(request: Request, options: Options, commit: str, *, log: Callable[[str], None]) -> str:
    """Return the address of the pull request; a closed one stays closed."""
    github = github_from(os.environ, policy=RetryPolicy(log=log))
    owner = github.repository.partition("/")[0]
    found = next(iter(github.pull_requests_of(f"{owner}:{request.branch}", state="closed")), None)
    if found is None:
        message = text_of("log", "-1", "--format=%B", first_commit(request, commit), root=request.root)
        title, _, body = message.partition("\n")
        found = github.open_pull_request(request.branch, options.into, title, body.strip()[:LONGEST_BODY])
    log(f"pull request {found.number}{'' if found.open else ', which is closed'}: {found.url}")
    return found.url
