"""Create and update comments and pull requests by GitHub's REST API, without duplicates."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar
from urllib.parse import quote, urlencode

from ops.github.errors import RefusedError, UnansweredError
from ops.github.http import HttpClient, Reply, checked_address, origin
from ops.github.refusals import checked
from ops.github.retry import RetryPolicy, retry

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
class GitHub:
    """One repository on GitHub, or on a service with its REST API. The repr hides the token.

    >>> GitHub("https://api.github.com", "owner/name", token="ghs_secret")
    GitHub(address='https://api.github.com', repository='owner/name')
    """

    address: str
    repository: str
    token: str = field(repr=False)
    policy: RetryPolicy = field(default=RetryPolicy(), repr=False)

    def __post_init__(self) -> None:
        checked_address(self.address)

    def login(self) -> str | None:
        """Return the token's user; None for the token of a workflow or an app, which has none."""
        try:
            return self._read(_login, self._request("GET", "/user"))
        except RefusedError as error:
            if error.status in {403, 404}:
                return None
            raise

    def comments(self, number: int) -> list[Comment]:
        """Return all comments on a pull request, oldest first."""
        return list(self._pages(f"{self._root}/issues/{number}/comments", kind=_comment))

    def create_comment(self, number: int, body: str, *, found: Callable[[], Comment | None]) -> Comment:
        """Create a comment; before a retry, `found` checks whether the first request already created it."""
        return self._create(f"{self._root}/issues/{number}/comments", {"body": body}, kind=_comment, found=found)

    def update_comment(self, identity: int, body: str) -> Comment:
        """Replace the body of a comment."""
        return self._read(_comment, self._request("PATCH", f"{self._root}/issues/comments/{identity}", {"body": body}))

    def reviewers(self, environment: str) -> int:
        """Return how many required reviewers an environment has."""
        path = f"{self._root}/environments/{quote(environment, safe='')}"
        return self._read(_reviewers, self._request("GET", path))

    def actions_open_pull_requests(self) -> bool:
        """Return whether the repository's setting lets GitHub Actions open pull requests."""
        reply = self._request("GET", f"{self._root}/actions/permissions/workflow")
        return self._read(lambda found: bool(found["can_approve_pull_request_reviews"]), reply)

    def put_ruleset(self, rules: Fields) -> str:
        """Create or replace the ruleset of this name; return which."""
        path = f"{self._root}/rulesets"

        def existing() -> int | None:
            found = dict(self._pages(path, kind=lambda one: (one["name"], int(one["id"]))))
            return found.get(rules["name"])

        identity = existing()
        if identity is None:
            self._create(path, rules, kind=lambda found: int(found["id"]), found=existing)
            return "created"
        self._request("PUT", f"{path}/{identity}", rules)
        return "updated"

    def pull_request(self, number: int) -> PullRequest:
        """Return one pull request."""
        return self._read(_pull_request, self._request("GET", f"{self._root}/pulls/{number}"))

    def pull_request_of(self, head: str) -> PullRequest | None:
        """Return the newest open pull request of a branch of this repository, or None."""
        return next(iter(self.pull_requests_of(f"{self.repository.partition('/')[0]}:{head}")), None)

    def pull_requests_of(self, head: str, *, state: Literal["open", "closed"] = "open") -> list[PullRequest]:
        """Return the open (or closed) pull requests of OWNER:BRANCH."""
        named = urlencode({"state": state, "head": head})
        found = self._pages(f"{self._root}/pulls?{named}", kind=_pull_request)
        return [one for one in found if one.open == (state == "open") and one.head == head.partition(":")[2]]

    def pull_requests_at(self, commit: str) -> list[PullRequest]:
        """Return the open pull requests with this newest commit."""
        found = self._pages(f"{self._root}/commits/{quote(commit, safe='')}/pulls", kind=_pull_request)
        return [one for one in found if one.open and one.commit == commit]

    def open_pull_request(self, head: str, base: str, title: str, body: str) -> PullRequest:
        """Create or update the open pull request of a branch. GitHub refuses a body above 65,536 characters."""
        existing = self.pull_request_of(head)
        if existing is None:
            wanted = {"head": head, "base": base, "title": title, "body": body}
            try:
                existing = self._create(
                    f"{self._root}/pulls", wanted, kind=_pull_request, found=lambda: self.pull_request_of(head)
                )
            except RefusedError as error:
                existing = self.pull_request_of(head) if error.status == 422 else None
                if existing is None:
                    raise
        if (existing.title, existing.body, existing.base) == (title, body, base):
            return existing
        changed = {"title": title, "body": body, "base": base}
        return self._read(_pull_request, self._request("PATCH", f"{self._root}/pulls/{existing.number}", changed))

    @cached_property
    def http(self) -> HttpClient:
        """The connection to the service."""
        return HttpClient(self.address.rstrip("/"), f"Bearer {self.token}", self.policy.timeout)

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
            reply = self._request("GET", url)
            yield from self._read(lambda found: [kind(one) for one in found], reply)
            url = next_page(reply.headers["Link"])
        raise RefusedError(
            f"{self._name}{path} has more than {MOST_PAGES} pages, expected fewer. Cure: check GITHUB_API_URL."
        )

    def _request(self, method: str, path: str, fields: Fields | None = None) -> Reply:
        return retry(lambda: self._send(method, path, fields), policy=self.policy, service=self._name)

    def _send(self, method: str, path: str, fields: Fields | None = None) -> Reply:
        url = path if "://" in path else f"{self.http.address}{path}"
        content = None if fields is None else json.dumps(fields).encode()
        reply = self.http.send(method, url, content, HEADERS)
        return checked(reply, http=self.http, where=f"{method} {url.partition('?')[0]}")

    def _create(
        self, path: str, fields: Fields, *, kind: Callable[[Any], Made], found: Callable[[], Made | None]
    ) -> Made:
        unsure = False

        def attempt() -> Made:
            nonlocal unsure
            if unsure and (existing := found()) is not None:
                return existing
            try:
                return self._read(kind, self._send("POST", path, fields))
            except UnansweredError as error:
                unsure = unsure or error.accepted
                raise

        return retry(attempt, policy=self.policy, service=self._name)

    def _read(self, kind: Callable[[Any], Made], reply: Reply) -> Made:
        try:
            return kind(json.loads(reply.body))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise RefusedError(
                f"{self._name} does not respond like GitHub's REST API, expected its JSON. "
                "Cure: check GITHUB_API_URL, and whether a proxy intercepts requests."
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


def _reviewers(found: Any) -> int:
    rules = found.get("protection_rules") or []
    return sum(len(rule.get("reviewers") or []) for rule in rules if rule["type"] == "required_reviewers")


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
