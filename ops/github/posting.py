"""Post a report on a pull request as one comment, updated in place."""

from collections.abc import Sequence
from dataclasses import dataclass

from ops.github.body import LONGEST, fitted, is_same, is_titled
from ops.github.client import Comment, GitHub
from ops.github.cml import Cml, CmlFailedError, updates_ours
from ops.github.errors import RefusedError

CREATED, UPDATED, LEFT = "created", "updated", "unchanged"
BY_CML, BY_API = "cml", "api"
BY_CML_BECAUSE = "CML posted"


@dataclass(frozen=True)
class Plan:
    """What will be done: the action, the tool and why it, and our existing comment."""

    number: int
    action: str
    by: str
    why: str
    ours: Comment | None


@dataclass(frozen=True)
class Posted:
    """What was done, by which tool and why by it, and the comment's address."""

    number: int
    action: str
    by: str
    why: str
    url: str


def planned(text: str, *, github: GitHub, number: int, title: str, cml: Cml | str) -> Plan:
    """Return what posting would do; only read. `cml` may say why CML cannot post."""
    login = github.login()
    comments = github.comments(number)
    ours = ours_among(comments, login=login, title=title)
    if ours is not None and is_same(ours.body, text):
        return Plan(number, LEFT, BY_API, "the comment is the same", ours)
    action = CREATED if ours is None else UPDATED
    if isinstance(cml, str):
        return Plan(number, action, BY_API, cml, ours)
    if not updates_ours(comments, ours, title=title):
        return Plan(number, action, BY_API, "CML would write another comment", ours)
    return Plan(number, action, BY_CML, BY_CML_BECAUSE, ours)


def post_report(text: str, *, github: GitHub, number: int, title: str, artifact: str, cml: Cml | str) -> Posted:
    """Post with CML if it would update our comment, else, or if it fails, with our own client."""
    plan = planned(text, github=github, number=number, title=title, cml=cml)
    if plan.action == LEFT and plan.ours is not None:
        return Posted(number, LEFT, BY_API, plan.why, plan.ours.url)
    if plan.by == BY_CML and isinstance(cml, Cml):
        try:
            return Posted(
                number, plan.action, BY_CML, plan.why, cml.post(text, github=github, number=number, title=title)
            )
        except CmlFailedError as error:
            github.policy.log(str(error))
            plan = planned(text, github=github, number=number, title=title, cml=str(error))
            if plan.action == LEFT and plan.ours is not None:
                return Posted(number, UPDATED, BY_CML, f"CML posted; then {error}", plan.ours.url)
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
    return Posted(plan.number, plan.action, BY_API, plan.why, comment.url)


def _written(text: str, plan: Plan, *, github: GitHub, title: str) -> Comment:
    if plan.ours is not None:
        return github.update_comment(plan.ours.identity, text)
    return github.create_comment(
        plan.number,
        text,
        found=lambda: ours_among(github.comments(plan.number), login=github.login(), title=title),
    )
