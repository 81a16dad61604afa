"""Receivers of alerts on loopback: a webhook, Slack and a mail server."""

import base64
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """What has arrived so far: bodies with their path and Authorization, and mails with who sent them."""

    web: str = ""
    mail: str = ""
    posts: list[tuple[str, str | None, Any]] = field(default_factory=list)
    mails: list[tuple[str, str]] = field(default_factory=list)

    def at(self, path: str) -> list[Any]:
        """Return the bodies that came to a path."""
        return [body for where, _, body in self.posts if where == path]


@contextmanager
def receivers() -> Iterator[Received]:
    """Yield what has been received, at the addresses `web` and `mail` (host:port)."""
    received = Received()
    with _web(received) as web, _mail(received) as mail:
        received.web, received.mail = (f"127.0.0.1:{server.server_address[1]}" for server in (web, mail))
        threads = [threading.Thread(target=server.serve_forever, daemon=True) for server in (web, mail)]
        for thread in threads:
            thread.start()
        try:
            yield received
        finally:
            web.shutdown()
            mail.shutdown()


def _web(received: Received) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            received.posts.append((self.path, self.headers["Authorization"], body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


class _MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True


def _mail(received: Received) -> _MailServer:
    class Handler(socketserver.StreamRequestHandler):
        """As much of SMTP as a mail takes that shows a password."""

        def handle(self) -> None:
            who = ""
            self._say("220 the tests' own")
            while line := self.rfile.readline().decode().strip():
                verb, _, rest = line.partition(" ")
                if verb == "EHLO":
                    self._say("250-hello", "250 AUTH PLAIN")
                elif verb == "AUTH":
                    who = base64.b64decode(rest.split()[1]).decode().replace("\0", " ").strip()
                    self._say("235 known")
                elif verb == "DATA":
                    self._say("354 go on")
                    received.mails.append((who, self._content()))
                    self._say("250 taken")
                elif verb == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 ok")

        def _content(self) -> str:
            lines: list[str] = []
            while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                lines.append(line)
            return "\n".join(lines)

        def _say(self, *lines: str) -> None:
            self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    return _MailServer(("127.0.0.1", 0), Handler)
