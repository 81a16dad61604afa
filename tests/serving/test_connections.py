"""Connections whose clients send too much or too slowly end, and other clients are answered."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.serving.asking import ask, wait_until
from tests.serving.served import ROWS, model_folder
from tests.serving.server import served

MOST, HEAD = 20, 1_000  # connections, bytes
HEALTH = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
CLOSED = r"pipe|reset"
BODY = {"features": ROWS[0]}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    settings: dict[str, Any] = {
        "most_connections": str(MOST),
        "most_kilobytes_of_a_head": str(HEAD / 1000),
        "seconds_for_a_head": "1",
    }
    with served(folder, champion=str(model_folder(folder / "champion")), **settings) as opened:
        yield opened


def connected(address: str, content: bytes = b"") -> socket.socket:
    parts = urlsplit(address)
    opened = socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=30)
    opened.sendall(content)
    return opened


def everything_from(connection: socket.socket) -> bytes:
    """Return what the server sends until it closes the connection."""
    found = bytearray()
    try:
        while part := connection.recv(65_536):
            found += part
    except ConnectionResetError:
        pass
    return bytes(found)


def send_on(connection: socket.socket, content: bytes) -> None:
    while True:
        connection.sendall(content)
        time.sleep(0.001)


def is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(
    "head",
    [
        b"GET /health HTTP/1.1\r\n" + b"a: b\r\n" * HEAD + b"\r\n",
        b"GET /health HTTP/1.1\r\n" + b"a: b\r\n" * HEAD,
        b"GET /health HTTP/1.1\r\na: " + b"b" * HEAD + b"\r\n\r\n",
        b"GET /health HTTP/1.1\r\na: " + b"b" * HEAD,
        b"GET /health?" + b"b" * HEAD,
    ],
    ids=["small headers", "unfinished", "one header", "one unfinished header", "address"],
)
def test_a_large_head_is_refused_with_431(address: str, head: bytes) -> None:
    with connected(address, head) as connection:
        answer = everything_from(connection)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"The headers are larger than 1 kilobytes." in answer


def test_a_request_that_is_not_http_is_refused_in_the_form_of_all_errors(address: str) -> None:
    with connected(address, b"hello\r\n\r\n") as connection:
        answer = everything_from(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b'{"error": "Invalid HTTP request received.", "details": []}')


@pytest.mark.parametrize("content", [b"", b"GET /he", HEALTH + b"GET /health HTTP/1.1\r\nHost:"])
def test_a_head_that_does_not_arrive_in_time_ends_the_connection(address: str, content: bytes) -> None:
    with connected(address, content) as connection:
        assert everything_from(connection).count(b"alive") == content.count(b"\r\n\r\n")


def test_a_large_head_in_slow_parts_ends_the_connection(address: str) -> None:
    with connected(address, b"GET /health HTTP/1.1\r\n") as connection, pytest.raises(OSError, match=CLOSED):
        send_on(connection, b"a: b\r\n")


def test_silent_clients_keep_nobody_out(address: str) -> None:
    with ExitStack() as stack:
        silent = [stack.enter_context(connected(address)) for _ in range(2 * MOST)]
        assert [ask(address, BODY) for _ in range(3)] == [200] * 3
        wait_until(lambda: all(map(is_closed, silent[:MOST])), lambda: "the oldest are open")


def test_the_client_that_was_answered_last_is_closed_last(address: str) -> None:
    with ExitStack() as stack:
        first, second = (stack.enter_context(connected(address)) for _ in range(2))
        first.sendall(HEALTH)
        assert b"alive" in b"".join(iter(lambda: first.recv(1), b"}"))
        for _ in range(MOST - 1):
            stack.enter_context(connected(address))
        wait_until(lambda: is_closed(second), lambda: "it is open")
        assert not is_closed(first)


def test_clients_that_do_not_finish_their_bodies_keep_nobody_out(address: str) -> None:
    unfinished = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
    with ExitStack() as stack:
        for _ in range(2 * MOST):
            stack.enter_context(connected(address, unfinished))
        assert ask(address, BODY) == 200


def test_some_pipelined_requests_are_answered_and_many_end_the_connection(address: str) -> None:
    with connected(address, HEALTH * 10) as connection:
        found = b""
        while found.count(b"alive") < 10:
            found += connection.recv(65_536)
    with connected(address, HEALTH * 1000) as connection:
        assert everything_from(connection).count(b"alive") < 100


def test_a_client_that_reads_no_answer_is_closed(address: str) -> None:
    request = b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n"
    with connected(address) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with pytest.raises(OSError, match=CLOSED):
            send_on(connection, request)
    assert ask(address, BODY) == 200
