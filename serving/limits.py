"""Check API key, request rate, body size and body time before a request is handled."""

import asyncio
import hmac
import time
from http import HTTPStatus
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.errors import Refused, refused
from serving.settings import Settings

OPEN = frozenset({"/health", "/ready"})  # probes have no key
UNLIMITED = OPEN | {"/metrics"}  # monitoring must work under high load
LABELS = frozenset({"/feedback", "/feedback/batch"})
MEGABYTE = 1_000_000
BURST_SECONDS = 1.0


class Limits:
    """Middleware that reads the whole body first, so that no endpoint waits for a slow client."""

    def __init__(self, application: ASGIApp, settings: Settings) -> None:
        self._application, self._settings = application, settings
        self._key = settings.api_key.get_secret_value().encode() if settings.api_key is not None else None
        self._senders = {name: key.get_secret_value().encode() for name, key in settings.feedback_keys.items()}
        self._rate = settings.requests_per_second
        self._allowed, self._counted = (self._rate or 0) * BURST_SECONDS, time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        try:
            if scope["path"] not in OPEN:
                self._check_key(scope)
            if scope["path"] not in UNLIMITED:
                self._check_rate()
            body = await self._body(scope, receive)
        except Refused as problem:
            scope.setdefault("state", {})["refused"] = problem.reason
            await problem.response()(scope, receive, send)
            return
        await self._application(scope, _replay(body, receive), send)

    def _check_key(self, scope: Scope) -> None:
        """Refuse a request without a key of its path; for labels, note the sender that has the key."""
        for_labels = scope["path"] in LABELS and bool(self._senders)
        keys = self._senders if for_labels else {} if self._key is None else {"": self._key}
        if not keys:
            return
        headers = dict(reversed(scope["headers"]))
        given = headers.get(b"x-api-key") or headers.get(b"authorization", b"").removeprefix(b"Bearer ")
        matching = [name for name, key in keys.items() if hmac.compare_digest(given, key)]
        if not matching:
            raise refused(
                HTTPStatus.UNAUTHORIZED,
                "key",
                "The header X-API-Key is missing or wrong.",
                {"WWW-Authenticate": "ApiKey"},
            )
        if for_labels:
            scope.setdefault("state", {})["sender"] = matching[0]

    def _check_rate(self) -> None:
        """Token bucket: it refills evenly, and allows the requests of one second at once."""
        if self._rate is None:
            return
        moment = time.monotonic()
        most = max(1.0, self._rate * BURST_SECONDS)
        self._allowed = min(most, self._allowed + (moment - self._counted) * self._rate)
        self._counted = moment
        if self._allowed < 1:
            headers = {"Retry-After": "1"}
            raise refused(HTTPStatus.TOO_MANY_REQUESTS, "rate", "Too many requests; try again in a second.", headers)
        self._allowed -= 1

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        most = int(self._settings.most_megabytes * MEGABYTE)
        length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if length.isdigit() and int(length) > most:
            raise _too_large(most)
        try:
            async with asyncio.timeout(self._settings.seconds_for_a_body):
                return await _read(receive, most)
        except TimeoutError:
            waited = f"{self._settings.seconds_for_a_body:g} seconds"
            raise refused(HTTPStatus.REQUEST_TIMEOUT, "slow", f"The body did not arrive within {waited}.") from None


async def _read(receive: Receive, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            raise _too_large(most)
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the whole body first, then the client's further messages."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


def _too_large(most: int) -> Refused:
    return refused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", f"The body is larger than {most / MEGABYTE:g} megabytes."
    )
