"""Poll a server until it serves the expected model."""

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from lab.core.errors import LabError

IN_A_ROW = 5  # each over a connection of its own, so that several workers are met
SECONDS_BETWEEN = 0.2
SECONDS_FOR_AN_ANSWER = 5


class AskingError(LabError):
    """The server could not be asked."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A key is for the server that was named, and for no other that it points to."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass(frozen=True)
class Server:
    """A server's address, and the key that it asks for."""

    address: str
    key: str = field(repr=False)

    def fingerprint(self) -> str:
        """Return the fingerprint of the model that answers, of which /ready and /model must say the same."""
        found = {self._asked("/ready")["fingerprint"], self._asked("/model")["champion"]["fingerprint"]}
        return " or ".join(sorted(found))

    def waits_for(self, fingerprint: str, *, seconds: float) -> str | None:
        """Return None once it names this model some times in a row, or after so many seconds what it said instead."""
        deadline, seen, said = time.monotonic() + seconds, 0, "nothing"
        while seen < IN_A_ROW and time.monotonic() < deadline:
            try:
                said = self.fingerprint()
            except AskingError as error:
                said = str(error)
            seen = seen + 1 if said == fingerprint else 0
            time.sleep(SECONDS_BETWEEN if seen == 0 else 0)
        return None if seen == IN_A_ROW else said

    def _asked(self, path: str) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the settings allow http and https only
            f"{self.address}{path}", headers={"X-API-Key": self.key} if self.key else {}
        )
        opener = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=SECONDS_FOR_AN_ANSWER) as answer:
                return json.load(answer)
        except (OSError, ValueError, HTTPException) as error:
            cure = "Cure: set LAB_API_KEY." if isinstance(error, urllib.error.HTTPError) and error.code == 401 else ""
            raise AskingError(f"{self.address}{path} could not be asked: {error}. {cure}".rstrip()) from error
