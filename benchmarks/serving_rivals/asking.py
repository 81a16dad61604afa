"""A closed-loop client over open raw sockets, with prepared requests."""

import json
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

HOST = "127.0.0.1"
END_OF_HEAD = b"\r\n\r\n"
AT_ONCE = 262_144
SECONDS_TO_ANSWER = 60.0


class AnswerError(RuntimeError):
    """A server answered, and not as it should."""


@dataclass(frozen=True)
class Asked:
    """What came of a loop: how long each request took, and what the client itself cost."""

    seconds: float
    latencies: list[float]
    client_cpu_seconds: float

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds


@dataclass
class _Connection:
    socket: socket.socket
    sent: float = 0.0
    found: bytearray = field(default_factory=bytearray)


def closed_loop(port: int, requests: Sequence[bytes], *, seconds: float, connections: int = 1) -> Asked:
    """Ask again on each connection as soon as it has its answer, for so many seconds; every answer must be a 200."""
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        for _ in range(connections):
            each = _Connection(stack.enter_context(_connected(port)))
            selector.register(each.socket, selectors.EVENT_READ, each)
        return _looped(selector, cycle(requests), seconds)


def _looped(selector: selectors.BaseSelector, requests: Iterator[bytes], seconds: float) -> Asked:
    latencies: list[float] = []
    cpu, started = time.process_time(), time.perf_counter()
    for key in selector.get_map().values():
        _send(key.data, next(requests))
    waiting = len(selector.get_map())
    while waiting:
        for key, _ in selector.select(SECONDS_TO_ANSWER) or _nothing():
            if not _received(key.data):
                continue
            moment = time.perf_counter()
            latencies.append(moment - key.data.sent)
            if moment - started < seconds:
                _send(key.data, next(requests))
            else:
                waiting -= 1
    return Asked(time.perf_counter() - started, latencies, time.process_time() - cpu)


def answers_to(port: int, requests: Sequence[bytes]) -> Iterator[Any]:
    """Yield the answer to each request in turn, on one connection."""
    each = _Connection(_connected(port))
    with each.socket:
        for request in requests:
            _send(each, request)
            while not (body := _received(each)):
                pass
            yield json.loads(body)


def _connected(port: int) -> socket.socket:
    made = socket.create_connection((HOST, port), SECONDS_TO_ANSWER)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _send(each: _Connection, request: bytes) -> None:
    each.sent = time.perf_counter()
    each.socket.sendall(request)


def _received(each: _Connection) -> bytes:
    """Take what has come; return the body once the answer is whole, and nothing before."""
    part = each.socket.recv(AT_ONCE)
    if not part:
        raise ConnectionError(f"the server closed the connection after {bytes(each.found)[:200]!r}")
    each.found += part
    body = whole_body(bytes(each.found))
    if body:
        each.found.clear()
    return body


def whole_body(found: bytes) -> bytes:
    r"""Return the body of an answer that is whole, nothing of one that is not; raise where it is no 200.

    >>> whole_body(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), whole_body(b"HTTP/1.1 200 OK\r\nConte")
    (b'{}', b'')
    """
    head, _, body = found.partition(END_OF_HEAD)
    if len(head) == len(found):
        return b""
    size = _length(head)
    if len(body) < size:
        return b""
    if not head.startswith(b"HTTP/1.1 200"):
        raise AnswerError(f"expected the answer 200, got {found[:1000]!r}")
    return body


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    raise AnswerError(f"the answer tells no length: {head!r}")


def _nothing() -> list[Any]:
    raise TimeoutError(f"no answer came within {SECONDS_TO_ANSWER:g} seconds")
