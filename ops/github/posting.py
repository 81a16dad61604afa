"""Post a report on a pull request as one comment, updated in place."""

from collections.abc import Sequence
from dataclasses import dataclass

from ops.github.body import LONGEST, fitted, is_same, is_titled
from ops.github.client import Comment, GitHub
from ops.github.cml import Cml, updates_ours
from ops.github.errors import RefusedError

CREATED, UPDATED, LEFT = "created", "updated", "unchanged"
BY_CML, BY_API = "cml", "api"


@dataclass(frozen=True)
class Plan:
    """What will be done: the action, the tool, and our existing comment."""

    number: int
    action: str
    by: str
    ours: Comment | None


@dataclass(frozen=True)
class Posted:
    """What was done, and the comment's address."""

    number: int
    action: str
    by: str
    url: str


def planned(text: str, *, github: GitHub, number: int, title: str, cml: Cml | None) -> Plan:
    """Return what posting would do; only read."""
    login = github.login()
    comments = github.comments(number)
    ours = ours_among(comments, login=login, title=title)
    if ours is not None and is_same(ours.body, text):
        return Plan(number, LEFT, BY_API, ours)
    by = BY_CML if cml is not None and updates_ours(comments, ours, title=title) else BY_API
    return Plan(number, CREATED if ours is None else UPDATED, by, ours)


def post_report(text: str, *, github: GitHub, number: int, title: str, artifact: str, cml: Cml | None) -> Posted:
    """Post with CML if it would update our comment, else, or if it fails, with our own client."""
    plan = planned(text, github=github, number=number, title=title, cml=cml)
    if plan.action == LEFT and plan.ours is not None:
        return Posted(number, LEFT, BY_API, plan.ours.url)
    if plan.by == BY_CML and cml is not None:
        if url := cml.post(text, github=github, number=number, title=title):
            return Posted(number, plan.action, BY_CML, url)
        # It may have posted before it failed.
        plan = planned(text, github=github, number=number, title=title, cml=None)
        if plan.action == LEFT and plan.ours is not None:
            return Posted(number, UPDATED, BY_CML, plan.ours.url)
    return _by_api(text, plan, github=github, title=title, artifact=artifact)


def ours_among(comments: Sequence[Comment], *, login: str | None, title: str) -> Comment | None:
    """Return our newest comment with the title: by the token's user, or by a bot if the user is unknown."""
    for comment in reversed(comments):
        own = comment.bot if login is None else comment.author.lower() == login.lower()
        if own and is_titled(comment.body, title=title):
            return comment
    return None


def _by_api(text: str, plan: Plan, *, github: GitHub, title: str, artifact: str) -> Posted:
    try:
        comment = _written(text, plan, github=github, title=title)
    except RefusedError as error:
        if error.status != 422 or "too long" not in error.said.lower():
            raise
        github.policy.log(f"{error.said}: shortened to half")
        shorter = fitted(text, artifact=artifact, longest=min(len(text), LONGEST) // 2)
        comment = _written(shorter, plan, github=github, title=title)
    return Posted(plan.number, plan.action, BY_API, comment.url)


def _written(text: str, plan: Plan, *, github: GitHub, title: str) -> Comment:
    if plan.ours is not None:
        return github.update_comment(plan.ours.identity, text)
    return github.create_comment(
        plan.number,
        text,
        found=lambda: ours_among(github.comments(plan.number), login=github.login(), title=title),
    )
