"""A server on loopback that behaves like GitHub's API for comments and pull requests."""

import datetime as dt
import ipaddress
import json
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

TOKEN = "ghs_secret0123456789abcdefABCDEF01234567"  # noqa: S105 - made up, so that it can be searched for
REPOSITORY = "owner/name"
ME = "robot"
BOT = "github-actions[bot]"
LONGEST = 65_536


@dataclass
class Fault:
    """What goes wrong with the next request of a method, before or after it is done."""

    method: str
    status: int = 0  # 0: the connection is cut
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "a fault"
    content: Any = None  # instead of the message
    after: bool = False
    hang: bool = False


@dataclass
class Request:
    """What the server was asked."""

    method: str
    path: str
    authorization: str | None
    body: bytes


@dataclass
class State:
    """What the server knows, and what it was asked."""

    login: str | None = ME  # None: an app's token, which /user does not tell of
    comments: list[dict[str, Any]] = field(default_factory=list)
    pulls: list[dict[str, Any]] = field(default_factory=list)
    reviewers: dict[str, list[str]] = field(default_factory=dict)  # by environment
    actions_propose: bool | None = True  # None: the token may not read the setting
    rulesets: list[dict[str, Any]] | None = field(default_factory=list)  # None: the token may not write them
    labels: dict[int, list[str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    longest: int = LONGEST
    closing: threading.Event = field(default_factory=threading.Event)

    def comment(self, body: str, *, author: str = ME, kind: str = "User") -> dict[str, Any]:
        """Add a comment to pull request 7."""
        identity = 1000 + len(self.comments)
        found = {
            "id": identity,
            "body": body,
            "user": {"login": author, "type": kind},
            "html_url": f"https://github.example/{REPOSITORY}/pull/7#issuecomment-{identity}",
        }
        self.comments.append(found)
        return found

    def pull(
        self, number: int, *, head: str = "topic", owner: str = "owner", sha: str = "a" * 40, before: str = ""
    ) -> dict[str, Any]:
        """Add an open pull request."""
        found = {
            "number": number,
            "state": "open",
            "title": "a title",
            "body": "",
            "html_url": f"https://github.example/{REPOSITORY}/pull/{number}",
            "head": {"ref": head, "sha": sha, "label": f"{owner}:{head}"},
            "base": {"ref": "main"},
            "before": [before],  # GitHub does not say it: the other commits of the branch
        }
        self.pulls.append(found)
        return found

    def asked(self, method: str) -> list[str]:
        """Return the paths that were asked for with a method."""
        return [request.path for request in self.requests if request.method == method]

    @property
    def bodies(self) -> list[str]:
        """The bodies of all comments."""
        return [comment["body"] for comment in self.comments]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: State
    root: str  # the server's own address

    def _handle(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        state = self.state
        state.requests.append(Request(self.command, self.path, self.headers.get("Authorization"), content))
        fault = next((one for one in state.faults if one.method in {self.command, "*"}), None)
        if fault is not None:
            state.faults.remove(fault)
        if fault is None or fault.after:
            status, found, headers = self._answer(content)
        if fault is None:
            self._reply(status, found, headers)
        elif fault.hang:
            state.closing.wait(60)
            self.close_connection = True
        elif fault.status:
            found = {"message": fault.message} if fault.content is None else fault.content
            self._reply(fault.status, found, fault.headers)
        else:
            # A closed socket that lingers for no time is a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_PUT = _handle  # noqa: N815 - http.server's names

    def _answer(self, content: bytes) -> tuple[int, Any, Mapping[str, str]]:
        parts = urlsplit(self.path)
        if parts.path.startswith("/files/"):
            self.state.files[parts.path] = content
            return 201, {}, {}
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"message": "Bad credentials"}, {}
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        said = json.loads(content) if content else {}
        for method, pattern, answer in ROUTES:
            if self.command == method and (found := re.fullmatch(pattern, parts.path)):
                return answer(self, found, asked, said)
        return 404, {"message": "Not Found"}, {}

    def user(self, _: Any, __: Any, ___: Any) -> tuple[int, Any, Mapping[str, str]]:
        if self.state.login is None:
            return 403, {"message": "Resource not accessible by integration"}, {}
        return 200, {"login": self.state.login, "type": "User"}, {}

    def listed(self, found: re.Match[str], asked: Any, _: Any) -> tuple[int, Any, Mapping[str, str]]:
        if found["number"] != "7":
            return 404, {"message": "Not Found"}, {}
        size, page = int(asked.get("per_page", 30)), int(asked.get("page", 1))
        start = (page - 1) * size
        more = start + size < len(self.state.comments)
        address = f"{self.root}{urlsplit(self.path).path}?per_page={size}&page={page + 1}"
        headers = {"Link": f'<{address}>; rel="next", <{address}>; rel="last"'} if more else {}
        return 200, self.state.comments[start : start + size], headers

    def commented(self, found: re.Match[str], _: Any, said: Any) -> tuple[int, Any, Mapping[str, str]]:
        if found["number"] != "7":
            return 404, {"message": "Not Found"}, {}
        if refused := self._too_long(said["body"]):
            return refused
        login = self.state.login
        kind = "User" if login else "Bot"
        return 201, self.state.comment(said["body"], author=login or BOT, kind=kind), {}

    def changed(self, found: re.Match[str], _: Any, said: Any) -> tuple[int, Any, Mapping[str, str]]:
        if refused := self._too_long(said["body"]):
            return refused
        for comment in self.state.comments:
            if comment["id"] == int(found["identity"]):
                comment["body"] = said["body"]
                return 200, comment, {}
        return 404, {"message": "Not Found"}, {}

    def pulled(self, found: re.Match[str], _: Any, said: Any) -> tuple[int, Any, Mapping[str, str]]:
        for pull in self.state.pulls:
            if pull["number"] == int(found["number"]):
                if self.command == "PATCH":
                    pull |= {"title": said["title"], "body": said["body"], "base": {"ref": said["base"]}}
                return 200, pull, {}
        return 404, {"message": "Not Found"}, {}

    def pulls(self, _: Any, asked: Any, __: Any) -> tuple[int, Any, Mapping[str, str]]:
        there = [one for one in self.state.pulls if one["state"] == asked["state"]]
        return 200, [one for one in there if one["head"]["label"] == asked["head"]], {}

    def opened(self, _: Any, __: Any, said: Any) -> tuple[int, Any, Mapping[str, str]]:
        label = f"owner:{said['head']}"
        if any(one["head"]["label"] == label and one["state"] == "open" for one in self.state.pulls):
            errors = [{"message": f"A pull request already exists for {label}."}]
            return 422, {"message": "Validation Failed", "errors": errors}, {}
        made = self.state.pull(len(self.state.pulls) + 1, head=said["head"])
        made |= {"title": said["title"], "body": said["body"], "base": {"ref": said["base"]}}
        return 201, made, {}

    def at_commit(self, found: re.Match[str], _: Any, __: Any) -> tuple[int, Any, Mapping[str, str]]:
        return 200, [one for one in self.state.pulls if found["commit"] in (one["head"]["sha"], *one["before"])], {}

    def environment(self, found: re.Match[str], _: Any, __: Any) -> tuple[int, Any, Mapping[str, str]]:
        if found["name"] not in self.state.reviewers:
            return 404, {"message": "Not Found"}, {}
        there = [{"type": "User", "reviewer": {"login": login}} for login in self.state.reviewers[found["name"]]]
        rules: list[dict[str, Any]] = [{"id": 1, "type": "branch_policy"}, {"id": 2, "type": "wait_timer"}]
        rules += [{"id": 3, "type": "required_reviewers", "reviewers": there}] if there else []
        return 200, {"name": found["name"], "protection_rules": rules}, {}

    def permissions(self, _: Any, __: Any, ___: Any) -> tuple[int, Any, Mapping[str, str]]:
        if self.state.actions_propose is None:
            return 403, {"message": "Resource not accessible by integration"}, {}
        found = {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": self.state.actions_propose}
        return 200, found, {}

    def ruled(self, found: re.Match[str], _: Any, said: Any) -> tuple[int, Any, Mapping[str, str]]:
        there = self.state.rulesets
        if there is None:
            return 403, {"message": "Resource not accessible by personal access token"}, {}
        if self.command == "GET":
            return 200, [{"id": place, "name": one["name"], "target": "branch"} for place, one in enumerate(there)], {}
        if self.command == "PUT":
            there[int(found["identity"])] = said
            return 200, {"id": int(found["identity"]), **said}, {}
        if any(one["name"] == said["name"] for one in there):
            return 422, {"message": "Validation Failed", "errors": ["Name must be unique"]}, {}
        there.append(said)
        return 201, {"id": len(there) - 1, **said}, {}

    def labelled(self, found: re.Match[str], _: Any, said: Any) -> tuple[int, Any, Mapping[str, str]]:
        self.state.labels[int(found["number"])] = said["labels"]
        return 200, [{"name": name} for name in said["labels"]], {}

    def _too_long(self, body: str) -> tuple[int, Any, Mapping[str, str]] | None:
        if len(body) <= self.state.longest:
            return None
        errors = [{"resource": "IssueComment", "code": "unprocessable", "field": "data"}]
        errors[0]["message"] = f"Body is too long (maximum is {self.state.longest} characters)"
        return 422, {"message": "Validation Failed", "errors": errors}, {}

    def _reply(self, status: int, found: Any, headers: Mapping[str, str]) -> None:
        content = json.dumps(found).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


_ROOT = f"/repos/{REPOSITORY}"
Answer = Callable[[_Handler, re.Match[str], Any, Any], tuple[int, Any, Mapping[str, str]]]
ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("GET", "/user", _Handler.user),
    ("GET", rf"{_ROOT}/issues/(?P<number>\d+)/comments", _Handler.listed),
    ("POST", rf"{_ROOT}/issues/(?P<number>\d+)/comments", _Handler.commented),
    ("PATCH", rf"{_ROOT}/issues/comments/(?P<identity>\d+)", _Handler.changed),
    ("GET", rf"{_ROOT}/pulls/(?P<number>\d+)", _Handler.pulled),
    ("PATCH", rf"{_ROOT}/pulls/(?P<number>\d+)", _Handler.pulled),
    ("GET", rf"{_ROOT}/pulls", _Handler.pulls),
    ("POST", rf"{_ROOT}/pulls", _Handler.opened),
    ("GET", rf"{_ROOT}/commits/(?P<commit>[0-9a-f]+)/pulls", _Handler.at_commit),
    ("GET", rf"{_ROOT}/environments/(?P<name>[^/]+)", _Handler.environment),
    ("GET", rf"{_ROOT}/actions/permissions/workflow", _Handler.permissions),
    ("GET", rf"{_ROOT}/rulesets", _Handler.ruled),
    ("POST", rf"{_ROOT}/rulesets", _Handler.ruled),
    ("PUT", rf"{_ROOT}/rulesets/(?P<identity>\d+)", _Handler.ruled),
    ("PUT", rf"{_ROOT}/issues/(?P<number>\d+)/labels", _Handler.labelled),
)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def shutdown_request(self, request: Any) -> None:
        """Close at once: a farewell would make an orderly end of a connection that is to be reset."""
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away: tests make that happen."""


@contextmanager
def served(state: State, *, certificate: Path | None = None) -> Iterator[str]:
    """Yield the address of a server with this state; with a certificate (and its key in one file) it speaks HTTPS."""
    handler = type("Handler", (_Handler,), {"state": state})
    server = _Server(("127.0.0.1", 0), handler)
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    address = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    handler.root = address  # type: ignore[attr-defined] # of a class made here
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield address
    finally:
        state.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def certificate_in(folder: Path) -> Path:
    """Return a file with a certificate for 127.0.0.1 and its key, which clients may trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = dt.datetime.now(dt.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + private)
    return path
