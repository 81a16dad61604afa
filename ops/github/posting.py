"""Put a report on a pull request as one comment, whoever posts it and however often."""

from collections.abc import Sequence
from dataclasses import dataclass

from ops.github.body import LONGEST, fitted, is_same, is_titled
from ops.github.client import Comment, Hub
from ops.github.cml import Cml, would_hit
from ops.github.errors import RefusedError

CREATED, UPDATED, LEFT = "created", "updated", "unchanged"
BY_CML, BY_API = "cml", "api"


@dataclass(frozen=True)
class Plan:
    """What would be done: to which comment of ours, and who does it."""

    number: int
    action: str
    by: str
    ours: Comment | None


@dataclass(frozen=True)
class Posted:
    """What was done, and where it can be seen."""

    number: int
    action: str
    by: str
    url: str


def planned(text: str, *, hub: Hub, number: int, title: str, cml: Cml | None) -> Plan:
    """Return what posting would do; it only reads."""
    login = hub.login()
    comments = hub.comments(number)
    ours = ours_among(comments, login=login, title=title)
    if ours is not None and is_same(ours.body, text):
        return Plan(number, LEFT, BY_API, ours)
    by = BY_CML if cml is not None and would_hit(comments, ours, title=title) else BY_API
    return Plan(number, CREATED if ours is None else UPDATED, by, ours)


def post_report(text: str, *, hub: Hub, number: int, title: str, artifact: str, cml: Cml | None) -> Posted:
    """Return what was done: with CML where it would hit our comment, else, and where it fails, with our client."""
    plan = planned(text, hub=hub, number=number, title=title, cml=cml)
    if plan.action == LEFT and plan.ours is not None:
        return Posted(number, LEFT, BY_API, plan.ours.url)
    if plan.by == BY_CML and cml is not None:
        if url := cml.post(text, hub=hub, number=number, title=title):
            return Posted(number, plan.action, BY_CML, url)
        # It may have posted before it failed.
        plan = planned(text, hub=hub, number=number, title=title, cml=None)
        if plan.action == LEFT and plan.ours is not None:
            return Posted(number, UPDATED, BY_CML, plan.ours.url)
    return _by_api(text, plan, hub=hub, title=title, artifact=artifact)


def ours_among(comments: Sequence[Comment], *, login: str | None, title: str) -> Comment | None:
    """Return the newest comment that begins with our title and was made by us: by a bot where we are not told who."""
    for comment in reversed(comments):
        own = comment.bot if login is None else comment.author.lower() == login.lower()
        if own and is_titled(comment.body, title=title):
            return comment
    return None


def _by_api(text: str, plan: Plan, *, hub: Hub, title: str, artifact: str) -> Posted:
    try:
        comment = _written(text, plan, hub=hub, title=title)
    except RefusedError as error:
        if error.status != 422 or "too long" not in error.said.lower():
            raise
        hub.patience.say(f"{error.said}: shortened to half")
        shorter = fitted(text, artifact=artifact, longest=min(len(text), LONGEST) // 2)
        comment = _written(shorter, plan, hub=hub, title=title)
    return Posted(plan.number, plan.action, BY_API, comment.url)


def _written(text: str, plan: Plan, *, hub: Hub, title: str) -> Comment:
    if plan.ours is not None:
        return hub.update_comment(plan.ours.identity, text)
    return hub.create_comment(
        plan.number,
        text,
        found=lambda: ours_among(hub.comments(plan.number), login=hub.login(), title=title),
    )
