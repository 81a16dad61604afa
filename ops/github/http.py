"""Send one request to a service: the secret goes to its own host in a header, and nowhere else."""

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
LARGEST = 20_000_000  # bytes of an answer
HIDDEN = "***"
# A token or a header's value in printable ASCII: http.client shows the value in its error where a newline is inside.
PRINTABLE = re.compile(r"[!-~]+(?: [!-~]+)*")
UNREADABLE = "an address that cannot be read"
# Nothing has reached the service when one of these is raised.
UNSENT = (ConnectionRefusedError, socket.gaierror)


class _EveryAnswer(urllib.request.HTTPErrorProcessor):
    """Takes every answer as one, whatever its status: urllib would follow a redirect, and carry the secret along."""

    def http_response(self, request: Any, response: Any) -> Any:  # noqa: ARG002 - urllib's signature
        return response

    https_response = http_response


@dataclass(frozen=True)
class Reply:
    """What a service answered."""

    status: int
    headers: Message
    body: bytes


@dataclass(frozen=True)
class Wire:
    """A way to one service: https, or http on this machine; certificates as SSL_CERT_FILE or the system has them."""

    address: str
    authorization: str = field(default="", repr=False)
    timeout: float = 30

    def __post_init__(self) -> None:
        checked_address(self.address)
        if self.authorization and not PRINTABLE.fullmatch(self.authorization):
            raise RefusedError(
                "the token holds characters that no header may hold, expected printable ASCII on one line. "
                "Cure: store the secret again, without a newline inside."
            )

    def send(
        self, method: str, url: str, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Return the answer, whatever its status; redirects within the host are followed with the method as it is."""
        found = self._sent(method, url, content, headers or {})
        for _ in range(MOST_REDIRECTS):
            if found.status not in REDIRECTS or not found.headers["Location"]:
                return found
            url = redirected(url, found.headers["Location"])
            found = self._sent(method, url, content, headers or {})
        return found

    def hidden(self, text: str) -> str:
        """Return text on one line without the secret, fit for a log."""
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
        handlers: list[urllib.request.BaseHandler] = [_EveryAnswer()]
        parts = urlsplit(self.address)
        if parts.scheme == "https":
            handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context()))
        if is_loopback(parts):
            handlers.append(urllib.request.ProxyHandler({}))
        return urllib.request.build_opener(*handlers)

    def _check_host(self, url: str) -> None:
        if origin(url) != origin(self.address):
            raise RefusedError(
                f"{origin(self.address)} points to another host ({self.hidden(origin(url))}), expected one service. "
                "Nothing was sent there. Cure: give the service's own address (GITHUB_API_URL)."
            )

    def _distrust(self, error: ssl.SSLCertVerificationError) -> str:
        return (
            f"{origin(self.address)} shows a certificate that is not trusted ({error.verify_message}). "
            "Cure: where the service has an authority of its own, name its certificate in SSL_CERT_FILE."
        )


def checked_address(address: str) -> str:
    """Return the address of a service without a slash at its end; refuse what a secret must not travel to."""
    parts = urlsplit(address if origin(address) != UNREADABLE else "")
    fit = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts))
    if not fit or not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        shown = f"{parts.scheme}://{parts.hostname}" if parts.hostname else "no address"
        raise RefusedError(
            f"found {shown} as the address of a service, expected https://HOST[/PATH] without a user or a question "
            "mark (http on this machine only). Cure: correct GITHUB_API_URL, or --publish."
        )
    return address.rstrip("/")


def origin(url: str) -> str:
    """Return scheme, host and port of an address; words where it cannot be read, which equal no address.

    >>> origin("https://API.example.org:443/repos?page=2")
    'https://api.example.org:443'
    """
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return UNREADABLE
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"


def redirected(url: str, location: str) -> str:
    """Return where an answer points to, from the address that was asked."""
    try:
        return urljoin(url, location)
    except ValueError:
        return location


def is_loopback(parts: SplitResult) -> bool:
    """Say whether an address is this machine's own."""
    if parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def _content(found: Any) -> bytes:
    content: bytes = found.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise http.client.HTTPException(f"the answer is larger than {LARGEST:,} bytes")
    return content
