"""Send HTTP requests to one service; the secret goes to its own host only."""

import http.client
import ipaddress
import re
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from functools import cached_property
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from ops.github.errors import RefusedError, UnansweredError

REDIRECTS = frozenset({301, 302, 307, 308})
MOST_REDIRECTS = 3
LARGEST = 20_000_000  # bytes of a response
HIDDEN = "***"
# Printable ASCII: http.client's error for a newline in a header would show the secret.
PRINTABLE = re.compile(r"[!-~]+(?: [!-~]+)*")
INVALID = "an invalid address"
# Errors that are raised before anything reaches the service.
UNSENT = (ConnectionRefusedError, socket.gaierror)


class _AnyStatus(urllib.request.HTTPErrorProcessor):
    """Return a response of any status: urllib would follow redirects and send the secret along."""

    def http_response(self, request: Any, response: Any) -> Any:  # noqa: ARG002 - urllib's signature
        return response

    https_response = http_response


@dataclass(frozen=True)
class Reply:
    """The response of a service."""

    status: int
    headers: Message
    body: bytes


@dataclass(frozen=True)
class HttpClient:
    """A client of one service: https, or http on loopback; certificates of SSL_CERT_FILE or the system."""

    address: str
    authorization: str = field(default="", repr=False)
    timeout: float = 30

    def __post_init__(self) -> None:
        checked_address(self.address)
        if self.authorization and not PRINTABLE.fullmatch(self.authorization):
            raise RefusedError(
                "the token has characters that a header does not allow, expected printable ASCII on one line. "
                "Cure: store the secret again, without a newline."
            )

    def send(
        self, method: str, url: str, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Return the response of any status; follow redirects within the host with the same method."""
        found = self._sent(method, url, content, headers or {})
        for _ in range(MOST_REDIRECTS):
            if found.status not in REDIRECTS or not found.headers["Location"]:
                return found
            url = redirected(url, found.headers["Location"])
            found = self._sent(method, url, content, headers or {})
        return found

    def hidden(self, text: str) -> str:
        """Return text on one line without the secret, for a log."""
        for secret in {self.authorization, self.authorization.rpartition(" ")[2]} - {""}:
            text = text.replace(secret, HIDDEN)
        return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:300]

    def _sent(self, method: str, url: str, content: bytes | None, headers: Mapping[str, str]) -> Reply:
        self._check_host(url)
        secret = {"Authorization": self.authorization} if self.authorization else {}
        request = urllib.request.Request(url, data=content, headers={**headers, **secret}, method=method)  # noqa: S310 - checked
        try:
            return self._answer(request)
        except (OSError, http.client.HTTPException) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            if isinstance(reason, ssl.SSLCertVerificationError):
                raise RefusedError(self._distrust(reason)) from None
            said = self.hidden(str(reason)) or type(reason).__name__
            raise UnansweredError(said, accepted=not isinstance(reason, UNSENT)) from None

    def _answer(self, request: urllib.request.Request) -> Reply:
        with self._opener.open(request, timeout=self.timeout) as found:
            return Reply(found.status, found.headers, _content(found))

    @cached_property
    def _opener(self) -> urllib.request.OpenerDirector:
        handlers: list[urllib.request.BaseHandler] = [_AnyStatus()]
        parts = urlsplit(self.address)
        if parts.scheme == "https":
            handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context()))
        if is_loopback(parts):
            handlers.append(urllib.request.ProxyHandler({}))
        return urllib.request.build_opener(*handlers)

    def _check_host(self, url: str) -> None:
        if origin(url) != origin(self.address):
            raise RefusedError(
                f"{origin(self.address)} redirects to another host ({self.hidden(origin(url))}). "
                "Nothing was sent there. Cure: set the service's own address (GITHUB_API_URL)."
            )

    def _distrust(self, error: ssl.SSLCertVerificationError) -> str:
        return (
            f"{origin(self.address)} has a certificate that is not trusted ({error.verify_message}). "
            "Cure: if the service has its own certificate authority, set SSL_CERT_FILE to its certificate."
        )


def checked_address(address: str) -> str:
    """Return the address without a trailing slash; refuse one to which no secret may be sent."""
    parts = urlsplit(address if origin(address) != INVALID else "")
    fit = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts))
    if not fit or not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        shown = f"{parts.scheme}://{parts.hostname}" if parts.hostname else "no address"
        raise RefusedError(
            f"found {shown} as the address of a service, expected https://HOST[/PATH] without user or query "
            "(http on this machine only). Cure: correct GITHUB_API_URL, or --publish."
        )
    return address.rstrip("/")


def origin(url: str) -> str:
    """Return scheme, host and port of an address; for an invalid one, a text that equals no address.

    >>> origin("https://API.example.org:443/repos?page=2")
    'https://api.example.org:443'
    """
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return INVALID
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"


def redirected(url: str, location: str) -> str:
    """Return the target of a redirect."""
    try:
        return urljoin(url, location)
    except ValueError:
        return location


def is_loopback(parts: SplitResult) -> bool:
    """Return whether an address is on loopback."""
    if parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def _content(found: Any) -> bytes:
    content: bytes = found.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise http.client.HTTPException(f"the response is larger than {LARGEST:,} bytes")
    return content
