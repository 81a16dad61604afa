"""A small client of GitHub's REST API: comments and pull requests, each made once however often it is asked for."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar
from urllib.parse import quote, urlencode

from ops.github.errors import RefusedError, UnansweredError
from ops.github.http import Reply, Wire, checked_address, origin
from ops.github.refusals import checked
from ops.github.retry import Patience, kept_asking

MOST_PAGES = 100
PER_PAGE = 100
HEADERS = {
    "Accept": "application/vnd.github+json",
    "Content-Type": "application/json",
    "User-Agent": "tabular-lab",
    "X-GitHub-Api-Version": "2022-11-28",
}
Made = TypeVar("Made")
Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Comment:
    """A comment on a pull request."""

    identity: int
    body: str
    author: str
    bot: bool
    url: str


@dataclass(frozen=True)
class PullRequest:
    """A pull request; `commit` is the newest of its branch `head`."""

    number: int
    url: str
    head: str
    commit: str
    base: str
    title: str
    body: str
    open: bool


@dataclass(frozen=True)
class Hub:
    """One repository at GitHub, or at what speaks its REST API. The token is in no representation of it.

    >>> Hub("https://api.github.com", "owner/name", token="ghs_secret")
    Hub(address='https://api.github.com', repository='owner/name')
    """

    address: str
    repository: str
    token: str = field(repr=False)
    patience: Patience = field(default=Patience(), repr=False)

    def __post_init__(self) -> None:
        checked_address(self.address)

    def login(self) -> str | None:
        """Return who the token belongs to; None for a workflow's or an app's token, which GitHub does not tell."""
        try:
            return self._read(_login, self._ask("GET", "/user"))
        except RefusedError as error:
            if error.status in {403, 404}:
                return None
            raise

    def comments(self, number: int) -> list[Comment]:
        """Return every comment on a pull request, the oldest first."""
        return list(self._pages(f"{self._root}/issues/{number}/comments", kind=_comment))

    def create_comment(self, number: int, body: str, *, found: Callable[[], Comment | None]) -> Comment:
        """Return the comment that is made; where it is not known whether one was, `found` looks before another is."""
        return self._made(f"{self._root}/issues/{number}/comments", {"body": body}, kind=_comment, found=found)

    def update_comment(self, identity: int, body: str) -> Comment:
        """Return the comment with its new body."""
        return self._read(_comment, self._ask("PATCH", f"{self._root}/issues/comments/{identity}", {"body": body}))

    def pull_request(self, number: int) -> PullRequest:
        """Return one pull request."""
        return self._read(_pull_request, self._ask("GET", f"{self._root}/pulls/{number}"))

    def pull_request_of(self, head: str) -> PullRequest | None:
        """Return the open pull request of a branch of this repository, or None; the newest where there are several."""
        return next(iter(self.pull_requests_of(f"{self.repository.partition('/')[0]}:{head}")), None)

    def pull_requests_of(self, head: str, *, state: Literal["open", "closed"] = "open") -> list[PullRequest]:
        """Return the open (or closed) pull requests of OWNER:BRANCH."""
        named = urlencode({"state": state, "head": head})
        found = self._pages(f"{self._root}/pulls?{named}", kind=_pull_request)
        return [one for one in found if one.open == (state == "open") and one.head == head.partition(":")[2]]

    def pull_requests_at(self, commit: str) -> list[PullRequest]:
        """Return the open pull requests whose newest commit this is."""
        found = self._pages(f"{self._root}/commits/{quote(commit, safe='')}/pulls", kind=_pull_request)
        return [one for one in found if one.open and one.commit == commit]

    def open_pull_request(self, head: str, base: str, title: str, body: str) -> PullRequest:
        """Return the open pull request of a branch, made where there is none, with this title and body.

        The body is cut by nobody here: GitHub refuses more than 65,536 characters.
        """
        there = self.pull_request_of(head)
        if there is None:
            wanted = {"head": head, "base": base, "title": title, "body": body}
            try:
                there = self._made(
                    f"{self._root}/pulls", wanted, kind=_pull_request, found=lambda: self.pull_request_of(head)
                )
            except RefusedError as error:
                there = self.pull_request_of(head) if error.status == 422 else None
                if there is None:
                    raise
        if (there.title, there.body, there.base) == (title, body, base):
            return there
        changed = {"title": title, "body": body, "base": base}
        return self._read(_pull_request, self._ask("PATCH", f"{self._root}/pulls/{there.number}", changed))

    def set_labels(self, number: int, labels: Sequence[str]) -> None:
        """Give a pull request these labels and no others."""
        self._ask("PUT", f"{self._root}/issues/{number}/labels", {"labels": list(labels)})

    @cached_property
    def wire(self) -> Wire:
        """The way to the service."""
        return Wire(self.address.rstrip("/"), f"Bearer {self.token}", self.patience.timeout)

    @property
    def _root(self) -> str:
        return f"/repos/{self.repository}"

    @property
    def _name(self) -> str:
        return origin(self.address)

    def _pages(self, path: str, *, kind: Callable[[Any], Made]) -> Iterator[Made]:
        url: str | None = f"{path}{'&' if '?' in path else '?'}per_page={PER_PAGE}"
        for _ in range(MOST_PAGES):
            if url is None:
                return
            reply = self._ask("GET", url)
            yield from self._read(lambda found: [kind(one) for one in found], reply)
            url = next_page(reply.headers["Link"])
        raise RefusedError(
            f"{self._name}{path} goes on after {MOST_PAGES} pages, expected an end. Cure: look at GITHUB_API_URL."
        )

    def _ask(self, method: str, path: str, fields: Fields | None = None) -> Reply:
        return kept_asking(lambda: self._once(method, path, fields), patience=self.patience, whom=self._name)

    def _once(self, method: str, path: str, fields: Fields | None = None) -> Reply:
        url = path if "://" in path else f"{self.wire.address}{path}"
        content = None if fields is None else json.dumps(fields).encode()
        reply = self.wire.send(method, url, content, HEADERS)
        return checked(reply, wire=self.wire, where=f"{method} {url.partition('?')[0]}")

    def _made(
        self, path: str, fields: Fields, *, kind: Callable[[Any], Made], found: Callable[[], Made | None]
    ) -> Made:
        unsure = False

        def ask() -> Made:
            nonlocal unsure
            if unsure and (there := found()) is not None:
                return there
            try:
                return self._read(kind, self._once("POST", path, fields))
            except UnansweredError as error:
                unsure = unsure or error.accepted
                raise

        return kept_asking(ask, patience=self.patience, whom=self._name)

    def _read(self, kind: Callable[[Any], Made], reply: Reply) -> Made:
        try:
            return kind(json.loads(reply.body))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise RefusedError(
                f"{self._name} answered with something else than GitHub's REST API does, expected its JSON. "
                "Cure: look at GITHUB_API_URL, and whether a proxy stands in the way."
            ) from None


def next_page(link: str | None) -> str | None:
    """Return the address of the next page in a Link header, or None on the last.

    >>> next_page('<https://api.github.com/x?page=1>; rel="prev", <https://api.github.com/x?page=3>; rel="next"')
    'https://api.github.com/x?page=3'
    """
    for part in (link or "").split(","):
        address, _, rest = part.strip().partition(";")
        if 'rel="next"' in rest:
            return address.strip("<> ")
    return None


def _login(found: Any) -> str:
    return str(found["login"])


def _comment(found: Any) -> Comment:
    user = found.get("user") or {}
    return Comment(
        identity=int(found["id"]),
        body=str(found.get("body") or ""),
        author=str(user.get("login", "")),
        bot=user.get("type") == "Bot",
        url=str(found.get("html_url", "")),
    )


def _pull_request(found: Any) -> PullRequest:
    return PullRequest(
        number=int(found["number"]),
        url=str(found.get("html_url", "")),
        head=str(found["head"]["ref"]),
        commit=str(found["head"]["sha"]),
        base=str(found["base"]["ref"]),
        title=str(found.get("title") or ""),
        body=str(found.get("body") or ""),
        open=found.get("state") == "open",
    )
