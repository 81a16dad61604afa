"""Check key, rate and body of a request before it is handled."""

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
LARGE_BODIES = frozenset({"/predict/batch", "/feedback/batch"})
KILOBYTE, MEGABYTE = 1_000, 1_000_000
BURST_SECONDS = 1.0
TICK = 0.01  # seconds, so that bodies which have just begun differ by size


class Limits:
    """Middleware that reads the whole body first, so that no endpoint waits for a slow client."""

    def __init__(self, application: ASGIApp, settings: Settings) -> None:
        self._application, self._settings = application, settings
        self._key = settings.api_key.get_secret_value().encode() if settings.api_key is not None else None
        self._senders = {name: key.get_secret_value().encode() for name, key in settings.feedback_keys.items()}
        self._rate = settings.requests_per_second
        self._bodies = Bodies(settings)
        self._allowed, self._counted = (self._rate or 0) * BURST_SECONDS, time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        body = Body(self._bodies, scope)
        try:
            if scope["path"] not in OPEN:
                self._check_key(scope)
            if scope["path"] not in UNLIMITED:
                self._check_rate()
            content = await body.read(receive)
        except Refused as problem:
            scope.setdefault("state", {})["refused"] = problem.reason
            await problem.response()(scope, receive, send)
        else:
            await self._application(scope, _replay(content, receive), send)
        finally:
            body.release()

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


class Bodies:
    """The bodies in memory: those that are read, and those of requests in progress."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.size, self.unfinished = 0, set[Body]()
        self._most = int(settings.most_megabytes_at_once * MEGABYTE)

    def make_room(self) -> None:
        """Refuse the most expensive unfinished bodies, until the others fit in memory."""
        now = time.monotonic()
        while self.size > self._most and self.unfinished:
            max(self.unfinished, key=lambda body: body.cost(now)).refuse()


class Body:
    """The body of one request, read in parts."""

    def __init__(self, bodies: Bodies, scope: Scope) -> None:
        self._bodies, settings = bodies, bodies.settings
        large = scope["path"] in LARGE_BODIES
        self._most = int(settings.most_megabytes * MEGABYTE if large else settings.most_kilobytes_of_a_row * KILOBYTE)
        self._announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        self._parts: list[bytes] = []
        self._size, self._started, self._refused = 0, time.monotonic(), False
        self._timeout = asyncio.timeout(settings.seconds_for_a_body)

    def cost(self, now: float) -> float:
        """Return its bytes times its seconds: large for a client that sends much and does not finish."""
        return self._size * (now - self._started + TICK)

    def refuse(self) -> None:
        """End the reading of this body."""
        self._refused = True
        self.release()
        self._timeout.reschedule(0)

    def release(self) -> None:
        """Forget the body, which no longer counts."""
        self._bodies.unfinished.discard(self)
        self._bodies.size -= self._size
        self._size = 0
        self._parts.clear()

    async def read(self, receive: Receive) -> bytes:
        """Return the whole body; it counts until it is released."""
        if self._announced.isdigit() and int(self._announced) > self._most:
            raise _too_large(self._most)
        try:
            async with self._timeout:
                return await self._read(receive)
        except TimeoutError:
            self.release()
            if self._refused:
                busy = "Too many large bodies at once; try again in a second."
                raise refused(HTTPStatus.SERVICE_UNAVAILABLE, "busy", busy, {"Retry-After": "1"}) from None
            waited = f"{self._bodies.settings.seconds_for_a_body:g} seconds"
            raise refused(HTTPStatus.REQUEST_TIMEOUT, "slow", f"The body did not arrive within {waited}.") from None

    async def _read(self, receive: Receive) -> bytes:
        self._bodies.unfinished.add(self)
        more = True
        while more:
            message: Any = await receive()
            more = message.get("more_body", False)
            self._add(message.get("body", b""))
        self._bodies.unfinished.discard(self)
        content = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        return content

    def _add(self, part: bytes) -> None:
        self._parts.append(part)
        self._size += len(part)
        self._bodies.size += len(part)
        if self._size > self._most:
            self.release()
            raise _too_large(self._most)
        self._bodies.make_room()
        if self._refused:
            raise TimeoutError


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
